"""Aggregated records, as "KPL Aggregated Record Format" describes them."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws.services.firehose.records import aggregation

MAGIC = bytes.fromhex("f3899ac2")


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def aggregate(records):
    body = field(1, b"key")
    for record in records:
        body += field(3, varint(1 << 3) + varint(0) + field(3, record))
    return MAGIC + body + hashlib.md5(body).digest()


@given(st.lists(st.binary(max_size=400), min_size=1, max_size=20))
def test_an_aggregate_is_taken_apart(records):
    assert aggregation.parts(aggregate(records)) == records


@given(st.binary(max_size=200))
def test_any_other_record_stays_as_it_is(data):
    assert aggregation.parts(data) == [data]


@pytest.mark.parametrize("body", [b"\x1a\x7fshort", b"\x1a", b"\x1f"])
def test_an_aggregate_that_cannot_be_read_stays_as_it_is(body):
    data = MAGIC + body + hashlib.md5(body).digest()
    assert aggregation.parts(data) == [data]
