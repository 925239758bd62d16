"""approx_distinct: HyperLogLog over XXH64, as Trino's engine estimates with its usual error of 2.3 %."""

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from localaws.services.athena.sql.python.distinct_bias import BIASES, ESTIMATES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Rows = NDArray[np.uint8]

_INDEX_BITS = 11
_BUCKETS = 1 << _INDEX_BITS
_ALPHA = 0.7213 / (1 + 1.079 / _BUCKETS)
_SPARSE_BITS = 26  # of the hash that count while there are few values
_MOST_SPARSE = 251
_MIN_EMPTY = 0.4  # share of empty buckets above which these are counted
_PRIMES = (11400714785074694791, 14029467366897019727, 1609587929392839161, 9650029242287828579, 2870177450012600261)


def of_integers(values: Sequence[int]) -> int:
    import numpy as np

    return _estimate(_hashes(np.array(values, np.int64).view(np.uint8).reshape(len(values), 8)))


def of_doubles(values: Sequence[float]) -> int:
    import numpy as np

    numbers = np.array(values, np.float64) + 0.0  # there is one zero
    return _estimate(_hashes(numbers.view(np.uint8).reshape(len(values), 8)))


def of_texts(values: Sequence[str]) -> int:
    import numpy as np

    by_length: dict[int, list[bytes]] = defaultdict(list)
    for value in values:
        encoded = value.encode()
        by_length[len(encoded)].append(encoded)
    hashes = [
        _hashes(np.frombuffer(b"".join(items), np.uint8).reshape(len(items), length))
        for length, items in by_length.items()
    ]
    return _estimate(np.concatenate(hashes))


def _estimate(hashes: "Hashes") -> int:
    import numpy as np

    sparse = len(np.unique(hashes >> np.uint64(64 - _SPARSE_BITS)))
    if sparse <= _MOST_SPARSE:
        return _empty_counted(1 << _SPARSE_BITS, (1 << _SPARSE_BITS) - sparse)
    buckets = np.zeros(_BUCKETS, np.int64)
    rest = (hashes << np.uint64(_INDEX_BITS)) | np.uint64(1 << (_INDEX_BITS - 1))
    zeros = 64 - _bit_lengths(rest)
    np.maximum.at(buckets, (hashes >> np.uint64(64 - _INDEX_BITS)).astype(np.int64), zeros + 1)
    empty = int((buckets == 0).sum())
    if empty > _MIN_EMPTY * _BUCKETS:
        return _empty_counted(_BUCKETS, empty)
    raw = _ALPHA * _BUCKETS * _BUCKETS / float(np.sum(1.0 / (2.0**buckets)))
    return math.floor(raw - _bias(raw) + 0.5)


def _bit_lengths(values: "Hashes") -> "NDArray[np.int64]":
    import numpy as np

    lengths = np.zeros(len(values), np.int64)
    for step in (32, 16, 8, 4, 2, 1):
        large = values >= np.uint64(1 << step)
        lengths += np.where(large, step, 0)
        values = np.where(large, values >> np.uint64(step), values)
    return lengths + 1


def _empty_counted(buckets: int, empty: int) -> int:
    return math.floor(buckets * math.log(buckets / empty) + 0.5)


def _bias(raw: float) -> float:
    if not ESTIMATES[0] <= raw <= ESTIMATES[-1]:
        return 0.0
    place = bisect_left(ESTIMATES, raw)
    if ESTIMATES[place] == raw:
        return BIASES[place]
    share = (raw - ESTIMATES[place - 1]) / (ESTIMATES[place] - ESTIMATES[place - 1])
    return share * (BIASES[place] - BIASES[place - 1]) + BIASES[place - 1]


def _rotated(values: "Hashes", places: int) -> "Hashes":
    import numpy as np

    return (values << np.uint64(places)) | (values >> np.uint64(64 - places))


def _mixed(lane: "Hashes") -> "Hashes":
    import numpy as np

    return _rotated(lane * np.uint64(_PRIMES[1]), 31) * np.uint64(_PRIMES[0])


def _hashes(rows: "Rows") -> "Hashes":
    """XXH64 with seed 0 of each row of bytes ("xxHash fast digest algorithm")."""
    import numpy as np

    count, length = rows.shape
    first, second, third, fourth, fifth = (np.uint64(prime) for prime in _PRIMES)
    with np.errstate(over="ignore"):
        at = 0
        if length >= 32:
            starts = ((_PRIMES[0] + _PRIMES[1]) % 2**64, _PRIMES[1], 0, -_PRIMES[0] % 2**64)
            lanes = [np.full(count, start, np.uint64) for start in starts]
            while at <= length - 32:
                for lane in range(4):
                    value = _words(rows, at, 8)
                    lanes[lane] = _rotated(lanes[lane] + value * second, 31) * first
                    at += 8
            turns = zip(lanes, (1, 7, 12, 18), strict=True)
            state = sum((_rotated(lane, turn) for lane, turn in turns), np.zeros(count, np.uint64))
            for lane_state in lanes:
                state = (state ^ _mixed(lane_state)) * first + fourth
        else:
            state = np.full(count, fifth, np.uint64)
        state = state + np.uint64(length)
        while at + 8 <= length:
            state = _rotated(state ^ _mixed(_words(rows, at, 8)), 27) * first + fourth
            at += 8
        if at + 4 <= length:
            state = _rotated(state ^ (_words(rows, at, 4) * first), 23) * second + third
            at += 4
        for place in range(at, length):
            state = _rotated(state ^ (rows[:, place].astype(np.uint64) * fifth), 11) * first
        for shift, prime in ((33, second), (29, third)):
            state = (state ^ (state >> np.uint64(shift))) * prime
        return state ^ (state >> np.uint64(32))


def _words(rows: "Rows", at: int, size: int) -> "Hashes":
    import numpy as np

    kind = np.dtype("<u8") if size == 8 else np.dtype("<u4")
    return np.ascontiguousarray(rows[:, at : at + size]).view(kind).reshape(len(rows)).astype(np.uint64)
