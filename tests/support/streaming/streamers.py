"""Running the streamer as its users do: a process with a configuration file, against an AWS on loopback."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from localaws.testing.forked import ForkedProcess, Template
from localaws.testing.patience import patient
from postrank.aws.resources import MAIN, Resources
from tests.support.fakes.aws import AwsServer

ACCOUNT = "123456789012"
NAMES = Resources.of("local", ACCOUNT)
START = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
_TEMPLATE = Template("postrank", ["postrank.cli", "postrank.cli.stream"])


def record(number: int, *, author: int = 0, seconds: float = 0.0, **fields: Any) -> dict[str, Any]:
    """A native record: post `number` of an author, `seconds` after START."""
    at = (START + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    base = {"kind": "post", "network": "x", "post_id": str(number), "author_id": f"a{author}", "posted_at": at}
    return {**base, "author_handle": f"handle{author}", "text": f"post {number}", **fields}


def write_lines(path: Path, records: Iterable[Mapping[str, Any]]) -> Path:
    """An ndjson file (gzipped if its name says so)."""
    body = b"".join(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE) for one in records)
    path.write_bytes(gzip.compress(body, 1) if path.suffix == ".gz" else body)
    return path


@dataclass
class StreamerProcess:
    """One configuration in one folder; `start` as often as it takes."""

    folder: Path
    endpoint: str
    files: list[Path]
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()  # variables that it does not get
    words: tuple[str, ...] = ()  # more of the command line
    collector: str = ""  # of a configuration with several; "": the only one
    forked: bool = True  # false: an interpreter of its own, with its own command line

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def write(self) -> Path:
        path = self.folder / "streamer.toml"
        tables = {
            "source": {"kind": "replay", **({"files": [str(f) for f in self.files]} if self.files else {})},
            "heartbeat": {"seconds": 0.5},
        }
        for name, table in self.settings.items():
            tables[name] = {**tables.get(name, {}), **table}
        state = f"state = {json.dumps(str(self.state))}"
        text = [state, 'collector = "test"', 'instance_id = "i-test"']
        prefix = f"collectors.{self.collector}." if self.collector else ""
        if prefix:
            text = [f"[{prefix[:-1]}]", state, 'instance_id = "i-test"']
        for name, table in tables.items():
            text += [f"[{prefix}{name}]", *(f"{key} = {_toml(value)}" for key, value in table.items())]
        path.write_text("\n".join(text) + "\n", encoding="utf-8")
        return path

    def environment(self) -> dict[str, str]:
        found = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "never-shown-secret",
            "AWS_REGION": "us-east-1",
            "POSTRANK_ACCOUNT": ACCOUNT,
            **self.env,
        }
        return {name: value for name, value in found.items() if name not in self.without}

    def start(self) -> "subprocess.Popen[bytes] | ForkedProcess":
        words = ["stream", "--config", str(self.write()), *self.words]
        env = self.environment()
        with (self.folder / "streamer.log").open("ab") as log:
            if self.forked:
                return _TEMPLATE.start(words, env=env, stdout=log.fileno(), stderr=log.fileno(), cwd=self.folder)
            argv = [sys.executable, "-m", "postrank", *words]
            return subprocess.Popen(argv, env=env, stdout=log, stderr=log, cwd=self.folder)

    def run(self, timeout: float = 60.0) -> int:
        """Run to the end; the exit status."""
        process = self.start()
        try:
            return process.wait(patient(timeout))
        finally:
            process.kill()
            process.wait()

    @property
    def log(self) -> str:
        path = self.folder / "streamer.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""


def _toml(value: Any) -> str:
    """A value as TOML writes it: as JSON does, but for tables."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


def heartbeat(aws: AwsServer, collector: str = MAIN) -> dict[str, Any] | None:
    """The newest heartbeat of a collector that the server holds."""
    body = aws.objects.get(f"{NAMES.buckets['raw']}/{NAMES.of_collector(collector).keys['heartbeat']}")
    return None if body is None else orjson.loads(body)


def ledger(aws: AwsServer, kind: str) -> list[dict[str, Any]]:
    """All rows of a ledger."""
    prefix = f"{NAMES.buckets['raw']}/ledgers/{kind}/"
    with aws.lock:
        bodies = [body for key, body in sorted(aws.objects.items()) if key.startswith(prefix)]
    return [orjson.loads(line) for body in bodies for line in body.splitlines()]


def final_windows(lines: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str, str], int]:
    """The final count of each author's minute: the highest that was emitted."""
    found: dict[tuple[str, str, str], int] = {}
    for line in lines:
        if line["kind"] == "tumbling" and line["final"]:
            key = (line["network"], line["author_id"], line["window_start"])
            found[key] = max(found.get(key, 0), line["posts"])
    return found
