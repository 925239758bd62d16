"""The quickstarts of the documentation, as printed, each against a local server that speaks its network's protocol."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for
from postrank.collectors.toml_text import toml
from postrank.laptop.setup.configuration import configuration
from postrank.laptop.setup.layout import Layout
from postrank.laptop.setup.options import Options
from postrank.laptop.setup.source_check import check_source
from tests.support.fakes.aws import aws_server
from tests.support.streaming.networks import NETWORKS
from tests.support.streaming.streamers import StreamerProcess

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "quickstarts.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r'```toml title="(.+?)"\n(.+?)```', PAGE, flags=re.DOTALL))
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(?:(?!^## ).)*?```sh\n(.+?)```", PAGE, flags=re.DOTALL | re.MULTILINE))
SEVERAL = "Several sources at once"
COMMANDS = {title: commands for title, commands in SECTIONS.items() if title != SEVERAL}
LONGEST = 10  # lines of a file and its commands
ACCESS = '203.0.113.7 - sim_ann [01/May/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "curl"\n'


@dataclass
class World:
    """What a quickstart meets: its file with the addresses of local servers, its variables, and posts on request."""

    file: Path
    environ: dict[str, str]
    post: Callable[[], object]
    is_live: bool = True


@contextmanager
def x(folder: Path) -> Iterator[World]:
    with NETWORKS["x"]() as network:
        environ = {"X_BEARER_TOKEN": network.secret, "POSTRANK_STREAM_SOURCE__HOST": network.table["host"]}
        yield World(_file(folder, "x.toml"), environ, lambda: network.connected() and network.publish(1))


@contextmanager
def mastodon(folder: Path) -> Iterator[World]:
    with NETWORKS["mastodon"]() as network:
        file = _file(folder, "mastodon.toml", ("https://social.example", network.table["instances"][0]["url"]))
        yield World(file, {"MASTODON_TOKEN": network.secret}, lambda: network.connected() and network.publish(1))


@contextmanager
def bluesky(folder: Path) -> Iterator[World]:
    with NETWORKS["bluesky"]() as network:
        environ = {
            "POSTRANK_STREAM_SOURCE__HOSTS": json.dumps(network.table["hosts"]),
            "POSTRANK_STREAM_SOURCE__DIRECTORY": "none",
        }
        file = _file(folder, "bluesky.toml", ('"de"', '"en"'))
        yield World(file, environ, lambda: network.connected() and network.publish(1))


@contextmanager
def logs(folder: Path) -> Iterator[World]:
    log = folder / "access.log"
    log.touch()

    def post() -> None:
        with log.open("a", encoding="utf-8") as file:
            file.write(ACCESS)

    yield World(_file(folder, "logs.toml", ("/var/log/nginx/access.log", str(log))), {}, post)


@contextmanager
def archive(folder: Path) -> Iterator[World]:
    (folder / "archive").mkdir()
    table = "user.id,created,text\nsim_ann,2026-05-01T12:00:00Z,hello\n"
    (folder / "archive" / "monday.csv").write_text(table, encoding="utf-8")
    yield World(_file(folder, "archive.toml"), {}, lambda: None, is_live=False)


WORLDS = {"X": x, "Mastodon": mastodon, "Bluesky": bluesky, "Log files": logs, "Archive": archive}


def _file(folder: Path, title: str, *replaced: tuple[str, str]) -> Path:
    text = FILES[title]
    for printed, local in replaced:
        assert printed in text
        text = text.replace(printed, local)
    path = folder / title
    path.write_text(text, encoding="utf-8")
    return path


@dataclass
class ConfiguredStreamer(StreamerProcess):
    """A streamer with the configuration that a run writes."""

    text: str = ""

    def write(self) -> Path:
        path = self.folder / "streamer.toml"
        path.write_text(self.text, encoding="utf-8")
        return path


@pytest.mark.parametrize("name", WORLDS)
def test_a_quickstart_passes_the_check_and_its_posts_arrive(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    layout = Layout.of(ROOT, tmp_path / "var")
    layout.create()
    with WORLDS[name](tmp_path) as world, aws_server() as aws:
        options = Options(project=ROOT, var=layout.var, config=Path(world.file.name))
        environ = {**world.environ}
        assert check_source(options, layout, environ)
        text = toml(configuration(options, layout))
        streamer = ConfiguredStreamer(tmp_path, aws.url, [], env=environ, text=text)
        process = streamer.start()
        try:
            wait_for(lambda: aws.lines("-posts") or (world.post() and None), timeout=60, what="a post", every=0.5)
            if world.is_live:
                process.terminate()
            assert process.wait(patient(60)) == 0
        finally:
            process.kill()
            process.wait()
        assert {line["kind"] for line in aws.lines("-posts")} == {"post"}
        for secret in (value for key, value in environ.items() if key.endswith("_TOKEN")):
            assert secret not in text + streamer.log


def test_there_is_a_quickstart_for_each_source_and_none_is_longer_than_ten_lines() -> None:
    assert list(COMMANDS) == list(WORLDS)
    titles = [re.findall(r"CONFIG=(\S+)", text)[0] for text in COMMANDS.values()]
    assert titles == list(FILES)
    for title, commands in zip(titles, COMMANDS.values(), strict=True):
        assert len(FILES[title].splitlines()) + len(commands.splitlines()) <= LONGEST, title


def test_the_commands_of_the_quickstarts_are_known_to_make_and_postrank(tmp_path: Path) -> None:
    for line in "".join(SECTIONS.values()).splitlines():
        words = shlex.split(line, comments=True)
        if words[0] == "make":
            argv = ["make", "--dry-run", "--no-print-directory", "-C", str(ROOT), *words[1:]]
            printed = subprocess.run(argv, capture_output=True, text=True, check=True)
            assert "--config" in printed.stdout or "--source sample --source bluesky" in printed.stdout
    with archive(tmp_path):
        inspected = next(line for line in COMMANDS["Archive"].splitlines() if "inspect" in line)
        argv = [sys.executable, "-m", "postrank", *inspected.split()[1:]]
        shown = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=patient(60))
    assert shown.returncode == 0, shown.stderr
    assert "sim_ann" in shown.stdout
