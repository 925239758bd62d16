"""Parameters of calls, drawn at random from the shapes of botocore's models, for fuzz tests."""

import base64
from typing import Any

from hypothesis import strategies as st

WORDS = [
    "a",
    "s",
    "shardId-000000000000",
    "0",
    "170141183460469231731687303715884105728",
    "é" * 3,
    "",
    "arn:aws:kinesis:us-east-1:123456789012:stream/s",
    "arn:aws:iam::123456789012:role/r",
    "arn:aws:s3:::bucket",
    "!{timestamp:yyyy}/",
    "m1 + FILL(m1, 0) / 0",
    'ALARM("a") OR NOT (OK(a))',
]
ANYTHING: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just([]) | st.just({})
)


def values(shape: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of a shape: mostly of its type, now and then of none."""
    return st.one_of(typed(shape, depth), typed(shape, depth), typed(shape, depth), ANYTHING)


def typed(shape: Any, depth: int) -> st.SearchStrategy[Any]:
    """Values of a shape's type, small and at the edges."""
    kind = shape.type_name
    if kind == "structure":
        members = {name: values(member, depth + 1) for name, member in shape.members.items()}
        needed = {name: members.pop(name) for name in shape.required_members}
        return st.fixed_dictionaries(needed, optional=members if depth < 2 else {})
    if kind == "list":
        return st.lists(values(shape.member, depth + 1), max_size=3)
    if kind == "map":
        return st.dictionaries(st.sampled_from(WORDS), values(shape.value, depth + 1), max_size=2)
    if kind == "blob":
        return st.binary(max_size=20).map(lambda data: base64.b64encode(data).decode())
    if kind == "string":
        return st.sampled_from([*getattr(shape, "enum", []), *WORDS])
    if kind == "timestamp":
        return st.sampled_from([0, 1e9, 1.8e9, 4e9, 1e300])
    return st.booleans() if kind == "boolean" else st.sampled_from([0, 1, 2, 5, 60, 100, 10**6, -1, 0.5])
