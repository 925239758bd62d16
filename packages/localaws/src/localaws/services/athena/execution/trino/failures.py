"""Trino's errors in Athena's words."""

from localaws.core.cloud import AwsError
from localaws.services.athena.execution.trino.configuration import HIVE, ICEBERG
from localaws.services.athena.execution.trino.protocol import TrinoFailed
from localaws.services.athena.sql.failures import SYSTEM, USER, QueryCancelled, QueryFailed

_MEMORY = frozenset({"EXCEEDED_LOCAL_MEMORY_LIMIT", "EXCEEDED_GLOBAL_MEMORY_LIMIT", "CLUSTER_OUT_OF_MEMORY"})


def failed(error: TrinoFailed, refusal: AwsError | None) -> QueryFailed | QueryCancelled:
    """The failure of a statement; `refusal` is the permission that its caller lacked, if that was the reason."""
    if error.name == "USER_CANCELED":
        return QueryCancelled("Query was cancelled by user")
    if refusal is not None:
        return QueryFailed("PERMISSION_DENIED", refusal.message)
    if denial := _denial(error):
        return QueryFailed("PERMISSION_DENIED", denial)
    if error.name in _MEMORY:
        return QueryFailed("EXCEEDED_MEMORY_LIMIT", "Query exhausted resources at this scale factor")
    message = str(error).replace(ICEBERG, HIVE)
    return QueryFailed(error.name, message, category=SYSTEM if error.kind == "INTERNAL_ERROR" else USER)


def _denial(error: TrinoFailed) -> str:
    """What S3 said when it refused the caller, if that is why the statement failed."""
    text = " ".join(error.causes)
    if "Status Code: 403" not in text:
        return ""
    return f"Access denied when reading or writing S3: {error}: {error.causes[-1]}"
