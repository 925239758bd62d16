"""Numbers: Java's spelling of doubles, bases, bits."""

import math
import statistics
import struct
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

from localaws.services.athena.sql.python.failing import failed

_FULL = 64


def scientific(value: float, digits: str) -> str:
    """`1.5E0`: a cast of a double to varchar always shows an exponent."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    sign = "-" if math.copysign(1, value) < 0 else ""
    if value == 0:
        return f"{sign}0E0"
    number = Decimal(digits)
    shown = "".join(map(str, number.as_tuple().digits)).rstrip("0") or "0"
    return f"{sign}{shown[0]}.{shown[1:] or '0'}E{number.adjusted()}"


def double_text(value: float) -> str:
    return scientific(value, repr(value))


def real_text(value: float) -> str:
    """A cast of a real to varchar: seven digits at most."""
    if math.isnan(value) or math.isinf(value):
        return scientific(value, "")
    exact = Decimal(value)
    return scientific(value, str(exact.quantize(Decimal(1).scaleb(exact.adjusted() - 6), rounding=ROUND_HALF_EVEN)))


def shortest_real(value: float) -> str:
    """The fewest digits that give the same real."""
    for size in range(1, 10):
        digits = f"{value:.{size}g}"
        if struct.unpack("f", struct.pack("f", float(digits)))[0] == value:
            return digits
    return repr(value)


def double_json(value: float) -> str:
    return f'"{java_double(value)}"' if math.isnan(value) or math.isinf(value) else java_double(value)


def java_double(value: float) -> str:
    """A double as Java writes it: plain between 10^-3 and 10^7, else with an exponent."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        text = repr(value)
        return text if "e" not in text else f"{value:f}"
    number = Decimal(repr(value))
    digits = "".join(map(str, number.as_tuple().digits)).rstrip("0")
    return f"{'-' if value < 0 else ''}{digits[0]}.{digits[1:] or '0'}E{number.adjusted()}"


def exact(value: float, scale: int) -> str:
    """A double, in its shortest spelling, rounded half away from zero to places, for a decimal."""
    if math.isnan(value) or math.isinf(value):
        raise failed("INVALID_CAST_ARGUMENT", f"Cannot cast DOUBLE '{value}' to DECIMAL")
    return _rounded(repr(value), scale)


def exact_real(value: float, scale: int) -> str:
    """A real rounded as `exact` rounds a double."""
    if math.isnan(value) or math.isinf(value):
        raise failed("INVALID_CAST_ARGUMENT", f"Cannot cast REAL '{value}' to DECIMAL")
    return _rounded(shortest_real(value), scale)


def _rounded(digits: str, scale: int) -> str:
    number = Decimal(digits)
    if abs(number) >= Decimal("1e26"):
        return str(number)
    return str(number.quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP))


def power(base: float, exponent: float) -> float:
    try:
        result = math.pow(base, exponent)
    except OverflowError:
        return -math.inf if base < 0 and exponent % 2 else math.inf
    except ValueError:
        return math.inf if base == 0 else math.nan
    return result


def cbrt(value: float) -> float:
    """The cube root to the last digit of Java's, which an estimate and one step of Newton's method give ("fdlibm")."""
    if value == 0 or math.isnan(value) or math.isinf(value):
        return value
    x = abs(value)
    high = _high(x)
    is_subnormal = high < 0x00100000
    estimate = _of_high(_high(x * 2.0**54) // 3 + 696219795 if is_subnormal else high // 3 + 715094163)
    ratio = estimate * estimate / x
    shift = 5.42857142857142815906e-01 + ratio * estimate
    estimate *= 3.57142857142857150787e-01 + 1.60714285714285720630e00 / (
        shift + 1.41428571428571436819e00 + -7.05306122448979611050e-01 / shift
    )
    estimate = _of_high(_high(estimate) + 1)
    ratio = x / (estimate * estimate)
    root = estimate + estimate * ((ratio - estimate) / (estimate + estimate + ratio))
    return math.copysign(root, value)


def _high(value: float) -> int:
    return int(struct.unpack(">I", struct.pack(">d", value)[:4])[0])


def _of_high(bits: int) -> float:
    return float(struct.unpack(">d", struct.pack(">II", bits, 0))[0])


def log(base: float, value: float) -> float:
    if value < 0 or math.isnan(value):
        return math.nan
    if value == 0:
        return -math.inf
    return math.log2(value) if base == 2 else math.log10(value)


def width_bucket(value: float, low: float, high: float, count: int) -> int:
    if count <= 0:
        raise failed("INVALID_FUNCTION_ARGUMENT", "bucketCount must be greater than 0")
    if low == high:
        raise failed("INVALID_FUNCTION_ARGUMENT", "bounds cannot equal each other")
    lower, upper = min(low, high), max(low, high)
    if value < lower:
        place = 0
    elif value >= upper:
        place = count + 1
    else:
        place = int(count * (value - lower) / (upper - lower)) + 1
    return count - place + 1 if low > high else place


def width_bucket_of(value: float, bins: list[float]) -> int:
    if not bins:
        raise failed("INVALID_FUNCTION_ARGUMENT", "Bins cannot be an empty array")
    return sum(1 for bound in bins if value >= bound)


def _signed(value: int, size: int) -> int:
    value &= (1 << size) - 1
    return value - (1 << size) if value >> (size - 1) else value


def shift_left(value: int, places: int, size: int) -> int:
    return 0 if places >= size else _signed(value << (places % size), size)


def shift_right(value: int, places: int, size: int) -> int:
    """Logical: zeros come in from the left."""
    return 0 if places >= size else _signed((value & ((1 << size) - 1)) >> (places % size), size)


def bit_count(value: int, size: int) -> int:
    if not 2 <= size <= _FULL:
        raise failed(
            "INVALID_FUNCTION_ARGUMENT", "Bits specified in bit_count must be between 2 and 64, got " + str(size)
        )
    if not -(1 << (size - 1)) <= value < 1 << (size - 1):
        raise failed(
            "INVALID_FUNCTION_ARGUMENT",
            f"Number must be representable with the bits specified. {value} cannot be represented with {size} bits",
        )
    return (value & ((1 << size) - 1)).bit_count()


_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def to_base(value: int, base: int) -> str:
    if not 2 <= base <= 36:
        raise failed("INVALID_FUNCTION_ARGUMENT", "Radix must be between 2 and 36")
    digits = ""
    rest = abs(value)
    while rest:
        digits = _DIGITS[rest % base] + digits
        rest //= base
    return ("-" if value < 0 else "") + (digits or "0")


def from_base(digits: str, base: int) -> int:
    if not 2 <= base <= 36:
        raise failed("INVALID_FUNCTION_ARGUMENT", "Radix must be between 2 and 36")
    try:
        value = int(digits, base)
    except ValueError as error:
        raise failed("INVALID_FUNCTION_ARGUMENT", f"Not a valid base-{base} number: {digits}") from error
    if not -(2**63) <= value < 2**63 or "_" in digits or digits.strip() != digits:
        raise failed("INVALID_FUNCTION_ARGUMENT", f"Not a valid base-{base} number: {digits}")
    return value


def normal_cdf(mean: float, deviation: float, value: float) -> float:
    return 0.5 * (1 + math.erf((value - mean) / (deviation * math.sqrt(2))))


def inverse_normal_cdf(mean: float, deviation: float, share: float) -> float:
    if not 0 < share < 1:
        raise failed("INVALID_FUNCTION_ARGUMENT", "p must be 0 > p > 1")
    return statistics.NormalDist(mean, deviation).inv_cdf(share)


def human_seconds(value: float) -> str:
    """`1 hour, 1 minute, 1 second`."""
    rest = math.floor(abs(value) + 0.5)
    parts: list[str] = []
    for name, size in (("week", 604800), ("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, rest = divmod(rest, size)
        if count or (name == "second" and not parts):
            parts.append(f"{count} {name}{'' if count == 1 else 's'}")
    return ", ".join(parts)
