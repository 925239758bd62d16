"""The emulator's randomness: identifiers come out of seeds, so that a replay makes the same ones."""

from typing import Any


def seed(value: int | str) -> None:
    """What is drawn from now on follows from `value` alone."""
    from moto.moto_api._internal import mock_random

    mock_random.seed(value)


def install() -> None:
    """Have each service begin (its default network, ...) alike, and without a trace in what is drawn after, whichever
    call happens to touch it first.
    """
    from moto.core.base_backend import AccountSpecificBackend
    from moto.moto_api._internal import mock_random

    find = AccountSpecificBackend.__getitem__

    def find_or_begin(self: Any, region: str) -> Any:
        if region in self.keys():
            return find(self, region)
        before = mock_random.getstate()
        mock_random.seed(f"{self.service_name} {self.account_id} {region}")
        try:
            return find(self, region)
        finally:
            mock_random.setstate(before)

    AccountSpecificBackend.__getitem__ = find_or_begin  # type: ignore[method-assign]  # replaces moto's
