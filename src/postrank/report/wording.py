"""How times, spans and sizes are worded: one form everywhere. Times are UTC."""

from datetime import UTC, datetime, timedelta

_SIZES = ("bytes", "kB", "MB", "GB", "TB")


def day(instant: datetime) -> str:
    """As in 1 May 2026."""
    return f"{instant.day} {instant:%b %Y}"


def moment(instant: datetime) -> str:
    """As in 1 May 2026, 11:00; with seconds where there are some."""
    return f"{day(instant)}, {instant:%H:%M:%S}" if instant.second else f"{day(instant)}, {instant:%H:%M}"


def moment_of(text: str) -> str:
    """The same of an RFC 3339 text in UTC."""
    return moment(datetime.fromisoformat(text).astimezone(UTC))


def span(start: datetime, end: datetime) -> str:
    """As in 1 May 2026, 11:00 to 12:00 UTC; a whole day is its date, an end at midnight 24:00 of the day before."""
    midnight = end.hour == end.minute == end.second == 0
    if midnight and end - start == timedelta(days=1):
        return day(start)
    last = end - timedelta(microseconds=1)
    until = "24:00" if midnight else f"{end:%H:%M}"
    place = "" if last.date() == start.date() else f"{day(last)}, "
    return f"{moment(start)} to {place}{until} UTC"


def size(count: int) -> str:
    """As in 1.2 MB."""
    power = 0
    while power < len(_SIZES) - 1 and count >= 1000 ** (power + 1):
        power += 1
    return f"{count:,} bytes" if power == 0 else f"{count / 1000**power:,.1f} {_SIZES[power]}"
