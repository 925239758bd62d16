"""The order of the tests, and which of them one process of pytest-xdist runs together.

The scopes that take longest start first, so that the processes end at about the same time. `pytest --note-seconds`
writes down how long each scope takes.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

# The modules of these folders share an Airflow, a Kafka or a Trino that is slow to start: one process runs them all.
SHARING = ("tests/dags/", "tests/kafka/", "tests/oracle/")
SECONDS = Path(__file__).with_name("seconds.json")
_WORTH_NOTING = 2.0


def scope(nodeid: str) -> str:
    """What one process runs: a module, or a folder whose modules share something."""
    module = nodeid.split("::", 1)[0]
    return next((folder for folder in SHARING if module.startswith(folder)), module)


def arrange(items: list[pytest.Item], written: Mapping[pytest.Item, int]) -> None:
    """Sort `items`, which were shuffled: longest scopes first, tests that build on each other as `written`."""
    shuffled = {item: place for place, item in enumerate(items)}
    begins: dict[str, int] = {}
    for item, place in shuffled.items():
        begins.setdefault(_module(item), place)
    seconds = noted()

    def key(item: pytest.Item) -> tuple[float, str, int, int]:
        in_order = item.get_closest_marker("in_file_order") is not None
        place = written[item] if in_order else shuffled[item]
        return (-seconds.get(scope(item.nodeid), 0.0), scope(item.nodeid), begins[_module(item)], place)

    items.sort(key=key)


def noted() -> dict[str, float]:
    """The seconds that each long scope took when they were noted."""
    return dict(json.loads(SECONDS.read_text(encoding="utf-8"))) if SECONDS.exists() else {}


def note(reports: Sequence[pytest.TestReport]) -> None:
    """Write down what each scope took; what did not run keeps its figure."""
    taken: Counter[str] = Counter()
    for report in reports:
        taken[scope(report.nodeid)] += report.duration  # type: ignore[assignment]
    seconds = {**noted(), **{name: round(float(value)) for name, value in taken.items() if value >= _WORTH_NOTING}}
    longest_first = dict(sorted(seconds.items(), key=lambda pair: (-pair[1], pair[0])))
    SECONDS.write_text(json.dumps(longest_first, indent=1) + "\n", encoding="utf-8")


def _module(item: pytest.Item) -> str:
    return item.nodeid.split("::", 1)[0]
