"""What an old table may have in our way: it gives way, or nothing is changed at all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import Any

import psycopg
import pytest

from core.store.adopting import AdoptionError, needs_adopting
from core.store.migrate import turn_to_migrate
from tests.support.historic import NOW, SMALL, adopt_table, build, insert
from tests.support.postgres import Postgres, query


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    """A database with an old table that has every column and no rows."""
    made = postgres.create()
    build(made, "all, with stray columns", rows=False)
    yield made
    postgres.drop(made)


@pytest.fixture
def empty(postgres: Postgres) -> Iterator[str]:
    """A database without anything in it."""
    made = postgres.create()
    yield made
    postgres.drop(made)


def refused(url: str) -> str:
    """Why the table is not adopted; nothing has changed."""
    everything = "SELECT oid, relname, relnatts FROM pg_class ORDER BY oid"
    before = query(url, everything)
    with pytest.raises(AdoptionError) as error:
        adopt_table(url)
    assert query(url, everything) == before
    return str(error.value)


def add_trigger(url: str, when: str, does: str) -> None:
    query(
        url,
        f"""
        CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {does} END$$;
        CREATE TRIGGER act BEFORE {when} ON generations FOR EACH ROW EXECUTE FUNCTION act()
        """,
    )


def types(url: str) -> dict[str, str]:
    statement = """
        SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
        WHERE attrelid = 'generations'::regclass AND attnum > 0
    """
    return {row["name"]: row["type"] for row in query(url, statement)}


def only(url: str, columns: str) -> dict[str, Any]:
    (row,) = query(url, f"SELECT {columns} FROM generations")
    return row


def test_a_database_without_such_a_table_is_only_migrated(empty: str) -> None:
    with turn_to_migrate(empty) as connection:
        assert not needs_adopting(connection)


def test_a_database_that_is_ours_is_not_adopted(database_url: str) -> None:
    with turn_to_migrate(database_url) as connection:
        assert not needs_adopting(connection)


def test_a_small_table_is_enough(empty: str) -> None:
    query(empty, SMALL)
    query(empty, "INSERT INTO generations (status, task_id) VALUES ('pending', 'task-1')")
    adopt_table(empty)
    found = only(empty, "status, provider, model")
    assert found == {"status": "queued", "provider": "kie", "model": "unknown"}


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ("CREATE TABLE generations (id bigint PRIMARY KEY)", "id is of type bigint, not uuid"),
        ("CREATE TABLE generations (number uuid)", "id is missing, not uuid"),
        ("CREATE VIEW generations AS SELECT gen_random_uuid() AS id", "no ordinary table"),
        (f"{SMALL}; CREATE TABLE events (n int); CREATE VIEW assets AS SELECT 1", "assets, events"),
        (f"{SMALL}; ALTER TABLE generations ALTER created_at TYPE text", "created_at is of type"),
    ],
)
def test_a_table_that_cannot_be_ours_is_refused(empty: str, table: str, why: str) -> None:
    query(empty, table)
    assert why in refused(empty)


def test_a_trigger_that_refuses_our_rows_is_named_by_what_it_says(url: str) -> None:
    query(
        url,
        """
        CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN RAISE EXCEPTION ''no sku, no generation''; END';
        CREATE TRIGGER no BEFORE INSERT ON generations FOR EACH ROW WHEN (NEW.sku IS NULL)
            EXECUTE FUNCTION no()
        """,
    )
    insert(url, sku="s")
    assert refused(url).endswith("no sku, no generation")


@pytest.mark.parametrize(
    ("does", "why"),
    [
        ("RETURN NULL;", "do to id"),
        ("NEW.id = gen_random_uuid(); RETURN NEW;", "do to id"),
        ("NEW.kind = 'image'; RETURN NEW;", "do to kind"),
        ("NEW.prompt = 'other'; RETURN NEW;", "do to prompt"),
    ],
)
def test_a_trigger_that_does_not_keep_our_rows_is_an_error(url: str, does: str, why: str) -> None:
    add_trigger(url, "INSERT", does)
    assert refused(url).endswith(why)


@pytest.mark.parametrize(
    ("does", "why"),
    [
        ("RETURN NULL;", "do to status, asset_url, task_id"),
        ("NEW.status = 'completed'; RETURN NEW;", "ck_generations_status_known"),
        ("NEW.asset_url = NULL; RETURN NEW;", "do to asset_url"),
        (
            "IF NEW.status = 'success' THEN NEW.asset_url = NULL; END IF; RETURN NEW;",
            "ck_generations_success_has_asset_url",
        ),
    ],
)
def test_a_trigger_that_changes_what_we_write_is_an_error(url: str, does: str, why: str) -> None:
    add_trigger(url, "UPDATE", does)
    assert why in refused(url)


def test_a_rule_that_drops_our_rows_is_an_error(url: str) -> None:
    query(url, "CREATE RULE none AS ON INSERT TO generations DO INSTEAD NOTHING")
    assert refused(url).endswith("do to id")


@pytest.mark.parametrize("kind", ["image", "video", "audio", "text"])
def test_a_trigger_that_refuses_one_kind_is_found(url: str, kind: str) -> None:
    add_trigger(url, "INSERT", f"IF NEW.kind = '{kind}' THEN RAISE 'never'; END IF; RETURN NEW;")
    assert refused(url).endswith("never")


def test_rules_are_tried_although_no_user_is_known(empty: str) -> None:
    query(empty, SMALL)
    query(
        empty,
        """
        ALTER TABLE generations ALTER user_id SET NOT NULL,
            ADD COLUMN sku text, ADD COLUMN price int,
            ADD CONSTRAINT one CHECK (num_nonnulls(sku, price) = 1)
        """,
    )
    assert "check one binds rows of other providers only" in adopt_table(empty)
    with pytest.raises(psycopg.errors.NotNullViolation):
        query(empty, "INSERT INTO generations (status) VALUES ('queued')")


def test_a_trigger_does_not_touch_what_is_adopted(url: str) -> None:
    insert(url, updated_at=NOW)
    query(
        url, "ALTER TABLE generations ENABLE ALWAYS TRIGGER trigger_update_generations_updated_at"
    )
    adopt_table(url)
    assert only(url, "updated_at") == {"updated_at": NOW}
    query(url, "UPDATE generations SET sku = 's'")
    assert only(url, "updated_at") != {"updated_at": NOW}


def test_a_view_that_holds_a_type_is_an_error_without_a_trace(url: str) -> None:
    query(url, "ALTER TABLE generations ADD COLUMN model varchar(20)")
    query(url, "CREATE VIEW names AS SELECT model FROM generations")
    why = refused(url)
    assert "its column model is of type character varying(20) and cannot become text" in why
    assert "used by a view" in why


@pytest.mark.parametrize(
    "holder",
    [
        "CREATE INDEX ready ON generations (created_at) WHERE status = 'done'",
        "CREATE TRIGGER t BEFORE UPDATE OF status ON generations FOR EACH ROW EXECUTE FUNCTION f()",
        "CREATE POLICY p ON generations FOR SELECT USING (status = 'done')",
    ],
    ids=["index", "trigger", "policy"],
)
def test_what_holds_a_type_is_an_error_that_says_what_to_do(empty: str, holder: str) -> None:
    query(
        empty,
        f"""
        {SMALL};
        CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TYPE state AS ENUM ('pending', 'done');
        ALTER TABLE generations ALTER status TYPE state USING 'pending';
        {holder}
        """,
    )
    why = refused(empty)
    assert "its column status is of type state and cannot become text" in why
    assert "drop the view, index, trigger or policy that holds it" in why


def test_a_check_of_the_old_type_is_an_error_that_names_it(empty: str) -> None:
    query(empty, SMALL)
    query(
        empty,
        """
        CREATE TYPE state AS ENUM ('pending', 'done');
        ALTER TABLE generations ALTER status TYPE state USING 'pending',
            ADD CONSTRAINT not_done CHECK (status <> 'done')
        """,
    )
    why = refused(empty)
    assert "its check not_done does not fit" in why
    assert "drop it, then try again" in why


def test_rows_that_become_alike_are_an_error_that_names_the_rule(empty: str) -> None:
    query(empty, SMALL)
    query(
        empty,
        """
        ALTER TABLE generations ADD COLUMN provider text, ADD COLUMN prompt text,
            ADD CONSTRAINT one_each UNIQUE (provider, prompt);
        INSERT INTO generations (provider, prompt) VALUES ('kie', 'a'), ('kie_market', 'a')
        """,
    )
    why = refused(empty)
    assert "one_each" in why
    assert "settle those rows first" in why


def test_a_check_of_what_is_set_aside_stays_with_it(empty: str) -> None:
    query(empty, SMALL)
    query(empty, "ALTER TABLE generations ADD COLUMN attempts int CHECK (attempts < 3)")
    adopt_table(empty)
    query(empty, "INSERT INTO generations (status, attempts) VALUES ('queued', 9)")
    with pytest.raises(psycopg.errors.CheckViolation):
        query(empty, "INSERT INTO generations (provider, attempts_before_adoption) VALUES ('x', 9)")


@pytest.mark.parametrize("of", ["", "FOR TABLE generations"])
def test_a_published_table_without_a_key_gets_one(empty: str, of: str) -> None:
    query(empty, SMALL.replace("PRIMARY KEY", ""))
    query(empty, "INSERT INTO generations (status) VALUES ('pending')")
    query(empty, f"CREATE PUBLICATION supabase_realtime {of}")
    adopt_table(empty)
    query(empty, "UPDATE generations SET attempts = 1")


def test_views_and_functions_that_look_for_old_words_are_named(empty: str) -> None:
    query(empty, SMALL)
    query(
        empty,
        """
        CREATE VIEW ready AS SELECT id FROM generations WHERE status IN ('completed', 'success');
        CREATE VIEW more AS SELECT 'completed' AS word;
        CREATE VIEW newest AS SELECT id FROM generations WHERE status = 'success';
        CREATE FUNCTION waiting() RETURNS bigint LANGUAGE sql AS
            $$SELECT count(*) FROM public.generations WHERE status IN ('Pending', 'processing')$$
        """,
    )
    told = [sentence for sentence in adopt_table(empty) if "names" in sentence]
    assert [sentence.partition(", and")[0] for sentence in told] == [
        "view ready stays, but see to it: it names completed",
        "function waiting() stays, but see to it: it names Pending, processing",
    ]


def test_what_means_something_else_is_set_aside(empty: str) -> None:
    query(empty, SMALL)
    query(
        empty,
        """
        ALTER TABLE generations ADD COLUMN attempts text NOT NULL DEFAULT 'many',
            ADD COLUMN input jsonb NOT NULL, ADD COLUMN result_urls text NOT NULL;
        INSERT INTO generations (input, result_urls) VALUES ('{"n": 1}', 'https://kie.test/1.png')
        """,
    )
    told = adopt_table(empty)
    assert "column attempts (text) is not what we mean by it: now attempts_before_adoption" in told
    assert only(empty, "attempts, attempts_before_adoption, input, result_urls") == {
        "attempts": 0,
        "attempts_before_adoption": "many",
        "input": {"n": 1},
        "result_urls": ["https://kie.test/1.png"],
    }


def test_narrow_types_are_widened(empty: str) -> None:
    query(
        empty,
        f"""
        {SMALL};
        CREATE TYPE state AS ENUM ('pending', 'done');
        ALTER TABLE generations ADD COLUMN error varchar(5), ADD COLUMN provider char(3),
            ALTER status TYPE state USING 'pending', ALTER status SET DEFAULT 'pending';
        INSERT INTO generations (status) VALUES ('done')
        """,
    )
    adopt_table(empty)
    assert {types(empty)[name] for name in ("error", "status", "provider")} == {"text"}
    assert only(empty, "before_adoption ->> 'status' AS was") == {"was": "done"}


def test_times_without_a_zone_are_utc(empty: str) -> None:
    query(empty, SMALL)
    query(
        empty,
        """
        SET timezone = 'Asia/Tokyo';
        ALTER TABLE generations ALTER created_at TYPE timestamp, ALTER updated_at TYPE date,
            ADD COLUMN completed_at timestamp;
        INSERT INTO generations (status, created_at, updated_at, completed_at)
            VALUES ('done', '2026-02-01 10:00', '2026-02-02', '2026-02-01 11:00')
        """,
    )
    adopt_table(empty)
    found = only(empty, "created_at, updated_at, provider_completed_at AS completed_at")
    assert [f"{at:%d %H:%M%z}" for at in found.values()] == [
        "01 10:00+0000",
        "02 00:00+0000",
        "01 11:00+0000",
    ]


def test_times_of_less_precision_are_times(empty: str) -> None:
    query(empty, SMALL)
    query(
        empty,
        """
        ALTER TABLE generations ALTER created_at TYPE timestamp(3),
            ALTER updated_at TYPE timestamptz(0), ADD COLUMN completed_at timestamptz(3);
        INSERT INTO generations (status, created_at, updated_at, completed_at, task_id)
            VALUES ('done', '2026-02-01 10:00', '2026-02-02Z', '2026-02-01 11:00Z', '1');
        DO $$BEGIN
            EXECUTE format('ALTER DATABASE %I SET timezone = %L', current_database(), 'Asia/Tokyo');
        END$$
        """,
    )
    adopt_table(empty)
    assert types(empty)["updated_at"] == types(empty)["created_at"] == "timestamp with time zone"
    found = only(empty, "created_at, updated_at, provider_completed_at AS completed_at")
    assert [f"{at.astimezone(UTC):%d %H:%M}" for at in found.values()] == [
        "01 10:00",
        "02 00:00",
        "01 11:00",
    ]


def test_results_that_jsonb_would_refuse_do_no_harm(empty: str) -> None:
    query(empty, SMALL)
    query(empty, "ALTER TABLE generations ADD COLUMN results json")
    query(empty, "INSERT INTO generations (results) VALUES ('[\"\\u0000\"]')")
    adopt_table(empty)
    assert only(empty, "result_urls") == {"result_urls": []}


def test_names_of_ours_are_taken_back(url: str) -> None:
    query(
        url,
        """
        CREATE INDEX ix_generations_due ON generations (steps);
        ALTER TABLE generations ADD CONSTRAINT ck_generations_status_known CHECK (steps > 0),
            ADD CONSTRAINT uq_generations_task_id UNIQUE (steps);
        ALTER INDEX generations_pkey RENAME TO pk_generations
        """,
    )
    told = adopt_table(url)
    assert sum("makes room for one of ours" in sentence for sentence in told) == 4


def test_a_rule_that_refuses_our_rows_binds_others_only(url: str) -> None:
    insert(url, provider="fal", sku="s%s")
    query(
        url,
        r"""
        ALTER TABLE generations ADD CONSTRAINT has_sku CHECK (sku IS NOT NULL AND sku LIKE 's%'),
            ADD CONSTRAINT short CHECK (length(model_name) < 9 AND kind IN ('image', 'video'))
        """,
    )
    told = adopt_table(url)
    assert "check has_sku binds rows of other providers only" in told
    query(
        url,
        "INSERT INTO generations (user_id, kind, status)"
        " SELECT user_id, 'text', 'queued' FROM generations",
    )
    for columns in ("'fal', NULL, 'image'", "'fal', 's', 'text'"):
        with pytest.raises(psycopg.errors.CheckViolation):
            query(
                url,
                "INSERT INTO generations (user_id, provider, sku, kind)"
                f" SELECT user_id, {columns} FROM generations LIMIT 1",
            )


def test_a_key_of_another_column_stays_one(empty: str) -> None:
    query(
        empty,
        "CREATE TABLE generations (number int PRIMARY KEY, id uuid, user_id text, status text)",
    )
    query(empty, "INSERT INTO generations VALUES (1, gen_random_uuid(), 'ann', 'done')")
    assert "number" in refused(empty)
    query(empty, "ALTER TABLE generations ALTER number ADD GENERATED BY DEFAULT AS IDENTITY")
    query(empty, "SELECT setval('generations_number_seq', 10)")
    adopt_table(empty)
    assert only(empty, "number, user_id") == {"number": 1, "user_id": "ann"}


def test_ids_that_are_not_unique_are_refused(empty: str) -> None:
    query(empty, "CREATE TABLE generations (id uuid, user_id text)")
    same = "'00000000-0000-4000-8000-000000000001'"
    query(empty, f"INSERT INTO generations VALUES ({same}), ({same})")
    assert "unique" in refused(empty)
