"""All that has to hold, whatever happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.checker.believing import (
    callbacks_are_kept,
    only_kie_is_believed,
    only_public_addresses,
)
from tests.checker.ending import ends_stay, nothing_is_left
from tests.checker.evidence import Evidence
from tests.checker.keeping import results_are_kept, storage_and_rows_agree
from tests.checker.paying import (
    credits_as_charged,
    grants_within_the_limit,
    one_create_per_intent,
)
from tests.checker.violation import Violation

INVARIANTS: tuple[Callable[[Evidence], Iterator[Violation]], ...] = (
    one_create_per_intent,
    results_are_kept,
    storage_and_rows_agree,
    callbacks_are_kept,
    ends_stay,
    only_kie_is_believed,
    grants_within_the_limit,
    only_public_addresses,
    credits_as_charged,
    nothing_is_left,
)


def check(evidence: Evidence) -> list[Violation]:
    """Every broken promise, in the order I1 to I10."""
    return [violation for invariant in INVARIANTS for violation in invariant(evidence)]
