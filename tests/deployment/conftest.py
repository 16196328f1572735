"""One server for all tests: deployed once, under traffic from then on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.deployment.server import Server, open_server
from tests.deployment.traffic import Traffic
from tests.support.audit import audit


@pytest.fixture(scope="session")
def deployed() -> Iterator[tuple[Server, Traffic]]:
    """A server after its first deployment, and callbacks that never cease."""
    with open_server() as server:
        first = server.run("deploy")
        assert first.returncode == 0
        server.order(1)
        server.site.wait_for("status = 'success'")
        traffic = server.traffic()
        traffic.start()
        yield server, traffic
        traffic.stop()


@pytest.fixture
def server(deployed: tuple[Server, Traffic]) -> Iterator[Server]:
    """The server; at the end of each test nothing was lost, refused or left unanswered."""
    server, traffic = deployed
    server.order()
    yield server
    server.order()
    server.site.wait_for_all(40)
    answered = traffic.answers["200"]
    kept = "SELECT COUNT(*) AS number FROM callbacks WHERE verdict = 'accepted'"
    [row] = server.site.rows(kept)
    # 429: beyond what is kept of one generation, and answered all the same.
    assert set(traffic.answers) <= {"200", "429"}
    assert row["number"] >= answered > 0
    assert audit(server.site.data, server.site.database_url) == []
