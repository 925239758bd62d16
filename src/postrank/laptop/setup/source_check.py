"""Whether the source of a run can be read, found out before anything is started."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from postrank.documents import Document
from postrank.errors import Fatal, PostrankError, Retryable
from postrank.laptop.setup.configuration import FILE, described
from postrank.laptop.setup.layout import Layout
from postrank.laptop.setup.options import Options
from postrank.options import WrongSettings
from postrank.outbound import Unusable
from postrank.sources import Askable
from postrank.sources.net.background import Work
from postrank.streamer.assembly import build_filters, build_source
from postrank.streamer.config import Config

ANSWER_SECONDS = 15.0  # for the network to answer; whoever waits for it sits before a terminal
_SINK = "kinesis"
_REFERENCE = "secretsmanager:"


class WrongSource(Fatal):
    """The source cannot be built from its configuration, or its network rejects it."""

    def __init__(self, kind: str, reason: str, advice: str) -> None:
        super().__init__(f"the source {kind} cannot be read:{reason}\n  -> {advice}")


class SourceAway(Retryable):
    """The source's network does not answer."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(
            f"the source {kind} does not answer: {reason}\n"
            "  -> check this machine's network, its proxy (HTTPS_PROXY) and the host's name, then run it again"
        )


def check_source(options: Options, layout: Layout, environ: Mapping[str, str]) -> str:
    """What the source's network said, for a person.

    Takes ANSWER_SECONDS at most. Raises NoConfig, WrongSource with every problem, SourceAway.
    """
    kind = options.kind
    collector = described(options, layout)
    document = collector.table
    config = Config.of_collector(collector, environ, options.config or layout.collector(collector.name) / FILE)
    build_filters(config)
    config.problems.extend(_not_on_a_laptop(document, config))
    if config.source != kind and not config.problems:
        config.problems.append(f"POSTRANK_STREAM_SOURCE__KIND is {config.source}, and the run reads {kind}: unset it")
    try:
        source = build_source(config, environ, None)
    except WrongSettings as wrong:
        reason = "".join(f"\n  {problem}" for problem in wrong.problems)
        raise WrongSource(kind, reason, _keys_advice(options.config)) from wrong
    if not isinstance(source, Askable):
        return f"{kind} can be read"
    try:
        return _answer(source)
    except Retryable as error:
        raise SourceAway(kind, str(error)) from error
    except Unusable as error:
        raise WrongSource(kind, f" {error}", "correct the environment") from error
    except PostrankError as error:
        raise WrongSource(kind, f" {error}", _source_advice(options.config)) from error


def _keys_advice(config: Path | None) -> str:
    if config is None:
        return "write these keys into a file and name it with CONFIG (--config); examples are in docs/quickstarts.md"
    return f"correct these keys in {config}, or set what they refer to; examples are in docs/quickstarts.md"


def _source_advice(config: Path | None) -> str:
    where = f"[source] in {config}" if config else "the variables POSTRANK_STREAM_SOURCE__..."
    return f"correct {where}, or the variable that holds its token"


def _not_on_a_laptop(document: Document, config: Config) -> list[str]:
    """What works in an account only."""
    problems = []
    if config.sink.kind not in ("", _SINK):
        problems.append(
            f"sink.kind is {config.sink.kind}: a run on this machine delivers through Kinesis, leave it out"
        )
    for key, reference in _references("source", document.get("source")):
        problems.append(f"{key} is {reference}: the local AWS has no such secret, write env:NAME instead")
    return problems


def _references(key: str, value: object) -> Iterator[tuple[str, str]]:
    """The references to Secrets Manager below a key, with their own keys."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _references(f"{key}.{name}", item)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _references(f"{key}[{number}]", item)
    elif isinstance(value, str) and value.startswith(_REFERENCE):
        yield key, value


def _answer(source: Askable) -> str:
    """What the source's network says. Raises Retryable after ANSWER_SECONDS, and what `ask` raises."""
    work = Work(source.ask)
    work.join(ANSWER_SECONDS)
    if work.is_alive():
        raise Retryable(f"no answer within {ANSWER_SECONDS:.0f} s")
    if work.error is not None:
        raise work.error
    return str(work.result)
