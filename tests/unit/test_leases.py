"""The leases of this process: renewed together, ended when somebody else has them."""

from __future__ import annotations

import pytest

from core.errors import LeaseLostError, StoreUnavailableError
from core.leases import Leases


class Renewals:
    """The store's side: which tokens are still ours."""

    def __init__(self, *mine: str) -> None:
        self.mine = set(mine)
        self.asked: list[list[str]] = []
        self.is_away = False

    def __call__(self, tokens: list[str]) -> set[str]:
        self.asked.append(tokens)
        if self.is_away:
            raise StoreUnavailableError("locked")
        return self.mine & set(tokens)


def test_what_is_held_is_renewed_until_the_end_of_the_block() -> None:
    renewals = Renewals("a", "b")
    leases = Leases(renewals)
    with leases.hold("1", "a"):
        with leases.hold("2", "b"):
            leases.renew()
        leases.renew()
    leases.renew()
    assert renewals.asked == [["a", "b"], ["a"]]


def test_a_lease_that_is_still_mine_goes_on() -> None:
    leases = Leases(Renewals("a"))
    with leases.hold("1", "a") as lease:
        leases.renew()
        lease.keep_going()


def test_a_lease_that_somebody_else_has_ends_its_step() -> None:
    leases = Leases(Renewals("b"))
    with leases.hold("1", "a") as lost, leases.hold("2", "b") as kept:
        leases.renew()
        kept.keep_going()
        with pytest.raises(LeaseLostError):
            lost.keep_going()


def test_while_the_database_is_away_no_lease_ends() -> None:
    renewals = Renewals()
    renewals.is_away = True
    leases = Leases(renewals)
    with leases.hold("1", "a") as lease:
        leases.renew()
        lease.keep_going()


def test_all_steps_can_be_cancelled_at_once() -> None:
    leases = Leases(Renewals())
    with leases.hold("1", "a") as one, leases.hold("2", "b") as other:
        leases.end_all()
        for lease in (one, other):
            with pytest.raises(LeaseLostError):
                lease.keep_going()


def test_an_error_in_the_block_lets_go_too() -> None:
    leases = Leases(Renewals())
    with pytest.raises(KeyError), leases.hold("1", "a"):
        raise KeyError
    assert leases.held() == []
