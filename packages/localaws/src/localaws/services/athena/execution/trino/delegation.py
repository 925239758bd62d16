"""For whom Trino acts: each running statement's caller, its keys for S3, and the tables that it writes."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from localaws.core.cloud import AwsError, Caller, Cloud

Keys = Mapping[str, tuple[str, str]]


@dataclass(slots=True, kw_only=True)
class Delegation:
    """One running statement. `user` is its name in Trino; `refusal` the first permission that its caller lacked."""

    user: str
    caller: Caller
    key: tuple[str, str]
    writes: set[tuple[str, str]] = field(default_factory=set)
    refusal: AwsError | None = None


class Delegations:
    """The running statements. `publish` gets the S3 keys of all of them at each change."""

    def __init__(self, cloud: Cloud, publish: Callable[[Keys], None]) -> None:
        self._cloud = cloud
        self._publish = publish
        self._turn = threading.Lock()
        self._running: dict[str, Delegation] = {}
        self._keys: dict[Caller, tuple[str, str]] = {}  # one per caller: Trino keeps an S3 client for each key

    @contextmanager
    def of(self, user: str, caller: Caller) -> Iterator[Delegation]:
        """Let Trino act as `caller` for the statement `user`, while it runs."""
        with self._turn:
            if caller not in self._keys:
                self._keys[caller] = self._cloud.delegate(caller)
            delegation = Delegation(user=user, caller=caller, key=self._keys[caller])
            self._running[user] = delegation
            self._published()
        try:
            yield delegation
        finally:
            with self._turn:
                self._running.pop(user, None)
                self._published()

    def find(self, user: str) -> Delegation | None:
        with self._turn:
            return self._running.get(user)

    def writers(self, table: tuple[str, str]) -> list[Delegation]:
        """The statements that may be writing to a table."""
        with self._turn:
            return [delegation for delegation in self._running.values() if table in delegation.writes]

    def _published(self) -> None:
        self._publish({user: delegation.key for user, delegation in self._running.items()})
