"""Prefix expressions, as "Understand custom prefixes for Amazon S3 objects" (Data Firehose) describes them."""

import re
import zoneinfo
from datetime import UTC, datetime

import pytest

from localaws.core.cloud import AwsError
from localaws.services.firehose.keys import prefix, time_pattern

MOMENT = datetime(2026, 3, 7, 15, 4, 9, 123456, tzinfo=UTC)
ERRORS = "errors/!{firehose:error-output-type}/"


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("yyyy", "2026"),
        ("yy/M/d", "26/3/7"),
        ("yyyy-MM-dd", "2026-03-07"),
        ("HH:mm:ss.SSS", "15:04:09.123"),
        ("hh a", "03 PM"),
        ("MMM EEE", "Mar Sat"),
        ("MMMM EEEE", "March Saturday"),
        ("DDD", "066"),
        ("'dt='yyyy'/it''s'", "dt=2026/it's"),
    ],
)
def test_a_time_pattern_is_written_as_java_writes_it(pattern, expected):
    """Page "DateTimeFormatter" (java.time.format)."""
    time_pattern.check(pattern)
    assert time_pattern.render(pattern, MOMENT) == expected


@pytest.mark.parametrize("pattern", ["YYYY", "VV", "yyyy'open"])
def test_a_time_pattern_that_is_not_supported_is_refused(pattern):
    with pytest.raises(ValueError, match=r"not supported|not closed"):
        time_pattern.check(pattern)


def test_time_is_written_in_the_zone_that_is_configured():
    tokyo = MOMENT.astimezone(zoneinfo.ZoneInfo("Asia/Tokyo"))
    assert prefix.evaluate("!{timestamp:yyyy-MM-dd/HH}/", moment=tokyo, partition={}) == "2026-03-08/00/"


def test_every_random_string_of_a_prefix_is_another_one_of_eleven_letters():
    created = prefix.evaluate("!{firehose:random-string}/!{firehose:random-string}/", moment=MOMENT, partition={})
    first, second = re.fullmatch(r"(\w{11})/(\w{11})/", created).groups()
    assert first != second


def test_partition_keys_and_the_error_type_are_filled_in():
    good = prefix.evaluate("c=!{partitionKeyFromQuery:c}/", moment=MOMENT, partition={"c": "7"})
    bad = prefix.evaluate(ERRORS, moment=MOMENT, partition={}, error_type="processing-failed")
    assert (good, bad) == ("c=7/", "errors/processing-failed/")


@pytest.mark.parametrize(
    ("prefix_text", "completed"),
    [
        ((None, None), ("!{timestamp:yyyy/MM/dd/HH/}", "!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH/}")),
        (
            ("raw/", None),
            ("raw/!{timestamp:yyyy/MM/dd/HH/}", "raw/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH/}"),
        ),
        (("raw/!{timestamp:yyyy}/", ERRORS), ("raw/!{timestamp:yyyy}/", ERRORS)),
    ],
    ids=["nothing", "a prefix without expressions", "both"],
)
def test_the_default_time_is_added_where_the_rules_say_so(prefix_text, completed):
    assert prefix.complete(*prefix_text, dynamic=False) == completed


@pytest.mark.parametrize(
    ("good", "bad", "why"),
    [
        ("raw/!{timestamp:yyyy}/", None, "ErrorOutputPrefix cannot be null"),
        ("raw/!{timestamp:yyyy}/", "errors/!{timestamp:yyyy}/", "at least one instance of"),
        ("!{firehose:error-output-type}/", ERRORS, "cannot contain"),
        ("raw/!{timestamp:yyyy/", ERRORS, "not of the form"),
        ("raw/!{nothing:x}/", ERRORS, "no namespace"),
        ("raw/!{firehose:x}/", ERRORS, "no value"),
    ],
)
def test_a_prefix_against_the_rules_is_refused(good, bad, why):
    with pytest.raises(AwsError, match=why) as refused:
        prefix.complete(good, bad, dynamic=False)
    assert refused.value.code == "InvalidArgumentException"
