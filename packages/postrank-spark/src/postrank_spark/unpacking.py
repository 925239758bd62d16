"""Records as lines: a record holds many lines of newline JSON, as they are or as gzip members."""

import zlib

_GZIP = b"\x1f\x8b"


def text_of(data: bytes | None) -> bytes | None:
    """The lines of a record; gzip members, one after the other, are decompressed. None for what is broken."""
    if data is None or data[:2] != _GZIP:
        return data
    parts = []
    try:
        while data:
            member = zlib.decompressobj(wbits=31)
            parts.append(member.decompress(data) + member.flush())
            if not member.eof:
                return None
            data = member.unused_data
    except zlib.error:
        return None
    return b"".join(parts)
