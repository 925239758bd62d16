"""The source of a run, checked before anything starts: options, files, tokens, and whether the network answers."""

import socket
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from localaws.testing.patience import patient
from postrank.aws.resources import Resources
from postrank.cli import postrank
from postrank.collectors.toml_text import toml
from postrank.errors import Fatal
from postrank.laptop.services.local_aws import LocalCloud
from postrank.laptop.services.processes import Parts
from postrank.laptop.services.streamer import Streamer
from postrank.laptop.setup import source_check
from postrank.laptop.setup.layout import Layout
from postrank.laptop.setup.options import NoLogs, NoSuchInput, Options, OtherFiles, OtherSource
from postrank.laptop.setup.ports import any_free
from postrank.laptop.setup.resume import OtherPosts, keep_record, resumed
from postrank.laptop.setup.source_check import SourceAway, WrongSource, check_source
from postrank.streamer.config import Config, NoConfig
from tests.support.streaming.networks import NETWORKS

ROOT = Path(__file__).resolve().parents[3]
NOWHERE = "http://127.0.0.1:9"
X = {"bearer_token": "env:PLANTED", "daily_budget": 5.0, "monthly_budget": 5.0, "rules": [{"value": "cats"}]}


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout.of(ROOT, tmp_path / "var")
    layout.create()
    return layout


def written(folder: Path, table: dict[str, Any], **more: Any) -> Path:
    """A configuration file with that source."""
    path = folder / "mine.toml"
    path.write_text(toml({**more, "source": table}), encoding="utf-8")
    return path


def checked(layout: Layout, options: Options, environ: dict[str, str]) -> str:
    return check_source(options, layout, environ)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_that_takes_the_configuration_is_named(name: str, layout: Layout, tmp_path: Path) -> None:
    with NETWORKS[name]() as network:
        config = written(tmp_path, {"kind": network.name, **network.table})
        assert checked(layout, Options(project=ROOT, config=config), {})


@pytest.mark.parametrize("name", ["x", "mastodon"])
def test_a_token_that_the_network_rejects_is_reported_without_it(name: str, layout: Layout, tmp_path: Path) -> None:
    with NETWORKS[name]() as network:
        text = toml({"source": {"kind": network.name, **network.table}}).replace(network.secret, "env:PLANTED")
        config = tmp_path / "mine.toml"
        config.write_text(text, encoding="utf-8")
        with pytest.raises(WrongSource, match=r"with 401: the (bearer )?token is not valid") as rejected:
            checked(layout, Options(project=ROOT, config=config), {"PLANTED": "of-somebody-else"})
    assert f"-> correct [source] in {config}, or the variable that holds its token" in str(rejected.value)
    assert "of-somebody-else" not in str(rejected.value)


@pytest.mark.parametrize(
    ("table", "host"),
    [
        ({"kind": "x", **X, "host": NOWHERE}, "127.0.0.1:9"),
        ({"kind": "mastodon", "instances": [{"url": NOWHERE, "token": "t"}]}, "127.0.0.1:9"),
        ({"kind": "bluesky", "hosts": ["ws://127.0.0.1:9", "ws://127.0.0.1:8"]}, "ws://127.0.0.1:8"),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_a_host_that_does_not_answer_is_named_within_seconds(
    table: dict[str, Any], host: str, layout: Layout, tmp_path: Path
) -> None:
    began = time.monotonic()
    with pytest.raises(SourceAway, match=r"-> check this machine's network") as away:
        checked(layout, Options(project=ROOT, config=written(tmp_path, table)), {"PLANTED": "t"})
    assert host in str(away.value)
    assert time.monotonic() - began < patient(source_check.ANSWER_SECONDS)


def test_a_host_that_accepts_and_stays_silent_is_given_up(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_check, "ANSWER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        table = {"kind": "bluesky", "hosts": [f"ws://127.0.0.1:{silent.getsockname()[1]}"], "directory": "none"}
        with pytest.raises(SourceAway, match="no answer within"):
            checked(layout, Options(project=ROOT, config=written(tmp_path, table)), {})


@pytest.mark.parametrize(
    ("document", "environ", "problem"),
    [
        ({"source": {"kind": "x", **X}}, {}, "source.bearer_token cannot be had: the environment has no PLANTED"),
        ({"source": {"kind": "x", **X, "rule": []}}, {"PLANTED": "t"}, "source.rule is not a known key"),
        (
            {"source": {"kind": "x", **X, "bearer_token": "secretsmanager:prod-x"}},
            {},
            "source.bearer_token is secretsmanager:prod-x: the local AWS has no such secret, write env:NAME instead",
        ),
        (
            {"source": {"kind": "mastodn"}},
            {},
            "source.kind must be one of replay, tail, kafka, x, mastodon, bluesky, "
            "not 'mastodn' (did you mean 'mastodon'?)",
        ),
        ({"source": {"kind": "bluesky", "host": []}}, {}, "source.host is not a known key (did you mean 'hosts'?)"),
        ({"source": {"kind": "bluesky"}, "sink": {"kind": "files"}}, {}, "sink.kind is files"),
        ({"source": {"kind": "bluesky"}, "filters": {"keywords_file": "/nowhere"}}, {}, "keywords_file"),
        ({"source": {"kind": "bluesky"}, "filter": {}}, {}, "filter is not a known key (did you mean 'filters'?)"),
        ({"source": {"kind": "bluesky"}, "heartbeat": 5}, {}, "heartbeat must be a table"),
        ({"source": "bluesky"}, {}, "source must be a table, not text"),
        (
            {"source": {"kind": "bluesky"}},
            {"POSTRANK_STREAM_SOURCE__KIND": "replay"},
            "POSTRANK_STREAM_SOURCE__KIND is replay, and the run reads bluesky: unset it",
        ),
    ],
)
def test_what_is_wrong_in_a_configuration_is_named_with_what_to_do(
    document: dict[str, Any], environ: dict[str, str], problem: str, layout: Layout, tmp_path: Path
) -> None:
    config = tmp_path / "mine.toml"
    config.write_text(toml(document), encoding="utf-8")
    with pytest.raises(WrongSource) as rejected:
        checked(layout, Options(project=ROOT, config=config), environ)
    assert problem in str(rejected.value)
    assert f"-> correct these keys in {config}" in str(rejected.value)


def test_an_environment_that_no_connection_can_use_is_named(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    config = written(tmp_path, {"kind": "bluesky", "hosts": ["wss://127.0.0.1:9"]})
    with pytest.raises(WrongSource, match=r"none\.pem.*\n  -> correct the environment"):
        checked(layout, Options(project=ROOT, config=config), {})


def test_a_source_that_needs_a_configuration_says_where_to_write_it(layout: Layout) -> None:
    with pytest.raises(WrongSource) as rejected:
        checked(layout, Options(project=ROOT, source="mastodon"), {})
    assert "source.instances must name at least one instance" in str(rejected.value)
    assert "-> write these keys into a file and name it with CONFIG (--config)" in str(rejected.value)


@pytest.mark.parametrize("text", [None, "[source", "kind = 'x'\x00"])
def test_a_configuration_that_cannot_be_read_is_named(text: str | None, tmp_path: Path) -> None:
    config = tmp_path / "mine.toml"
    if text is not None:
        config.write_text(text, encoding="utf-8")
    with pytest.raises(NoConfig, match=r"mine\.toml"):
        _options(tmp_path, config=config).check()


def _options(folder: Path, **more: Any) -> Options:
    return Options(project=ROOT, var=folder / "var", port=any_free(), aws_port=any_free(), **more)


def test_source_and_files_of_options_and_configuration_must_agree(tmp_path: Path) -> None:
    first, second = tmp_path / "a.ndjson", tmp_path / "b.ndjson"
    first.touch()
    second.touch()
    replay = written(tmp_path, {"kind": "replay", "files": [str(first)]})
    with pytest.raises(OtherSource, match=r"is bluesky, and .*mine.toml has kind = \"replay\""):
        _options(tmp_path, config=replay, source="bluesky").check()
    with pytest.raises(OtherFiles, match="name different files"):
        _options(tmp_path, config=replay, posts=(second,)).check()
    for options in (_options(tmp_path, config=replay), _options(tmp_path, config=replay, posts=(first,))):
        assert options.files(options.check()) == (first,)
        assert options.kind == "replay"


def test_logs_to_follow_are_named_as_patterns_that_match_something(tmp_path: Path) -> None:
    (tmp_path / "app.ndjson").touch()
    pattern = tmp_path / "*.ndjson"
    options = _options(tmp_path, source="tail", posts=(pattern, tmp_path / "app.ndjson"))
    assert options.files(options.check()) == (pattern, tmp_path / "app.ndjson")
    with pytest.raises(NoLogs, match="POSTS=/var/log"):
        _options(tmp_path, source="tail").check()
    with pytest.raises(NoSuchInput, match="create the log first"):
        _options(tmp_path, source="tail", posts=(tmp_path / "*.log",)).check()
    with pytest.raises(NoSuchInput, match="it is a directory: name the logs in it"):
        _options(tmp_path, source="tail", posts=(tmp_path,)).check()


def test_a_run_that_resumes_has_the_configuration_of_before(layout: Layout, tmp_path: Path) -> None:
    config = written(tmp_path, {"kind": "bluesky"})
    other = tmp_path / "other.toml"
    other.write_text(config.read_text(encoding="utf-8"), encoding="utf-8")
    keep_record(Options(project=ROOT, config=config), layout)
    for options in (Options(project=ROOT, keep=True), Options(project=ROOT, keep=True, config=config)):
        assert (resumed(options, layout).config, resumed(options, layout).kind) == (config, "bluesky")
    with pytest.raises(OtherPosts, match=r"bluesky with .*mine.toml, and bluesky with .*other.toml was given"):
        resumed(Options(project=ROOT, keep=True, config=other), layout)


@pytest.mark.parametrize("token", ["env:PLANTED", "of-one-person"])
def test_the_instance_reads_the_same_configuration_with_references_for_tokens(
    token: str, layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANTED", "of-one-person")
    rules = [{"value": 'a "quoted" rule', "tag": "ä"}]
    tables = {"sink": {"flush_seconds": 0.5, "gzip": True}, "filters": {"languages": ["en"]}}
    config = written(tmp_path, {"kind": "x", **X, "bearer_token": token, "rules": rules}, state="/else", **tables)
    names = Resources.of("local", "123456789012")
    cloud = LocalCloud(Parts(tmp_path), layout, 1, names.region)
    Streamer(layout, names, cloud, Options(project=ROOT, config=config)).describe()
    path = layout.streamer / "streamer.toml"
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    assert document.pop("state") == str(layout.streamer / "state")
    assert document.pop("heartbeat") == {"seconds": 1.0}
    source = {"kind": "x", **X, "rules": rules, "bearer_token": f"secretsmanager:{names.secrets['x']}#0"}
    assert document == {**tables, "source": source}
    assert Config.load(path, {}).source == "x"
    assert not [file for file in layout.var.rglob("*") if file.is_file() and b"of-one-person" in file.read_bytes()]


@pytest.mark.parametrize("words", [["--source", "x", "--source", "bluesky"]])
def test_one_of_several_sources_that_lacks_something_is_named_with_what_to_do(words: list[str]) -> None:
    with pytest.raises(Fatal, match=r"(?s)x\.source\.bearer_token is missing.*write these keys into a file"):
        CliRunner().invoke(postrank, ["up", *words], catch_exceptions=False)
