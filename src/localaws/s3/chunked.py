"""Bodies in `aws-chunked` encoding: how SDKs send an object together with its checksum.

"Signature calculations: transfer payload in multiple chunks", and the same with trailing headers.
"""

from localaws.service import AwsError


def is_chunked(headers: dict[str, str]) -> bool:
    return "aws-chunked" in headers.get("content-encoding", "") or headers.get("x-amz-content-sha256", "").startswith(
        "STREAMING-"
    )


def decode(body: bytes) -> bytes:
    """The bytes inside. Raises AwsError IncompleteBody."""
    out, at = bytearray(), 0
    while True:
        end = body.find(b"\r\n", at)
        if end < 0:
            raise AwsError("IncompleteBody", "the chunked body ends without its last chunk")
        try:
            size = int(body[at:end].split(b";")[0], 16)
        except ValueError as error:
            raise AwsError("IncompleteBody", "a chunk does not begin with its size") from error
        if size == 0:
            return bytes(out)
        chunk = body[end + 2 : end + 2 + size]
        if len(chunk) < size:
            raise AwsError("IncompleteBody", "a chunk is shorter than its size")
        out += chunk
        at = end + 2 + size + 2
