"""`python -m core sweep` and `verify`, as somebody calls them."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.generation.model import Asset, Change, Generation
from core.storage.local import LocalStorage
from core.store.claims import Lane
from core.sweeping.judging import FEW, looks_unmounted
from core.sweeping.sweep import Sweep
from tests.support.commands import Ran, run_command
from tests.support.databases import on_sqlite
from tests.support.fake_kie import report
from tests.support.media import png
from tests.support.media_host import MediaHost, media_host
from tests.support.supabase_storage import SupabaseStorageDouble
from tests.support.world import World, open_world

TWO_DAYS = 2 * 86_400
EXPIRED = 15 * 86_400
HOUR = 3600
LEASE = "a0"


@dataclass
class Site:
    """A world whose files came from a host that real downloads reach."""

    world: World
    host: MediaHost

    def deliver(self, task_id: str = "task-1", **fields: Any) -> Generation:
        """A delivered generation with one file."""
        generation = self.world.add_submitted(task_id, **fields)
        self.world.finish(task_id, f"{task_id}.png")
        self.host.files |= self.world.media.files
        urls = [self.host.url(f"/{task_id}.png")]
        self.world.kie.will_say(task_id, report(task_id, "success", urls=urls))
        return self.world.advance(generation)

    def add(self, asset: Asset) -> Generation:
        """A generation under way with this file."""
        claims, generations = self.world.core.store.claims, self.world.core.store.generations
        claimed = claims.claim(self.world.add().id, LEASE)
        assert claimed is not None
        generations.save(LEASE, claimed, Change(claimed.evolve(assets=(asset,))))
        return self.world.row(claimed)

    def delete(self, generation: Generation) -> None:
        """What the API's DELETE does."""
        self.file(generation).unlink(missing_ok=True)
        self.forget(generation)

    def forget(self, generation: Generation) -> None:
        """Delete its row only, as an older backup of the database would."""
        self.hold(generation)
        self.world.core.store.generations.delete(generation.id, LEASE)

    def hold(self, generation: Generation) -> None:
        """A worker is on it."""
        self.world.core.store.generations.wake(generation.id)
        assert self.world.core.store.claims.claim(generation.id, LEASE) is not None

    def file(self, generation: Generation) -> Path:
        """Where its file lies."""
        return self.world.core.settings.assets_dir / (generation.assets[0].path or "")

    def put(self, path: str, content: bytes = b"stray", age: float = TWO_DAYS) -> Path:
        """An object that nobody delivered."""
        file = self.world.core.settings.assets_dir / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        then = time.time() - age
        os.utime(file, (then, then))
        return file


@contextmanager
def opened(
    folder: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, **settings: Any
) -> Iterator[Site]:
    """A site, and the environment of a command that is to look at it."""
    monkeypatch.setenv("DATA_DIR", str(folder))
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("MEDIA_ALLOW_PRIVATE", "true")
    with open_world(folder, database_url, **settings) as world, media_host() as host:
        world.clock.now = datetime.now(UTC)
        yield Site(world, host)


@pytest.fixture
def site(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with opened(tmp_path, database_url, monkeypatch) as site:
        yield site


def findings(ran: Ran) -> list[tuple[str, str]]:
    """What was found, and where."""
    return [(each["what"], each["path"]) for each in json.loads(ran.out)["findings"]]


def superseding(generation: Generation, position: int = 0) -> str:
    """A name that another content of the same file would have."""
    folder = (generation.assets[0].path or "").rpartition("/")[0]
    return f"{folder}/{generation.id}_{position}_{'0' * 12}.png"


UNKNOWN_ID = "019aaaaa-0000-7000-8000-000000000001"
UNKNOWN = f"u/image/{UNKNOWN_ID}_0_0123456789ab.png"


def nothing() -> None:
    """Let it happen alone."""


def when(
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    name: str,
    *,
    before: Callable[[], object] = nothing,
    after: Callable[[], object] = nothing,
) -> None:
    """Something else happens at the first call of a method."""
    method = getattr(owner, name)
    first = [True]

    def call(*args: Any, **kwargs: Any) -> Any:
        is_first = bool(first and first.pop())
        if is_first:
            before()
        result = method(*args, **kwargs)
        if is_first:
            after()
        return result

    monkeypatch.setattr(owner, name, call)


def test_where_all_is_well_nothing_is_found(site: Site) -> None:
    site.deliver()
    for command in ("sweep", "verify"):
        ran = run_command(command)
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.endswith(": nothing found.\n")


@on_sqlite
def test_empty_storage_and_no_rows_are_well(site: Site) -> None:
    assert [run_command(command).code for command in ("sweep", "verify")] == [0, 0]


@pytest.mark.parametrize("command", ["sweep", "verify"])
def test_a_missing_file_is_found_and_told(site: Site, command: str) -> None:
    generation = site.deliver()
    site.file(generation).unlink()
    ran = run_command(command)
    assert ran.code == 1
    assert ran.out.startswith(f"missing     {generation.assets[0].path}\n")
    assert generation.id in ran.out
    assert "--repair" in ran.out
    assert findings(run_command(command, "--json")) == [("missing", generation.assets[0].path)]


@pytest.mark.parametrize("command", ["sweep", "verify"])
def test_a_missing_file_is_fetched_again(site: Site, command: str) -> None:
    generation = site.deliver()
    content = site.file(generation).read_bytes()
    site.file(generation).unlink()
    ran = run_command(command, "--repair")
    assert (ran.code, site.file(generation).read_bytes()) == (0, content)
    assert "repaired" in ran.out
    after = site.world.row(generation)
    assert after == generation
    assert site.world.events(generation)[-1] == "asset.restored"
    assert run_command(command).code == 0


@pytest.mark.parametrize("command", ["sweep", "verify"])
def test_a_repair_leaves_to_the_poller_what_a_dead_worker_left(site: Site, command: str) -> None:
    generation = site.deliver()
    site.file(generation).unlink()
    site.world.clock.advance(-HOUR)
    site.hold(generation)
    site.world.clock.advance(HOUR)
    before = site.world.row(generation)
    assert run_command(command, "--repair").code == 0
    assert site.file(generation).exists()
    assert site.world.row(generation) == before
    assert site.world.core.store.claims.claim_next(Lane.DELIVER, "a1") is not None


@pytest.mark.parametrize("command", ["sweep", "verify"])
def test_what_is_deleted_during_its_repair_does_not_come_back(
    site: Site, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    generation = site.deliver()
    site.file(generation).unlink()
    when(monkeypatch, LocalStorage, "put", after=lambda: site.forget(generation))
    ran = run_command(command, "--repair")
    assert (ran.code, site.file(generation).exists()) == (0, False)
    assert "deleted meanwhile" in ran.out


@on_sqlite
def test_what_is_being_deleted_during_its_repair_does_not_come_back(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    generation = site.deliver()
    site.file(generation).unlink()
    when(monkeypatch, LocalStorage, "put", after=lambda: site.hold(generation))
    ran = run_command("sweep", "--repair")
    assert (ran.code, site.file(generation).exists()) == (1, False)
    assert "try again" in ran.out


@pytest.mark.parametrize("act", [Site.delete, Site.hold])
@pytest.mark.parametrize("command", ["sweep", "verify"])
def test_what_is_deleted_meanwhile_is_no_finding(
    site: Site, monkeypatch: pytest.MonkeyPatch, command: str, act: Callable[..., None]
) -> None:
    """Nor what may be about to be: somebody holds it."""
    generation = site.deliver()
    site.file(generation).unlink()
    looks = {"sweep": "size", "verify": "read"}
    when(monkeypatch, LocalStorage, looks[command], before=lambda: act(site, generation))
    ran = run_command(command)
    assert (ran.code, "nothing found" in ran.out) == (0, True)


@pytest.mark.parametrize("command", ["sweep", "verify"])
def test_storage_that_holds_next_to_nothing_is_not_filled_from_kie(
    site: Site, command: str
) -> None:
    generations = [site.deliver(f"task-{number}") for number in range(FEW + 1)]
    for generation in generations[1:]:
        site.file(generation).unlink()
    ran = run_command(command, "--repair")
    assert ran.code == 2
    assert f"{FEW} of {FEW + 1} files" in ran.err
    assert "mounted" in ran.err
    assert len(site.host.requests) == 0
    assert run_command(command, "--repair", "--most-is-lost").code == 0
    assert all(site.file(generation).exists() for generation in generations)


@pytest.mark.parametrize(
    ("missing", "compared", "looks"),
    [(FEW - 1, FEW - 1, False), (FEW, FEW, True), (50, 100, False), (51, 100, True)],
)
def test_when_it_is_rather_the_storage_that_is_missing(
    missing: int, compared: int, looks: bool
) -> None:
    assert looks_unmounted(missing, compared) is looks


@on_sqlite
def test_data_that_went_missing_is_written_again(site: Site) -> None:
    generation = site.world.add_submitted()
    said = report("task-1", "success", result_object='{"text": "a kite"}')
    site.world.kie.will_say("task-1", said)
    delivered = site.world.advance(generation)
    site.file(delivered).unlink()
    assert run_command("sweep", "--repair").code == 0
    assert site.file(delivered).read_bytes() == b'{"text": "a kite"}'


@on_sqlite
def test_other_bytes_are_not_put_under_a_name_that_holds_a_hash(site: Site) -> None:
    generation = site.deliver()
    site.file(generation).unlink()
    site.host.files["/task-1.png"] = png(9)
    ran = run_command("sweep", "--repair")
    assert (ran.code, site.file(generation).exists()) == (1, False)
    assert "another file" in ran.out


@on_sqlite
def test_what_kie_keeps_no_more_is_only_told(site: Site) -> None:
    site.world.clock.advance(-EXPIRED)
    generation = site.deliver()
    site.file(generation).unlink()
    ran = run_command("sweep", "--repair")
    assert ran.code == 1
    assert "backup" in ran.out
    assert len(site.host.requests) == 0


@pytest.mark.parametrize("command", ["sweep", "verify"])
def test_a_file_of_another_size_is_found_and_repaired(site: Site, command: str) -> None:
    generation = site.deliver()
    content = site.file(generation).read_bytes()
    site.file(generation).write_bytes(b"short")
    assert findings(run_command(command, "--json")) == [("differs", generation.assets[0].path)]
    assert run_command(command, "--repair").code == 0
    assert site.file(generation).read_bytes() == content


@on_sqlite
def test_verify_finds_one_wrong_byte(site: Site) -> None:
    generation = site.deliver()
    content = site.file(generation).read_bytes()
    site.file(generation).write_bytes(content[:-1] + b"!")
    assert run_command("sweep").code == 0  # it compares sizes only
    assert findings(run_command("verify", "--json")) == [("differs", generation.assets[0].path)]


def test_a_superseded_object_is_deleted_once_it_is_a_day_old(site: Site) -> None:
    generation = site.deliver()
    old = site.put(superseding(generation))
    young = site.put(superseding(generation).replace(".png", ".jpg"), age=60)
    ran = run_command("sweep")
    assert (ran.code, old.exists()) == (1, True)
    assert {what for what, _ in findings(run_command("sweep", "--json"))} == {"superseded"}
    assert run_command("sweep", "--repair").code == 1  # the young one is still to be looked at
    assert (old.exists(), young.exists(), site.file(generation).exists()) == (False, True, True)


def test_an_object_of_a_file_under_way_is_expected(site: Site) -> None:
    placed = Asset(position=0, source_url="https://kie.test/a", path="u/image/another")
    generation = site.add(placed)
    kept = site.put(f"u/image/{generation.id}_0_{'0' * 12}.png")
    assert run_command("sweep", "--repair").code == 0
    assert kept.exists()


@on_sqlite
def test_objects_of_unknown_generations_are_never_deleted_by_the_way(site: Site) -> None:
    site.deliver()
    stray = site.put(UNKNOWN)
    ran = run_command("sweep", "--repair")
    assert (ran.code, stray.exists()) == (1, True)
    assert "DATABASE_URL" in ran.out


@on_sqlite
def test_they_are_deleted_on_an_explicit_word(site: Site) -> None:
    generation = site.deliver()
    stray = site.put(UNKNOWN)
    young = site.put(UNKNOWN.replace("_0_", "_1_"), age=60)
    site.deliver("task-2")
    ran = run_command("sweep", "--delete-unknown", "2")
    assert (ran.code, stray.exists(), young.exists()) == (1, False, True)
    assert site.file(generation).exists()


@on_sqlite
def test_more_than_were_told_are_not_deleted(site: Site) -> None:
    for number in range(4):
        site.deliver(f"task-{number}")
    strays = [site.put(UNKNOWN.replace("_0_", f"_{number}_")) for number in range(2)]
    ran = run_command("sweep", "--delete-unknown", "1")
    assert (ran.code, [stray.exists() for stray in strays]) == (2, [True, True])
    assert "2 objects" in ran.err


@on_sqlite
def test_more_than_half_of_all_objects_are_not_deleted(site: Site) -> None:
    site.deliver()
    strays = [site.put(UNKNOWN.replace("_0_", f"_{number}_")) for number in range(2)]
    ran = run_command("sweep", "--repair", "--delete-unknown", "99")
    assert (ran.code, [stray.exists() for stray in strays]) == (2, [True, True])
    assert "more than half" in ran.err


@on_sqlite
def test_files_that_are_newer_than_the_database_are_kept(site: Site) -> None:
    """It was restored from a backup: they are the only copies."""
    old = [site.deliver(f"task-{number}") for number in range(4)]
    new = [site.deliver(f"late-{number}") for number in range(3)]
    for generation in new:
        site.put(generation.assets[0].path or "")
        site.forget(generation)
    stray = site.put(UNKNOWN)
    ran = run_command("sweep", "--delete-unknown", "9")
    assert (ran.code, stray.exists()) == (1, False)
    assert all(site.file(generation).exists() for generation in [*old, *new])
    assert ran.out.count("older than these files: was a backup restored? Run rescue first") == 3


@on_sqlite
def test_what_has_a_row_since_it_was_listed_is_not_deleted(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.deliver()
    stray = site.put(UNKNOWN)
    when(monkeypatch, Sweep, "list_objects", after=lambda: site.world.add(id=UNKNOWN_ID))
    assert run_command("sweep", "--delete-unknown", "1").code == 0
    assert stray.exists()


@on_sqlite
def test_what_is_superseded_no_more_is_not_deleted(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    generation = site.deliver()
    stray = site.put(superseding(generation))
    when(monkeypatch, Sweep, "list_objects", after=lambda: site.forget(generation))
    run_command("sweep", "--repair")
    assert stray.exists()


@on_sqlite
def test_names_that_are_not_ours_are_left_alone_and_counted(site: Site) -> None:
    site.deliver()
    site.put("holiday.jpg")
    site.put("a/b/c/d.png")
    ran = run_command("sweep", "--repair", "--delete-unknown", "5")
    assert ran.code == 0
    assert "2 of them with names that are not ours" in ran.out


def test_verify_reads_the_newest_and_no_more_than_wanted(site: Site) -> None:
    site.world.clock.advance(-3 * 86_400)
    old = site.deliver("task-1")
    site.world.clock.advance(3 * 86_400)
    site.deliver("task-2")
    site.file(old).unlink()
    today = site.world.clock.now.date().isoformat()
    assert run_command("verify", "--limit", "1").code == 0
    assert run_command("verify", "--since", today).code == 0
    assert run_command("verify", "--limit", "2").code == 1


def test_an_adopted_file_of_which_only_the_url_is_known_is_said_to_be_unread(site: Site) -> None:
    url = "http://127.0.0.1:8000/assets/old.png"
    site.add(Asset(position=0, url=url, stored_at=site.world.clock()))
    ran = run_command("verify")
    assert (ran.code, "1 adopted" in ran.out) == (0, True)
    assert run_command("sweep").code == 0


@pytest.mark.parametrize("command", ["sweep", "verify"])
def test_a_database_that_is_not_there_is_neither_well_nor_a_finding(
    site: Site, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    ran = run_command(command)
    assert (ran.code, ran.out) == (2, "")


@pytest.fixture
def bucket(
    tmp_path: Path,
    database_url: str,
    supabase_storage: SupabaseStorageDouble,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Site]:
    """The same over Supabase Storage."""
    for name, value in supabase_storage.settings.items():
        monkeypatch.setenv(name.upper(), value)
    with opened(tmp_path, database_url, monkeypatch, **supabase_storage.settings) as site:
        yield site


@on_sqlite
def test_in_a_bucket_all_is_found_and_repaired_as_in_a_folder(
    bucket: Site, supabase_storage: SupabaseStorageDouble
) -> None:
    generations = [bucket.deliver(f"task-{number}") for number in range(3)]
    paths = [generation.assets[0].path or "" for generation in generations]
    before = supabase_storage.contents()
    assert [run_command(command).code for command in ("sweep", "verify")] == [0, 0]
    supabase_storage.state.remove("generations", paths[0])
    supabase_storage.add(paths[1], b"other")
    supabase_storage.add(UNKNOWN, b"stray")
    harmed = {("missing", paths[0]), ("differs", paths[1])}
    assert {*findings(run_command("sweep", "--json"))} == {*harmed, ("unknown", UNKNOWN)}
    assert {*findings(run_command("verify", "--json"))} == harmed
    assert run_command("sweep", "--repair").code == 1
    assert supabase_storage.contents() == {**before, UNKNOWN: b"stray"}


@on_sqlite
def test_what_was_stored_in_a_folder_before_the_move_to_a_bucket_is_well(
    bucket: Site, supabase_storage: SupabaseStorageDouble
) -> None:
    generation = bucket.deliver()
    path = generation.assets[0].path or ""
    bucket.put(path, supabase_storage.contents()[path])
    supabase_storage.state.remove("generations", path)
    assert [run_command(command).code for command in ("sweep", "verify")] == [0, 0]


@on_sqlite
def test_verify_looks_for_the_right_bytes_in_every_storage(
    bucket: Site, supabase_storage: SupabaseStorageDouble
) -> None:
    path = bucket.deliver().assets[0].path or ""
    bucket.put(path, supabase_storage.contents()[path])
    supabase_storage.add(path, b"other")
    assert run_command("verify").code == 0
    bucket.put(path, b"other")
    assert findings(run_command("verify", "--json")) == [("differs", path)]


@on_sqlite
@pytest.mark.parametrize("command", ["sweep", "verify"])
def test_storage_that_is_away_is_no_finding(
    bucket: Site, supabase_storage: SupabaseStorageDouble, command: str
) -> None:
    bucket.deliver()
    with supabase_storage.away():
        ran = run_command(command)
    assert ran.code == 2
    assert "missing" not in ran.out
    assert ran.err.startswith("core: cannot ")


@on_sqlite
def test_what_was_read_before_storage_went_away_is_told(
    bucket: Site, supabase_storage: SupabaseStorageDouble
) -> None:
    generations = [bucket.deliver(f"task-{number}") for number in range(3)]
    supabase_storage.fault("answer", generations[0].assets[0].path or "", times=99)
    ran = run_command("verify", "--json")
    said = json.loads(ran.out)
    assert (ran.code, said["files"], said["complete"]) == (2, 2, False)
