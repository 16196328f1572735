INSERT INTO generations
    (id, user_id, type, model_id, model_name, prompt, kind, model_key, provider, status, task_id,
     result_urls, asset_url, created_at, updated_at)
SELECT ('00000000-0000-4000-8000-0000000011' || id)::uuid, '00000000-0000-4000-8000-00000000000b',
    'photo', 'seedream', 'Seedream', 'a cat', 'image', 'seedream_45_t2i', provider, status,
    task_id, result_urls::jsonb, asset_url, created_at::timestamptz, created_at::timestamptz
FROM (VALUES
    ('01', 'kie', 'success', 'task-1101', '["https://kie.test/1.png"]',
     'https://ours.test/storage/v1/object/public/generations/b/1.png', '2025-11-01 10:00Z'),
    ('02', 'kie', 'success', 'task-1102', '["https://kie.test/2.png"]', 'https://kie.test/2.png',
     '2026-02-28 10:00Z'),
    ('03', 'kie', 'queued', 'task-1103', '[]', NULL, '2026-03-01 11:58Z'),
    ('04', 'kie', 'generating', 'task-1102', '[]', NULL, '2026-02-28 10:00Z'),
    ('05', 'fal', 'success', 'task-1102', '["https://fal.test/5.png"]', NULL, '2025-11-01 10:00Z'),
    ('06', 'fal', 'generating', 'shared', '[]', NULL, '2025-11-01 10:00Z'),
    ('07', 'fal', 'failed', 'shared', NULL, NULL, '2025-11-01 10:00Z')
) AS row (id, provider, status, task_id, result_urls, asset_url, created_at);
