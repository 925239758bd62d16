"""Pauses between attempts: growing, and jittered, so that collectors do not all return at once."""

import random

_MOST_DOUBLINGS = 32


def pause_before(attempt: int, first: float, longest: float) -> float:
    """Seconds before one more attempt (0 is the first): 20 to 100 % of `first`, doubled each time up to `longest`."""
    return random.uniform(0.2, 1.0) * min(first * 2.0 ** min(attempt, _MOST_DOUBLINGS), longest)  # noqa: S311 no secret
