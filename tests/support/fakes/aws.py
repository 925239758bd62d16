"""A small, fast AWS on loopback: Kinesis PutRecords and S3 objects over their wire protocols, with faults on request.

It keeps what it acknowledged. Only for what the emulators cannot be asked to do: refuse, fail, stall, and take 50,000
posts a second.
"""

import base64
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import orjson

_XML = '<?xml version="1.0" encoding="UTF-8"?>'


@dataclass
class AwsServer:
    """What was acknowledged, and which faults are on."""

    records: list[tuple[str, str, bytes]] = field(default_factory=list)  # stream, partition key, data
    objects: dict[str, bytes] = field(default_factory=dict)  # "bucket/key"
    calls: list[int] = field(default_factory=list)  # entries of each PutRecords
    call_bytes: list[int] = field(default_factory=list)
    refuse_share: float = 0.0  # of the entries of a call
    capacity: float = 0.0  # bytes a second that all shards together take; more is refused. 0: no bound
    refuse_first_calls: int = 0  # that many calls have their first entry refused
    failing: str = ""  # "500", "throttled", "denied": every PutRecords is answered so
    failing_objects: str = ""  # a status and a code, as in "503 SlowDown": every PutObject is answered so
    delay: float = 0.0  # seconds before an answer
    draw: random.Random = field(default_factory=lambda: random.Random(1))
    consume: Callable[[str, bytes], None] | None = None  # takes records (stream, data) instead of keeping them
    taken_lines: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    port: int = 0
    _level: float = 0.0
    _filled: float = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def lines(self, stream_part: str) -> list[dict[str, Any]]:
        """The JSON lines of the streams whose name holds `stream_part`, as they came."""
        with self.lock:
            found = [data for stream, _, data in self.records if stream_part in stream]
        return [orjson.loads(line) for data in found for line in data.splitlines()]

    def put_records(self, body: bytes) -> tuple[int, dict[str, Any]]:
        if self.failing:
            return _FAILURES[self.failing]
        request = orjson.loads(body)
        answers: list[dict[str, Any]] = []
        with self.lock:
            self.calls.append(len(request["Records"]))
            self.call_bytes.append(sum(len(r["Data"]) * 3 // 4 + len(r["PartitionKey"]) for r in request["Records"]))
            for number, record in enumerate(request["Records"]):
                first = number == 0 and len(self.calls) <= self.refuse_first_calls
                size = len(record["Data"]) * 3 // 4
                if first or (self.refuse_share and self.draw.random() < self.refuse_share) or not self._room(size):
                    answers.append({"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "slow down"})
                    continue
                self._take(request["StreamName"], record["PartitionKey"], base64.b64decode(record["Data"]))
                answers.append({"SequenceNumber": str(len(self.records)), "ShardId": "shardId-000000000000"})
        refused = sum("ErrorCode" in answer for answer in answers)
        return 200, {"FailedRecordCount": refused, "Records": answers}

    def _room(self, size: int) -> bool:
        """Whether the shards take so many bytes more: a bucket that holds a second's worth and refills."""
        if not self.capacity:
            return True
        now = time.monotonic()
        self._level = min(self.capacity, self._level + (now - self._filled) * self.capacity)
        self._filled = now
        if self._level < size:
            return False
        self._level -= size
        return True

    def _take(self, stream: str, key: str, data: bytes) -> None:
        if stream.endswith("-posts"):
            self.taken_lines += data.count(b"\n")
        if self.consume is None:
            self.records.append((stream, key, data))
        else:
            self.consume(stream, data)


_FAILURES: dict[str, tuple[int, dict[str, Any]]] = {
    "500": (500, {"__type": "InternalFailure", "message": "a fault was asked for"}),
    "throttled": (400, {"__type": "ProvisionedThroughputExceededException", "message": "a fault was asked for"}),
    "denied": (400, {"__type": "AccessDeniedException", "message": "a fault was asked for"}),
}


@contextmanager
def aws_server(port: int = 0) -> Iterator[AwsServer]:
    """A running server; stopped on leaving."""
    state = AwsServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet for head and body

        def log_message(self, *args: object) -> None:
            """Nothing."""

        def handle_expect_100(self) -> bool:
            answered = super().handle_expect_100()
            self.wfile.flush()  # the client waits a second for it otherwise
            return answered

        def do_POST(self) -> None:
            body = self._body()
            if state.delay:
                time.sleep(state.delay)  # a slow server, on request
            action = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
            if len(body) < int(self.headers.get("Content-Length", 0)):
                self.close_connection = True  # the client went away in the middle of its request
            elif action == "PutRecords":
                self._reply(*state.put_records(body))
            elif action == "DescribeStreamSummary":
                summary = {"StreamStatus": "ACTIVE", "StreamARN": "arn", "OpenShardCount": 1}
                self._reply(200, {"StreamDescriptionSummary": summary})
            else:
                self._reply(200, {})

        def do_PUT(self) -> None:
            body = self._body()
            if state.failing_objects:
                status, code = state.failing_objects.split()
                self._answer(int(status), f"{_XML}<Error><Code>{code}</Code></Error>".encode(), "application/xml")
                return
            with state.lock:
                state.objects[unquote(self.path.partition("?")[0].lstrip("/"))] = body
            self._answer(200, b"", "application/xml")

        def do_GET(self) -> None:
            found = state.objects.get(unquote(self.path.partition("?")[0].lstrip("/")))
            if found is None:
                self._answer(404, f"{_XML}<Error><Code>NoSuchKey</Code></Error>".encode(), "application/xml")
            else:
                self._answer(200, found, "application/octet-stream")

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))

        def _reply(self, status: int, answer: dict[str, Any]) -> None:
            self._answer(status, orjson.dumps(answer), "application/x-amz-json-1.1")

        def _answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Clients that were killed leave broken connections, which is nobody's fault."""

    server = Server(("127.0.0.1", port), Handler)
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
