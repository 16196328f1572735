"""The corpus of broken media through the downloader, and docs/broken-media.md's word about it."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from core.errors import MediaError
from core.media.download import Downloader
from core.media.guard import guarded_client
from core.media.spool import Spool
from tests.support.broken_media import BROKEN, CORPUS, WHOLE, Sample, Verdict, table
from tests.support.media_host import MediaHost, media_host

DOCUMENT = Path(__file__).parents[2] / "docs/broken-media.md"
Disk = namedtuple("Disk", "total free")
LENGTHS: dict[str, Callable[[int], int | None]] = {"right": int, "none": lambda _: None}


@pytest.fixture(scope="module")
def host() -> Iterator[MediaHost]:
    with media_host() as running:
        running.etag = None  # or the rest of a cut file would be asked for
        yield running


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with guarded_client(connections=1, allow_private=True) as opened:
        yield opened


@pytest.fixture
def judge(client: httpx.Client, host: MediaHost, tmp_path: Path) -> Callable[[Sample], Verdict]:
    spool = Spool(tmp_path, 1 << 30, disk_usage=lambda _: Disk(1 << 40, 1 << 39))
    downloader = Downloader(client, spool, max_bytes=1 << 20)

    def judged(sample: Sample) -> Verdict:
        host.files["/a"] = sample.data
        try:
            with downloader.fetch(
                host.url("/a"), name="g_0", token="lease", keep_going=lambda: None
            ) as file:
                assert file.path.read_bytes() == sample.data
        except MediaError as error:
            assert error.code == "media.broken"
            assert list(tmp_path.iterdir()) == []
            return Verdict.FALSE_ALARM if sample.is_whole else Verdict.CAUGHT
        return Verdict.KEPT if sample.is_whole else Verdict.MISSED

    return judged


@pytest.mark.parametrize("length", LENGTHS)
def test_every_file_is_judged_as_expected(
    judge: Callable[[Sample], Verdict], host: MediaHost, length: str
) -> None:
    host.told_length = LENGTHS[length]
    assert {sample.name: judge(sample) for sample in CORPUS} == {
        sample.name: sample.verdict for sample in CORPUS
    }


def test_whatever_is_shorter_than_its_content_length_is_caught(
    judge: Callable[[Sample], Verdict], host: MediaHost
) -> None:
    host.told_length = lambda size: size + 1
    refused = {Verdict.CAUGHT, Verdict.FALSE_ALARM}
    assert {judge(sample) for sample in CORPUS} == refused


def test_the_document_tells_what_happens(
    judge: Callable[[Sample], Verdict], host: MediaHost
) -> None:
    host.told_length = int
    assert table({sample.name: judge(sample) for sample in CORPUS}) in DOCUMENT.read_text()


def test_the_corpus_is_large_and_without_repetition() -> None:
    assert len(BROKEN) >= 30
    assert len({sample.name for sample in CORPUS}) == len({s.data for s in CORPUS}) == len(CORPUS)
    assert all(sample.is_whole for sample in WHOLE)
    assert not any(sample.is_whole for sample in BROKEN)
