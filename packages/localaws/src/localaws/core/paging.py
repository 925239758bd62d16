"""Cutting a list into the pages that list calls return."""

from collections.abc import Sequence
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
