"""Configurations with several collectors: read, checked as a whole, written for Terraform."""

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from postrank.cli import postrank
from postrank.collectors.configuration import CollectorMap
from postrank.collectors.labels import NoSuchCollector, owner_of, problem_of
from postrank.options import WrongSettings
from postrank.streamer.config import Config, NoConfig, read_map

BLUESKY = '[collectors.bluesky.source]\nkind = "bluesky"\n'
X = '[collectors.x-brands.source]\nkind = "x"\nbearer_token = "env:X_TOKEN"\nrules = [{value = "cats"}]\n'
BUDGET = "daily_budget = 5.0\nmonthly_budget = 50.0\n"


def _file(folder: Path, text: str) -> Path:
    path = folder / "collectors.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _problems(text: str) -> list[str]:
    with pytest.raises(WrongSettings) as caught:
        CollectorMap.of(tomllib.loads(text), "c.toml")
    return caught.value.problems


def test_a_file_with_one_source_is_a_map_of_one_collector(tmp_path: Path) -> None:
    path = _file(tmp_path, 'state = "/s"\ncollector = "berlin"\n[source]\nkind = "bluesky"\n')
    assert list(read_map(path).collectors) == ["main"]
    config = Config.load(path, {})
    assert (config.name, config.collector, config.source, config.state) == ("main", "berlin", "bluesky", Path("/s"))


def test_each_collector_has_its_own_tables_state_and_label(tmp_path: Path) -> None:
    text = f'state = "/var/lib/postrank"\n{BLUESKY}[collectors.bluesky.sink]\nflush_seconds = 2.5\n'
    path = _file(tmp_path, text + '[collectors.main.source]\nkind = "replay"\nfiles = ["a"]\n')
    bluesky = Config.load(path, {}, "bluesky")
    assert (bluesky.name, bluesky.collector, bluesky.sink.flush_seconds) == ("bluesky", "bluesky", 2.5)
    assert bluesky.state == Path("/var/lib/postrank-bluesky")
    main = Config.load(path, {})
    assert (main.name, main.source, main.state) == ("main", "replay", Path("/var/lib/postrank"))


def test_the_only_collector_needs_not_be_named_and_a_wrong_name_gets_the_nearest(tmp_path: Path) -> None:
    path = _file(tmp_path, f'state = "s"\n{BLUESKY}')
    assert Config.load(path, {}).name == "bluesky"
    with pytest.raises(NoSuchCollector, match=r"no collector 'blusky' \(did you mean 'bluesky'\?\); it has bluesky"):
        Config.load(path, {}, "blusky")


def test_filters_of_a_collector_are_read_again_from_its_own_table(tmp_path: Path) -> None:
    path = _file(tmp_path, f'state = "s"\n{BLUESKY}[collectors.bluesky.filters]\nkeywords = ["a"]\n')
    config = Config.load(path, {})
    path.write_text(path.read_text(encoding="utf-8").replace('["a"]', '["b"]'), encoding="utf-8")
    assert config.filters_again().texts("keywords") == ["b"]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("X", "lower-case letters and digits"),
        ("a_b", "lower-case letters and digits"),
        ("a--b", "single hyphens"),
        ("-a", "lower-case letters"),
        ("a" * 25, "longer than 24"),
        ("x-backfill", "what a backfill brought"),
    ],
)
def test_a_name_that_resources_cannot_have_is_refused(name: str, problem: str) -> None:
    assert problem in str(problem_of(name))
    assert any(problem in line for line in _problems(f'state = "s"\n[collectors."{name}".source]\nkind = "bluesky"'))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[collectors]\n", "collectors holds no collector: write [collectors.NAME.source]"),
        ("collectors = 3\n", "collectors must be a table, not a whole number"),
        ("[collectors]\nx = 3\n", "collectors.x must be a table: write [collectors.NAME.source]"),
        (f'[sink]\nkind = "s3"\n{BLUESKY}', "sink belongs to one collector: move it to [collectors.NAME]"),
        (f'stat = "s"\n{BLUESKY}', "stat is not a known key (did you mean 'state'?)"),
        (f'[collectors.bluesky]\ncollector = "b"\n{BLUESKY}', "collectors.bluesky.collector must be left out"),
        (f'{BLUESKY}[collectors.bluesky.host]\ninstance = "t4g.small"\n', "collectors.bluesky.host.instance is not a"),
        (f'{BLUESKY}[collectors.bluesky.host]\ninstance_type = "t3.small"\n', "bluesky.host.instance_type must match"),
    ],
)
def test_a_wrong_map_says_what_is_wrong_and_where(text: str, problem: str) -> None:
    problems = _problems(text)
    assert any(problem in line for line in problems), problems


def test_a_collector_that_stands_twice_is_no_toml(tmp_path: Path) -> None:
    with pytest.raises(NoConfig, match="is no TOML: Cannot declare"):
        read_map(_file(tmp_path, BLUESKY + BLUESKY))


def test_everything_that_is_wrong_in_all_collectors_is_reported_at_once(tmp_path: Path) -> None:
    text = f'state = "s"\n{X}[collectors.x-brands.sink]\nflush_second = 2\n{BLUESKY}hosts = ["https://a.example"]\n'
    path = _file(tmp_path, text + '[collectors.bluesky.filters]\nlanguage = "en"\n')
    result = CliRunner().invoke(postrank, ["collectors", "check", "--config", str(path)])
    assert isinstance(result.exception, WrongSettings)
    message = str(result.exception)
    for problem in (
        "collectors.x-brands.source.bearer_token cannot be had: the environment has no X_TOKEN",
        "collectors.x-brands.source.daily_budget is missing",
        "collectors.x-brands.sink.flush_second is not a known key (did you mean 'flush_seconds'?)",
        "collectors.bluesky.filters.language is not a known key (did you mean 'languages'?)",
        "collectors.bluesky.source.hosts holds 'https://a.example'",
    ):
        assert problem in message


def test_a_good_file_is_summed_up_in_a_line_for_each_collector(tmp_path: Path) -> None:
    path = _file(tmp_path, f'state = "/s"\n{BLUESKY}{X}{BUDGET}')
    arguments = ["collectors", "check", "--config", str(path)]
    result = CliRunner().invoke(postrank, arguments, env={"X_TOKEN": "hidden"}, catch_exceptions=False)
    assert result.output.splitlines() == [
        "bluesky: source bluesky, sink kinesis, state /s-bluesky",
        "x-brands: source x, sink kinesis, state /s-x-brands",
    ]


def test_terraform_gets_a_configuration_for_each_host_that_reads_back(tmp_path: Path) -> None:
    sized = '[collectors.x-brands.host]\ninstance_type = "t4g.medium"\nstate_gib = 20\n'
    token = X.replace("env:X_TOKEN", "secretsmanager:postrank-prod-x")
    path = _file(tmp_path, f'state = "/var/lib/postrank"\n{BLUESKY}{token}{BUDGET}{sized}')
    out = tmp_path / "c.auto.tfvars.json"
    arguments = ["collectors", "tfvars", "--config", str(path), "--out", str(out)]
    assert CliRunner().invoke(postrank, arguments, catch_exceptions=False).exit_code == 0
    variables = json.loads(out.read_text(encoding="utf-8"))["collectors"]
    assert set(variables["bluesky"]) == {"source", "config"}
    assert (variables["x-brands"]["instance_type"], variables["x-brands"]["state_gib"]) == ("t4g.medium", 20)
    original = read_map(path)
    for name, variable in variables.items():
        on_host = CollectorMap.of(tomllib.loads(variable["config"]), "host")
        assert on_host.pick().name == name
        assert on_host.pick().table == original.collectors[name].table


def test_a_token_of_the_environment_is_refused_for_a_host(tmp_path: Path) -> None:
    path = _file(tmp_path, f'state = "/s"\n{X}{BUDGET}')
    arguments = ["collectors", "tfvars", "--config", str(path), "--out", str(tmp_path / "out.json")]
    result = CliRunner().invoke(postrank, arguments, env={"X_TOKEN": "hidden"})
    assert "the environment has no X_TOKEN" in str(result.exception)
    assert not (tmp_path / "out.json").exists()


def test_a_label_belongs_to_the_collector_that_it_names_or_else_to_main() -> None:
    names = ["main", "x"]
    owners = [owner_of(label, names) for label in ("x", "x-backfill", "i-0123", "i-0123-backfill", "backfill_posts")]
    assert owners == ["x", "x", "main", "main", "main"]
