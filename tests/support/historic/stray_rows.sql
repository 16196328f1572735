INSERT INTO generations
    (id, user_id, type, model_id, model_name, prompt, status, task_id, result_url, error_message,
     created_at, updated_at)
SELECT ('00000000-0000-4000-8000-0000000030' || id)::uuid, '00000000-0000-4000-8000-00000000000a',
    type, 'suno', 'Suno', 'a song', status, task_id, result_url, error_message,
    created_at::timestamptz, NULL
FROM (VALUES
    ('01', 'audio', 'succeeded', 'task-3001', 'https://kie.test/1.mp3', NULL, '2026-02-28 10:00Z'),
    ('02', 'audio', 'cancelled', 'task-3002', NULL, NULL, '2026-02-28 10:00Z'),
    ('03', 'image', 'QUEUED', 'task-3003', NULL, NULL, '2026-02-28 10:00Z'),
    ('04', 'image', 'upscaling', 'task-3004', NULL, NULL, '2026-02-28 10:00Z'),
    ('05', 'image', NULL, 'task-3005', NULL, NULL, NULL),
    ('06', 'image', 'error', 'task-3006', NULL, 'out of credits', '2026-02-28 10:00Z')
) AS row (id, type, status, task_id, result_url, error_message, created_at);
