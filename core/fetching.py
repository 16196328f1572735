"""Where the bytes of a result file are to be had, and how they get into the spool."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from typing import Any, Protocol

from core.errors import MediaError, StepError
from core.generation.model import Asset, Generation
from core.generation.storing import LOST_AS
from core.kie.report import SUCCESS, AskAnswer, AskFailed, CreateAnswer, TaskRecord
from core.leases import Lease
from core.media.download import Downloader, SpooledFile
from core.store.files import Files

UNREACHABLE = "media.unreachable"
PATIENCE = 3


class Provider(Protocol):
    """KIE, as far as the engine needs it: every failure is a value."""

    def create(
        self, family: str, model: str, input: Mapping[str, Any], callback_url: str | None
    ) -> CreateAnswer:
        """Ask for a task. Not idempotent."""
        ...

    def ask(self, family: str, task_id: str) -> AskAnswer:
        """How a task stands."""
        ...

    def record(self, family: str, task_id: str) -> TaskRecord | AskFailed:
        """How a task stands, and what it was made from."""
        ...

    def download_url(self, url: str) -> str | AskFailed:
        """A short-lived link to one of KIE's files."""
        ...

    def credits(self) -> Decimal | AskFailed:
        """What is left on the account."""
        ...


class Fetcher:
    """Brings files into the spool, from whichever address still has them."""

    def __init__(self, kie: Provider, downloader: Downloader) -> None:
        self._kie = kie
        self._downloader = downloader

    @contextmanager
    def fetched(self, generation: Generation, asset: Asset, lease: Lease) -> Iterator[SpooledFile]:
        """The file in the spool for the length of the block, checked and hashed.

        Raises StepError: with a code of LOST_AS where the whole ladder found no such file, with
        any other code where a rung could not be tried now.
        """
        with ExitStack() as stack:
            if asset.source_url is None:
                yield self._written(stack, generation, asset, lease)
            else:
                yield self._climb(stack, generation, asset, lease)

    def _written(
        self, stack: ExitStack, generation: Generation, asset: Asset, lease: Lease
    ) -> SpooledFile:
        data = generation.result_object or "null"
        name = _spool_name(generation, asset)
        write = self._downloader.write_json(data, name=name, token=lease.token)
        return stack.enter_context(write)

    def _climb(
        self, stack: ExitStack, generation: Generation, asset: Asset, lease: Lease
    ) -> SpooledFile:
        problem = MediaError("media.dead", "KIE names no address of the file")
        for url in self._ladder(generation, asset):
            fetch = self._downloader.fetch(
                url,
                name=_spool_name(generation, asset),
                token=lease.token,
                keep_going=lease.keep_going,
                sha256=asset.sha256,
                dies_at=generation.expires_at,
            )
            try:
                return stack.enter_context(fetch)
            except MediaError as error:
                if not _is_worth_climbing(generation, error):
                    raise
                # Only a ladder whose every rung was tried proves that the file is not there.
                problem = problem if problem.code == UNREACHABLE else error
        raise problem

    def _ladder(self, generation: Generation, asset: Asset) -> Iterator[str]:
        """Every address at which the file may be: as told, as KIE tells now, a fresh link."""
        told = asset.source_url or ""
        yield told
        fresh = self._fresh_url(generation, asset)
        if fresh not in (None, told):
            yield fresh or ""
        link = self._kie.download_url(fresh or told)
        if isinstance(link, str):
            yield link
        elif link.code != "kie.refused":
            raise StepError(link.code, link.message)

    def _fresh_url(self, generation: Generation, asset: Asset) -> str | None:
        if generation.task_id is None:  # adopted with nothing but the URL of its file
            return None
        answer = self._kie.ask(generation.family, generation.task_id)
        if isinstance(answer, AskFailed):
            if answer.code == "kie.unknown_task":
                return None
            raise StepError(answer.code, answer.message)
        if answer.state != SUCCESS or len(answer.files) <= asset.position:
            return None
        return answer.files[asset.position].url


def _is_worth_climbing(generation: Generation, error: MediaError) -> bool:
    """A host that is only away gets some patience before KIE is asked for other addresses."""
    impatient = generation.attempts % PATIENCE == PATIENCE - 1
    return error.code in LOST_AS or (error.code == UNREACHABLE and impatient)


def still_wanted(files: Files, names: set[str]) -> set[str]:
    """Those of these names in the spool whose files are still to be stored."""
    rows = files.of(name.rpartition("_")[0] for name in names).values()
    return names & {
        f"{row.generation_id}_{row.position}" for of_one in rows for row in of_one if row.is_wanted
    }


def _spool_name(generation: Generation, asset: Asset) -> str:
    return f"{generation.id}_{asset.position}"
