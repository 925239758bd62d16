"""What a task reads of the run that it belongs to, with types, from Airflow's context."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from airflow.sdk import Context, get_current_context
from airflow.sdk.types import DagRunProtocol, RuntimeTaskInstanceProtocol

from postrank.documents import JsonObject
from postrank.errors import Fatal
from postrank.ranking.run_identity import Run

_WITH_INTERVAL = ("scheduled", "backfill")


class NoSuchTime(Fatal):
    """Airflow does not give a run the time that a task needs."""

    def __init__(self, dag_run: DagRunProtocol, name: str) -> None:
        super().__init__(f"run {dag_run.run_id} of {dag_run.dag_id} has no {name}")


@dataclass(frozen=True, slots=True)
class RunContext:
    """The run of a task. `params` are the run's, in the form that the DAG declares."""

    dag_run: DagRunProtocol
    params: JsonObject
    ti: RuntimeTaskInstanceProtocol
    messages: Sequence[JsonObject] = ()  # of a queue, that an asset's watcher started the run for

    @classmethod
    def of(cls, context: Context) -> "RunContext":
        return cls(context["dag_run"], context["params"], context["ti"], _messages(context))

    @property
    def run(self) -> Run:
        return Run(self.dag_run.run_id)

    @property
    def start_date(self) -> datetime:
        """When the run started. Raises NoSuchTime."""
        return self._time("start_date", self.dag_run.start_date)

    @property
    def data_interval(self) -> tuple[datetime, datetime] | None:
        """The interval of a scheduled run or of a backfill; a run by hand has none of its own. Raises NoSuchTime."""
        if self.dag_run.run_type not in _WITH_INTERVAL:
            return None
        start = self._time("data_interval_start", self.dag_run.data_interval_start)
        return start, self._time("data_interval_end", self.dag_run.data_interval_end)

    def _time(self, name: str, value: datetime | None) -> datetime:
        if value is None:
            raise NoSuchTime(self.dag_run, name)
        return value


def _messages(context: Context) -> list[JsonObject]:
    """The messages in the payloads of the asset events of a run, as `SqsSensorTrigger` yields them."""
    events = context.get("triggering_asset_events") or {}
    return [
        message
        for of_asset in events.values()
        for event in of_asset
        for message in (event.extra.get("payload") or {}).get("message_batch", ())
    ]


def run_context() -> RunContext:
    """The context of the task that asks."""
    return RunContext.of(get_current_context())
