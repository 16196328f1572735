"""One generation of the invented history: its row, and the rows that belong to it."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import Any

from bench.history.callbacks import callback_row
from bench.history.files import new_assets
from bench.history.models import Model
from bench.history.prompts import prompt
from bench.history.times import DAY
from bench.history.values import Row, id_at, json_text, time_text
from core.generation.model import Channel, Code
from core.generation.schedule import LADDERS, MEDIA_LIFETIME, look_again_at
from core.kie.report import FAIL, SUCCESS
from core.store.tables import generations

ASSETS_URL = "https://kie.example/assets"
USERS = 200
NEW = dict.fromkeys(generations.c.keys()) | {
    "provider": "kie",
    "family": "market",
    "status": "queued",
    "result_urls": "[]",
    "attempts": 0,
    "crashes": 0,
}
TEXT = json_text({"text": "And that is how the kite came home."})
#: Half of all lines, which a file of a million generations does better without.
PASSING = frozenset({"submit.accepted", "provider.success", "asset.stored"})
KEPT_IN_FULL = 14 * DAY
BY_SYNC = 0.067  # of what no callback announced


class Story:
    """A generation on its way: each method is something that happens to it at its time `at`.

    Its rows are kept as they are written, with times and JSON as text: to make a million records,
    and to change each several times, would take longer than all the rest.
    """

    def __init__(self, random: Random, model: Model, created: float, until: float) -> None:
        self.random = random
        self.model = model
        self.until = until  # the history's end
        self.created = created
        self.completed = created  # at KIE, as soon as that is decided
        self.row: dict[str, Any] = NEW.copy()
        self.assets: list[dict[str, Any]] = []
        self.callbacks: list[Row] = []
        self.events: list[Row] = []
        self.reach(created)
        self._create()

    def reach(self, at: float) -> None:
        """Make it that time."""
        self.at = at
        self.now = self.row["updated_at"] = time_text(at)

    def tell(self, name: str, **detail: Any) -> None:
        """Add a line to the timeline; of those from long ago only the ends are kept."""
        if name in PASSING and self.until - self.at > KEPT_IN_FULL:
            return
        self.events.append((self.row["id"], self.now, name, json_text(detail)))

    def _create(self) -> None:
        model, random = self.model, self.random
        words = prompt(random) if model.prompt_field else None
        given = dict(model.input)
        if model.prompt_field:
            given[model.prompt_field] = words
        self.row |= {
            "id": id_at(random, self.at),
            "user_id": f"user-{int(USERS * random.random() ** 2):03d}",
            "model": model.name,
            "kind": model.kind,
            "prompt": words,
            "input": json_text(given),
            "step_since": self.now,
            "created_at": self.now,
        }
        self.tell("generation.created", model=model.name, kind=model.kind)

    def start_submitting(self) -> None:
        """KIE is about to hear of it."""
        self.row["submit_started_at"] = self.now

    def accept(self) -> None:
        """KIE has made the task."""
        task_id = f"{self.random.getrandbits(128):032x}"
        self.row |= {"task_id": task_id, "submitted_at": self.now, "step_since": self.now}
        self.tell("submit.accepted", task_id=task_id)

    def refuse(self, code: int, why: str) -> None:
        """KIE makes no task, for good."""
        self.row |= {"status": "failed", "error_code": f"provider.{code}", "error": why}
        self.tell("submit.refused", code=code, why=why)

    def look(self, state: str) -> None:
        """KIE was asked, and is at work."""
        progress = self.random.randrange(5, 60)
        self.row |= {"status": "generating", "provider_state": state, "progress": progress}
        self.row |= {"asked_at": self.now, "attempts": 1}

    def announce(self, state: str) -> None:
        """KIE's callback has come; seldom after one that was refused, or twice."""
        dice = self.random.random()
        if dice < 0.004:
            self._call_back(state, "refused", "signature.stale" if dice < 0.003 else "body.cut")
        self._call_back(state, "accepted")
        if dice > 0.99:
            self._call_back(state, "duplicate")
        self.row |= {"announced_at": self.now, "announced_state": state}

    def _call_back(self, state: str, verdict: str, reason: str | None = None) -> None:
        about = {"task_id": self.row["task_id"], "generation_id": self.row["id"], "stage": state}
        row = callback_row(self.random, self.at, verdict, reason=reason, **about)
        self.callbacks.append(row)

    def succeed(self) -> None:
        """KIE has said that it succeeded, and which files it made."""
        via = self._channel()
        is_data = self.model.kind == "text"
        self.assets = new_assets(self.random, self.model, self.row)
        urls = [asset["source_url"] for asset in self.assets if asset["role"] == "main"]
        self.row |= {
            "status": "generating",
            "provider_state": SUCCESS,
            "progress": 100,
            "result_urls": "[]" if is_data else json_text(urls),
            "result_object": TEXT if is_data else None,
            "credits_consumed": self.model.credits * len(urls),
            "attempts": 0,
            "step_since": self.now,
            "asked_at": self.now,
            "expires_at": time_text(self.completed + MEDIA_LIFETIME.total_seconds()),
            "provider_completed_at": time_text(self.completed),
            "delivered_via": via,
        }
        self.tell("provider.success", files=len(self.assets), via=via)

    def _channel(self) -> str:
        if self.row["announced_at"]:
            return Channel.CALLBACK.value
        sync = self.random.random() < BY_SYNC
        return Channel.SYNC.value if sync else Channel.POLL.value

    def fail(self, why: str) -> None:
        """KIE has said that it failed."""
        self.row |= {"status": "failed", "provider_state": FAIL, "asked_at": self.now}
        self.row |= {"error_code": Code.PROVIDER_FAILED.value, "error": why}
        self.row["provider_completed_at"] = time_text(self.completed)
        self.tell("provider.failed", why=why)

    def store(self, position: int) -> None:
        """A file is in permanent storage."""
        asset = self.assets[position]
        asset["url"] = f"{ASSETS_URL}/{asset['path']}"
        asset["stored_at"] = self.now
        if self.row["preview_url"] is None and asset["content_type"].startswith("image/"):
            self.row["preview_url"] = asset["url"]
        self.tell("asset.stored", position=position, url=asset["url"], bytes=asset["size_bytes"])

    def deliver(self) -> None:
        """The last main file is stored."""
        url = self.assets[0]["url"]
        self.row |= {"status": "success", "asset_url": url, "delivered_at": self.now}
        self.row |= {"error_code": None, "error": None, "attempts": 0, "step_since": self.now}
        late = round((self.at - self.completed) * 1000)
        self.tell("generation.delivered", ms_after_completion=late)

    def wait(self, event: str, code: str, why: str, **detail: Any) -> None:
        """It stays open, and says why."""
        self.row |= {"error_code": code, "error": why}
        self.tell(event, code=code, why=why, **detail)

    def lose(self, position: int, code: Code, why: str) -> None:
        """A file will never be stored."""
        self.assets[position] |= {"error_code": code.value, "failed_since": self.now}
        self.assets[position]["failures"] = LADDERS
        self.tell("asset.lost", position=position, code=code, why=why)

    def give_up(self, code: Code, why: str) -> None:
        """It ends on our own account; KIE is asked again as long as it may still know it."""
        next_look = self._look_again_at() if self.row["task_id"] else None
        self.row |= {"status": "failed", "error_code": code.value, "error": why}
        self.row |= {"gave_up_at": self.now, "attempts": 0, "due_at": next_look}
        self.tell("generation.gave_up", code=code, why=why)

    def _look_again_at(self) -> str | None:
        times = (self.created, self.at, self.until)
        at = look_again_at(*(datetime.fromtimestamp(time, UTC) for time in times))
        return time_text(at.timestamp()) if at else None

    def rest(self) -> None:
        """The history ends: unless somebody holds it, it waits for its next look."""
        if self.row["asked_at"] is not None:
            self.reach(max(self.at, self.until - self.random.uniform(1, 60)))
            self.row["asked_at"] = self.now
        if self.row["due_at"] is None and self.row["lease_until"] is None:
            self.row["due_at"] = time_text(self.until + self.random.uniform(1, 60))
