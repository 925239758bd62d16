"""Values by the bucket that each belongs to: most batches are of one bucket, and cost next to nothing."""

from collections.abc import Iterable, Sequence


def grouped(buckets: Sequence[int], values: Sequence[int]) -> Iterable[tuple[int, Sequence[int]]]:
    """The values of each bucket, in their order; both are of one length, and not empty."""
    first = buckets[0]
    if buckets.count(first) == len(buckets):
        return ((first, values),)
    found: dict[int, list[int]] = {}
    for bucket, value in zip(buckets, values, strict=True):
        group = found.get(bucket)
        if group is None:
            found[bucket] = [value]
        else:
            group.append(value)
    return found.items()
