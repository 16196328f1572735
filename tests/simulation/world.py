"""One seed's world: KIE, storage, a database, the product's processes, and what happens to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.disk import DiskUsage
from core.settings import Settings
from core.storage.local import LocalStorage
from core.storage.port import AssetStorage
from core.store.claims import Lane
from core.wiring import open_storage
from simulator import app as simulator_app
from simulator.clock import Clock
from simulator.faults import Fault, Faults, Switches
from simulator.kie import PretendKie
from simulator.ledger import Ledger
from simulator.scenario import parse
from simulator.tasks import Task
from tests.simulation.due import DueTimes
from tests.simulation.network import Internet
from tests.simulation.people import Client, Stranger, evil_host
from tests.simulation.plan import FORGED, OF_BUCKETS, OF_CALLS, OF_PARTS, Plan
from tests.simulation.ports import VirtualEvent
from tests.simulation.process import Process
from tests.simulation.scheduler import Owner, Scheduler

START = 2_000_000_000.0  # after whatever the files of this machine say: all that lies about is old
KIE_URL = "https://kie.test"
APP_URL = "https://app.test"
SECRET, TOKEN, HMAC_KEY = "callback-secret", "api-token", "webhook-key"
KIE_KEY = "simulator"  # as PretendKie has it
RESTARTS = (0.5, 2.0, 10.0, 60.0, 600.0)
PAUSES = (5.0, 70.0, 200.0, 1800.0)  # a lease lasts 60 s
DUPLICATE = b'{"statusCode":"409","error":"Duplicate","message":"The resource already exists"}'
#: How the double of Supabase Storage answers when it is told to: kind, status, body.
BUCKET_FAULTS = (
    ("answer", 502, b"<html>Bad Gateway</html>"),
    ("answer", 400, DUPLICATE),
    ("answer", 500, b'{"statusCode":"500","error":"Internal","message":"timeout"}'),
    ("lose_answer", 0, b""),
    ("truncate", 0, b""),
    ("forget", 0, b""),
)
ROOMY = (10 << 40, 5 << 40)


@dataclass(frozen=True)
class Disk:
    """A disk as `shutil.disk_usage` shows it."""

    total: int
    free: int


class CountingSwitches(Switches):
    """The simulator's faults, each strike counted."""

    def __init__(self, seed: int, faults: Faults, struck: Counter[str]) -> None:
        super().__init__(seed, faults)
        self._struck = struck

    def hit(self, name: str, number: int) -> Fault | None:
        """The fault, if it strikes."""
        fault = super().hit(name, number)
        if fault is not None:
            self._struck[name] += 1
        return fault


class World:
    """Everything of one run; `run` lets it happen. Another application has a world of its own."""

    process: type[Process] = Process
    client: type[Client] = Client
    roles: tuple[str, ...] = ("web", "poller")
    worker = "poller"  # the role without which nothing is kept

    def __init__(self, plan: Plan, folder: Path, database_url: str, bucket: Any = None) -> None:
        self.plan = plan
        self.folder = folder
        self.bucket = bucket
        self.struck: Counter[str] = Counter()  # how often each fault struck
        self.let_in: list[str] = []  # where a stranger without a credential was let in
        self.scheduler = Scheduler(plan.dice("scheduler"), START)
        self.internet = Internet()
        self.settings = self._settings(database_url, bucket)
        self.processes: list[Process] = []
        self.lives: dict[Process, tuple[float, float]] = {}
        self._stack = ExitStack()
        self._dice = plan.dice("strikes")
        self._likely = {name: plan.likelihood(name) for name in OF_CALLS}
        self.away = {name: self._moments(plan.away(name)) for name in OF_PARTS}
        self._calm_from = START + plan.faults_end
        self._offset = 0.0
        self._known_at = -1
        self._due = (0.0, 0.0, 0.0)
        self._due_times = self._stack.enter_context(closing(DueTimes(database_url)))
        self.people = Owner(self.scheduler)
        self.kie = self._make_kie()

    # what processes find; see process.Surroundings

    def now(self) -> datetime:
        """The machine's clock, which may have been set."""
        return datetime.fromtimestamp(self.scheduler.time + self._offset, UTC)

    def steady(self) -> datetime:
        """The machine's clock that nobody sets."""
        return datetime.fromtimestamp(self.scheduler.time, UTC)

    def disk(self) -> DiskUsage:
        """Nearly full at times."""
        is_full = self._is_away("disk_full")
        self.struck["disk_full"] += is_full
        return Disk(ROOMY[0], 1 << 20 if is_full else ROOMY[1])

    def storage(self) -> AssetStorage:
        """A folder or a bucket."""
        if self.settings.uses_supabase_storage:
            return open_storage(self.settings, self._stack)
        return LocalStorage(self.settings.assets_dir, APP_URL)

    def fate(self, process: Process, what: str) -> str | None:
        """What happens at a call: None, crash, stop or pause."""
        if self.has_calmed:
            return None
        for fate in ("crash", "stop", "pause"):
            if self._likely[fate] and self._dice.random() < self._likely[fate]:
                self.struck[f"{fate} at {what}"] += 1
                return fate
        return None

    def seconds(self) -> float:
        """How long a stop or a pause takes."""
        return self._dice.choice(PAUSES)

    def trouble(self, what: str) -> str | None:
        """What goes wrong with a call, if anything."""
        part = {"kie.test": "kie", "app.test": "callback"}.get(what, what)
        if self._is_away(f"{part}_away"):
            self.struck[f"{part}_away"] += 1
            return "refused" if part == "kie" else "away"
        if self.has_calmed:
            return None
        for name, likely in self._likely.items():
            is_about_this = name.startswith(f"{part}_")
            if likely and is_about_this and self._dice.random() < likely:
                self.struck[name] += 1
                return name.removeprefix(f"{part}_")
        return None

    def next_due(self, role: str, lane: Lane | None = None) -> float:
        """When there is work for such a process; asked of the database only after something ran.

        The web takes only what a callback has spoken of, and what is to be submitted.
        """
        if self._known_at != self.scheduler.switches:
            self._known_at = self.scheduler.switches
            self._due = self._ask_for_due()
        submit, deliver, announced = self._due
        delivers = announced if role == "web" else deliver
        if lane is None:
            return min(submit, delivers)
        return submit if lane is Lane.SUBMIT else delivers

    def died(self, process: Process) -> None:
        """Its manager starts it again, after a while."""
        self.processes.remove(process)
        began, _ = self.lives[process]
        self.lives[process] = began, self.scheduler.time
        again = self.scheduler.time + self._dice.choice(RESTARTS)
        again = min(again, max(self._calm_from, self.scheduler.time))
        back = [end for begin, end in self.away[f"{process.role}_away"] if begin <= again < end]
        again, role = max(again, *back, again), process.role
        self._at(again - self.scheduler.time, lambda: self._start(role))

    # what the checker is told

    def working(self) -> list[tuple[float, float]]:
        """When one of those who do the work was alive."""
        spans = [life for process, life in self.lives.items() if process.role == self.worker]
        return _joined(spans, self.scheduler.time)

    def downloadable(self) -> set[str]:
        """The tasks whose files nothing spoils for good."""
        faults = self.kie.switches.faults

        def is_spoiled(task: Task) -> bool:
            return any(
                (fault := getattr(faults, name)) is not None
                and fault.times is None
                and self.kie.switches.draw(name, task.number) < fault.probability
                for name in ("media_redirect",)
            )

        return {task.id for task in self.kie.ledger.tasks.values() if not is_spoiled(task)}

    # its life

    @property
    def has_calmed(self) -> bool:
        """Whether the time of faults is over."""
        return self.scheduler.time >= self._calm_from

    def run(self) -> None:
        """Let everything happen, until all must have ended."""
        plan = self.plan
        counts = {"web": plan.webs, "poller": plan.pollers}
        for role in self.roles:
            for _ in range(counts[role]):
                self._start(role)
            for begin, _ in plan.away(f"{role}_away"):
                self._at(begin, lambda role=role: self._stop_all(role))
        for at, seconds in plan.clock_jumps:
            self._at(at, lambda seconds=seconds: self._set_clock(seconds))
        self.scheduler.spawn(self.people, self._send_callbacks)
        self.scheduler.spawn(self.people, self.client(self).work)
        if FORGED in plan.on:
            self.scheduler.spawn(self.people, Stranger(self).work)
        if OF_BUCKETS in plan.on and self.bucket is not None:
            self.scheduler.spawn(self.people, self._spoil_bucket)
        self.scheduler.run(START + plan.horizon)

    def close(self) -> None:
        """End all that still runs."""
        for process in list(self.processes):
            self.scheduler.kill(process)
        self.scheduler.kill(self.people)
        self.scheduler.run(self.scheduler.time)
        self._stack.close()

    def web(self) -> Process | None:
        """One of the processes that answer, if there is any."""
        webs = [process for process in self.processes if process.role == "web" and process.app]
        return self._dice.choice(webs) if webs else None

    def request(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes] | None:
        """An answer of the product; None: the connection was refused, or broke."""
        web = self.web()
        return web.request(method, target, headers, body) if web else None

    def _send_callback(
        self, url: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int | None, str]:
        trouble = self.trouble("callback")
        if trouble == "lost":
            return None, "ConnectTimeout"
        answer = self.request("POST", url.removeprefix(APP_URL), headers, body)
        if answer is None:
            return None, "ReadError"
        return (None, "ReadTimeout") if trouble == "answer_lost" else (answer[0], "")

    def _send_callbacks(self) -> None:
        sender = self.kie.sender
        while True:
            sender.woken.clear()
            sender.send_due()
            sender.woken.wait(sender.next_due - self.scheduler.time)

    def _spoil_bucket(self) -> None:
        """Let requests to the bucket go wrong, now and then, on the wire."""
        dice = self.plan.dice(OF_BUCKETS)
        while not self.has_calmed:
            kind, status, body = dice.choice(BUCKET_FAULTS)
            self.bucket.fault(kind, times=dice.randint(1, 3), status=status, body=body)
            self.struck[OF_BUCKETS] += 1
            self.scheduler.sleep(dice.uniform(1, self.plan.faults_end / 5))
        self.bucket.heal()

    def _start(self, role: str) -> None:
        process = self.process(self.scheduler, role, self)
        self.processes.append(process)
        self.lives[process] = self.scheduler.time, float("inf")

    def _stop_all(self, role: str) -> None:
        self.struck[f"{role}_away"] += 1
        for process in list(self.processes):
            if process.role == role:
                self.scheduler.kill(process)

    def _set_clock(self, seconds: float) -> None:
        self.struck["clock_jump"] += 1
        self._offset += seconds

    def _at(self, seconds: float, work: Any) -> None:
        def later() -> None:
            self.scheduler.sleep(seconds)
            work()

        self.scheduler.spawn(self.people, later)

    def _is_away(self, name: str) -> bool:
        time = self.scheduler.time
        return any(begin <= time < end for begin, end in self.away.get(name, ()))

    def _back(self, name: str) -> float | None:
        """When what is away now comes back."""
        time = self.scheduler.time
        return max((end for begin, end in self.away[name] if begin <= time < end), default=None)

    def _moments(self, spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(START + begin, START + end) for begin, end in spans]

    def _ask_for_due(self) -> tuple[float, float, float]:
        if back := self._back("database_away"):
            return back, back, back
        submit, deliver, announced = self._due_times.read()
        return submit - self._offset, deliver - self._offset, announced - self._offset

    def _make_kie(self) -> PretendKie:
        ledger = self._stack.enter_context(closing(Ledger(self.folder / "ledger.jsonl")))
        faults = parse(self.plan.scenario)
        numbers = iter(range(1, 1_000_000))
        kie = PretendKie(
            ledger=ledger,
            clock=Clock(lambda: self.scheduler.time),
            switches=CountingSwitches(self.plan.seed, faults, self.struck),
            transport=self._send_callback,
            base_url=KIE_URL,
            hmac_key=HMAC_KEY if self.plan.is_signed else None,
            new_id=lambda: f"{self.plan.seed % (1 << 64):016x}{next(numbers):016x}",
            sleep=self.internet.delay,
        )
        kie.sender.run = lambda job: self.scheduler.spawn(self.people, job)
        kie.sender.woken = VirtualEvent(self.scheduler)
        app = simulator_app.create_app(kie, self.folder / "uploads")
        self.internet.serve("kie.test", "93.184.216.34", app)
        self.internet.serve("evil.test", "93.184.216.66", evil_host)
        self.internet.names["inside.test"] = [["93.184.216.34"], ["10.0.0.1"]]
        return kie

    def _settings(self, database_url: str, bucket: Any) -> Settings:
        more = bucket.settings if bucket else {}
        if self.plan.is_signed:
            more = {**more, "kie_webhook_hmac_key": HMAC_KEY}
        return Settings(
            _env_file=None,
            data_dir=self.folder / "data",
            database_url=database_url,
            public_base_url=APP_URL,
            bind="0.0.0.0",
            api_token=TOKEN,
            kie_callback_secret=SECRET,
            kie_api_key=KIE_KEY,
            kie_base_url=KIE_URL,
            give_up_after_hours=self.plan.give_up_hours,
            poll_max_seconds=self.plan.poll_max_seconds,
            delivery_threads=4,
            **more,
        )


def _joined(spans: list[tuple[float, float]], horizon: float) -> list[tuple[float, float]]:
    """Spans that may overlap, as ones that do not."""
    joined: list[tuple[float, float]] = []
    for begin, end in sorted((begin, min(end, horizon)) for begin, end in spans):
        if joined and begin <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((begin, end))
    return joined
