"""What Supabase has in a database before anybody makes a table: roles, default rights, auth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql

from tests.support.postgres import Postgres, Server, name_of

#: As on Supabase `postgres` is: it owns the tables and is no superuser.
OWNER = "kie_tests_owner"
ROLES = {
    "anon": "NOLOGIN",
    "authenticated": "NOLOGIN",
    "service_role": "NOLOGIN BYPASSRLS",
    OWNER: "NOLOGIN",
}

SUPABASE = f"""
GRANT CREATE ON SCHEMA public TO {OWNER};
GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role;
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public
    GRANT ALL ON TABLES TO anon, authenticated, service_role;
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public
    GRANT ALL ON SEQUENCES TO anon, authenticated, service_role;
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public
    GRANT ALL ON FUNCTIONS TO anon, authenticated, service_role;
CREATE SCHEMA auth;
GRANT USAGE ON SCHEMA auth TO anon, authenticated, service_role, {OWNER};
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid
$$;
CREATE PUBLICATION supabase_realtime;
ALTER PUBLICATION supabase_realtime OWNER TO {OWNER};
"""


@contextmanager
def open_supabase_server() -> Iterator[Postgres]:
    """A server of its own: roles belong to a server, and change what other tests' tables get."""
    server = Server()
    try:
        for name, attributes in ROLES.items():
            server.run(sql.SQL(f"CREATE ROLE {name} {attributes}"))
        yield server
    finally:
        server.close()


@contextmanager
def supabase(postgres: Postgres) -> Iterator[str]:
    """An empty database like a new project's, as the owner of its tables connects to it."""
    url = postgres.create()
    postgres.run(
        sql.SQL("ALTER DATABASE {} OWNER TO {}").format(
            sql.Identifier(name_of(url)), sql.Identifier(OWNER)
        )
    )
    with psycopg.connect(url) as connection:
        connection.execute(SUPABASE.encode())
    try:
        yield with_role(url, OWNER)
    finally:
        postgres.drop(url)


def with_role(url: str, role: str) -> str:
    """The URL with which one connects as another role, without a password of its own."""
    options = sa.make_url(url).set(query={"options": f"--role={role}"})
    return options.render_as_string(hide_password=False)


def as_caller(url: str, role: str, user: str | None, statement: str) -> list[tuple[Any, ...]]:
    """The rows of a statement that somebody sends through Supabase's API; nothing is committed."""
    with psycopg.connect(with_role(url, role)) as connection:
        claims = f'{{"sub": "{user}"}}' if user else ""
        connection.execute("SELECT set_config('request.jwt.claims', %s, true)", [claims])
        cursor = connection.execute(statement.encode())
        rows = cursor.fetchall() if cursor.description else []
        connection.rollback()
        return rows
