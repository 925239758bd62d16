"""The little XML that S3's answers need."""

from collections.abc import Iterable
from datetime import datetime
from xml.sax.saxutils import escape

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def element(name: str, children: Iterable[str], *, root: bool = False) -> str:
    """An element of already written children; `root` adds the declaration and the namespace."""
    inner = "".join(children)
    if root:
        return f'{_DECLARATION}<{name} xmlns="{NAMESPACE}">{inner}</{name}>'
    return f"<{name}>{inner}</{name}>"


def text_of(name: str, text: str) -> str:
    """An element that holds text."""
    return f"<{name}>{escape(text)}</{name}>"


def timestamp(moment: datetime) -> str:
    """RFC 3339 with milliseconds, as S3 writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
