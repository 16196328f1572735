"""Who may do what with which table through Supabase's API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import errors

from core.store.migrate import migrate, turn_to_migrate
from core.store.row_security import plan_policies
from core.store.tables import metadata
from tests.contract.conftest import StoreCase, received
from tests.support.old_policies import FUNCTIONS, POLICIES, VIEW, make_old_table
from tests.support.postgres import Postgres, Server, query
from tests.support.supabase import as_caller, open_supabase_server, supabase

ANN, BEN = "0a0a0a0a-0000-4000-8000-00000000000a", "0b0b0b0b-0000-4000-8000-00000000000b"
TABLES = sorted([*metadata.tables, "alembic_version"])
OWNED = ("generations", "assets")
CALLERS = {
    "a stranger": ("anon", None),
    "Ann": ("authenticated", ANN),
    "Ben": ("authenticated", BEN),
    "signed in as nobody": ("authenticated", None),
    "the service role": ("service_role", None),
}
DELETES = "LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM public.generations'"
VERBS = {
    "SELECT": "SELECT * FROM {table}",
    "INSERT": "INSERT INTO {table} DEFAULT VALUES",
    "UPDATE": "UPDATE {table} SET {column} = {column}",
    "DELETE": "DELETE FROM {table}",
    "TRUNCATE": "TRUNCATE {table} CASCADE",
}


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """One with Supabase's roles."""
    with open_supabase_server() as opened:
        yield opened


@pytest.fixture(scope="module")
def url(server: Postgres) -> Iterator[str]:
    """A migrated project in which Ann has two generations and Ben has one; nobody commits."""
    with supabase(server) as made:
        migrate(made)
        fill(made)
        yield made


@pytest.fixture
def project(server: Postgres) -> Iterator[str]:
    """An empty project."""
    with supabase(server) as made:
        yield made


def fill(url: str) -> list[str]:
    """Two generations of Ann's and one of Ben's, with a file each; their ids."""
    case = StoreCase(url)
    ids = [case.add_submitted(f"task-{n}", user_id=u).id for n, u in enumerate((ANN, ANN, BEN))]
    case.store.inbox.accept(received("task-0"))
    case.close()
    for generation_id in ids:
        query(url, "INSERT INTO assets (generation_id, position, role, failures)"
              " VALUES (%s, 0, 'main', 0)", [generation_id])  # fmt: skip
    return ids


def outcome(url: str, caller: str, statement: str) -> Any:
    """The rows that a caller gets, 'done' or 'denied'."""
    try:
        return as_caller(url, *CALLERS[caller], statement) or "done"
    except errors.InsufficientPrivilege:
        return "denied"
    except errors.NotNullViolation:
        return "done"  # the caller was let in; DEFAULT VALUES are not enough


def expected(caller: str, table: str, verb: str) -> str:
    if caller == "the service role":
        return "done"
    signed_in = CALLERS[caller][0] == "authenticated"
    return "done" if verb == "SELECT" and signed_in and table in OWNED else "denied"


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("caller", CALLERS)
def test_owners_read_and_the_service_role_does_everything(
    url: str, caller: str, table: str
) -> None:
    column = query(url, f"SELECT attname FROM pg_attribute WHERE attrelid = '{table}'::regclass"
                   " AND attnum = 1")[0]["attname"]  # fmt: skip
    got = {
        verb: outcome(url, caller, statement.format(table=table, column=column))
        for verb, statement in VERBS.items()
    }
    assert {verb: "denied" if what == "denied" else "done" for verb, what in got.items()} == {
        verb: expected(caller, table, verb) for verb in VERBS
    }


@pytest.mark.parametrize(("caller", "rows"), [("Ann", 2), ("Ben", 1), ("signed in as nobody", 0)])
@pytest.mark.parametrize("table", OWNED)
def test_owners_see_their_own_rows_only(url: str, table: str, caller: str, rows: int) -> None:
    assert outcome(url, caller, f"SELECT count(*) FROM {table}") == [(rows,)]


def test_row_security_is_on_for_every_table(url: str) -> None:
    off = "SELECT relname FROM pg_class WHERE relname = ANY (%s) AND NOT relrowsecurity"
    assert query(url, off, [TABLES]) == []


def test_no_right_is_left_that_policies_do_not_bind(url: str) -> None:
    """TRUNCATE, REFERENCES, TRIGGER and, on newer servers, MAINTAIN among them."""
    assert rights(url) == {("generations", "SELECT"), ("assets", "SELECT")}


@pytest.mark.parametrize("caller", ["a stranger", "Ann"])
def test_nobody_else_turns_a_sequence_back(url: str, caller: str) -> None:
    assert outcome(url, caller, "SELECT setval('events_id_seq', 1)") == "denied"
    assert outcome(url, caller, "SELECT nextval('events_id_seq')") == "denied"


def test_an_owner_who_is_no_superuser_works_as_before(project: str) -> None:
    migrate(project)
    case = StoreCase(project)
    claimed = case.claim(case.add_submitted("task-1", user_id=ANN))
    case.store.inbox.accept(received("task-1"))
    case.save(claimed, provider_state="generating")
    assert case.row(claimed).provider_state == "generating"
    case.store.generations.delete(claimed.id, claimed.lease_token or "")
    assert case.queries.by_id(claimed.id) is None
    case.close()
    assert query(project, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [
        {"rolsuper": False}
    ]


def test_generations_join_the_realtime_publication(url: str) -> None:
    assert published(url) == ["generations"]


def test_a_publication_that_has_the_table_already_is_left_alone(project: str) -> None:
    make_old_table(project, {})
    run(project, "ALTER PUBLICATION supabase_realtime ADD TABLE generations")
    migrate(project)
    assert published(project) == ["generations"]


def test_a_publication_of_all_tables_is_left_alone(project: str, server: Postgres) -> None:
    name = "supabase_realtime"
    query(superuser(server, project), f"DROP PUBLICATION {name}")
    query(superuser(server, project), f"CREATE PUBLICATION {name} FOR ALL TABLES")
    migrate(project)
    assert set(published(project)) == set(TABLES)


def test_a_publication_of_somebody_elses_does_not_stop_a_migration(
    project: str, server: Postgres
) -> None:
    query(superuser(server, project), "ALTER PUBLICATION supabase_realtime OWNER TO CURRENT_USER")
    make_old_table(project, {})
    assert "generations cannot join" in sentences(project)[-1]
    migrate(project)
    assert published(project) == []


def test_without_auth_nobody_owns_anything(project: str, server: Postgres) -> None:
    query(superuser(server, project), "DROP SCHEMA auth CASCADE")
    migrate(project)
    fill(project)
    assert outcome(project, "Ann", "SELECT count(*) FROM generations") in ("denied", [(0,)])
    assert outcome(project, "the service role", "SELECT count(*) FROM generations") == [(3,)]


def test_a_server_without_supabases_roles_is_migrated_too() -> None:
    plain = Server()
    try:
        url = plain.create()
        migrate(url)
        assert sentences(url) == []
        assert query(url, "SELECT relname FROM pg_class WHERE relrowsecurity") == []
    finally:
        plain.close()


# A table that was there before us, with what its application let people do.


@pytest.fixture
def old(project: str) -> str:
    """An adopted table with every policy of the older system, before we do anything about them."""
    make_old_table(project, POLICIES)
    run(project, VIEW)
    run(project, FUNCTIONS)
    return project


def test_each_policy_is_named_with_what_becomes_of_it(old: str) -> None:
    told = sentences(old)
    kept = {name for name in POLICIES if any(f'"{name}" on generations stays' in s for s in told)}
    dropped = {n for n in POLICIES if any(f'"{n}" on generations is dropped' in s for s in told)}
    assert kept == {
        "Users can view own generations",
        "Anyone can view public generations",
        "Users can update own generations",
        "generations_select_own",
        "generations_update_own",
    }
    assert dropped == set(POLICIES) - kept
    migrate(old)
    remaining = {row["policyname"] for row in query(old, "SELECT policyname FROM pg_policies")}
    assert remaining == {*kept, "generations_read_own", "assets_read_own"}


def test_planning_changes_nothing(old: str) -> None:
    before = query(old, "SELECT * FROM pg_policies ORDER BY policyname")
    sentences(old)
    assert query(old, "SELECT * FROM pg_policies ORDER BY policyname") == before


def test_an_owner_may_go_on_marking_rows_but_not_changing_deliveries(old: str) -> None:
    migrate(old)
    fill(old)
    mark = "UPDATE generations SET is_favorite = true, tags = '{red}' RETURNING user_id::text"
    assert outcome(old, "Ann", mark) == [(ANN,), (ANN,)]
    assert outcome(old, "a stranger", mark) == "denied"
    for column in ("status", "asset_url", "user_id", "charged_stars", "task_id"):
        change = f"UPDATE generations SET {column} = NULL"
        assert outcome(old, "Ann", change) == "denied", column
    for statement in ("DELETE FROM generations", "TRUNCATE generations CASCADE"):
        assert outcome(old, "Ann", statement) == "denied"
    insert = f"INSERT INTO generations (id, user_id) VALUES (gen_random_uuid(), '{ANN}')"
    assert outcome(old, "Ann", insert) == "denied"


def test_an_adopted_table_keeps_no_right_to_more_than_reading(old: str) -> None:
    migrate(old)
    assert ("generations", "SELECT") in rights(old)
    assert {right for table, right in rights(old) if table == "generations"} == {"SELECT"}


def test_public_rows_are_still_read_by_everybody(old: str) -> None:
    migrate(old)
    ids = fill(old)
    query(old, "UPDATE generations SET is_public = true WHERE id = %s", [ids[0]])
    assert outcome(old, "a stranger", "SELECT id::text FROM generations") == [(ids[0],)]
    assert outcome(old, "Ben", "SELECT count(*) FROM generations") == [(2,)]
    assert outcome(old, "a stranger", "SELECT * FROM assets") == "denied"


def test_a_view_is_no_way_around(old: str, server: Postgres) -> None:
    migrate(old)
    fill(old)
    asked = outcome(old, "Ben", "SELECT count(*) FROM generation_history")
    assert asked == ([(1,)] if version(server) >= 150000 else "denied")
    for verb in (
        "UPDATE generation_history SET status = 'failed'",
        "DELETE FROM generation_history",
    ):
        assert outcome(old, "Ben", verb) == "denied"


def test_a_view_that_keeps_its_rows_is_closed(old: str) -> None:
    run(old, "CREATE MATERIALIZED VIEW prompts AS SELECT prompt FROM generation_history")
    assert outcome(old, "a stranger", "SELECT * FROM prompts") == "done"
    told = sentences(old)
    migrate(old)
    assert outcome(old, "a stranger", "SELECT * FROM prompts") == "denied"
    assert any("no longer use view prompts" in one for one in told)


def test_a_function_with_its_owners_rights_is_no_way_around(old: str) -> None:
    call = "SELECT cleanup_old_failed_generations(0)"
    assert outcome(old, "a stranger", call) == [(0,)]
    told = sentences(old)
    migrate(old)
    assert outcome(old, "a stranger", call) == "denied"
    assert outcome(old, "Ann", call) == "denied"
    assert outcome(old, "the service role", call) == [(0,)]
    assert any("call function cleanup_old_failed_generations(integer)" in one for one in told)
    assert any("function get_user_generation_stats(uuid) stays" in one for one in told)


@pytest.mark.parametrize("kind", ["FUNCTION", "PROCEDURE"])
def test_what_somebody_else_lets_callers_do_is_pointed_out_and_left(
    project: str, server: Postgres, kind: str
) -> None:
    make_old_table(project, {})
    returns = "RETURNS void" if kind == "FUNCTION" else ""
    run(
        superuser(server, project),
        f"CREATE {kind} empty() {returns} {DELETES};"
        " REVOKE EXECUTE ON ROUTINE empty() FROM PUBLIC; GRANT EXECUTE ON ROUTINE empty() TO anon",
    )
    (told,) = [one for one in sentences(project) if "empty()" in one]
    assert "stays, but see to it: it changes generations with the rights of its owner" in told
    migrate(project)


def test_a_procedure_with_its_owners_rights_is_no_way_around(old: str) -> None:
    run(old, f"CREATE PROCEDURE empty() {DELETES}")
    assert outcome(old, "a stranger", "CALL empty()") == "done"
    migrate(old)
    assert outcome(old, "a stranger", "CALL empty()") == "denied"
    assert outcome(old, "the service role", "CALL empty()") == "done"


def test_a_function_that_joins_without_a_word_for_it_is_named(old: str) -> None:
    run(
        old,
        "CREATE FUNCTION counted() RETURNS bigint LANGUAGE sql SECURITY DEFINER"
        " AS 'SELECT count(*) FROM (VALUES (1)) AS one, public.generations'",
    )
    assert any("function counted() stays" in one for one in sentences(old))


def test_the_table_of_an_adopted_owner_is_read_by_index(old: str) -> None:
    migrate(old)
    own = "SELECT qual FROM pg_policies WHERE policyname = 'generations_read_own'"
    assert query(old, own) == [{"qual": "(user_id = ( SELECT auth.uid() AS uid))"}]


STAYS = {
    "an owner's, written as Supabase advises": "FOR SELECT USING ((SELECT auth.uid()) = user_id)",
    "an owner's, compared as text": "FOR SELECT USING (auth.uid()::text = user_id::text)",
    "owners' and public": "FOR SELECT USING (user_id = auth.uid() OR is_public)",
    "only takes away": "AS RESTRICTIVE FOR ALL USING (is_public IS NOT NULL)",
    "the service role's": "FOR ALL TO service_role USING (true) WITH CHECK (true)",
}
GOES = {
    "everybody reads": "FOR SELECT USING (true)",
    "whoever is signed in reads": "FOR SELECT TO authenticated USING (auth.uid() IS NOT NULL)",
    "own or anything": "FOR SELECT USING (auth.uid() = user_id OR true)",
    "not own": "FOR SELECT USING (auth.uid() <> user_id)",
    "another column": "FOR SELECT USING (auth.uid() = id)",
    "owners do everything": "FOR ALL USING (auth.uid() = user_id)",
    "public rows are changed": "FOR UPDATE USING (is_public = true)",
    "owners give away": "FOR UPDATE USING (auth.uid() = user_id) WITH CHECK (true)",
    "anybody changes": "FOR UPDATE USING (true)",
    "anybody deletes": "FOR DELETE USING (true)",
    'a "name"; DROP TABLE generations; --': "FOR ALL USING (true)",
}


@pytest.mark.parametrize("name", STAYS)
def test_what_is_safe_stays(project: str, name: str) -> None:
    make_old_table(project, {name: STAYS[name]})
    migrate(project)
    assert name in policies(project)


@pytest.mark.parametrize("name", GOES)
def test_what_is_not_known_to_be_safe_goes(project: str, name: str) -> None:
    make_old_table(project, {name.replace('"', '""'): GOES[name]})
    assert any(f'policy "{name}" on generations is dropped' in one for one in sentences(project))
    migrate(project)
    assert policies(project) == {"generations_read_own"}


def test_a_policy_on_stored_files_is_pointed_out_and_left(old: str, server: Postgres) -> None:
    run(
        superuser(server, old),
        "CREATE SCHEMA storage; CREATE TABLE storage.objects (bucket_id text, name text);"
        'CREATE POLICY "Service can manage all generation files" ON storage.objects'
        " FOR ALL USING (bucket_id = 'generations')",
    )
    told = [one for one in sentences(old) if "storage.objects" in one]
    assert len(told) == 1
    assert "stays, but see to it: PUBLIC may change files" in told[0]


def test_an_owner_bound_by_the_policies_is_set_free(project: str) -> None:
    make_old_table(project, {})
    run(project, "ALTER TABLE generations FORCE ROW LEVEL SECURITY")
    migrate(project)
    assert len(fill(project)) == 3


def test_columns_that_an_application_hides_stay_hidden(project: str) -> None:
    make_old_table(project, {})
    run(project, "REVOKE SELECT ON generations FROM authenticated")
    run(project, "GRANT SELECT (id, status) ON generations TO authenticated")
    migrate(project)
    assert outcome(project, "Ann", "SELECT id, status FROM generations") == "done"
    assert outcome(project, "Ann", "SELECT prompt FROM generations") == "denied"


def sentences(url: str) -> list[str]:
    with turn_to_migrate(url) as connection:
        return plan_policies(connection)


def rights(url: str) -> set[tuple[str, str]]:
    """What everybody, strangers and the signed-in may do with whole tables and sequences."""
    rows = query(
        url,
        "SELECT relname, privilege_type FROM pg_class, aclexplode(relacl)"
        " LEFT JOIN pg_roles ON pg_roles.oid = grantee"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S')"
        " AND coalesce(rolname, 'anon') IN ('anon', 'authenticated')",
    )
    return {(row["relname"], row["privilege_type"]) for row in rows}


def policies(url: str) -> set[str]:
    found = query(url, "SELECT policyname FROM pg_policies WHERE tablename = 'generations'")
    return {row["policyname"] for row in found}


def published(url: str) -> list[str]:
    rows = query(url, "SELECT tablename FROM pg_publication_tables ORDER BY 1")
    return [row["tablename"] for row in rows]


def run(url: str, statements: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statements.encode())


def superuser(server: Postgres, url: str) -> str:
    return server.url_of(psycopg.conninfo.conninfo_to_dict(url)["dbname"])


def version(server: Postgres) -> int:
    url = server.url.render_as_string(hide_password=False)
    return int(query(url, "SHOW server_version_num")[0]["server_version_num"])
