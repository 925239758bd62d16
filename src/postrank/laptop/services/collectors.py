"""The collectors of a run, each a streamer on an instance of its own: started, watched, and summed up."""

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime

from postrank.aws.resources import MAIN, Resources
from postrank.collectors.registry import Entry, Registry
from postrank.delivery.lines import DeliveredLines
from postrank.heartbeat import Heartbeat
from postrank.laptop.services.local_aws import LocalCloud
from postrank.laptop.services.streamer import Streamer
from postrank.laptop.setup.layout import Layout
from postrank.laptop.setup.options import Options

Heartbeats = Mapping[str, Heartbeat]  # by collector


class Collectors:
    """All collectors of a run; most often there is one."""

    def __init__(self, layout: Layout, names: Resources, cloud: LocalCloud, options: Sequence[Options]) -> None:
        self._layout = layout
        self._names = names
        self._cloud = cloud
        self._options = options
        self._streamers = {
            of_collector.collector: Streamer(layout, names.of_collector(of_collector.collector), cloud, of_collector)
            for of_collector in options
        }

    @property
    def names(self) -> dict[str, Resources]:
        """What each collector is called on AWS, by its name."""
        return {name: self._names.of_collector(name) for name in self._streamers}

    def describe(self) -> None:
        """Write what the instances run, which the local AWS starts."""
        for streamer in self._streamers.values():
            streamer.describe()
        self._install_backfill()

    def register(self) -> None:
        """Tell the DAGs of the collectors. A run of `main` alone is told of by no registry."""
        if [*self._streamers] != [MAIN]:
            entries = [Entry(options.collector, options.kind) for options in self._options]
            Registry(self._cloud.client("s3"), self._names).publish(entries)

    def store_tokens(self) -> None:
        """Put the tokens that configurations refer to into the local AWS, in place of an earlier run's."""
        tokens: dict[str, dict[str, str]] = {}
        for streamer in self._streamers.values():
            if streamer.tokens:
                tokens.setdefault(streamer.secret, {}).update(streamer.tokens)
        secrets = self._cloud.client("secretsmanager")
        for name, of_secret in tokens.items():
            text = json.dumps(of_secret)
            try:
                secrets.create_secret(Name=name, SecretString=text)
            except secrets.exceptions.ResourceExistsException:
                secrets.put_secret_value(SecretId=name, SecretString=text)

    def look(self) -> Heartbeats | None:
        """The heartbeats as they are now, or None before the first of each. Raises StreamerFailed, NothingToRank."""
        heartbeats = {name: streamer.look() for name, streamer in self._streamers.items()}
        seen = {name: heartbeat for name, heartbeat in heartbeats.items() if heartbeat is not None}
        return seen if len(seen) == len(heartbeats) else None

    @property
    def have_enough(self) -> bool:
        """Whether each has something to rank."""
        return all(streamer.has_enough for streamer in self._streamers.values())

    @property
    def acknowledged(self) -> int:
        """How many events Kinesis has acknowledged."""
        return sum(streamer.acknowledged for streamer in self._streamers.values())

    @property
    def progress(self) -> str:
        """What the heartbeats say, for a person: of each collector, and the sum."""
        texts = {name: streamer.progress for name, streamer in self._streamers.items()}
        if len(texts) == 1:
            return next(iter(texts.values()))
        parts = "; ".join(f"{name}: {text}" for name, text in texts.items())
        return f"{self.acknowledged:,} acknowledged by Kinesis ({parts})"

    def event_interval(self) -> dict[str, str]:
        """The whole minutes of event time that all posts cover, as the parameters of `rank_authors`."""
        spans = [span for streamer in self._streamers.values() if (span := streamer.event_span)]
        if not spans:
            return {}
        first = min(start for start, _ in spans)
        last = max(end for _, end in spans)
        return {"interval_start": _text(first), "interval_end": _text(last)}

    def _install_backfill(self) -> None:
        """Put the program on the instances that their SSM document calls, as a host's installation does on AWS."""
        program = self._layout.units / "bin" / "postrank-backfill"
        program.parent.mkdir(exist_ok=True)
        variables = f"POSTRANK_ENVIRONMENT={self._names.environment} POSTRANK_ACCOUNT={self._names.account}"
        words = shlex.join([sys.executable, "-m", "postrank", "backfill", "--config"])
        cases = "".join(
            f"{name}) cd {shlex.quote(str(streamer.folder))} || exit 2; config={shlex.quote(str(streamer.config))};;\n"
            for name, streamer in self._streamers.items()
        )
        program.write_text(
            "#!/bin/sh\n"
            f'name={MAIN}\nif [ "$1" = --collector ]; then name=$2; shift 2; fi\n'
            f'case "$name" in\n{cases}'
            '*) echo "there is no collector $name" >&2; exit 2;;\nesac\n'
            f'{variables} exec {words} "$config" "$@"\n',
            encoding="utf-8",
        )
        program.chmod(0o700)


def arrived(delivered: DeliveredLines, heartbeats: Heartbeats) -> bool:
    """Whether the raw zone has all that the collectors had sent by their heartbeats."""
    return all(delivered.lines_of(name) >= beat.counts["delivered"] for name, beat in heartbeats.items())


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
