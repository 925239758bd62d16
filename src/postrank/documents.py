"""JSON documents: what the members of one are is known only once they were checked, so their type is `Any`.

Parsers of a network's messages, Athena's rows, AWS requests and responses, and state that one run leaves for the next
all read or build such documents. A document whose members are fixed is a dataclass or a TypedDict instead.
"""

from collections.abc import Mapping
from typing import Any

# Any, not object: a member of a member is read as document["a"]["b"], where the reader knows the form or catches it.
JsonObject = Mapping[str, Any]  # parsed, and only read
Document = dict[str, Any]  # built here, member by member
