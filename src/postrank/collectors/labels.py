"""Names of collectors, and the labels by which posts, windows and ledger rows say which collector wrote them."""

import re
from collections.abc import Collection

from postrank.aws.resources import MAIN
from postrank.errors import Fatal
from postrank.suggestions import nearest

LONGEST = 24  # characters of a name: part of the names of resources
PATTERN = r"[a-z0-9]+(-[a-z0-9]+)*"
_NAME = re.compile(PATTERN)
_BACKFILL = "-backfill"  # how the label of what a collector's backfill wrote ends


class NoSuchCollector(Fatal):
    """A collector was named that the configuration does not have."""

    def __init__(self, name: str, names: Collection[str], where: str) -> None:
        listing = ", ".join(sorted(names))
        super().__init__(f"{where} has no collector {name!r}{nearest(name, names)}; it has {listing}")


def problem_of(name: str) -> str | None:
    """Why a text is no name of a collector, to be put behind it; None if it is one."""
    if len(name) > LONGEST:
        return f"is longer than {LONGEST} characters"
    if not _NAME.fullmatch(name):
        return "must be lower-case letters and digits, in words separated by single hyphens, such as x-brands"
    if name.endswith(_BACKFILL):
        return f"must not end with {_BACKFILL}, which marks what a backfill brought"
    return None


def owner_of(label: str, names: Collection[str]) -> str:
    """The collector that wrote rows with a label: its name, also for its backfills.

    `main` has every label that no other collector is called by: its host's name, or what its configuration says.
    """
    name = label.removesuffix(_BACKFILL)
    return name if name in names else MAIN


def backfill_label(label: str) -> str:
    """The label of what a collector's backfill writes."""
    return f"{label}{_BACKFILL}"
