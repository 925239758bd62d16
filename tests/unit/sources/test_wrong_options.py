"""Options that cannot be: each is refused before anything is read, with a sentence that says what would do."""

from pathlib import Path
from typing import Any

import pytest

from postrank.options import WrongSettings
from tests.support.streaming.source_reader import built

PAID = {"bearer_token": "t", "daily_budget": 5.0, "monthly_budget": 5.0, "rules": [{"value": "cats"}]}
LOG = {"files": ["/x"], "format": "regex"}
FIELDS = "(?P<author_id>a)(?P<posted_at>b)"
KAFKA = {"brokers": ["broker.example:9092"], "topic": "posts"}
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("replay", {}, "replay.files is missing"),
    ("replay", {"files": "a"}, "replay.files must be a list, not text"),
    ("replay", {"files": [1]}, "replay.files must be a list of texts"),
    ("replay", {"files": ["a"], "speed": -1}, "replay.speed must be a number from 0 to 1000000000"),
    ("replay", {"files": ["a"], "speed": float("nan")}, "replay.speed must be a number from 0 to 1000000000"),
    ("mastodon", {"stall_seconds": float("inf")}, "stall_seconds must be a number from 0.1 to 1000000000"),
    ("tail", {**LOG, "format": "xml"}, "tail.format must be one of json, apache, regex, not 'xml'"),
    ("tail", LOG, "tail.pattern is missing"),
    ("tail", {**LOG, "pattern": "(a"}, "tail.pattern is no regular expression: missing ), unterminated subpattern"),
    ("tail", {**LOG, "pattern": "(?P<a>b)"}, "tail.pattern wants a group named posted_at: (?P<posted_at>...)"),
    ("tail", {**LOG, "format": "apache", "author": "nobody"}, "the pattern has vhost, client, user, posted_at"),
    (
        "tail",
        {**LOG, "pattern": FIELDS, "time_format": "%Q"},
        "must be rfc3339, or a form of strptime such as %d/%b/%Y",
    ),
    ("x", {**PAID, "rules": ["cats"]}, "x.rules[0] must be a table, not text"),
    ("x", {**PAID, "rules": [{"value": ""}]}, "x.rules[0].value must not be empty"),
    ("x", {**PAID, "host": "api.x.com"}, "x.host must be a URL such as https://"),
    ("x", {**PAID, "bearer_token": "a\nb"}, "x.bearer_token must be one word of visible ASCII characters"),
    ("x", {**PAID, "daily_budget": 1.0}, "leaves nothing of the daily $1: lower margin, or raise daily_budget"),
    ("mastodon", {}, "mastodon.instances must name at least one instance"),
    ("mastodon", {"instances": ["https://a"]}, "mastodon.instances[0] must be a table, not text"),
    ("mastodon", {"instances": [{"url": "https://"}]}, "mastodon.instances[0].url must be a URL such as https://"),
    ("mastodon", {"instances": [{"url": "https://a:99999"}]}, "url must be a URL such as https://"),
    ("mastodon", {"instances": [{"stream": "hashtag:"}]}, "stream must be one of public:local"),
    ("bluesky", {"hosts": ["http://a"]}, "holds 'http://a', which is neither a host's name nor a ws:// or wss:// URL"),
    ("bluesky", {"hosts": ["wss://ann:pass@a"]}, "bluesky.hosts must hold no user and password"),
    ("x", {**PAID, "host": "https://ann:pass@a"}, "x.host must hold no user and password"),
    ("bluesky", {"hosts": [""]}, "bluesky.hosts holds ''"),
    ("bluesky", {"directory": "plc"}, "bluesky.directory must be a URL such as https://"),
    ("bluesky", {"zstd_dictionary": "/nowhere"}, "names /nowhere, which cannot be read: No such file or directory"),
    ("bluesky", {"zstd_dictionary": __file__}, "which is no dictionary of zstd"),
    ("kafka", {"topic": "t"}, "kafka.brokers is missing"),
    ("kafka", {**KAFKA, "brokers": []}, "kafka.brokers must name at least one broker"),
    ("kafka", {**KAFKA, "brokers": ["a"]}, "kafka.brokers must be host:port each, not 'a'"),
    ("kafka", {**KAFKA, "topic": "a b"}, "kafka.topic must match"),
    ("kafka", {**KAFKA, "sasl": "plain"}, "kafka.username is missing"),
    ("kafka", {**KAFKA, "sasl": "plain", "tls": False, "username": "u", "password": "p"}, "would travel readable"),
    ("kafka", {**KAFKA, "sasl": "aws-msk-iam"}, "kafka.region is missing"),
    ("kafka", {**KAFKA, "ca_file": "/nowhere"}, "kafka.ca_file names /nowhere, which is no file"),
    ("kafka", {**KAFKA, "key_file": __file__}, "kafka.certificate_file and key_file go together"),
    ("kafka", {**KAFKA, "start": "now"}, "kafka.start must be one of beginning, end, not 'now'"),
]


@pytest.mark.parametrize(("name", "table", "sentence"), WRONG, ids=[sentence for _, _, sentence in WRONG])
def test_it_says_what_where_and_what_would_do(name: str, table: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(WrongSettings) as wrong:
        built(name, tmp_path, **table)
    assert sentence in str(wrong.value)
    assert "pass@" not in str(wrong.value)
