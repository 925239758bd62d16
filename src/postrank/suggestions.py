"""What a person probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(text: str, names: Iterable[str]) -> str:
    """A question with the name that is most like `text`, to be put behind a message; empty if none is like it."""
    candidates = list(names)
    longer = [name for name in candidates if text and name.startswith(text)]
    matches = longer if len(longer) == 1 else get_close_matches(text, candidates, n=1)
    return f" (did you mean {matches[0]!r}?)" if matches else ""
