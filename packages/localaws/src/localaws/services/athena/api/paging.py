"""What the parts of the Athena service share: its refusals, and pages of lists."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from localaws.core.cloud import AwsError, Caller

Answer = Callable[[Mapping[str, Any], Caller], Mapping[str, Any]]
Item = TypeVar("Item")
_PAGE = 50


def invalid(message: str, code: str = "INVALID_INPUT") -> AwsError:
    """InvalidRequestException with its AthenaErrorCode."""
    return AwsError("InvalidRequestException", message, AthenaErrorCode=code)


def page(items: Sequence[Item], params: Mapping[str, Any]) -> tuple[Sequence[Item], dict[str, str]]:
    """One page of a list, and the NextToken to answer with. Raises AwsError for a token that is not ours."""
    token = params.get("NextToken") or "0"
    if not token.isdigit():
        raise invalid(f"Invalid token: {token}")
    start, size = int(token), int(params.get("MaxResults") or _PAGE)
    more = {"NextToken": str(start + size)} if start + size < len(items) else {}
    return items[start : start + size], more


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
