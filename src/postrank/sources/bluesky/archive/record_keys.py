"""Record keys as times: most are TIDs, whose order is that of their microseconds (atproto.com, "TID")."""

from datetime import datetime, timedelta

from postrank.posts.times import EPOCH

_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_LENGTH = 13
_CLOCK_BITS = 10


def time_of(rkey: str) -> datetime | None:
    """When a record's key was made; None for a key that is no TID."""
    if len(rkey) != _LENGTH or rkey[0] not in "234567abcdefghij" or not set(rkey) <= _VALUES.keys():
        return None
    number = 0
    for digit in rkey:
        number = number << 5 | _VALUES[digit]
    return EPOCH + timedelta(microseconds=number >> _CLOCK_BITS)


def first_key(moment: datetime) -> str:
    """The first key that can have been made at a moment."""
    number = max((moment - EPOCH) // timedelta(microseconds=1), 0) << _CLOCK_BITS
    digits = []
    for _ in range(_LENGTH):
        digits.append(_DIGITS[number & 31])
        number >>= 5
    return "".join(reversed(digits))
