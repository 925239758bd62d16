"""What the parts of the Athena service share: its refusals, and pages of lists."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from localaws.core.cloud import AwsError, Caller
from localaws.core.paging import offset, page_at
from localaws.core.shapes import Params, Structure

Answer = Callable[[Structure, Caller], Structure]
Item = TypeVar("Item")
_PAGE = 50


def invalid(message: str, code: str = "INVALID_INPUT") -> AwsError:
    """InvalidRequestException with its AthenaErrorCode."""
    return AwsError("InvalidRequestException", message, AthenaErrorCode=code)


def page(items: Sequence[Item], params: Params) -> tuple[Sequence[Item], dict[str, str]]:
    """One page of a list, and the NextToken to answer with. Raises AwsError for a token that is not ours."""
    start = offset(params.get("NextToken"), lambda token: invalid(f"Invalid token: {token}"))
    return page_at(items, start, int(params.get("MaxResults") or _PAGE))
