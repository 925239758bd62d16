"""Text: splitting, comparing, formatting, codecs."""

import base64
import binascii
import hashlib
import hmac as hmac_module
import re
import unicodedata
import zlib
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, cast

from localaws.services.athena.sql.python.failing import failed

_SOUNDEX = {**dict.fromkeys("BFPV", "1"), **dict.fromkeys("CGJKQSXZ", "2"), **dict.fromkeys("DT", "3"), "L": "4",
            **dict.fromkeys("MN", "5"), "R": "6"}  # fmt: skip


def reverse(value: str) -> str:
    return value[::-1]


def reverse_binary(value: bytes) -> bytes:
    return value[::-1]


def substr_binary(value: bytes, start: int, length: int | None) -> bytes:
    if start == 0 or abs(start) > len(value):
        return b""
    begin = start - 1 if start > 0 else len(value) + start
    return value[begin:] if length is None else value[begin : begin + max(length, 0)]


def replace(value: str, search: str, replacement: str) -> str:
    return value.replace(search, replacement)


def split(value: str, delimiter: str, limit: int) -> list[str]:
    if limit <= 0:
        raise failed("INVALID_FUNCTION_ARGUMENT", "Limit must be positive")
    if not delimiter:
        raise failed("INVALID_FUNCTION_ARGUMENT", "The delimiter may not be the empty string")
    return value.split(delimiter, limit - 1)


def _pairs(value: str, entry: str, pair: str) -> list[tuple[str, str]]:
    if not entry or not pair:
        raise failed("INVALID_FUNCTION_ARGUMENT", "entryDelimiter and keyValueDelimiter must not be empty")
    if entry == pair:
        raise failed("INVALID_FUNCTION_ARGUMENT", "entryDelimiter and keyValueDelimiter must not be the same")
    pairs = []
    parts = value.split(entry)
    if parts and parts[-1] == "":
        parts.pop()
    for part in parts:
        key, sign, item = part.partition(pair)
        if not sign or pair in item:
            raise failed(
                "INVALID_FUNCTION_ARGUMENT",
                f"Key-value delimiter must appear exactly once in each entry. Bad input: '{part}'",
            )
        pairs.append((key, item))
    return pairs


def split_to_map(value: str, entry: str, pair: str) -> list[tuple[str, str]]:
    built: dict[str, str] = {}
    for key, item in _pairs(value, entry, pair):
        if key in built:
            raise failed("INVALID_FUNCTION_ARGUMENT", f"Duplicate keys ({key}) are not allowed")
        built[key] = item
    return list(built.items())


def split_to_multimap(value: str, entry: str, pair: str) -> list[tuple[str, list[str]]]:
    built: dict[str, list[str]] = {}
    for key, item in _pairs(value, entry, pair):
        built.setdefault(key, []).append(item)
    return list(built.items())


def strpos(value: str, part: str, instance: int) -> int:
    """The place of the n-th occurrence, from the end where n is negative."""
    if instance == 0:
        raise failed("INVALID_FUNCTION_ARGUMENT", "'instance' must not be a positive or negative number.")
    if not part:
        return 1
    at = -1 if instance > 0 else len(value)
    for _ in range(abs(instance)):
        at = value.find(part, at + 1) if instance > 0 else value.rfind(part, 0, at + len(part) - 1)
        if at < 0:
            return 0
    return at + 1


def translate(value: str, source: str, target: str) -> str:
    table: dict[int, str | None] = {}
    for place, sign in enumerate(source):
        table.setdefault(ord(sign), target[place] if place < len(target) else None)
    return value.translate(table)


def levenshtein(left: str, right: str) -> int:
    row = list(range(len(right) + 1))
    for first, sign in enumerate(left, start=1):
        diagonal = row[0]
        row[0] = first
        for second, other in enumerate(right, start=1):
            cost = diagonal + (sign != other)
            diagonal = row[second]
            row[second] = min(cost, row[second] + 1, row[second - 1] + 1)
    return row[-1]


def hamming(left: str, right: str) -> int:
    if len(left) != len(right):
        raise failed(
            "INVALID_FUNCTION_ARGUMENT", "The input strings to hamming_distance function must have the same length"
        )
    return sum(sign != other for sign, other in zip(left, right, strict=True))


def soundex(value: str) -> str:
    letters = [sign.upper() for sign in value if sign.isascii() and sign.isalpha()]
    if not letters:
        return ""
    code = letters[0]
    last = _SOUNDEX.get(letters[0], "")
    for sign in letters[1:]:
        digit = _SOUNDEX.get(sign, "")
        if digit and digit != last:
            code += digit
        if sign not in "HW":
            last = digit
    return (code + "000")[:4]


def normalize(value: str, form: str) -> str:
    return unicodedata.normalize(cast("Literal['NFC', 'NFD', 'NFKC', 'NFKD']", form), value)


def luhn(value: str) -> bool:
    if not re.fullmatch(r"[0-9]+", value):
        raise failed("INVALID_FUNCTION_ARGUMENT", "Input contains non-digit characters")
    total = 0
    for place, digit in enumerate(reversed(value)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def from_utf8(value: bytes, replacement: str) -> str:
    """Text of UTF-8, with a replacement (a character, or nothing) for what is none."""
    if len(replacement) > 1:
        raise failed("INVALID_FUNCTION_ARGUMENT", "Replacement character string must empty or a single character")
    return value.decode("utf-8", errors="replace").replace("\ufffd", replacement)


def from_hex(value: str) -> bytes:
    try:
        return bytes.fromhex(value) if not re.search(r"\s", value) else bytes.fromhex("x")
    except ValueError as error:
        raise failed("INVALID_FUNCTION_ARGUMENT", f"Invalid hex string: {value}") from error


def from_base64(value: str) -> bytes:
    try:
        return base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except (ValueError, binascii.Error) as error:
        raise failed("INVALID_FUNCTION_ARGUMENT", f"Illegal base64 text: {value}") from error


def to_base32(value: bytes) -> str:
    return base64.b32encode(value).decode()


def from_base32(value: str) -> bytes:
    try:
        return base64.b32decode(value)
    except (ValueError, binascii.Error) as error:
        raise failed("INVALID_FUNCTION_ARGUMENT", f"Illegal base32 text: {value}") from error


def sha512(value: bytes) -> bytes:
    return hashlib.sha512(value).digest()


def crc32(value: bytes) -> int:
    return zlib.crc32(value)


def hmac(name: str, value: bytes, key: bytes) -> bytes:
    return hmac_module.new(key, value, name).digest()


def to_big_endian(value: int, size: int) -> bytes:
    return value.to_bytes(size, "big", signed=True)


def from_big_endian(value: bytes, size: int) -> int:
    if len(value) != size:
        raise failed("INVALID_FUNCTION_ARGUMENT", f"expected {size}-byte input, but got instead: {len(value)}")
    return int.from_bytes(value, "big", signed=True)


_PRIMES = (11400714785074694791, 14029467366897019727, 1609587929392839161, 9650029242287828579, 2870177450012600261)
_MASK = 2**64 - 1


def _rotated(value: int, places: int) -> int:
    return ((value << places) | (value >> (64 - places))) & _MASK


def _round(state: int, lane: int) -> int:
    return _rotated((state + lane * _PRIMES[1]) & _MASK, 31) * _PRIMES[0] & _MASK


def xxhash64(value: bytes) -> bytes:
    """XXH64 with seed 0 ("xxHash fast digest algorithm")."""
    at = 0
    if len(value) >= 32:
        lanes = [(_PRIMES[0] + _PRIMES[1]) & _MASK, _PRIMES[1], 0, -_PRIMES[0] & _MASK]
        while at <= len(value) - 32:
            for lane in range(4):
                lanes[lane] = _round(lanes[lane], int.from_bytes(value[at : at + 8], "little"))
                at += 8
        state = sum(_rotated(lane, turn) for lane, turn in zip(lanes, (1, 7, 12, 18), strict=True)) & _MASK
        for lane in lanes:
            state = ((state ^ _round(0, lane)) * _PRIMES[0] + _PRIMES[3]) & _MASK
    else:
        state = _PRIMES[4]
    state = (state + len(value)) & _MASK
    while at + 8 <= len(value):
        state ^= _round(0, int.from_bytes(value[at : at + 8], "little"))
        state = (_rotated(state, 27) * _PRIMES[0] + _PRIMES[3]) & _MASK
        at += 8
    if at + 4 <= len(value):
        state ^= int.from_bytes(value[at : at + 4], "little") * _PRIMES[0] & _MASK
        state = (_rotated(state, 23) * _PRIMES[1] + _PRIMES[2]) & _MASK
        at += 4
    for byte in value[at:]:
        state = _rotated(state ^ byte * _PRIMES[4] & _MASK, 11) * _PRIMES[0] & _MASK
    for shift, prime in ((33, _PRIMES[1]), (29, _PRIMES[2])):
        state = (state ^ (state >> shift)) * prime & _MASK
    return (state ^ (state >> 32)).to_bytes(8, "big")


def format_number(value: int) -> str:
    """A number of three digits, more where it is negative, with a suffix: `1.23M`."""
    number = float(value)
    suffix = ""
    for unit in "KMBTQ":
        if abs(number) < 1000:
            break
        number /= 1000
        suffix = unit
    places = 2 if number < 10 else 1 if number < 100 else 0
    text = f"{Decimal(number).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP):f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + suffix
