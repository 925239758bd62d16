"""`postrank x counts`: the price of a query, against a local X."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from postrank.cli.history.x import x as group
from postrank.errors import Fatal
from tests.support.fakes.x import TOKEN, FakeX, fake_x, post

DAYS = ("2026-11-01T05:00:00.000Z", "2026-11-02T05:00:00.000Z")


@pytest.fixture
def found() -> list[dict[str, Any]]:
    return [post(number, created_at=DAYS[number % 2]) for number in range(150)]


def counts(folder: Path, fake: FakeX, *words: str, daily: float = 10.0) -> Result:
    path = folder / "x.toml"
    path.write_text(
        f'state = "{folder}/state"\n[source]\nkind = "x"\nbearer_token = "env:X_TOKEN"\nhost = "{fake.url}"\n'
        f"margin = 10\nmanage_rules = false\ndaily_budget = {daily}\nmonthly_budget = 100.0\n",
        encoding="utf-8",
    )
    command = ["counts", "--config", str(path), "--query", "cats", *words]
    return CliRunner(env={"X_TOKEN": TOKEN, "POSTRANK_ACCOUNT": None}).invoke(group, command)


def test_a_query_has_a_price_before_a_post_is_read(tmp_path: Path, found: list[dict[str, Any]]) -> None:
    with fake_x(found=found) as fake:
        result = counts(tmp_path, fake, "--format", "json")
        assert result.exit_code == 0, result.output
        priced = json.loads(result.output)
        assert (priced["posts"], priced["cost"], priced["calls"]) == (150, 0.75, 2)
        assert list(priced["days"].values()) == [75, 75]
        assert (priced["left_today"], priced["affordable"], priced["fits"]) == (10.0, 1990, True)
        assert fake.paid == {}
        assert {path for _, path in fake.calls} == {"/2/tweets/counts/recent"}
    assert not (tmp_path / "state" / "x" / "spend.json").exists()


def test_a_query_that_the_budgets_do_not_allow_ends_with_status_1(tmp_path: Path, found: list[dict[str, Any]]) -> None:
    with fake_x(found=found) as fake:
        result = counts(tmp_path, fake, daily=0.5)
        assert result.exit_code == 1
        assert "150 posts cost $0.75 at $0.005 each, in 2 calls" in result.output
        assert "the budgets do not allow it" in result.output
        assert TOKEN not in result.output


def test_a_span_is_counted_in_whole_seconds(tmp_path: Path, found: list[dict[str, Any]]) -> None:
    with fake_x(found=found) as fake:
        counts(tmp_path, fake, "--from", "2026-11-01T00:00:00.5Z", "--to", "2026-11-02T00:00:00Z")
        assert fake.search_queries[0]["start_time"] == ["2026-11-01T00:00:00Z"]
        wrong = counts(tmp_path, fake, "--from", "2026-11-01T00:00:00Z")
        assert isinstance(wrong.exception, Fatal)
        assert "both --from and --to" in str(wrong.exception)
