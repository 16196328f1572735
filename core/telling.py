"""What a log line says of each event: words without secrets, prompts or KIE's own texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from core.masking import mask

#: What of an event's detail may be logged. `why` may not: it can quote KIE, and KIE the prompt.
LOGGED = frozenset(
    {
        *("attempt", "by", "bytes", "code", "events", "ms_after_completion"),
        *("path", "position", "stage", "state", "task_id", "url", "via"),
    }
)

SENTENCES = {
    "generation.adopted": "taken over from the table that was there before",
    "generation.created": "recorded, before KIE hears of it",
    "generation.rescued": "{by} had KIE's task {task_id} taken over; it is not one of ours",
    "submit.started": "asking KIE for a task",
    "submit.accepted": "task created",
    "submit.rate_limited": "waiting for its turn: 20 creates in 10 s is KIE's limit",
    "submit.not_now": "KIE takes no tasks now ({code}), sent again later",
    "submit.refused": "KIE refused the task for good (code {code})",
    "submit.unknown": "KIE may or may not have made a task; it is not sent again",
    "task_id.conflict": "KIE named a task id that does not fit; both are kept",
    "callback.accepted": "a callback came ({stage}); KIE is asked whether it is true",
    "callback.foreign": "a callback mixed it up with another task ({task_id}); it changed nothing",
    "callback.matched": "earlier callbacks turned out to be about it",
    "callback.task_adopted": "KIE confirms the task id that was named",
    "callback.task_refused": "a task id was named that KIE does not confirm",
    "callback.disagrees": "a callback claimed something else than KIE says",
    "ask.failed": "KIE could not be asked ({code})",
    "provider.state": "KIE says {state}",
    "provider.failed": "KIE failed the task",
    "provider.empty": "KIE says success, but names no file yet",
    "provider.success": "KIE has finished, learnt by {via}",
    "asset.fetched": "fetched file {position}, {bytes} bytes, storing at {path}",
    "asset.stored": "stored file {position}, {bytes} bytes, at {url}",
    "asset.restored": "put back file {position}, {bytes} bytes, which was missing, at {path}",
    "asset.retry": "file {position} not stored ({code}), attempt {attempt}",
    "asset.lost": "file {position} is lost ({code})",
    "generation.gave_up": "given up ({code})",
    "deletion.begun": "to be deleted, with its files",
    "deletion.retry": "its files cannot be removed now ({code}), attempt {attempt}",
    "operator.looked_again": "{by} asked for another look",
    "operator.gave_up": "{by} gave it up",
    "operator.attached": "{by} named KIE's task {task_id}, to be confirmed by KIE",
    "operator.sent_again": "{by} had it sent once more, which may be paid twice",
    "history.pruned": "{events} earlier lines deleted, as too old to be of use",
    "generation.delivered": "success, {ms_after_completion} ms after KIE had finished",
}


def told(name: str, detail: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The sentence for an event, and the fields that may stand beside it.

    Our own asset URLs are told, but for the signature of a private one: it opens the file for ever,
    and logs are read by more people than the database.
    """
    fields = {key: detail[key] for key in sorted(LOGGED & detail.keys())}
    if isinstance(fields.get("url"), str):
        fields["url"] = mask(fields["url"])
    return SENTENCES[name].format_map(defaultdict(lambda: "?", fields)), fields
