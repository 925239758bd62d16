"""Cutting a list into the pages that list calls return."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from localaws.core.cloud import AwsError

Item = TypeVar("Item")


def page(items: Sequence[Item], limit: int | None, *, default: int, most: int) -> tuple[list[Item], bool]:
    """The first page, and whether more follow. Raises AwsError ValidationException for a limit out of bounds."""
    size = default if limit is None else limit
    if not 1 <= size <= most:
        raise AwsError(
            "ValidationException",
            f"1 validation error detected: Value '{size}' at 'limit' failed to satisfy constraint: "
            f"Member must have value between 1 and {most}",
        )
    return list(items[:size]), len(items) > size


def offset(token: str | None, refuse: Callable[[str], AwsError]) -> int:
    """Where the page that a NextToken stands for begins; raises what `refuse` makes of a token that is none of ours."""
    if not token:
        return 0
    if not token.isascii() or not token.isdigit():
        raise refuse(token)
    return int(token)


def page_at(items: Sequence[Item], start: int, size: int) -> tuple[Sequence[Item], dict[str, str]]:
    """The page that begins at `start`, and the NextToken to answer with where more follow."""
    more = {"NextToken": str(start + size)} if start + size < len(items) else {}
    return items[start : start + size], more
