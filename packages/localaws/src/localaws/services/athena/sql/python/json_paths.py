"""JSON paths, as json_extract reads them ("JSON functions and operators": JsonPath of the older functions)."""

import re
from functools import lru_cache

from localaws.services.athena.sql.failures import QueryFailed

_STEP = re.compile(
    r"\.(?P<key>[A-Za-z_$][\w$:]*|\d[\w$]*)|\[\"(?P<quoted>(?:[^\"\\]|\\.)*)\"\]|\[(?P<index>\d+)\]|\.\"(?P<dotted>(?:[^\"\\]|\\.)*)\"|\[(?P<bare>[\w:]+)\]"
)


@lru_cache(maxsize=1024)
def steps(path: str) -> tuple[str | int, ...]:
    """The keys and places of a path. Raises QueryFailed INVALID_FUNCTION_ARGUMENT."""
    if not path.startswith("$"):
        raise _invalid(path)
    parts: list[str | int] = []
    at = 1
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            raise _invalid(path)
        if match["index"] is not None:
            parts.append(int(match["index"]))
        else:
            key = match["key"] or match["bare"]
            parts.append(key if key is not None else re.sub(r"\\(.)", r"\1", match["quoted"] or match["dotted"] or ""))
        at = match.end()
    return tuple(parts)


def _invalid(path: str) -> QueryFailed:
    return QueryFailed("INVALID_FUNCTION_ARGUMENT", f"Invalid JSON path: '{path}'")
