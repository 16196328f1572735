"""Triggers that write down what happens to a row, whoever does it and whatever it says of it.

`status_changes` has a row for every change of a generation's status or error code.
`grants` has one for every slot of `create_grants` that is written, and one for every jump of the
database's clock that `clock_is_ahead` was told of: that one has no slot and no time.
"""

from __future__ import annotations

from tests.checker.database import has_table, is_sqlite, write

QUERIES = {
    "status_changes": "SELECT * FROM witness_status_changes ORDER BY id",
    "grants": "SELECT * FROM witness_grants ORDER BY id",
}
_COLUMNS = {
    "witness_status_changes": "generation_id {uuid}, old_status TEXT, new_status TEXT,"
    " old_error_code TEXT, new_error_code TEXT",
    "witness_grants": "slot INTEGER, granted_at {time}, ahead_seconds DOUBLE PRECISION",
}
_CHANGE = (
    "INSERT INTO witness_status_changes"
    " (generation_id, old_status, new_status, old_error_code, new_error_code)"
    " VALUES (OLD.id, OLD.status, NEW.status, OLD.error_code, NEW.error_code)"
)
_HAS_CHANGED = "OLD.status IS {distinct} NEW.status OR OLD.error_code IS {distinct} NEW.error_code"
_GRANT = "INSERT INTO witness_grants (slot, granted_at) VALUES (NEW.slot, NEW.granted_at)"


def install_witness(url: str) -> None:
    """Watch a migrated database from now on."""
    write(url, *(_on_sqlite() if is_sqlite(url) else _on_postgresql()))


def is_installed(url: str) -> bool:
    """Whether a database is watched."""
    return has_table(url, "witness_grants")


def clock_is_ahead(url: str, seconds: float) -> None:
    """From now on the clock that grants are given by is ahead of the true time by so much."""
    write(url, f"INSERT INTO witness_grants (ahead_seconds) VALUES ({float(seconds)!r})")


def _on_sqlite() -> list[str]:
    key, words = "id INTEGER PRIMARY KEY", {"uuid": "TEXT", "time": "TEXT"}
    changed = _HAS_CHANGED.format(distinct="NOT")
    return [
        *(f"CREATE TABLE {name} ({key}, {_COLUMNS[name].format(**words)})" for name in _COLUMNS),
        "CREATE TRIGGER witness_change AFTER UPDATE OF status, error_code ON generations"
        f" WHEN {changed} BEGIN {_CHANGE}; END",
        "CREATE TRIGGER witness_grant AFTER UPDATE OF granted_at ON create_grants"
        f" BEGIN {_GRANT}; END",
    ]


def _on_postgresql() -> list[str]:
    key = "id BIGINT GENERATED ALWAYS AS IDENTITY"
    words = {"uuid": "UUID", "time": "TIMESTAMPTZ"}
    changed = _HAS_CHANGED.format(distinct="DISTINCT FROM")
    return [
        *(f"CREATE TABLE {name} ({key}, {_COLUMNS[name].format(**words)})" for name in _COLUMNS),
        _function("witness_change", _CHANGE),
        _function("witness_grant", _GRANT),
        "CREATE TRIGGER witness_change AFTER UPDATE OF status, error_code ON generations"
        f" FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION witness_change()",
        "CREATE TRIGGER witness_grant AFTER UPDATE OF granted_at ON create_grants"
        " FOR EACH ROW EXECUTE FUNCTION witness_grant()",
    ]


def _function(name: str, does: str) -> str:
    body = f"BEGIN {does}; RETURN NULL; END"
    return f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$"
