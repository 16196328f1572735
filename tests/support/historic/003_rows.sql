INSERT INTO generations
    (id, user_id, type, model_id, model_name, prompt, status, task_id, results, credits_used,
     is_favorite, created_at, updated_at, completed_at)
SELECT ('00000000-0000-4000-8000-0000000003' || id)::uuid, '00000000-0000-4000-8000-00000000000a',
    type, 'flux-2-pro', 'FLUX.2 Pro', 'a red house', status, task_id, results::jsonb, 5,
    id = '01', created_at::timestamptz, created_at::timestamptz, completed_at::timestamptz
FROM (VALUES
    ('01', 'photo', 'completed', 'task-301',
     '[{"url": "https://ours.test/storage/v1/object/public/generations/a/1.png"}]',
     '2026-02-20 10:00Z', '2026-02-20 10:01Z'),
    ('02', 'product', 'completed', 'task-302', '[{"url": "https://kie.test/2.png"}]',
     '2026-02-20 10:00Z', '2026-02-20 10:01Z'),
    ('03', 'video', 'completed', 'task-303', '["https://kie.test/3.mp4"]',
     '2025-12-20 10:00Z', '2025-12-20 10:01Z'),
    ('04', 'photo', 'pending', 'task-304', '[]', '2026-03-01 11:59Z', NULL),
    ('05', 'photo', 'processing', 'task-305', '[]', '2025-12-20 10:00Z', NULL),
    ('06', 'photo', 'pending', NULL, '[]', '2026-03-01 11:00Z', NULL),
    ('07', 'photo', 'failed', 'task-307', NULL, '2026-02-20 10:00Z', NULL)
) AS row (id, type, status, task_id, results, created_at, completed_at);
