"""Sequence numbers: 56 decimal digits that grow within a shard and tell shard and position.

The form is AWS's (a 186-bit number with its version at both ends); what lies between is ours: opening second of the
shard, position in the shard, second of arrival, shard number.
"""

from localaws.services.kinesis.streams.model import Shard

_VERSION = 2
_DIGITS = 56
_OPENED = 148
_POSITION = 84
_ARRIVED = 48
_NUMBER = 4


def sequence_number(shard: Shard, position: int, arrived: float) -> str:
    """The sequence number of the record at `position` (from 1; 0 is the start), arrived at that epoch second."""
    value = (
        (_VERSION << 184)
        | (int(shard.opened) << _OPENED)
        | (position << _POSITION)
        | (int(arrived) << _ARRIVED)
        | (shard.number << _NUMBER)
        | _VERSION
    )
    return str(value)


def position_of(text: str, shard: Shard) -> int | None:
    """The position that a sequence number of this shard stands for, or None if it is not one of this shard."""
    if not text.isascii() or not text.isdigit() or len(text) != _DIGITS:
        return None
    value = int(text)
    parts = (
        value >> 184,
        (value >> _OPENED) & (2**36 - 1),
        (value >> _NUMBER) & (2**44 - 1),
        value & 15,
    )
    if parts != (_VERSION, int(shard.opened), shard.number, _VERSION):
        return None
    return (value >> _POSITION) & (2**64 - 1)
