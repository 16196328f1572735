"""The one place that knows which adapter is in use: settings in, a working core out."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import httpx

from core.accepted_tasks import AcceptedTasks
from core.delivery import Delivery
from core.disk import DiskUsage
from core.errors import ConfigError, StorageError
from core.fetching import Fetcher, Provider, still_wanted
from core.generation.model import Channel
from core.generation.schedule import Policy
from core.kie.client import KieClient, kie_http
from core.kie.credentials import callback_url
from core.leases import Leases
from core.made_up_secret import CALLBACK, made_up_secret
from core.media.download import Downloader
from core.media.guard import guarded_client
from core.media.spool import Spool
from core.operator import Operator
from core.repeater import Repeater
from core.settings import Settings
from core.storage.local import LocalStorage
from core.storage.port import AssetStorage
from core.store.database import Database
from core.store.files import Files
from core.store.opening import open_database
from core.store.queries import Queries
from core.store.store import Store
from core.submission import Submission
from core.workers import Executors, Workers

logger = logging.getLogger(__name__)

#: Connections beyond those of the delivery and request threads: ticks, renewal.
MORE_CONNECTIONS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """Everything that a process needs, made for it alone (after fork)."""

    settings: Settings
    callback_secrets: tuple[str, ...]
    store: Store
    queries: Queries
    storage: AssetStorage
    kie: Provider
    spool: Spool
    leases: Leases
    submission: Submission
    delivery: Delivery
    operator: Operator

    def prepare_storage(self) -> None:
        """Make the folder or bucket. Storage that is away only costs time: work waits for it.

        Raises ConfigError where it cannot serve as the settings say.
        """
        try:
            self.storage.prepare()
        except StorageError as error:
            logger.warning("%s", error, extra={"event": "storage.unavailable"})

    @property
    def storages(self) -> tuple[AssetStorage, ...]:
        """Wherever stored files may be: with Supabase Storage, the folder of before as well."""
        return all_storages(self.settings, self.storage)

    def stored_size(self, path: str) -> int | None:
        """The size of a stored file, wherever it is; None: it is nowhere."""
        sizes = (storage.size(path) for storage in self.storages)
        return next((size for size in sizes if size is not None), None)

    def sweep_spool(self, older_than: timedelta) -> int:
        """Remove what is left in the spool of files that nobody will store; how many that were."""
        wanted = partial(still_wanted, Files(self.store.database))
        return self.spool.sweep(older_than, self.store.now(), wanted)

    def workers(
        self,
        channel: Channel,
        *,
        announced_only: bool = False,
        executor: Executors = ThreadPoolExecutor,
        stopping: threading.Event | None = None,
    ) -> Workers:
        """The threads of this process: a process that answers callbacks delivers with fewer."""
        threads = self.settings.delivery_threads
        return Workers(
            self.delivery,
            self.store.claims,
            self.leases,
            threads=max(2, threads // 4) if announced_only else threads,
            channel=channel,
            announced_only=announced_only,
            executor=executor,
            stopping=stopping,
        )

    def renewal(self) -> Repeater:
        """The thread that keeps this process's leases alive."""
        return Repeater("lease-renewal", self.settings.lease_seconds / 4, self.leases.renew)


@contextmanager
def open_core(
    settings: Settings,
    *,
    clock: Callable[[], datetime] | None = None,
    steady: Callable[[], datetime] | None = None,
    sleep: Callable[[float], None] = time.sleep,
    kie: Provider | None = None,
    media: httpx.Client | None = None,
    storage: AssetStorage | None = None,
    database: Database | None = None,
    disk_usage: Callable[[Path], DiskUsage] = shutil.disk_usage,
) -> Iterator[Core]:
    """A core on a migrated database; closes its connections at the end.

    What is given is used instead of what the settings name; its owner closes it, but for the
    `database`.
    """
    with ExitStack() as stack:
        threads = settings.delivery_threads
        for_all = threads * 2 + settings.request_threads + MORE_CONNECTIONS
        connections = settings.database_connections or for_all
        database = database or open_database(settings.database, connections=connections)
        stack.callback(database.close)
        lease = timedelta(seconds=settings.lease_seconds)
        store = Store(database, clock=clock, steady=steady, lease=lease)
        kie = kie or open_kie(settings, stack, connections=threads * 2)
        media = media or _media(settings, stack, connections=threads)
        spool = _spool(settings, disk_usage, store.now)
        downloader = Downloader(media, spool, max_bytes=settings.max_asset_bytes)
        leases = Leases(store.claims.renew)
        storage = storage or open_storage(settings, stack)
        secrets = settings.callback_secrets or (made_up_secret(settings.data_dir, CALLBACK),)
        submission = Submission(
            store=store,
            kie=kie,
            policy=policy(settings),
            callback_url=_callback_urls(settings, secrets[0]),
            accepted_tasks=AcceptedTasks(settings.data_dir / "accepted-tasks"),
            sleep=sleep,
        )
        delivery = Delivery(
            store=store,
            leases=leases,
            kie=kie,
            submission=submission,
            fetcher=Fetcher(kie, downloader),
            storage=storage,
            storages=partial(all_storages, settings, storage),
            policy=policy(settings),
        )
        yield Core(
            settings=settings,
            callback_secrets=secrets,
            store=store,
            queries=Queries(database),
            storage=storage,
            kie=kie,
            spool=spool,
            leases=leases,
            submission=submission,
            delivery=delivery,
            operator=Operator(store, policy(settings)),
        )


def policy(settings: Settings) -> Policy:
    """The settings that transitions go by."""
    return Policy(
        first_look_seconds=settings.poll_first_seconds,
        max_gap_seconds=settings.poll_max_seconds,
        give_up_after=timedelta(hours=settings.give_up_after_hours),
    )


def _spool(
    settings: Settings, disk_usage: Callable[[Path], DiskUsage], now: Callable[[], datetime]
) -> Spool:
    try:
        return Spool(
            settings.data_dir / "spool",
            settings.spool_max_bytes,
            disk_usage,
            clock=lambda: now().timestamp(),
        )
    except OSError as error:
        raise ConfigError(f"DATA_DIR: no folder for downloads can be made: {error}") from error


def all_storages(settings: Settings, storage: AssetStorage) -> tuple[AssetStorage, ...]:
    """The storage in use, and the folder that was in use before it."""
    folder = settings.assets_dir
    if not settings.uses_supabase_storage or not folder.is_dir():
        return (storage,)
    return (storage, LocalStorage(folder, settings.public_base_url))


def open_storage(settings: Settings, stack: ExitStack) -> AssetStorage:
    """Permanent storage, closed with the stack; nothing is made or asked before it is used."""
    if not settings.uses_supabase_storage:
        return LocalStorage(settings.assets_dir, settings.public_base_url)
    # Supabase's client is large, so only who needs it imports it.
    from core.storage.supabase.opening import open_supabase_storage

    return stack.enter_context(open_supabase_storage(settings))


def open_kie(settings: Settings, stack: ExitStack, *, connections: int) -> KieClient:
    """KIE's API, closed with the stack."""
    http = kie_http(settings.kie_base_url, connections=connections)
    stack.callback(http.close)
    key = settings.kie_api_key
    return KieClient(http, key.get_secret_value() if key else "")


def _media(settings: Settings, stack: ExitStack, *, connections: int) -> httpx.Client:
    client = guarded_client(connections=connections, allow_private=settings.media_allow_private)
    stack.callback(client.close)
    return client


def _callback_urls(settings: Settings, secret: str) -> Callable[[str], str | None]:
    if not settings.sends_callback_url:
        return lambda generation_id: None
    return lambda generation_id: callback_url(settings.public_base_url, secret, generation_id)
