-- As much of Supabase's schema auth as the table refers to.
CREATE SCHEMA IF NOT EXISTS auth;
CREATE TABLE auth.users (id uuid PRIMARY KEY);
CREATE OR REPLACE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS
    'SELECT nullif(current_setting(''request.jwt.claim.sub'', true), '''')::uuid';
INSERT INTO auth.users VALUES
    ('00000000-0000-4000-8000-00000000000a'), ('00000000-0000-4000-8000-00000000000b');
