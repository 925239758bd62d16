"""How often fields came that no parser knows, by name: a bounded table, since anyone who posts can invent names."""

import re
from collections.abc import Mapping

MOST_FIELDS = 50  # names; what comes under further ones is counted together
OTHER_FIELDS = "other"
_NAME = re.compile(r"[A-Za-z_$@][A-Za-z0-9_.:@$-]{0,39}")


def count_field(counts: dict[str, int], form: str, name: str) -> None:
    """Count a field of an object of some form (`x`, `bluesky`, ...) as `<form>.<name>`."""
    _add(counts, f"{form}.{name}" if _NAME.fullmatch(name) else OTHER_FIELDS, 1)


def add_fields(counts: dict[str, int], more: Mapping[str, int]) -> None:
    """Add other counts."""
    for name, number in more.items():
        _add(counts, name, number)


def _add(counts: dict[str, int], name: str, number: int) -> None:
    key = name if name in counts or len(counts) < MOST_FIELDS else OTHER_FIELDS
    counts[key] = counts.get(key, 0) + number
