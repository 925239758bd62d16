"""A kept execution in the shapes of GetQueryExecution and GetQueryRuntimeStatistics."""

from localaws.core.shapes import Document
from localaws.core.times import utc
from localaws.services.athena.api.workgroups import ENGINE
from localaws.services.athena.execution.execution import Execution


def described(record: Execution) -> Document:
    """QueryExecution."""
    status: Document = {"State": record.state, "SubmissionDateTime": utc(record.submitted)}
    if record.reason:
        status["StateChangeReason"] = record.reason
    if record.ended:
        status["CompletionDateTime"] = utc(record.ended)
    if record.error:
        status["AthenaError"] = record.error
    context = {"Database": record.database, "Catalog": record.catalog}
    execution: Document = {
        "QueryExecutionId": record.id,
        "Query": record.sql,
        "StatementType": record.kind,
        "SubstatementType": record.substatement,
        "ResultConfiguration": {} if record.managed else {"OutputLocation": record.output},
        "ResultReuseConfiguration": record.reuse or {"ResultReuseByAgeConfiguration": {"Enabled": False}},
        "QueryExecutionContext": {name: value for name, value in context.items() if value},
        "Status": status,
        "Statistics": _statistics(record),
        "WorkGroup": record.workgroup,
        "EngineVersion": ENGINE,
    }
    if record.managed:
        execution["ManagedQueryResultsConfiguration"] = record.managed
    if record.encryption:
        execution["ResultConfiguration"]["EncryptionConfiguration"] = record.encryption
    if record.parameters:
        execution["ExecutionParameters"] = record.parameters
    return execution


def runtime_statistics(record: Execution) -> Document:
    """QueryRuntimeStatistics: times and bytes; the local engine has no stages to show."""
    statistics = _statistics(record)
    names = (
        "QueryQueueTimeInMillis",
        "QueryPlanningTimeInMillis",
        "EngineExecutionTimeInMillis",
        "ServiceProcessingTimeInMillis",
        "TotalExecutionTimeInMillis",
    )
    return {
        "Timeline": {name: statistics[name] for name in names if name in statistics},
        "Rows": {"InputBytes": record.scanned},
    }


def _statistics(record: Execution) -> Document:
    statistics: Document = {
        "DataScannedInBytes": record.scanned,
        "ResultReuseInformation": {"ReusedPreviousResult": bool(record.reused)},
    }
    if record.manifest and not record.managed:
        statistics["DataManifestLocation"] = record.manifest
    if record.ended:
        started = record.started or record.ended
        statistics["QueryQueueTimeInMillis"] = _milliseconds(record.submitted, started)
        statistics["EngineExecutionTimeInMillis"] = _milliseconds(started, record.ended)
        statistics["QueryPlanningTimeInMillis"] = 0
        statistics["ServiceProcessingTimeInMillis"] = 0
        statistics["TotalExecutionTimeInMillis"] = _milliseconds(record.submitted, record.ended)
    return statistics


def _milliseconds(start: float, end: float) -> int:
    return max(round((end - start) * 1000), 0)
