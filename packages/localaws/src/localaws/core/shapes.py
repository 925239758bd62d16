"""The types of what calls carry: structures in the shape of botocore's models, which are data and not Python types.

A call's parameters were checked against the model before an operation sees them, and the response is written by the
model after it, so a member is read as `params["Stream"]["Name"]` without another check: hence `Any`, not `object`.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

Params = Mapping[str, Any]  # the decoded parameters of a call
Response = dict[str, Any]  # what an operation returns
Structure = Mapping[str, Any]  # a structure within a call, or a stored document, that is only read
Document = dict[str, Any]  # a structure or a JSON document that is built or changed
Json: TypeAlias = Any  # a value of JSON: an object, an array, text, a number, a boolean or None
