"""What a streamer needs, checked one by one: what is wrong comes with what to do about it."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from postrank.aws.clients import Clients
from postrank.aws.resources import Resources
from postrank.errors import Fatal, PostrankError, Retryable
from postrank.kafka.topics import ask_to_write
from postrank.options import WrongSettings
from postrank.outbound import Unusable, describe
from postrank.settings import Settings
from postrank.sources import Askable
from postrank.streamer.assembly import build_filters, build_kafka, build_source
from postrank.streamer.config import Config
from postrank.streamer.doctor.aws_checks import examine_aws
from postrank.streamer.doctor.check_result import Finding
from postrank.streamer.doctor.routes import routes
from postrank.streamer.host.folder_claim import FolderUnusable, usable

ROOM = 2  # times the spool's bound that the disk should have free
_NETWORK_ADVICE = "check the connection to the network (its proxy and certificates are below), or wait until it is up"
_KAFKA_ADVICE = "check brokers and tls in [sink.kafka], and the way to the brokers, or wait until they are up"
_SOURCE_ADVICE = "fix the table [source], or the variable that holds its token"


def examine(path: Path, environ: Mapping[str, str], collector: str | None = None) -> Iterator[Finding]:
    """Every check, in an order in which the first failure is the one to fix first."""
    try:
        config = Config.read(path, environ, collector)
    except Fatal as error:
        yield Finding("configuration", False, str(error), "pass the streamer's TOML file with --config, and fix it")
        return
    settings = _settings(config, environ)
    if settings is None:
        wrong = str(WrongSettings(config.problems))
        yield Finding(
            "configuration", False, wrong, f"fix these keys in {path}, and names in capitals in the environment"
        )
        yield _folder("disk", "state", config.state, ROOM * config.spool_bytes)
        return
    yield Finding("configuration", True, f"{path}: source {config.source}, sink {config.sink.kind}")
    yield _folder("disk", "state", config.state, ROOM * config.spool_bytes)
    if config.sink.kind == "files":
        yield _folder("sink", "sink.folder", config.sink.folder, 2 * config.sink.file_bytes)
    names = Resources.of(settings.environment, settings.account, settings.region).of_collector(config.name)
    clients = Clients(names.region)
    yield from _kafka(config, environ, clients, names.streams)
    yield from _source(config, environ, clients)
    yield from examine_aws(clients, names, streams=config.sink.kind == "kinesis", metrics=config.metrics_seconds > 0)


def _settings(config: Config, environ: Mapping[str, str]) -> Settings | None:
    """Where the streamer is to run; None when anything is wrong, which is then among the configuration's problems."""
    build_filters(config)
    try:
        settings = Settings.of(environ)
    except WrongSettings as wrong:
        config.problems.extend(wrong.problems)
    if not config.problems:
        return settings
    with suppress(PostrankError):  # its problems are the configuration's by then
        build_source(config, environ, None)
    return None


def _kafka(
    config: Config, environ: Mapping[str, str], clients: Clients, streams: Mapping[str, str]
) -> Iterator[Finding]:
    """Asks the sink's cluster for each topic, where the sink is Kafka; wrong options are the source's finding."""
    kafka = build_kafka(config, environ, clients, streams)
    if kafka is None or config.problems:
        return
    for topic in kafka.topics.values():
        try:
            seen = ask_to_write(kafka.connection, topic)
        except Retryable as error:
            yield Finding(f"topic {topic}", False, str(error), _KAFKA_ADVICE)
        except Fatal as error:
            yield Finding(f"topic {topic}", False, str(error), "fix the table [sink.kafka], or the cluster")
        else:
            yield Finding(f"topic {topic}", True, seen)


def _source(config: Config, environ: Mapping[str, str], clients: Clients) -> Iterator[Finding]:
    """Builds the source, which looks at its options and files; has it ask its network, which looks at its tokens."""
    try:
        source = build_source(config, environ, clients)
    except Unusable as error:
        yield Finding("source", False, str(error), "correct the environment")
        return
    except OSError as error:  # it keeps what it knows below the state folder
        yield Finding("source", False, str(error), "fix the disk first")
        return
    except PostrankError as error:
        yield Finding("source", False, str(error), _SOURCE_ADVICE)
        return
    if not isinstance(source, Askable):
        yield Finding("source", True, f"{config.source} can be built from its options")
        return
    yield _ask_network(source)
    if urls := source.urls():
        yield Finding("source route", True, routes(urls, describe))


def _ask_network(source: Askable) -> Finding:
    """What the network says, over the connection that the stream takes."""
    try:
        seen = source.ask()
    except Unusable as error:
        return Finding("source", False, str(error), "correct the environment")
    except Retryable as error:
        return Finding("source", False, str(error), _NETWORK_ADVICE)
    except OSError as error:  # it keeps what it knows below the state folder
        return Finding("source", False, str(error), "fix the disk first")
    except PostrankError as error:
        return Finding("source", False, str(error), _SOURCE_ADVICE)
    return Finding("source", True, seen)


def _folder(what: str, key: str, folder: Path, needed_bytes: int) -> Finding:
    """Whether a folder can be made and written, on a disk with so many bytes of room."""
    try:
        usable(key, folder)
    except FolderUnusable as error:
        return Finding(what, False, str(error), "choose another folder, or make this one writable")
    free = shutil.disk_usage(folder).free
    seen = f"{folder} has {free >> 20} MiB free, {needed_bytes >> 20} MiB required"
    advice = "free some space, or lower max_bytes in [spool] (file_bytes in [sink])"
    return Finding(what, free >= needed_bytes, seen, advice)
