INSERT INTO generations
    (id, user_id, type, model_id, model_name, prompt, kind, model_key, status, task_id,
     result_urls, preview_url, options, error, created_at, updated_at)
SELECT ('00000000-0000-4000-8000-0000000010' || id)::uuid, '00000000-0000-4000-8000-00000000000b',
    'video', 'kling', 'Kling', 'a dog', 'video', 'kling_26_t2v', status, task_id,
    result_urls::jsonb, preview_url, '{"prompt": "a dog", "duration": "5"}', error,
    created_at::timestamptz, created_at::timestamptz
FROM (VALUES
    ('01', 'success', 'task-1001', '["https://kie.test/1.mp4"]', 'https://kie.test/1.jpg', NULL,
     '2026-02-28 10:00Z'),
    ('02', 'generating', 'task-1002', '[]', NULL, NULL, '2026-02-28 10:00Z'),
    ('03', 'failed', 'task-1003', '[]', NULL, 'no such style', '2026-02-28 10:00Z'),
    ('04', 'success', NULL, '["https://kie.test/4a.mp4", "https://kie.test/4b.mp4"]', NULL, NULL,
     '2026-02-28 10:00Z')
) AS row (id, status, task_id, result_urls, preview_url, error, created_at);
