"""A run from beginning to end: checked options, everything up, the main job, its result shown, everything down."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from types import FrameType

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from postrank.aws.resources import Resources
from postrank.delivery.run_accounting import Accounting
from postrank.errors import Fatal, PostrankError
from postrank.laptop.failures import Unaccounted
from postrank.laptop.job import SPARK_STEP, STEPS, Job
from postrank.laptop.services import login
from postrank.laptop.services.app import App, missing_packages
from postrank.laptop.services.processes import Parts
from postrank.laptop.setup.current_run import CurrentRun, describe, only_run
from postrank.laptop.setup.layout import Layout
from postrank.laptop.setup.options import FILES, Options
from postrank.laptop.setup.ports import HOST
from postrank.laptop.setup.resume import keep_record, resumed
from postrank.laptop.setup.source_check import check_source
from postrank.laptop.status import Status
from postrank.laptop.step_times import StepTimes
from postrank.ranking.export_reader import Results
from postrank.ranking.terminal_table import ranking_table

ENVIRONMENT = "local"
ACCOUNT = "123456789012"
LEADERBOARD = "/plugin/leaderboard"


class Interrupted(BaseException):
    """A person or the system asked the run to end. Not an Exception: nothing may take it for a failure."""

    ranked = False  # whether the ranking was there by then


def run(options: Options, console: Console) -> None:
    """Run everything. Returns after the first ranking (`options.once`), or raises Interrupted when asked to end.

    Raises Fatal with the reason when no ranking comes about. In any case no process is left behind.
    """
    layout = Layout.of(options.project, options.var)
    with only_run(layout.var) as description:
        options = resumed(options, layout)
        options.check()
        _check_source(options, layout, console)
        current = _current_run(options, layout)
        describe(description, current)
        _run(options, layout, console, lambda **addresses: describe(description, replace(current, **addresses)))


def _check_source(options: Options, layout: Layout, console: Console) -> None:
    """Have the configuration of each source, and its network, checked before anything is started or deleted."""
    for collector in options.collectors():
        _check_collector(collector, layout, console)


def _check_collector(options: Options, layout: Layout, console: Console) -> None:
    if options.kind not in FILES:
        console.print(f"Checking the source {options.kind} ...", highlight=False, markup=False)
    answer = check_source(options, layout, os.environ)
    if options.kind not in FILES:
        console.print(f"{answer}.", highlight=False, soft_wrap=True, markup=False)
    if "state" in options.document:
        state = f"state in {options.config} is not used: a run keeps its own in {layout.collector(options.collector)}"
        console.print(f"! {state}", highlight=False, soft_wrap=True, markup=False)


def _current_run(options: Options, layout: Layout) -> CurrentRun:
    collectors = options.collectors()
    return CurrentRun(
        ui=f"http://{HOST}:{options.port}",
        aws=f"http://{HOST}:{options.aws_port}",
        source=" + ".join(collector.label for collector in collectors),
        posts=tuple(dict.fromkeys(str(path) for collector in collectors for path in collector.files(layout))),
    )


def _run(options: Options, layout: Layout, console: Console, redescribe: Callable[..., None]) -> None:
    if not options.keep:
        layout.start_afresh()
    layout.create()
    (layout.var / "rejects.ndjson").touch()
    keep_record(options, layout)
    names = Resources.of(ENVIRONMENT, ACCOUNT)

    def notice(sentence: str) -> None:
        console.print(f"! {sentence}", highlight=False, soft_wrap=True, markup=False)

    with _stoppable(), Parts(layout.logs, instances=layout.aws, notice=notice) as parts, _blaming(parts):
        times = StepTimes.of(options, layout)
        steps = {**STEPS, **(SPARK_STEP if options.engine else {})}
        with Status(console, steps, times.usual) as status:
            job = Job(options, layout, names, parts, status)
            try:
                accounting = job.run()
                times.record(status.seconds)
            except Fatal:
                _leave_rejects(job, console)
                raise
        _show(job, accounting, console)
        if not options.once:
            _stay(job, console, redescribe)


@contextmanager
def _blaming(parts: Parts) -> Iterator[None]:
    """Whatever fails once a part is given up fails because of it: raise that part's own reason instead."""
    try:
        yield
    except Exception:
        parts.check()
        raise


def _leave_rejects(job: Job, console: Console) -> None:
    """Copy the rejected lines and show the first, also of a run that ends without a ranking."""
    with suppress(BotoCoreError, ClientError, OSError):
        _print_rejects(job, console)


def _print_rejects(job: Job, console: Console) -> None:
    for sentence in job.rejects().sentences():
        console.print(sentence, highlight=False, soft_wrap=True, markup=False)


def _show(job: Job, accounting: Accounting, console: Console) -> None:
    results = Results(job.cloud.client("s3"), job.names.buckets["results"])
    interval = results.manifest()["interval"]
    title = f"Top {job.options.top} authors, {interval['start']} to {interval['end']}"
    console.print(ranking_table(results.rows("all")[: job.options.top], title))
    console.print(accounting.table())
    _print_rejects(job, console)
    if accounting.lost:
        raise Unaccounted(accounting.lost)
    console.print(f"Exported to {job.layout.results / 'rankings'}", highlight=False, soft_wrap=True)


def _stay(job: Job, console: Console, redescribe: Callable[..., None]) -> None:
    console.print(f"Airflow UI    {job.airflow.url}", highlight=False)
    console.print(f"Leaderboard   {job.airflow.url}{LEADERBOARD}", highlight=False)
    console.print(f"Log in as     {_credentials(job, console)}", highlight=False, soft_wrap=True, markup=False)
    console.print("Everything stays up; Ctrl-C stops it.", highlight=False)
    try:
        if job.options.app:
            _start_app(job, console, redescribe)
        job.stay()
    except Interrupted as interrupted:
        interrupted.ranked = True
        raise


def _start_app(job: Job, console: Console, redescribe: Callable[..., None]) -> None:
    """Start the warehouse and the app. What keeps them from starting is shown, and the run goes on without them."""
    if missing := missing_packages():
        console.print(f"App           not started: {missing[0]} is not installed (pip install 'postrank[app]')")
        return
    app = App(job.parts, job.layout, job.names, job.cloud, job.options.app_port)
    try:
        job.start_app(app)
    except (PostrankError, BotoCoreError, ClientError) as error:
        job.parts.check()
        console.print(f"! the app is not up: {error}", highlight=False, soft_wrap=True, markup=False)
        return
    redescribe(app=app.url, warehouse=str(app.server))
    console.print(f"App           {app.url}", highlight=False)
    console.print(f"Warehouse     {app.server} (login in {app.environment_file})", highlight=False, soft_wrap=True)


def _credentials(job: Job, console: Console) -> str:
    """How to log in to Airflow. Only a terminal shows the password itself: other output may be kept as a log."""
    path = job.layout.passwords
    if console.is_terminal:
        return f"{login.USER}, password {login.password(path)} (also in {path})"
    return f"{login.USER}, with the password in {path}"


@contextmanager
def _stoppable() -> Iterator[None]:
    """Turn the first SIGINT, SIGTERM or SIGHUP into Interrupted; ignore more of them while everything stops."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in signals:
            signal.signal(number, signal.SIG_IGN)
        raise Interrupted

    before = {number: signal.signal(number, stop) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
