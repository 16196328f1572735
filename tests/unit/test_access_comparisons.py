"""Secrets are compared in constant time: wherever one meets an operator, a test fails."""

from __future__ import annotations

import ast
import hmac
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import signing
from core.signing import hmac_sha256, matches_any

ROOT = Path(__file__).parents[2]
PACKAGES = ("core", "webhook", "poller", "dashboard", "deploy", "local")
SECRET = re.compile(r"secret|token|password|signature|hmac|digest|api_key|presented")
OPERATORS = (ast.Eq, ast.NotEq, ast.In, ast.NotIn, ast.Lt, ast.LtE, ast.Gt, ast.GtE)
METHODS = {"startswith", "endswith", "__eq__", "index", "find", "fullmatch", "match"}
#: What looks like one. Read before adding: nothing here may tell a caller how near it came.
HARMLESS = {
    # Shapes, of what we configured ourselves or of what was sent.
    ("core/checks/settings.py", "len(secret) < LEAST_LENGTH"),
    ("core/checks/settings.py", "len(set(secret)) < LEAST_CHARACTERS"),
    ("core/checks/settings.py", "_PLACEHOLDER.match(secret)"),
    ("core/kie/client.py", "api_key != api_key.strip()"),
    ("core/kie/signatures.py", "len(signature) != DIGEST_BYTES"),
    ("core/masking.py", "secret not in MASK"),
    # Tokens of leases, which nobody sends, and no secrets at all.
    ("core/leases.py", "lease.token not in mine"),
    ("core/media/spool.py", "SAFE.fullmatch(token)"),
    ("core/store/claims.py", "g.c.lease_token == token"),
    ("core/store/generations.py", "g.c.lease_token == token"),
    ("core/store/generations.py", "row.lease_token != token"),
    ("core/store/generations.py", "g.c.lease_token == sa.bindparam('mine')"),
    ("core/media/inspect/images.py", "view.head(8) != PNG_SIGNATURE"),
    ("local/plan.py", "key.get_secret_value() == PRETEND_KEY"),
}


def comparisons(source: str) -> Iterator[str]:
    """Each comparison of something that is named like a secret."""
    for node in ast.walk(ast.parse(source)):
        compares = isinstance(node, ast.Compare) and any(isinstance(o, OPERATORS) for o in node.ops)
        searches = (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in METHODS
        )
        if (compares or searches) and SECRET.search(ast.unparse(node).lower()):
            yield ast.unparse(node)


def test_no_secret_meets_an_operator() -> None:
    found = {
        (str(file.relative_to(ROOT)), text)
        for package in PACKAGES
        for file in (ROOT / package).rglob("*.py")
        for text in comparisons(file.read_text())
    }
    assert found == HARMLESS


@pytest.mark.parametrize(
    "source",
    ["token == presented", "a.password != b", "x in callback_secrets", "signature.startswith(y)"],
)
def test_a_comparison_is_seen(source: str) -> None:
    assert list(comparisons(source))


def test_every_key_is_compared_whichever_was_right(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    compare_digest = hmac.compare_digest

    def spy(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return compare_digest(one, other)

    monkeypatch.setattr(signing.hmac, "compare_digest", spy)
    expected = [hmac_sha256(key, "task-1.1") for key in ("new", "old", "older")]
    for presented in (*expected, b"wrong", b""):
        compared.clear()
        assert matches_any(presented, expected) is (presented in expected)
        assert compared == [(presented, each) for each in expected]
