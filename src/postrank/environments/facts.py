"""What is known of an environment, a fact at a time."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fact:
    """One sentence about an environment. `is_well` is None where it says nothing of health, or could not be read."""

    topic: str  # "collector", "freshness", ...
    text: str
    is_well: bool | None = None


def is_unwell(facts: Iterable[Fact]) -> bool:
    """Whether somebody should look."""
    return any(fact.is_well is False for fact in facts)


def age(seconds: float) -> str:
    """A duration in its largest unit: `45 s`, `12 min`, `3 h`, `2 days`."""
    for unit, length in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length or (unit != "days" and seconds >= length):
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
