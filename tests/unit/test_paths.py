"""Where objects go: for every user a folder of their own, in characters that are safe anywhere."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.storage.paths import NOBODY, object_path, owner_of, user_folder

SAFE = re.compile(r"[a-z0-9._/-]+")
CONFUSABLE = st.text(st.sampled_from("aAbB-_. /\\ßéÉ\u212a\u0131"), max_size=6)
users = st.one_of(st.text(max_size=128), CONFUSABLE)
patient = settings(deadline=None, database=None, max_examples=60)


def path(user_id: str | None, kind: str | None = "image") -> str:
    return object_path(
        user_id=user_id,
        kind=kind,
        generation_id="01a2036d-8f36-7fb4-ae52-d5884e2e006d",
        position=3,
        sha256="0123456789abcdef" * 4,
        extension="png",
    )


@patient
@given(users, users)
@example("a-b", "a/b")
@example("Ann", "ann")
@example("_", "")
@example("straße", "strasse")
def test_no_two_users_share_a_folder_even_where_case_does_not_count(one: str, other: str) -> None:
    if one != other:
        assert user_folder(one).casefold() != user_folder(other).casefold()


@patient
@given(users)
@example("../../etc")
@example("a" * 128)
@example("\ud800")
def test_every_path_is_safe_for_urls_files_and_object_stores(user: str) -> None:
    made = path(user)
    assert SAFE.fullmatch(made)
    assert len(made.split("/")) == 3
    assert not any(part.strip(".") == "" or len(part) > 100 for part in made.split("/"))


def test_a_path_names_user_kind_generation_position_and_content() -> None:
    assert path("ann") == "ann/image/01a2036d-8f36-7fb4-ae52-d5884e2e006d_3_0123456789ab.png"


@pytest.mark.parametrize("nobody", [None, ""])
def test_nobodys_files_have_a_folder_that_no_user_has(nobody: str | None) -> None:
    assert path(nobody).startswith(f"{NOBODY}/")
    assert user_folder(NOBODY) != NOBODY


def test_what_has_no_kind_has_a_folder_too() -> None:
    assert path("ann", None).split("/")[1] == "other"


@pytest.mark.parametrize("name", ["\x9b", "\u202e", "a b", "é"])
def test_a_name_with_other_characters_is_none_of_ours(name: str) -> None:
    assert owner_of(f"u/image/{name}g_0_0123456789ab.png") is None
    assert owner_of(f"u{name}/image/g_0_0123456789ab.png") is None
