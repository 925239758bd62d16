"""Crawlers' schedules: cron expressions in UTC ("Time-based schedules for jobs and crawlers", Glue developer guide)."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from localaws.core.cloud import AwsError
from localaws.core.periodic import Periodic
from localaws.services.glue.crawlers.crawler_store import Register
from localaws.services.glue.runner import Runner

log = logging.getLogger(__name__)
_MINUTE = timedelta(minutes=1)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
# Minutes, hours, day of month, month, day of week (Sunday is 1), year: the least and the greatest value.
_FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (1, 7), (1970, 2199))
_NAMES = {name: place for names in (_MONTHS, _DAYS) for place, name in enumerate(names, start=1)}


@dataclass(frozen=True, slots=True)
class Cron:
    """The values that each of the six fields allows."""

    fields: tuple[frozenset[int], ...]

    @classmethod
    def of(cls, expression: str) -> "Cron":
        """Parse `cron(...)`. Raises AwsError InvalidInputException."""
        words = expression.removeprefix("cron(").removesuffix(")").split()
        if expression != f"cron({' '.join(words)})" or len(words) != len(_FIELDS) or "?" not in (words[2], words[4]):
            raise _wrong(expression)
        try:
            return cls(tuple(_values(word, *bounds) for word, bounds in zip(words, _FIELDS, strict=True)))
        except ValueError as error:
            raise _wrong(expression) from error

    def matches(self, moment: datetime) -> bool:
        """Whether the expression fires in that minute (UTC)."""
        day = moment.isoweekday() % 7 + 1
        now = (moment.minute, moment.hour, moment.day, moment.month, day, moment.year)
        return all(value in allowed for value, allowed in zip(now, self.fields, strict=True))


def _wrong(expression: str) -> AwsError:
    return AwsError("InvalidInputException", f"The schedule expression {expression} is invalid")


def _values(word: str, least: int, greatest: int) -> frozenset[int]:
    values: set[int] = set()
    for part in word.split(","):
        span, stepped, step = part.partition("/")
        first, ranged, last = span.partition("-")
        start = least if first in ("*", "?") else _number(first)
        open_ended = first in ("*", "?") or (stepped and not ranged)
        end = _number(last) if ranged else greatest if open_ended else start
        if not least <= start <= end <= greatest or (stepped and int(step) < 1):
            raise ValueError(part)
        values.update(range(start, end + 1, int(step) if stepped else 1))
    return frozenset(values)


def _number(text: str) -> int:
    return _NAMES[text.upper()] if text.upper() in _NAMES else int(text)


class Schedules:
    """Starts the crawlers whose schedules say so, minute by minute."""

    def __init__(self, register: Register, runner: Runner) -> None:
        self._register = register
        self._runner = runner
        self._due = datetime.min.replace(tzinfo=UTC)
        self._minutes = Periodic("crawler schedules", self._next_minute, self._until_due)

    def start(self) -> None:
        self._due = datetime.now(UTC).replace(second=0, microsecond=0) + _MINUTE
        self._minutes.start()

    def stop(self) -> None:
        self._minutes.stop()

    def _until_due(self) -> float:
        return max(0.0, (self._due - datetime.now(UTC)).total_seconds())

    def _next_minute(self) -> None:
        self.tick(self._due)
        self._due += _MINUTE

    def tick(self, minute: datetime) -> None:
        """Start what is scheduled for that minute; a crawler that runs is passed over."""
        for crawler in self._register.all():
            if crawler.schedule and crawler.schedule_state == "SCHEDULED" and Cron.of(crawler.schedule).matches(minute):
                try:
                    self._runner.start(crawler)
                except AwsError as error:
                    log.info("crawler %s: %s", crawler.name, error.message)
