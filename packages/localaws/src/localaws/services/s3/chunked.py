"""Bodies in `aws-chunked` encoding: how SDKs send an object together with its checksum.

Source of the rules: "Signature calculations for the Authorization header: Transferring payload in multiple chunks", and
the same "Including trailing headers". The signatures of single chunks are passed over; the request's was verified.
"""

from collections.abc import Iterator, Mapping
from typing import BinaryIO

from localaws.core.cloud import AwsError

_BLOCK = 1 << 18
_LONGEST_LINE = 16_384


class Body:
    """The payload of a request: its blocks, and after the last of them the headers that came behind it."""

    def __init__(self, stream: BinaryIO, headers: Mapping[str, str]) -> None:
        self._stream = stream
        self._chunked = "aws-chunked" in headers.get("content-encoding", "") or headers.get(
            "x-amz-content-sha256", ""
        ).startswith("STREAMING-")
        self._length = headers.get("x-amz-decoded-content-length") if self._chunked else None
        self.trailer_names = [
            name.strip().lower() for name in headers.get("x-amz-trailer", "").split(",") if name.strip()
        ]
        self.trailers: dict[str, str] = {}

    def blocks(self) -> Iterator[bytes]:
        """The payload. Raises AwsError IncompleteBody."""
        if not self._chunked:
            while block := self._stream.read(_BLOCK):
                yield block
            return
        size = 0
        for block in self._chunks():
            size += len(block)
            yield block
        if self._length is not None and str(size) != self._length:
            raise _incomplete("the number of bytes is not the one announced")

    def _chunks(self) -> Iterator[bytes]:
        while size := self._size():
            while size:
                block = self._stream.read(min(size, _BLOCK))
                if not block:
                    raise _incomplete("a chunk is shorter than its size")
                size -= len(block)
                yield block
            self._line()
        while line := self._line():
            name, _, value = line.partition(b":")
            self.trailers[name.decode("latin-1").strip().lower()] = value.decode("latin-1").strip()

    def _size(self) -> int:
        line = self._stream.readline(_LONGEST_LINE)
        try:
            return int(line.split(b";")[0].strip(), 16)
        except ValueError as error:
            raise _incomplete("a chunk does not begin with its size") from error

    def _line(self) -> bytes:
        return self._stream.readline(_LONGEST_LINE).strip()


def _incomplete(why: str) -> AwsError:
    return AwsError("IncompleteBody", f"The request body terminated unexpectedly: {why}.")
