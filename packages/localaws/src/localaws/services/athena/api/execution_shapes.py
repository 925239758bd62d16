"""A kept execution in the shapes of GetQueryExecution and GetQueryRuntimeStatistics."""

from localaws.core.shapes import Document, Structure
from localaws.core.times import utc
from localaws.services.athena.api.workgroups import ENGINE


def described(record: Structure) -> Document:
    """QueryExecution."""
    status: Document = {"State": record["state"], "SubmissionDateTime": utc(record["submitted"])}
    if record.get("reason"):
        status["StateChangeReason"] = record["reason"]
    if record.get("ended"):
        status["CompletionDateTime"] = utc(record["ended"])
    if record.get("error"):
        status["AthenaError"] = record["error"]
    context = {name: record[key] for name, key in (("Database", "database"), ("Catalog", "catalog")) if record.get(key)}
    execution = {
        "QueryExecutionId": record["id"],
        "Query": record["sql"],
        "StatementType": record["kind"],
        "SubstatementType": record["substatement"],
        "ResultConfiguration": {"OutputLocation": record["output"]},
        "ResultReuseConfiguration": record.get("reuse") or {"ResultReuseByAgeConfiguration": {"Enabled": False}},
        "QueryExecutionContext": context,
        "Status": status,
        "Statistics": _statistics(record),
        "WorkGroup": record["workgroup"],
        "EngineVersion": ENGINE,
    }
    if record.get("parameters"):
        execution["ExecutionParameters"] = record["parameters"]
    return execution


def runtime_statistics(record: Structure) -> Document:
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
        "Rows": {"InputBytes": record.get("scanned", 0)},
    }


def _statistics(record: Structure) -> Document:
    statistics: Document = {
        "DataScannedInBytes": record.get("scanned", 0),
        "ResultReuseInformation": {"ReusedPreviousResult": bool(record.get("reused"))},
    }
    if record.get("manifest"):
        statistics["DataManifestLocation"] = record["manifest"]
    if record.get("ended"):
        started = record.get("started") or record["ended"]
        statistics["QueryQueueTimeInMillis"] = _milliseconds(record["submitted"], started)
        statistics["EngineExecutionTimeInMillis"] = _milliseconds(started, record["ended"])
        statistics["QueryPlanningTimeInMillis"] = 0
        statistics["ServiceProcessingTimeInMillis"] = 0
        statistics["TotalExecutionTimeInMillis"] = _milliseconds(record["submitted"], record["ended"])
    return statistics


def _milliseconds(start: float, end: float) -> int:
    return max(round((end - start) * 1000), 0)
