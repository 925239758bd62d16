"""Tokens of a run's configuration and environment: they go to Secrets Manager, never into a file of the instance.

`POSTRANK_STREAM_SOURCE__BEARER_TOKEN=AAAA` becomes a reference to a secret of the local AWS, and so does `env:NAME`,
which means this process's environment and not the instance's.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from postrank.collectors.toml_text import inline
from postrank.documents import Document, JsonObject

PREFIX = "POSTRANK_STREAM_"
_TOKENS = frozenset({"bearer_token", "token"})
_SAFE = "secretsmanager:"
_ENVIRONMENT = "env:"


@dataclass(slots=True)
class Overrides:
    """The overrides in `environ`. `secret` is the name of the secret that is to hold their tokens."""

    environ: Mapping[str, str]
    secret: str
    prefix: str = ""  # of the keys, where several collectors share the secret
    tokens: dict[str, str] = field(default_factory=dict)  # what the secret is to hold, by key

    def without_tokens(self) -> dict[str, str]:
        """The variables, with references in place of tokens; fills `tokens`."""
        return {
            name: self._replaced(name, text) for name, text in sorted(self.environ.items()) if name.startswith(PREFIX)
        }

    def document(self, configuration: JsonObject) -> Document:
        """The streamer's configuration, with references in place of the source's tokens; fills `tokens`."""
        return {
            name: self._referring("", table, in_source=True) if name == "source" else table
            for name, table in configuration.items()
        }

    def _replaced(self, name: str, text: str) -> str:
        value = _value(text)
        key = name.removeprefix(PREFIX).lower().rpartition("__")[2]
        replaced = self._referring(key, value)
        return text if replaced == value else inline(replaced)

    def _referring(self, key: str, value: Any, *, in_source: bool = False) -> Any:
        if isinstance(value, Mapping):
            return {inner: self._referring(inner, item, in_source=in_source) for inner, item in value.items()}
        if isinstance(value, list):
            return [self._referring(key, item, in_source=in_source) for item in value]
        is_secret = key in _TOKENS or (in_source and str(value).startswith(_ENVIRONMENT))
        if is_secret and not str(value).startswith(_SAFE):
            number = f"{self.prefix}{len(self.tokens)}"
            self.tokens[number] = self._resolved(str(value))
            return f"{_SAFE}{self.secret}#{number}"
        return value

    def _resolved(self, token: str) -> str:
        kind, _, name = token.partition(":")
        return self.environ.get(name, "") if kind == "env" else token


def _value(text: str) -> Any:
    """A value as the streamer's configuration reads it: TOML, or else text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
