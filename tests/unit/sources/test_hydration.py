"""The ledger of the ids that X was asked for."""

from pathlib import Path

import pytest

from postrank.sources.x.lookups.hydration import Hydration, HydrationTaken


def test_an_id_is_asked_for_once_unless_x_did_not_answer(tmp_path: Path) -> None:
    with Hydration.opened(tmp_path / "ids.sqlite") as ledger:
        first = ledger.ask(["1", "2"])
        second = ledger.ask(["3"])
        ledger.withdraw(second)
        assert ledger.unasked(["1", "2", "3", "4"]) == ["3", "4"]
        assert ledger.unanswered() == [(first, ["1", "2"])]


def test_an_answer_outlives_the_process_until_it_is_delivered(tmp_path: Path) -> None:
    with Hydration.opened(tmp_path / "ids.sqlite") as ledger:
        page = ledger.ask(["1"])
        ledger.answer(page, {"data": [{"id": "1"}]})
    with Hydration.opened(tmp_path / "ids.sqlite") as ledger:
        assert ledger.answered() == [(page, {"data": [{"id": "1"}]})]
        ledger.delivered(page)
        assert ledger.answered() == []
        assert ledger.unasked(["1"]) == []


def test_an_id_is_asked_for_again_on_another_day_only(tmp_path: Path) -> None:
    with Hydration.opened(tmp_path / "ids.sqlite") as ledger:
        ledger.today = lambda: "2026-11-23"
        ledger.delivered(ledger.ask(["1"]))
        ledger.ask(["2"])
        ledger.forget(["1", "2"])
        assert ledger.unasked(["1", "2"]) == []
        ledger.today = lambda: "2026-11-24"
        ledger.forget(["1", "2"])
        assert ledger.unasked(["1", "2"]) == ["1"]


def test_two_commands_do_not_share_a_ledger(tmp_path: Path) -> None:
    with (
        Hydration.opened(tmp_path / "ids.sqlite"),
        pytest.raises(HydrationTaken),
        Hydration.opened(tmp_path / "ids.sqlite"),
    ):
        pass
