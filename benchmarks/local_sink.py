"""A process that takes PutRecords on loopback and keeps nothing: prints its port, ends with its standard input."""

import sys

from tests.support.fakes.aws import aws_server


def main() -> None:
    with aws_server() as server:
        server.consume = lambda _stream, _data: None
        print(server.port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
