"""Whatever a user is called, a bucket takes the path of his files."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from core.ids import new_id
from core.storage.paths import object_path
from core.storage.supabase.keys import checked


@given(
    st.none() | st.text(max_size=300),
    st.sampled_from(["image", "video", "audio", "text", None]),
    st.integers(0, 10_000),
)
@example("..", "image", 0)
@example("../../etc", "image", 0)
@example("名/é~^%00\x00\n", "image", 0)
@example("\ud800", "image", 0)
@example("x" * 5000, "image", 0)
def test_every_path_of_ours_is_one_that_a_bucket_takes(
    user_id: str | None, kind: str | None, position: int
) -> None:
    path = object_path(
        user_id=user_id,
        kind=kind,
        generation_id=new_id(),
        position=position,
        sha256="0" * 64,
        extension="png",
    )
    assert checked(path) == path
