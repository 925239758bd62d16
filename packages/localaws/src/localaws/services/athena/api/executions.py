"""Query executions: started, listed, stopped, their results read. Kept over restarts."""

import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localaws.core.cloud import Caller, Cloud
from localaws.core.shapes import Document, Params, Response, Structure
from localaws.services.athena.api.document_store import Documents
from localaws.services.athena.api.execution_shapes import described, runtime_statistics
from localaws.services.athena.api.paging import Answer, invalid, page
from localaws.services.athena.api.saved_statements import Saved
from localaws.services.athena.api.workgroups import Workgroups, managed_results
from localaws.services.athena.execution.engine import Engine
from localaws.services.athena.execution.execution import Execution
from localaws.services.athena.results import result_files
from localaws.services.athena.results.outcome import Stop
from localaws.services.athena.results.result_store import BucketResults, ManagedResults, ResultStore
from localaws.services.athena.scan.storage import Storage
from localaws.services.athena.sql.failures import QueryFailed

if TYPE_CHECKING:
    from localaws.services.athena.execution.session import Statement

_AT_ONCE = 4
_LONGEST = 262_144  # bytes of SQL; "Service Quotas"
_PAGE = 1000


class Executions:
    """The account's query executions."""

    def __init__(
        self, cloud: Cloud, documents: Documents, workgroups: Workgroups, saved: Saved, engine: str = "duckdb"
    ) -> None:
        self._engine_name = engine
        self._cloud = cloud
        self._documents = documents
        self._workgroups = workgroups
        self._saved = saved
        self._scratch = cloud.state / "athena" / "scratch"
        self._managed = cloud.state / "athena" / "managed"
        self._engine: Engine | None = None
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="athena")
        self._running: dict[str, Stop] = {}
        self._lock = threading.Lock()
        self.actions: dict[str, Answer] = {
            "StartQueryExecution": self.begin,
            "GetQueryExecution": lambda params, _: {
                "QueryExecution": described(self._find(params["QueryExecutionId"]))
            },
            "BatchGetQueryExecution": self.batch,
            "ListQueryExecutions": self.listed,
            "StopQueryExecution": self.cancel,
            "GetQueryResults": self.rows,
            "GetQueryRuntimeStatistics": lambda params, _: {
                "QueryRuntimeStatistics": runtime_statistics(self._find(params["QueryExecutionId"]))
            },
        }

    def start(self) -> None:
        """End what a former process left unfinished; start an engine that takes long to."""
        self.recover()
        if self._engine_name != "duckdb":
            self._loaded_engine()

    def recover(self) -> None:
        """End what a former process left unfinished."""
        for record in list(self._all()):
            if record.is_open:
                record.error = {
                    "ErrorCategory": 1,
                    "ErrorType": 100,
                    "Retryable": True,
                    "ErrorMessage": "Internal service error",
                }
                record.end("FAILED", time.time(), "Internal service error: the engine was restarted")
                self._keep(record)

    def close(self) -> None:
        with self._lock:
            stops = list(self._running.values())
        for stop in stops:
            stop.now()
        self._pool.shutdown(wait=True, cancel_futures=True)
        if self._engine is not None:
            self._engine.close()

    def _loaded_engine(self) -> Engine:
        """The engine; it takes memory and time to load, which an idle server does without."""
        with self._lock:
            if self._engine is None:
                self._engine = _create_engine(self._engine_name, self._cloud, self._scratch)
                self._engine.start()
            return self._engine

    def begin(self, params: Params, caller: Caller) -> Response:
        from localaws.services.athena.execution.runner import Run
        from localaws.services.athena.sql.grammar.dialect import SyntaxRefused, positions_of

        engine = self._loaded_engine()
        workgroup = self._workgroups.find(params.get("WorkGroup"))
        if workgroup["State"] != "ENABLED":
            raise invalid(f"WorkGroup {workgroup['Name']} is disabled.")
        token = params.get("ClientRequestToken")
        if token and (existing := self._documents.get("token", token)):
            if existing["sql"] != params["QueryString"]:
                raise invalid("Idempotent parameters do not match")
            return {"QueryExecutionId": existing["id"]}
        sql = params["QueryString"]
        if not sql.strip() or len(sql.encode()) > _LONGEST:
            raise invalid(f"Query string must be between 1 and {_LONGEST} bytes", "MALFORMED_QUERY")
        parameters = list(params.get("ExecutionParameters") or [])
        try:
            statement = self._read(engine, sql, parameters, workgroup["Name"])
        except SyntaxRefused as error:
            raise invalid(str(error), "MALFORMED_QUERY") from error
        except QueryFailed as error:
            raise invalid(str(error), error.name) from error
        except RecursionError as error:
            raise invalid(
                "line 1:1: statement is too large (stack overflow while parsing)", "MALFORMED_QUERY"
            ) from error
        folder = self._folder(params, workgroup)
        _check_location(statement, workgroup)
        record = self._record(params, workgroup, statement, folder, parameters)
        if token:
            self._documents.put("token", token, {"id": record.id, "sql": sql})
        if (earlier := self._reusable(params, record)) is not None:
            record.started = record.submitted
            record.reused = True
            record.output = earlier.output
            record.folder = earlier.folder
            record.end("SUCCEEDED", time.time())
            self._keep(record)
            return {"QueryExecutionId": record.id}
        self._keep(record)
        stop = Stop()
        with self._lock:
            self._running[record.id] = stop
        run = Run(
            engine=engine,
            scratch=self._scratch,
            managed=self._managed,
            caller=caller,
            statement=statement,
            record=record,
            keep=self._keep,
            stop=stop,
            cutoff=workgroup["Configuration"].get("BytesScannedCutoffPerQuery"),
            positions=positions_of(sql),
        )
        self._pool.submit(run)
        return {"QueryExecutionId": record.id}

    def _read(self, engine: Engine, sql: str, parameters: list[str], workgroup: str) -> "Statement":
        """The statement, for the engine that is to run it. Raises SyntaxRefused, QueryFailed."""
        from localaws.services.athena import statements
        from localaws.services.athena.statements import trino

        prepared = partial(self._saved.text, workgroup)
        if self._engine_name == "trino":
            return trino.read(sql, parameters, prepared, engine.check_syntax)
        return statements.read(sql, parameters, prepared)

    def batch(self, params: Params, _caller: Caller) -> Response:
        executions = []
        missing = []
        for key in params["QueryExecutionIds"]:
            document = self._documents.get("execution", key)
            if document is not None:
                executions.append(described(Execution.of(document)))
            else:
                message = f"Query {key} does not exist"
                missing.append({"QueryExecutionId": key, "ErrorCode": "QUERY_NOT_FOUND", "ErrorMessage": message})
        return {"QueryExecutions": executions, "UnprocessedQueryExecutionIds": missing}

    def listed(self, params: Params, _caller: Caller) -> Response:
        workgroup = self._workgroups.find(params.get("WorkGroup"))["Name"]
        keys = [record.id for record in self._all() if record.workgroup == workgroup]
        items, more = page(keys[::-1], params)
        return {"QueryExecutionIds": list(items), **more}

    def cancel(self, params: Params, _caller: Caller) -> Response:
        self._find(params["QueryExecutionId"])
        with self._lock:
            stop = self._running.get(params["QueryExecutionId"])
        if stop is not None:
            stop.now()
        return {}

    def rows(self, params: Params, caller: Caller) -> Response:
        record = self._find(params["QueryExecutionId"])
        if record.is_open:
            raise invalid(f"Query has not yet finished. Current state: {record.state}", "QUERY_NOT_FINISHED")
        if record.state != "SUCCEEDED":
            raise invalid(f"Query did not finish successfully. Final query state: {record.state}", "QUERY_FAILED")
        described_by = self._columns(record, caller)
        info = result_files.column_info(described_by["columns"])
        rows, more = self._page(record, params, caller, len(info))
        answer: Document = {
            "UpdateCount": described_by["updateCount"] or 0,
            "ResultSet": {
                "Rows": [{"Data": [{} if cell is None else {"VarCharValue": cell} for cell in row]} for row in rows],
                "ResultSetMetadata": {"ColumnInfo": info},
            },
        }
        return answer if more is None else {**answer, "NextToken": str(more)}

    def _page(
        self, record: Execution, params: Params, caller: Caller, width: int
    ) -> tuple[list[list[str | None]], int | None]:
        token = params.get("NextToken") or "0"
        limit = int(params.get("MaxResults") or _PAGE)
        if not token.isdigit() or not 0 < limit <= _PAGE:
            raise invalid(f"Invalid NextToken or MaxResults: {token}, {limit}")
        if record.manifest:
            return [], None
        path = self._file(record, record.output, caller)
        return result_files.page(path, text=record.kind != "DML", width=max(width, 1), offset=int(token), limit=limit)

    def _columns(self, record: Execution, caller: Caller) -> Document:
        import json

        path = self._file(record, record.metadata, caller)
        return dict(json.loads(path.read_bytes()))

    def _file(self, record: Execution, name: str, caller: Caller) -> Path:
        """A result file of an execution. Raises AwsError InvalidRequestException."""
        results: ResultStore = ManagedResults(self._managed)
        if record.managed is None:
            results = BucketResults(Storage(self._cloud, caller))
        try:
            path = results.get(name)
        except QueryFailed as error:
            raise invalid(str(error)) from error
        if path is None:
            raise invalid(f"Could not find results: {name} does not exist", "RESULT_NOT_FOUND")
        return path

    def _all(self) -> Iterator[Execution]:
        return map(Execution.of, self._documents.all("execution"))

    def _find(self, key: str) -> Execution:
        document = self._documents.get("execution", key)
        if document is None:
            raise invalid(f"QueryExecution {key} was not found")
        return Execution.of(document)

    def _keep(self, record: Execution) -> None:
        self._documents.put("execution", record.id, record.document())
        if not record.is_open:
            with self._lock:
                self._running.pop(record.id, None)

    def _record(
        self,
        params: Params,
        workgroup: Structure,
        statement: Any,
        folder: str,
        parameters: list[str],
    ) -> Execution:
        key = str(uuid.uuid4())
        base = folder if not folder or folder.endswith("/") else folder + "/"
        managed = managed_results(workgroup["Configuration"])
        writes = statement.substatement == "CREATE_TABLE_AS_SELECT"
        name = f"tables/{key}" if writes and not managed else f"{key}.{'csv' if statement.kind == 'DML' else 'txt'}"
        context = params.get("QueryExecutionContext") or {}
        return Execution(
            id=key,
            sql=params["QueryString"],
            parameters=parameters,
            database=str(context["Database"]).strip("`") if context.get("Database") else None,
            catalog=context.get("Catalog"),
            workgroup=workgroup["Name"],
            kind=statement.kind,
            substatement=statement.substatement,
            folder=base,
            output=base + name,
            state="QUEUED",
            submitted=time.time(),
            reuse=params.get("ResultReuseConfiguration"),
            encryption=None if managed else _encryption(params, workgroup),
            managed=managed,
        )

    def _folder(self, params: Params, workgroup: Structure) -> str:
        """Where results go: the workgroup's place where it enforces its settings, else the caller's.

        Nowhere ("") where Athena manages them.
        """
        configuration = workgroup["Configuration"]
        if managed_results(configuration):
            if (params.get("ResultConfiguration") or {}).get("OutputLocation"):
                raise invalid("OutputLocation cannot be set in a workgroup with managed query results")
            return ""
        own = (configuration.get("ResultConfiguration") or {}).get("OutputLocation")
        location = (params.get("ResultConfiguration") or {}).get("OutputLocation")
        folder = own if configuration.get("EnforceWorkGroupConfiguration") and own else location or own
        if not folder:
            raise invalid(
                "No output location provided. An output location is required either through the Workgroup result"
                " configuration setting or as an API input."
            )
        if not folder.startswith("s3://"):
            raise invalid(f"outputLocation is not a valid S3 path: {folder}")
        return str(folder)

    def _reusable(self, params: Params, record: Execution) -> Execution | None:
        """An earlier result that may answer ("Reuse query results"): same text, database, parameters, young enough."""
        by_age = (params.get("ResultReuseConfiguration") or {}).get("ResultReuseByAgeConfiguration") or {}
        if not by_age.get("Enabled") or record.substatement != "SELECT" or record.managed:
            return None
        oldest = record.submitted - 60 * int(by_age.get("MaxAgeInMinutes") or 60)
        same = ("sql", "parameters", "database", "workgroup")
        candidates = [
            earlier
            for earlier in self._all()
            if earlier.state == "SUCCEEDED"
            and not earlier.reused
            and earlier.ended is not None
            and earlier.ended >= oldest
            and all(getattr(earlier, name) == getattr(record, name) for name in same)
        ]
        return candidates[-1] if candidates else None


def _create_engine(name: str, cloud: Cloud, scratch: Path) -> Engine:
    if name == "trino":
        from localaws.services.athena.execution.trino.engine import TrinoEngine

        return TrinoEngine(cloud, scratch)
    from localaws.services.athena.execution.embedded import EmbeddedEngine

    return EmbeddedEngine(cloud, scratch)


def _encryption(params: Params, workgroup: Structure) -> Document | None:
    """How results are to be encrypted: as a workgroup that enforces its settings says, else as the caller says."""
    configuration = workgroup["Configuration"]
    own = (configuration.get("ResultConfiguration") or {}).get("EncryptionConfiguration")
    requested = (params.get("ResultConfiguration") or {}).get("EncryptionConfiguration")
    return own if configuration.get("EnforceWorkGroupConfiguration") else requested or own


def _check_location(statement: Any, workgroup: Structure) -> None:
    """Refuse a CTAS that chooses its place where the workgroup enforces one ("CREATE TABLE AS", external_location)."""
    configuration = workgroup["Configuration"]
    own = (configuration.get("ResultConfiguration") or {}).get("OutputLocation")
    if configuration.get("EnforceWorkGroupConfiguration") and own and getattr(statement, "external_location", None):
        raise invalid(
            "The Create Table As Select query failed because it was submitted with an 'external_location' property to"
            " an Athena Workgroup that enforces a centralized output location for all queries. Please remove the"
            " 'external_location' property and resubmit the query."
        )
