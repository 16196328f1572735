"""`python -m core doctor` beside the real processes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.support.simulator import IMAGE
from tests.support.site import Site

PICTURE = {"model": IMAGE["model"], "input": IMAGE["input"]}
STRANGE = "SELECT id FROM callbacks WHERE verdict <> 'accepted'"
COUNTS = "SELECT reason FROM refusals"


def doctor(site: Site, *flags: str, **settings: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code, and the checks that are not well by name."""
    process = site.start("core", "doctor", "--json", *flags, **settings)
    code = process.ended()
    checks = json.loads(process.output)
    return code, {check["name"]: check for check in checks if check["state"] != "ok"}


@contextmanager
def sending_on(site: Site) -> Iterator[str]:
    """A web server in front that redirects everything, as from http to https."""

    class Redirects(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(301)
            self.send_header("Location", site.web_url + self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Redirects) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("site_url", ["postgresql"], indirect=True)
def test_what_is_not_well_is_named_and_else_all_is_well(site: Site) -> None:
    site.web()
    code, found = doctor(site)
    assert (code, set(found)) == (1, {"poller", "callbacks"})
    assert found["poller"]["found"] == "never started"
    site.poller()
    site.create(PICTURE)
    site.wait_for_all()
    assert doctor(site, "--strict") == (0, {})

    code, found = doctor(site, KIE_CALLBACK_SECRET="not-the-one-that-was-made-up")
    assert (code, set(found)) == (1, {"own_callback"})
    assert "HTTP 401, `credential.wrong`" in found["own_callback"]["found"]

    with sending_on(site) as url:
        code, found = doctor(site, PUBLIC_BASE_URL=url)
    assert (code, set(found)) == (1, {"public_address", "own_callback"})
    assert f"HTTP 301 redirects to {site.web_url}/" in found["public_address"]["found"]
    assert (site.rows(STRANGE), site.rows(COUNTS)) == ([], [])
