INSERT INTO studio_threads VALUES ('00000000-0000-4000-8000-0000000000ff');
INSERT INTO generations
    (id, user_id, type, model_id, model_name, prompt, status, task_id, result_urls, original_path,
     thread_id, params, charged_stars, created_at, updated_at)
SELECT ('00000000-0000-4000-8000-0000000020' || id)::uuid, '00000000-0000-4000-8000-00000000000a',
    type, model, model, 'a song', status, task_id, result_urls::jsonb, 'a/1.png',
    '00000000-0000-4000-8000-0000000000ff', '{"mode": "t2i"}', 7,
    created_at::timestamptz, created_at::timestamptz
FROM (VALUES
    ('01', 'photo', 'nano-banana', 'success', NULL,
     '["https://ours.test/storage/v1/object/public/generations/a/1.png",
       "https://ours.test/storage/v1/object/public/generations/a/2.png"]', '2026-01-01 10:00Z'),
    ('02', 'photo', 'nano-banana', 'success', 'task-2002', '["https://kie.test/2.png"]',
     '2026-02-28 10:00Z'),
    ('03', 'video', 'veo-3.1-fast', 'success', 'task-2003', '["https://kie.test/3.mp4"]',
     '2026-02-28 10:00Z'),
    ('04', 'video', 'kling', 'queued', NULL, '[]', '2026-02-28 10:00Z')
) AS row (id, type, model, status, task_id, result_urls, created_at);
