"""The HTTP server (waitress) made to answer as AWS does where it would write something of its own."""

import re
from functools import partial
from typing import Any
from xml.sax.saxutils import escape

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import create_server
from waitress.task import ErrorTask, WSGITask

from localaws.core.shapes import Document
from localaws.gateway.connections import Connections, close_idle, most_connections
from localaws.gateway.long_responses import LONG_RESPONSES, LongResponses

HOST = "127.0.0.1"
_THREADS = 24
_MOST_BODY = 5 << 30  # "PutObject": 5 GB in one request
_MOST_HEADERS = 64 << 10
_METADATA = re.compile(rb"^X-Amz-Meta-[^:]*", re.MULTILINE)
# HTTP status of what waitress refuses -> the code that S3 has for it ("Error responses").
_CODES = {
    400: "BadRequest",
    411: "MissingContentLength",
    413: "EntityTooLarge",
    431: "RequestHeaderSectionTooLarge",
    501: "NotImplemented",
}


class _Task(WSGITask):  # type: ignore[misc]  # waitress has no types
    def build_response_header(self) -> bytes:
        """Waitress capitalises header names; those of user metadata are lower-case in S3."""
        header: bytes = super().build_response_header()
        return _METADATA.sub(lambda match: match[0].lower(), header)

    def get_environment(self) -> Document:
        environment: Document = super().get_environment()
        environment[LONG_RESPONSES] = self.channel.server.long_responses
        return environment


class _RefusedTask(ErrorTask):  # type: ignore[misc]  # waitress has no types
    def execute(self) -> None:
        """Say in AWS's form what is wrong with a request that cannot be read."""
        error = self.request.error
        code = _CODES.get(error.code, "InternalError")
        body = f"<Error><Code>{code}</Code><Message>{escape(str(error.body))}</Message></Error>".encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", "application/xml"))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Parser(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    def parse_header(self, header_plus: bytes) -> None:
        """Waitress would wait for ever for the body of a request that expects 100-continue and has none."""
        super().parse_header(header_plus)
        if not self.chunked and self.content_length == 0:
            self.expect_continue = False


class _Channel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    parser_class = _Parser
    task_class = _Task
    error_task_class = _RefusedTask


def server_for(application: Any, port: int, host: str = HOST) -> Any:
    """A server that is bound to `port` (0: a free one) of `host` and not yet running. Raises OSError."""
    server = create_server(
        application,
        host=host,
        port=port,
        threads=_THREADS,
        clear_untrusted_proxy_headers=True,
        max_request_body_size=_MOST_BODY,
        max_request_header_size=_MOST_HEADERS,
        channel_timeout=300,
        connection_limit=most_connections(),
        ident="localaws",
    )
    server.channel_class = _Channel
    server.maintenance = partial(close_idle, server)
    server.long_responses = LongResponses(server.task_dispatcher, _THREADS)
    return server


def run(server: Any) -> None:
    """Serve until SystemExit or KeyboardInterrupt; what has begun is answered."""
    connections = Connections(server._map)  # noqa: SLF001 - waitress gives its loop nothing else
    try:
        while server._map:  # noqa: SLF001
            connections.turn(server.adj.asyncore_loop_timeout)
    except (SystemExit, KeyboardInterrupt):
        server.long_responses.close()
        server.task_dispatcher.shutdown()
    finally:
        connections.close()
