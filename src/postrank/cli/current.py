"""`postrank status`, `stop`, `logs` and `runs`: a second terminal's view of the run that is up in a checkout."""

import os
import signal
import socket
import sys
import time
from collections import deque
from pathlib import Path
from urllib.parse import urlsplit

import click
import httpx

from postrank.cli.environment import show_environment
from postrank.documents import Document
from postrank.errors import Fatal, Retryable
from postrank.laptop.services import login
from postrank.laptop.setup.current_run import CurrentRun, NotRunning
from postrank.suggestions import nearest

_STOP_SECONDS = 120.0  # Airflow's parts get 8 s each to end by themselves
_PAUSE_SECONDS = 0.2
_REQUEST_SECONDS = 30.0
_CONNECT_SECONDS = 5.0
_NOT_UP = "not up: it starts after the first ranking, unless APP=0 (--no-app)"

_var = click.option(
    "--var", type=click.Path(path_type=Path), default=Path("var"), show_default=True, help="Folder of the run's files."
)


class NotStopped(Retryable):
    """The run was asked to stop and still runs."""

    def __init__(self, pid: int) -> None:
        super().__init__(f"process {pid} is still stopping after {_STOP_SECONDS:.0f} s: try again")


class NoSuchLog(Fatal):
    """A part has no log."""

    def __init__(self, part: str, parts: list[str], folder: Path) -> None:
        super().__init__(f"there is no log of {part!r} in {folder}{nearest(part, parts)}: it has {', '.join(parts)}")


class NoSuchDag(Fatal):
    """Airflow has no DAG of the name."""

    def __init__(self, dag: str, dags: list[str]) -> None:
        super().__init__(f"there is no DAG {dag!r}{nearest(dag, dags)}: Airflow has {', '.join(sorted(dags))}")


class AirflowAway(Retryable):
    """The run's Airflow does not answer."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"Airflow at {url} does not answer yet ({reason}): `postrank logs api-server` says why")


@click.command()
@click.option(
    "--environment", metavar="NAME", help="A deployed environment, such as prod, instead of this machine's run."
)
@click.option("--json", "as_json", is_flag=True, help="With --environment: print a JSON list of facts.")
@_var
def status(environment: str | None, var: Path, *, as_json: bool) -> None:
    """Show how a run on this machine, or a deployed environment, is.

    Without --environment: the run that is up, its addresses, its source, whether Airflow, the local AWS and the app
    answer. With it: versions and health of the collectors, deployments, freshness, open gaps, alarms, Athena's costs,
    the last ranking, the active release of the DAGs and drift. Nothing is changed, and no statement runs.
    POSTRANK_ACCOUNT and AWS_REGION name the account; credentials come from boto3's usual chain.

    \b
    Exit status: 0 if a run is up, or if all that could be read of the environment is well; 1 if something is not;
    2 if no run is up, or if the environment cannot be read.

    \b
    Examples:
      postrank status
      POSTRANK_ACCOUNT=123456789012 postrank status --environment prod
    """
    if environment is not None:
        sys.exit(show_environment(environment, as_json=as_json))
    if as_json:
        raise click.UsageError("--json goes with --environment")
    run = CurrentRun.of(var)
    rows = {
        "Up since": f"{run.started_at} (process {run.pid})",
        "Source": run.source + "".join(f"\n                {name}" for name in run.posts),
        "Airflow UI": f"{run.ui} ({_health(f'{run.ui}/execution/health')})",
        "Leaderboard": f"{run.ui}/plugin/leaderboard",
        "Log in as": f"{login.USER}, with the password in {_passwords(var)}",
        "Local AWS": f"{run.aws} ({_health(f'{run.aws}/_localaws/health')})",
        "App": f"{run.app} ({_health(f'{run.app}/_stcore/health')})" if run.app else _NOT_UP,
        "Warehouse": f"{run.warehouse} ({_accepts(run.warehouse)})" if run.warehouse else _NOT_UP,
        "Logs": str(var / "log"),
    }
    for name, text in rows.items():
        click.echo(f"{name:<15} {text}")


@click.command()
@_var
def stop(var: Path) -> None:
    """Stop the run that is up, as Ctrl-C in its terminal does, and wait until it has ended.

    \b
    Exit status: 0 if it has ended, 2 if none was up, 75 if it is still stopping.

    \b
    Examples:
      postrank stop
      postrank stop --var /tmp/second
    """
    run = CurrentRun.of(var)
    os.kill(run.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while _is_up(var, run):
        if time.monotonic() > deadline:
            raise NotStopped(run.pid)
        time.sleep(_PAUSE_SECONDS)
    click.echo("Stopped.")


@click.command()
@click.argument("part", required=False)
@click.option("--lines", "-n", type=click.IntRange(min=1), default=40, show_default=True, help="Lines to show.")
@click.option("--follow", "-f", is_flag=True, help="Show new lines as they are written, until Ctrl-C.")
@_var
def logs(part: str | None, *, lines: int, follow: bool, var: Path) -> None:
    """Show the end of a part's log; without PART, list the logs.

    \b
    Examples:
      postrank logs
      postrank logs streamer --follow
    """
    folder = var / "log"
    paths = {path.stem: path for path in sorted(folder.glob("*.log"))}
    if not paths:
        raise NotRunning(var)
    if part is None:
        for name, path in paths.items():
            click.echo(f"{name:<15} {path.stat().st_size:>12,} bytes  {path}")
    elif part not in paths:
        raise NoSuchLog(part, list(paths), folder)
    else:
        _show(paths[part], lines, follow=follow)


@click.command()
@click.option("--dag", default="~", help="Show only this DAG's runs.")
@click.option("--lines", "-n", type=click.IntRange(1, 100), default=20, show_default=True, help="Runs to show.")
@_var
def runs(dag: str, lines: int, var: Path) -> None:
    """List the newest DAG runs: when they started, how they are, what they are called.

    \b
    Exit status: 0, 2 if no run is up or there is no such DAG, 75 if Airflow does not answer yet.

    \b
    Examples:
      postrank runs
      postrank runs --dag rank_authors -n 5
    """
    run = CurrentRun.of(var)
    query: Document = {"limit": lines, "order_by": "-start_date"}
    with httpx.Client(
        base_url=run.ui, auth=login.Login(run.ui, _passwords(var)), timeout=_REQUEST_SECONDS, trust_env=False
    ) as airflow:
        try:
            response = airflow.get(f"/api/v2/dags/{dag}/dagRuns", params=query)
        except httpx.TransportError as error:
            raise AirflowAway(run.ui, str(error)) from error
        if response.status_code == httpx.codes.NOT_FOUND:
            raise NoSuchDag(dag, [entry["dag_id"] for entry in airflow.get("/api/v2/dags").json()["dags"]])
    if response.is_error:
        raise AirflowAway(run.ui, f"status {response.status_code}: {response.text[:200]}")
    for entry in response.json()["dag_runs"]:
        started = str(entry["start_date"] or "not started")[:19]
        click.echo(f"{started:<20} {entry['state']:<8} {entry['dag_id']:<20} {entry['dag_run_id']}")


def _passwords(var: Path) -> Path:
    return var / "airflow" / "passwords.json"


def _health(url: str) -> str:
    try:
        response = httpx.get(url, timeout=_REQUEST_SECONDS, trust_env=False)
    except httpx.TransportError as error:
        return f"does not answer: {error}"
    return "answers" if response.is_success else f"answers with status {response.status_code}"


def _accepts(warehouse: str) -> str:
    """Whether the server at `host:port/database` takes connections."""
    address = urlsplit(f"//{warehouse}")
    try:
        socket.create_connection((address.hostname, address.port), timeout=_CONNECT_SECONDS).close()
    except OSError as error:
        return f"does not answer: {error}"
    return "accepts connections"


def _is_up(var: Path, run: CurrentRun) -> bool:
    try:
        return CurrentRun.of(var).pid == run.pid
    except NotRunning:
        return False


def _show(path: Path, lines: int, *, follow: bool) -> None:
    with path.open(encoding="utf-8", errors="replace") as file:
        click.echo("".join(deque(file, maxlen=lines)), nl=False)
        while follow:
            click.echo(file.read(), nl=False)
            sys.stdout.flush()
            time.sleep(_PAUSE_SECONDS)
