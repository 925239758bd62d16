"""Posts by the minute and the slot that each belongs to: most batches are of one, and cost next to nothing."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from postrank.posts.times import milliseconds
from postrank.windows.minute_counts import minute_of
from postrank.windows.sliding_view import slot_of


def grouped(
    distinct: Collection[str], instants: Sequence[str], numbers: Sequence[int]
) -> Iterable[tuple[tuple[int, int], Sequence[int]]]:
    """Minute and slot, and the numbers of their posts; `distinct` are the instants that occur.

    All are in the contract's form, which sorts as time does.
    """
    first = _place(min(distinct))
    if first == _place(max(distinct)):
        return ((first, numbers),)
    places = {instant: _place(instant) for instant in distinct}
    groups: dict[tuple[int, int], list[int]] = defaultdict(list)
    for instant, number in zip(instants, numbers, strict=True):
        groups[places[instant]].append(number)
    return groups.items()


def _place(instant: str) -> tuple[int, int]:
    moment = milliseconds(instant)
    return minute_of(moment), slot_of(moment)
