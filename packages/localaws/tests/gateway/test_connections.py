"""Connections that nobody uses cost nothing."""

import http.client
import resource
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from localaws.testing.patience import patient

IDLE = 1500


@pytest.fixture
def files() -> Iterator[None]:
    """As many open files as the connections need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = 2 * IDLE
    if hard != resource.RLIM_INFINITY and hard < limit:
        pytest.skip(f"this process may open only {hard} files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, limit), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def connection(aws) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(aws.endpoint).netloc, timeout=patient(20))


def ask(opened: http.client.HTTPConnection) -> int:
    """The status of a request; the connection stays open."""
    opened.request("GET", "/_localaws/health")
    response = opened.getresponse()
    response.read()
    return response.status


def cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_thousands_of_idle_connections_keep_nobody_else_waiting(aws, files):
    with ExitStack() as stack:
        opened = [stack.enter_context(closing(connection(aws))) for _ in range(IDLE)]
        statuses = {ask(each) for each in opened}
        started = time.monotonic()
        fresh = stack.enter_context(closing(connection(aws)))
        statuses |= {ask(fresh) for _ in range(100)}
        assert len(statuses) == 1
        assert time.monotonic() - started < patient(3)
        before = cpu_seconds(aws.process.pid)
        time.sleep(1)  # the time that is measured, not a wait
        assert cpu_seconds(aws.process.pid) - before < patient(0.2)
        assert {ask(each) for each in opened[:: IDLE // 10]} == statuses
    assert {ask(connection(aws)) for _ in range(3)} == statuses
