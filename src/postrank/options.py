"""Typed reading of a table of options, with every wrong or missing key told in one message."""

import re
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from postrank.documents import JsonObject
from postrank.errors import Fatal
from postrank.suggestions import nearest

T = TypeVar("T")
_HOST = re.compile(r"[^\s/?#@]+")
_LARGEST = 2**63 - 1
_FAR = 1e9  # seconds, dollars, times as fast: what is more than this means a mistake, and no clock can wait for it
_TOKEN = re.compile(r"[!-~]+")


class WrongSettings(Fatal):
    """One or more settings are missing or wrong; the message names them all."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("settings cannot be used:\n" + "\n".join(f"  {problem}" for problem in problems))
        self.problems = problems


class Secret:
    """A text that never shows itself: not in a log line, not in an exception, not in a process list."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text, for the one place that sends it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(...)"

    __str__ = __repr__


# What a value of each type is called in a message.
_NAMES: dict[type, str] = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a table",
    datetime: "a time",
    date: "a date",
    Secret: "a secret (as which env: and secretsmanager: stand)",
}


class Options:
    """A table of options as it was read from a file. Each reader takes a key; `finish` raises for all that was wrong.

    A reader returns its default for a missing key, and notes a problem when there is none (None means
    "required"). After a problem it returns a value of the right type, so that reading can go on to the next one.
    """

    def __init__(self, table: JsonObject, where: str) -> None:
        self._table = dict(table)
        self._where = where
        self._seen: set[str] = set()
        self.problems: list[str] = []
        self.plain_secrets: list[str] = []  # keys of secrets that stand in the file itself instead of a reference

    def text(
        self, key: str, default: str | None = None, *, among: tuple[str, ...] = (), matching: str | None = None
    ) -> str:
        """A non-empty text, one of `among` where given, or one that the pattern `matching` describes."""
        value: str = self._take(key, str, default, "")
        if among and value not in among and self._is_set(key):
            self._wrong(key, f"must be one of {', '.join(among)}, not {value!r}{nearest(value, among)}")
        elif not value and isinstance(self._table.get(key), str):
            self._wrong(key, "must not be empty")
        elif value and matching and not re.fullmatch(matching, value):
            self._wrong(key, f"must match {matching}, and {value!r} does not")
        return value

    def url(self, key: str, default: str | None = None, *, schemes: tuple[str, ...] = ("https", "http")) -> str:
        """A URL with one of the schemes, without the slash at its end."""
        value = self.text(key, default)
        if "@" in value:  # whoever is named there would stand in logs and ledgers
            self._wrong(key, "must hold no user and password")
        elif value and not is_url(value, schemes):
            self._wrong(key, f"must be a URL such as {schemes[0]}://social.example, not {value!r}")
        return value.rstrip("/")

    def texts(self, key: str, default: list[str] | None = None) -> list[str]:
        """A list of texts."""
        value: list[str] = self._take(key, list, default, [])
        if not all(isinstance(item, str) for item in value):
            self._wrong(key, "must be a list of texts")
        return [str(item) for item in value]

    def number(self, key: str, default: float | None = None, *, at_least: float = 0.0, at_most: float = _FAR) -> float:
        """A number within bounds."""
        value = self._take(key, (float, int), default, at_least)
        if isinstance(value, bool) or not at_least <= value <= at_most:
            self._wrong(key, f"must be a number from {at_least:.12g} to {at_most:.12g}")
        return float(value)

    def whole(self, key: str, default: int | None = None, *, at_least: int = 0, at_most: int = _LARGEST) -> int:
        """A whole number within bounds."""
        value = self._take(key, int, default, at_least)
        if isinstance(value, bool) or not at_least <= value <= at_most:
            span = f"of at least {at_least}" if at_most == _LARGEST else f"from {at_least} to {at_most}"
            self._wrong(key, f"must be a whole number {span}")
        return int(value)

    def flag(self, key: str, default: bool | None = None) -> bool:
        """True or false."""
        value: bool = self._take(key, bool, default, False)
        return value

    def path(self, key: str, default: str | None = None) -> Path:
        """A path; `~` is the user's home."""
        return Path(self.text(key, default)).expanduser()

    def secret(self, key: str) -> Secret:
        """A required secret that fits into a header. The streamer has replaced references such as `env:NAME`."""
        problems = len(self.problems)
        value = self._take(key, (str, Secret), None, "")
        secret_value = value if isinstance(value, Secret) else Secret(value)
        if value and value is not secret_value:
            self.plain_secrets.append(f"{self._where}.{key}" if self._where else key)
        if len(self.problems) == problems and not _TOKEN.fullmatch(secret_value.reveal()):
            self._wrong(
                key, "must be one word of visible ASCII characters" if secret_value.reveal() else "must not be empty"
            )
        return secret_value

    def optional(self, key: str) -> bool:
        """Whether a key is there at all."""
        self._seen.add(key)
        return self._is_set(key)

    def is_set(self, key: str) -> Any:
        """What stands there, of whatever type; None where nothing does."""
        self._seen.add(key)
        return self._table.get(key)

    def as_read(self) -> JsonObject:
        """The table as it is."""
        return self._table

    def table(self, key: str) -> "Options":
        """A table within this one (empty where it is missing); its problems are this one's."""
        inner = Options(self._take(key, dict, {}, {}), f"{self._where}.{key}" if self._where else key)
        inner.problems = self.problems
        inner.plain_secrets = self.plain_secrets
        return inner

    def tables(self, key: str) -> list["Options"]:
        """A list of tables within this one; their problems are this one's."""
        nested = []
        for number, table in enumerate(self._take(key, list, [], [])):
            if not isinstance(table, dict):
                self._wrong(f"{key}[{number}]", f"must be a table, not {_NAMES.get(type(table), type(table).__name__)}")
                continue
            inner = Options(table, f"{self._where}.{key}[{number}]".lstrip("."))
            inner.problems = self.problems
            inner.plain_secrets = self.plain_secrets
            nested.append(inner)
        return nested

    def resolve(self, resolver: Callable[[Any], Any]) -> None:
        """Replace the values of this table and of those within it by what `resolver` makes of them.

        What it raises as Fatal is noted as a problem of the key, whose value is then a secret of no use.
        """

        def resolved(value: Any, key: str) -> Any:
            if isinstance(value, dict):
                return {name: resolved(item, f"{key}.{name}" if key else name) for name, item in value.items()}
            if isinstance(value, list):
                return [resolved(item, f"{key}[{number}]") for number, item in enumerate(value)]
            try:
                return resolver(value)
            except Fatal as error:
                self._wrong(key, f"cannot be had: {error}")
                return Secret("unresolved")

        self._table = resolved(self._table, "")

    def wrong(self, key: str, why: str) -> None:
        """Note a problem that only the caller can see."""
        self._wrong(key, why)

    def reject_unknown(self) -> None:
        """Note every key that nobody has read: most often a typing error."""
        for key in sorted(set(self._table) - self._seen):
            self._wrong(key, f"is not a known key{nearest(key, self._seen - set(self._table))}")

    def finish(self) -> None:
        """Raise WrongSettings when anything was wrong, unknown keys included."""
        self.reject_unknown()
        if self.problems:
            raise WrongSettings(self.problems)

    def _is_set(self, key: str) -> bool:
        return self._table.get(key) is not None

    def _wrong(self, key: str, why: str) -> None:
        self.problems.append(f"{self._where}.{key} {why}" if self._where else f"{key} {why}")

    def _take(self, key: str, kinds: type | tuple[type, ...], default: T | None, fallback: T) -> Any:
        self._seen.add(key)
        value = self._table.get(key)
        if value is None:
            if default is None:
                self._wrong(key, "is missing")
                return fallback
            return default
        if not isinstance(value, kinds):
            first = kinds[0] if isinstance(kinds, tuple) else kinds
            self._wrong(key, f"must be {_NAMES[first]}, not {_NAMES.get(type(value), type(value).__name__)}")
            return fallback
        return value


def is_url(text: str, schemes: tuple[str, ...]) -> bool:
    """Whether a text is a URL with a host."""
    try:
        parts = urlsplit(text)
        return parts.scheme in schemes and _HOST.fullmatch(parts.hostname or "") is not None and parts.port != 0
    except ValueError:  # a port that is none
        return False
