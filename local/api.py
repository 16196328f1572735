"""Our own HTTP API, as far as the demonstration calls it."""

from __future__ import annotations

from typing import Any

import httpx

from core.errors import AppError

#: A create answers within 20 s.
TIMEOUT_SECONDS = 30

View = dict[str, Any]


class ApiError(AppError):
    """The API did not do what was asked; the message is one line for people."""


class Api:
    """The webhook, over a client that has its address and credentials."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def missing(self) -> str | None:
        """What deliveries still need; None when everything is ready. Raises ApiError."""
        answer = self._send("GET", "/api/ready")
        if answer.status_code == 200:
            return None
        checks: dict[str, str] = _json(answer).get("checks", {})
        lines = [f"{name} {line}" for name, line in checks.items() if line != "ok"]
        return ", ".join(lines) or f"web answered {answer.status_code}"

    def create(self, body: View) -> View:
        """A new generation. Raises ApiError."""
        return self._call("POST", "/api/kie/createTask", json=body)

    def generation(self, generation_id: str) -> View:
        """The generation as it is now. Raises ApiError."""
        return self._call("GET", f"/api/generations/{generation_id}")

    def open_of(self, user_id: str) -> list[View]:
        """The user's generations that have not ended, oldest first. Raises ApiError."""
        pages = [
            self._call("GET", "/api/generations", params={"userId": user_id, "status": status})
            for status in ("queued", "generating")
        ]
        views = [view for page in pages for view in page["items"]]
        return sorted(views, key=lambda view: str(view["id"]))

    def _call(self, method: str, path: str, **request: Any) -> View:
        answer = self._send(method, path, **request)
        if answer.is_success:
            return _json(answer)
        error = _json(answer).get("error", {})
        why = f"{error.get('code', 'no code')}: {error.get('message', 'no message')}"
        raise ApiError(f"web answered {answer.status_code} to {method} {path}: {why}")

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            return self._http.request(method, path, **request)
        except httpx.HTTPError as error:
            raise ApiError("web does not answer") from error


def open_api(base_url: str, token: str | None) -> Api:
    """The API at an address of this machine; a token where one is required."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    client = httpx.Client(
        base_url=base_url, headers=headers, timeout=TIMEOUT_SECONDS, trust_env=False
    )
    return Api(client)


def _json(answer: httpx.Response) -> View:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
