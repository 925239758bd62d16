"""What ends a run before its ranking, each as a sentence that says what to look at."""

from pathlib import Path

from postrank.errors import Fatal
from postrank.laptop.tasklogs import last_errors


class DagsMissing(Fatal):
    """Airflow did not come to know every DAG."""

    def __init__(self, missing: set[str], errors: list[str]) -> None:
        detail = "\n".join(f"  {line}" for line in errors) or "  no import error is on record"
        super().__init__(f"Airflow does not know {', '.join(sorted(missing))}:\n{detail}")


class RunFailed(Fatal):
    """A DAG run failed."""

    def __init__(self, dag_id: str, run_id: str, tasks: list[str], logs: Path) -> None:
        failed = ", ".join(tasks) or "no task by itself"
        folder = logs / f"dag_id={dag_id}" / f"run_id={run_id}"
        errors = "".join(f"\n  {line}" for line in last_errors(folder, tasks))
        super().__init__(f"{dag_id} failed in {failed}; its logs: {folder}{errors}")


class RunTooSlow(Fatal):
    """A DAG run stands still."""

    def __init__(self, dag_id: str, run_id: str, seconds: float, progress: str) -> None:
        super().__init__(f"no task of {dag_id} has moved for {seconds:.0f} s: {progress} (run {run_id})")


class DeliveryStands(Fatal):
    """Posts were acknowledged but no longer arrive in the raw zone."""

    def __init__(self, delivered: int, acknowledged: int, seconds: float, logs: Path) -> None:
        super().__init__(
            f"{delivered} of {acknowledged} acknowledged lines were delivered, and nothing moved for {seconds:.0f} s: "
            f"see {logs / 'localaws.log'} and {logs / 'streamer.log'}"
        )


class Unaccounted(Fatal):
    """A hop gave less, or more, than it took."""

    def __init__(self, lost: int) -> None:
        super().__init__(f"{lost} lines are not accounted for: see the table of hops")
