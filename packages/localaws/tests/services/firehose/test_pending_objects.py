"""What is buffered and what that says of each shard: a checkpoint never passes a record that is not delivered."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localaws.services.firehose.delivery.pending_objects import MAX_PARTITIONS, Objects
from localaws.services.firehose.records.processing import Pipeline
from localaws.services.firehose.records.sources import Arrived
from localaws.services.firehose.streams.model import Destination

QUERY = {
    "Type": "MetadataExtraction",
    "Parameters": [
        {"ParameterName": "JsonParsingEngine", "ParameterValue": "JQ-1.6"},
        {"ParameterName": "MetadataExtractionQuery", "ParameterValue": "{key: .key}"},
    ],
}


def make_objects(folder, *, interval=0):
    destination = Destination(
        role="r",
        bucket="b",
        prefix="key=!{partitionKeyFromQuery:key}/",
        error_prefix="errors/!{firehose:error-output-type}/",
        size_mib=64,
        interval=interval,
        compression="UNCOMPRESSED",
        dynamic=True,
        processors=[QUERY],
    )
    return Objects(folder, destination, Pipeline(destination.processors), {}, 1.0)


def record(position, key):
    return Arrived(position, 1_000 + position, json.dumps({"key": key, "position": position}).encode() + b"\n")


def positions(path):
    return [json.loads(line)["position"] for line in path.read_text().splitlines()]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["s0", "s1"]), st.sampled_from("abc")), min_size=1, max_size=40),
    st.randoms(use_true_random=False),
)
def test_a_checkpoint_never_passes_an_undelivered_record(tmp_path_factory, arrivals, order):
    objects = make_objects(tmp_path_factory.mktemp("spool"))
    taken = {"s0": [], "s1": []}
    delivered = {"s0": set(), "s1": set()}
    checkpoints = {}
    owner = {}
    for position, (shard, key) in enumerate(arrivals, start=1):
        taken[shard].append(position)
        owner[position] = shard
        objects.take(shard, [record(position, key)])
        if order.random() < 0.2:
            due = objects.due()
            for item in order.sample(due, order.randint(0, len(due))):
                for result in positions(item.path):
                    delivered[owner[result]].add(result)
                checkpoints.update(objects.delivered(item))
        for at, (kind, text) in checkpoints.items():
            behind = int(text) - (kind == "at")
            assert {item for item in taken[at] if item <= behind} <= delivered[at]
    for item in objects.due():
        checkpoints.update(objects.delivered(item))
    assert {shard: int(checkpoint.position) for shard, checkpoint in checkpoints.items()} == {
        shard: result[-1] for shard, result in taken.items() if result
    }


def test_a_partition_too_many_goes_to_the_errors(tmp_path):
    """Page "Partitioning streaming data": 500 active partitions."""
    objects = make_objects(tmp_path, interval=900)
    for position in range(1, MAX_PARTITIONS + 3):
        objects.take("s0", [record(position, f"k{position}")])
    objects.seal_all()
    errors = [item for item in objects.due() if item.error_type]
    assert [item.error_type for item in errors] == ["processing-failed"]
    codes = [json.loads(line)["errorCode"] for line in errors[0].path.read_text().splitlines()]
    assert codes == ["DynamicPartitioning.ActivePartitionsLimitExceeded"] * 2
    objects.discard()


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ('{a: .x, b: (.y | strftime("%Y"))}', ["a", "b"]),
        ('{"a": .x, "b": .y}', ["a", "b"]),
        ("{a, b}", ["a", "b"]),
        ('{a: ({c: 1, d: 2} | .c), b: "{e: 1, f: 2}"}', ["a", "b"]),
        ("{a: [.x, .y], b: (.z, .w)}", ["a", "b"]),
        (".x", []),
    ],
)
def test_partition_keys_are_those_of_the_outermost_object(query, keys):
    """Page "Partitioning streaming data": inline parsing."""
    parameters = [
        {"ParameterName": "JsonParsingEngine", "ParameterValue": "JQ-1.6"},
        {"ParameterName": "MetadataExtractionQuery", "ParameterValue": query},
    ]
    assert Pipeline([{"Type": "MetadataExtraction", "Parameters": parameters}]).keys == keys


def test_what_is_discarded_leaves_no_file(tmp_path):
    objects = make_objects(tmp_path, interval=900)
    objects.take("s0", [record(1, "a")])
    objects.take("s0", [record(2, "b")])
    objects.discard()
    assert list(tmp_path.iterdir()) == []
