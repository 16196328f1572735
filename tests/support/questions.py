"""What is asked again and again of a database, and must not cost by what was ever done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from core.generation.model import Channel, Status
from core.ids import new_token
from core.store.claims import Lane
from core.store.listing import Cursor, Filter
from core.store.queries import Queries
from core.store.standing import Standing, read_standing
from core.store.store import Store

Ask = Callable[[Store, Queries], object]

AN_OPEN_ONE = str(UUID(int=1))


def standing(store: Store) -> Standing:
    """What `python -m core status` reads."""
    with store.database.read() as connection:
        return read_standing(connection, store.now(), timedelta(minutes=10))


# Of a token the last digit says which queue has its turn.
HOT: dict[str, Ask] = {
    "submit": lambda store, _: store.claims.claim_next(Lane.SUBMIT, new_token()),
    "deliver by age": lambda store, _: store.claims.claim_next(Lane.DELIVER, "a0"),
    "deliver by expiry": lambda store, _: store.claims.claim_next(Lane.DELIVER, "a1"),
    "announced": lambda store, _: store.claims.claim_next(Lane.DELIVER, "a0", announced_only=True),
    "has set aside": lambda store, _: store.claims.has_set_aside(),
    "set aside": lambda store, _: store.claims.claim_set_aside(new_token()),
    "by id": lambda store, _: store.claims.claim(AN_OPEN_ONE, new_token()),
    "renew": lambda store, _: store.claims.renew([new_token()]),
    "sweep": lambda store, _: store.sweep_unmatched(),
    "grant": lambda store, _: store.grants.grant(AN_OPEN_ONE),
    "wake": lambda store, _: store.generations.wake(AN_OPEN_ONE),
    "by task": lambda _, queries: queries.by_task("task-1"),
    "standing": lambda store, _: standing(store),
}

PERIOD = {"since": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=10)}
FAILED_FLUX = {"model": "m1", "status": Status.FAILED, **PERIOD}
#: In the middle of a history that begins with the year, a generation a second.
CURSOR = Cursor(datetime(2026, 1, 1, 1, 40, tzinfo=UTC), str(UUID(int=0)))
#: Each filter of the list, and each combination that a link in the dashboard leads to.
LISTS: dict[str, Filter] = {
    "all": Filter(),
    "delivered": Filter(status=Status.SUCCESS),
    "failed": Filter(status=Status.FAILED),
    "queued": Filter(status=Status.QUEUED),
    "open": Filter(is_open=True),
    "kind": Filter(kind="video"),
    "model": Filter(model="m1"),
    "user": Filter(user_id="u1"),
    "unknown user": Filter(user_id="nobody"),
    "via": Filter(delivered_via=Channel.POLL),
    "code": Filter(error_code="c1"),
    "period": Filter(**PERIOD),
    "status, period": Filter(status=Status.FAILED, **PERIOD),
    "open, period": Filter(is_open=True, **PERIOD),
    "open, user": Filter(is_open=True, user_id="u1"),
    "model, period": Filter(model="m1", **PERIOD),
    "model, status, period": Filter(**FAILED_FLUX),
    "via, period": Filter(delivered_via=Channel.POLL, **PERIOD),
    "code, model, status, period": Filter(error_code="c1", **FAILED_FLUX),
}
