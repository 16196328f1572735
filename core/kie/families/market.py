"""The market family: all models behind one pair of jobs endpoints.

Sources: docs.kie.ai/market/quickstart, docs.kie.ai/market/common/get-task-detail, and the model
pages under docs.kie.ai/market/.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from core.kie import lenient
from core.kie.families.family import Request
from core.kie.families.kinds import kind_of_model
from core.kie.families.results import read_result
from core.kie.report import SUCCESS, Report, TaskRequest
from core.masking import mask

UNNAMED = "unknown"  # KIE named no model


class Market:
    """Requests and reports of `/api/v1/jobs`."""

    def create_request(
        self, model: str, input: Mapping[str, object], callback_url: str | None
    ) -> Request:
        """The createTask request; without `callBackUrl` KIE sends no callback."""
        body: dict[str, object] = {"model": model, "input": input}
        if callback_url:
            body["callBackUrl"] = callback_url
        return Request("POST", "/api/v1/jobs/createTask", json=body)

    def ask_request(self, task_id: str) -> Request:
        """The recordInfo request."""
        return Request("GET", "/api/v1/jobs/recordInfo", params={"taskId": task_id})

    def read_report(self, data: object) -> Report:
        """The report in recordInfo's `data`; some examples fill `resultJson` before success."""
        record = lenient.fields(data)
        state = (lenient.text(record.get("state"), 64) or "").lower()
        result = read_result(record.get("resultJson") if state == SUCCESS else None)
        amount = lenient.credits(record.get("creditsConsumed"))
        callback_url = _callback_url(record.get("param"))
        return Report(
            task_id=lenient.task_id(record.get("taskId")) or "",
            state=state,
            files=result.files,
            result_object=result.result_object,
            fail_code=_words(record.get("failCode"), 128),
            fail_message=_words(record.get("failMsg"), 2_000),
            progress=lenient.percent(record.get("progress")),
            credits_consumed=(
                lenient.credits(record.get("consumeCredits")) if amount is None else amount
            ),
            completed_at=lenient.moment(record.get("completeTime")),
            has_callback_url=bool(callback_url),
            generation_id=_generation_id(callback_url),
        )

    def read_request(self, data: object) -> TaskRequest:
        """`param` repeats the whole request, its `input` as an object or as JSON text."""
        record = lenient.fields(data)
        request = lenient.fields(record.get("param"))
        named = (lenient.text(each.get("model"), 200) for each in (record, request))
        return TaskRequest(
            model=next(filter(None, named), UNNAMED),
            input=_masked(lenient.fields(request.get("input"))),
            created_at=lenient.moment(record.get("createTime")),
        )

    def kind_of(self, model: str, input: Mapping[str, object]) -> str | None:
        """What the model makes, by its name."""
        return kind_of_model(model)

    def prompt_of(self, input: Mapping[str, object]) -> str | None:
        """`prompt`, or the `text` of speech models."""
        for name in ("prompt", "text"):
            if isinstance(value := input.get(name), str) and (found := lenient.text(value, 20_000)):
                return found
        return None


def _masked(input: dict[str, object]) -> dict[str, object]:
    text = lenient.json_text(input)
    return lenient.fields(mask(text)) if text else {}


def _words(value: object, limit: int) -> str | None:
    words = lenient.text(value, limit)
    return mask(words) if words else None


def _callback_url(param: object) -> object:
    """What the task's own request named; `param` repeats it. True where it cannot be read."""
    request = lenient.fields(param)
    return request.get("callBackUrl") if request else "callBackUrl" in str(param)


def _generation_id(callback_url: object) -> str | None:
    url = lenient.url(callback_url)
    if url is None:
        return None
    return lenient.text(parse_qs(urlsplit(url).query).get("generation", [None])[0], 128)
