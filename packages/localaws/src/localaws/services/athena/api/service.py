"""The Athena service: every action it answers, and the work behind them."""

from localaws.core.cloud import AwsError, Caller, Cloud
from localaws.core.shapes import Params, Structure
from localaws.services.athena.api.document_store import Documents
from localaws.services.athena.api.executions import Executions
from localaws.services.athena.api.metadata import Metadata
from localaws.services.athena.api.paging import Answer
from localaws.services.athena.api.saved_statements import Saved
from localaws.services.athena.api.workgroups import Workgroups


class AthenaService:
    """Athena, engine version 3. `engine` is one of ENGINES of execution/engine.py."""

    name = "athena"

    def __init__(self, cloud: Cloud, engine: str = "duckdb") -> None:
        self._documents = Documents(cloud.state / "athena" / "athena.sqlite")
        workgroups = Workgroups(self._documents)
        saved = Saved(self._documents, workgroups)
        self._executions = Executions(cloud, self._documents, workgroups, saved, engine)
        self._answers: dict[str, Answer] = {
            **workgroups.actions,
            **saved.actions,
            **Metadata(cloud).actions,
            **self._executions.actions,
        }
        self.actions = frozenset(self._answers)

    def handle(self, action: str, params: Params, caller: Caller) -> Structure:
        answer = self._answers.get(action)
        if answer is None:
            raise AwsError("UnknownOperationException", f"Athena has no action {action}.")
        return answer(params, caller)

    def start(self) -> None:
        self._executions.start()

    def stop(self) -> None:
        self._executions.close()
        self._documents.close()
