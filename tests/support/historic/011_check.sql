-- Only where no row has one of the earlier words.
ALTER TABLE generations ADD CONSTRAINT generations_status_check
    CHECK (status IN ('queued', 'generating', 'success', 'failed'));
