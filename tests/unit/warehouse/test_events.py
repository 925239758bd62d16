"""Which objects the messages of S3's events name."""

import json

from postrank.aws import policies
from postrank.aws.resources import Resources
from postrank.warehouse.events import created_keys
from postrank.warehouse.objects import kind_of

NAMES = Resources.of("local", "123456789012")


def message(*keys, name="ObjectCreated:Put"):
    records = [{"eventName": name, "s3": {"bucket": {"name": "b"}, "object": {"key": key}}} for key in keys]
    return {"MessageId": "1", "Body": json.dumps({"Records": records})}


def test_keys_are_decoded_and_named_once():
    key = "rankings/run=manual__2026-05-01T12%3A00%3A00%2B00%3A00/manifest.json"
    decoded = "rankings/run=manual__2026-05-01T12:00:00+00:00/manifest.json"
    assert created_keys([message(key), message(key, "trends/hour=2026-05-01T12/hashtags.json")]) == (
        [decoded, "trends/hour=2026-05-01T12/hashtags.json"],
        0,
    )


def test_what_is_not_loaded_and_what_is_no_event_is_left_out():
    messages = [
        message("rankings/run=a/windows.json"),
        message("rankings/run=a/manifest.json", name="ObjectRemoved:Delete"),
        {"Body": json.dumps({"Event": "s3:TestEvent", "Bucket": "b"})},
    ]
    assert created_keys(messages) == ([], 0)
    broken = [{"Body": "no JSON"}, {"Body": "[]"}, {"Body": '{"Records": [{}]}'}, {}]
    assert created_keys(broken) == ([], len(broken))


def test_the_filters_of_the_bucket_let_every_kind_of_object_through():
    rules = json.loads(policies.document("warehouse-events", NAMES))
    keys = [
        "rankings/run=a/manifest.json",
        "rankings/run=a/posts.json",
        "rankings/run=a/ledgers.json",
        "trends/hour=2026-05-01T12/hashtags.json",
        "trends/hour=2026-05-01T12/place=1.json",
    ]
    for key in keys:
        assert kind_of(key)
        passing = [rule["id"] for rule in rules if key.startswith(rule["prefix"]) and key.endswith(rule["suffix"])]
        assert len(passing) == 1, key
