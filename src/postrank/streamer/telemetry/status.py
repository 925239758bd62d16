"""The status endpoint on loopback: /healthz, /metrics (Prometheus), /top (who writes most just now), /heartbeat."""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from postrank.documents import Document
from postrank.errors import Fatal
from postrank.streamer.telemetry.health import health
from postrank.streamer.telemetry.reporter import Reporter

log = logging.getLogger(__name__)
TOP_ROWS = 100  # authors of the live list
CONNECTIONS = 16  # at a time
SECONDS = 10.0  # that a connection may take, from its start to its end
_GAUGES = frozenset({"spooled", "in_flight"})
Answer = tuple[int, str, bytes]


class _Figures(Collector):
    """Every count and gauge of the heartbeat as a metric `postrank_<name>`."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter

    def collect(self) -> Iterable[Metric]:
        for name, value in self._reporter.counts().items():
            family = GaugeMetricFamily if name in _GAUGES else CounterMetricFamily
            yield family(f"postrank_{name}", f"The heartbeat's {name}.", value=value)
        yield self._unknown_fields()
        state = health(self._reporter)
        ages = {"source_contact_age_seconds": state.contact_age, "ack_age_seconds": state.ack_age}
        for name, figure in {**self._reporter.gauges(), **ages}.items():
            yield GaugeMetricFamily(f"postrank_{name}", f"{name.replace('_', ' ')}.", value=figure)

    def _unknown_fields(self) -> Metric:
        fields = CounterMetricFamily(
            "postrank_unknown_fields_by_name", "Fields that no parser knows, by form and name.", labels=["field"]
        )
        for name, number in self._reporter.progress.counts.unknown_by_name.items():
            fields.add_metric([name], number)
        return fields


class PortTaken(Fatal):
    """The port of the status page cannot be had."""


class _Server(ThreadingHTTPServer):
    """Serves CONNECTIONS at a time, each for SECONDS at most: a slow or greedy client cannot exhaust the streamer."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._started: dict[socket.socket, float] = {}
        self._lock = threading.Lock()
        super().__init__(address, handler)

    def verify_request(self, request: Any, _address: Any) -> bool:
        """Whether there is room for one more connection; one without room is closed unanswered."""
        with self._lock:
            if len(self._started) >= CONNECTIONS:
                return False
            self._started[request] = time.monotonic()
            return True

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._started.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Twice a second: end the connections that have had their time."""
        with self._lock:
            old = [request for request, at in self._started.items() if time.monotonic() - at > SECONDS]
        for request in old:
            with suppress(OSError):  # it has just ended by itself
                request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, _request: Any, client_address: Any) -> None:
        log.debug("status request ended early", extra={"fields": {"client": str(client_address)}})


class StatusServer:
    """Serves one streamer's status on 127.0.0.1, from a thread of its own."""

    def __init__(self, reporter: Reporter, port: int) -> None:
        """Raises PortTaken."""
        self._reporter = reporter
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Figures(reporter))
        self._pages: dict[str, Callable[[dict[str, list[str]]], Answer]] = {
            "/healthz": self._health,
            "/metrics": self._metrics,
            "/top": self._top,
            "/heartbeat": lambda _: (200, "application/json", reporter.heartbeat().to_json()),
        }
        try:
            self._server = _Server(("127.0.0.1", port), _handler(self._pages))
        except OSError as error:
            why = f"status.port {port} cannot be had on 127.0.0.1 ({error.strerror}): name another, or 0 for any"
            raise PortTaken(why) from error
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, name="status", daemon=True)

    def start(self) -> None:
        self._thread.start()
        log.info("status", extra={"fields": {"url": f"http://127.0.0.1:{self.port}"}})

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _health(self, _: dict[str, list[str]]) -> Answer:
        state = health(self._reporter)
        body = {"well": not state.problems, "phase": self._reporter.heartbeat().phase, "problems": state.problems}
        return (503 if state.problems else 200), "application/json", orjson.dumps(body)

    def _metrics(self, _: dict[str, list[str]]) -> Answer:
        return 200, "text/plain; version=0.0.4", generate_latest(self._registry)

    def _top(self, query: dict[str, list[str]]) -> Answer:
        limit_text = query.get("n", [""])[0]
        number = int(limit_text) if limit_text.isdecimal() else TOP_ROWS
        rows: list[Document] = []
        for rank, ((network, author_id, handle), posts) in enumerate(self._reporter.progress.top[:number], 1):
            row = {"rank": rank, "network": network, "author_id": author_id, "author_handle": handle, "posts": posts}
            rows.append(row)
        return 200, "application/json", orjson.dumps({"seconds": 60, "authors": rows})


def _handler(pages: dict[str, Callable[[dict[str, list[str]]], Answer]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            page = pages.get(url.path)
            status, kind, body = page(parse_qs(url.query)) if page else (404, "text/plain", b"no such page\n")
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Requests for the status are no event."""

    return Handler
