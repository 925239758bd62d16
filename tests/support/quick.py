"""Which parameters of a test `make test` tries; `make test-slow` tries the others."""

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def all_but_slow(values: Iterable[Any], quick: Collection[Any]) -> list[Any]:
    """The values as parameters; those that are not `quick` are marked slow. A tuple is several parameters."""
    return [_param(value) if value in quick else _param(value, pytest.mark.slow) for value in values]


def _param(value: Any, *marks: pytest.MarkDecorator) -> Any:
    return pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=marks)
