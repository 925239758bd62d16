"""Deleted posts leave the lake, Parquet and raw, with evidence, and every count still adds up."""

import base64
import dataclasses
import gzip
import hashlib
import itertools
import json
import re
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from pyarrow import parquet

from postrank.aws.athena import QueryFailed
from postrank.lake.redaction.raw_zone import RawZone
from tests.support.lake.ranked_lake import author_delete, delete, post, render
from tests.support.lake.upkeep import AS_OF, compact, document, maintenance, redact, redact_undelivered, redaction

FIRST, SECOND, THIRD = "2026-11-24T01", "2026-11-24T02", "2026-11-24T03"
DAY = {"interval_start": "2026-11-23T00:00:00Z", "interval_end": "2026-11-24T00:00:00Z"}


@pytest.fixture
def deleted(lake):
    """A lake with one post that was delivered twice, edited and deleted, among others; ranked."""
    secret = post("1", "ann", "2026-11-23T10:00:07.000Z", text="a secret", author_name="Ann's name")
    edit = {**secret, "kind": "edit", "text": "another secret", "received_at": "2026-11-24T05:00:01.000Z"}
    lake.deliver(FIRST, [secret, post("2", "bob", "2026-11-23T10:00:00.000Z"), secret])
    lake.deliver(FIRST, [post("3", "bob", "2026-11-23T10:00:01.000Z")], name="untouched")
    lake.deliver(SECOND, [edit, post("1", "eve", "2026-11-23T10:00:00.000Z", network="bluesky", text="a namesake")])
    lake.deliver(THIRD, [delete("1")])
    lake.rank(**DAY)
    return lake


def _raw(lake) -> dict[str, bytes]:
    s3, bucket = lake.client("s3"), lake.names.buckets["raw"]
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket, Prefix="raw/posts/")["Contents"]]
    return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def _lines(raw: dict[str, bytes]) -> list[dict]:
    return [json.loads(line) for body in raw.values() for line in gzip.decompress(body).splitlines()]


def _answer(lake) -> list[dict]:
    return lake.rows("select granularity, window_start, rank, author_id, posts from author_ranking order by 1, 2, 3")


def _left(lake) -> list[dict]:
    return lake.rows(
        "select text, author_id, author_name from post_versions where network = 'x' and post_id = '1'"
        " and (text is not null or author_id is not null or author_name is not null)"
    )


def test_the_words_are_gone_from_parquet_and_raw_and_the_ranking_stays(deleted):
    before = _answer(deleted)
    evidence = redact(deleted)
    assert _left(deleted) == []
    assert _answer(deleted) == before
    raw = _lines(_raw(deleted))
    assert not any("secret" in json.dumps(line) or "Ann" in json.dumps(line) for line in raw)
    assert [line["text"] for line in raw if line["network"] == "bluesky"] == ["a namesake"]
    assert evidence["posts"] == 1
    assert evidence["raw_lines"] == 3
    assert evidence["sha256_of_network_and_post_id"] == [hashlib.sha256(b"x 1").hexdigest()]
    assert "secret" not in json.dumps(evidence)


def test_the_evidence_names_every_object_by_its_digests_before_and_after(deleted):
    before = _raw(deleted)
    evidence = redact(deleted)
    after = _raw(deleted)
    changed = {key for key in before if before[key] != after[key]}
    assert {one["key"] for one in evidence["raw_objects"]} == changed
    assert not any("untouched" in key for key in changed)
    for one in evidence["raw_objects"]:
        assert one["sha256_before"] == hashlib.sha256(before[one["key"]]).hexdigest()
        assert one["sha256_after"] == hashlib.sha256(after[one["key"]]).hexdigest()
        assert one["lines"] == gzip.decompress(before[one["key"]]).count(b"\n")
    emptied = [one["emptied"] for one in evidence["partitions"]]
    listed = deleted.client("s3").list_objects_v2(Bucket=deleted.names.buckets["lake"])["Contents"]
    assert emptied
    assert not any(f"s3://{deleted.names.buckets['lake']}/{one['Key']}".startswith(tuple(emptied)) for one in listed)


def test_the_counts_of_the_manifest_and_of_raw_lines_are_the_same_after_it(deleted):
    names = ("post_lines", "edit_lines", "duplicates", "tombstones", "posts")
    before = deleted.rank(**DAY)
    lines = len(_lines(_raw(deleted)))
    redact(deleted)
    after = deleted.rank(**DAY)
    assert {name: after[name] for name in names} == {name: before[name] for name in names}
    assert len(_lines(_raw(deleted))) == lines


def test_an_open_hour_that_is_ingested_again_after_it_counts_the_same(lake):
    """The raw objects have changed, so the hour is ingested anew: from stubs."""
    hour = "2026-11-24T05"
    lake.deliver(hour, [post("1", "ann", "2026-11-23T10:00:07.000Z"), post("2", "bob", "2026-11-23T10:00:00.000Z")])
    lake.deliver("2026-11-24T04", [delete("1")])
    before = lake.rank(**DAY)
    redact(lake)
    lake.deliver(hour, [post("3", "bob", "2026-11-23T10:00:09.000Z")], name="later")
    after = lake.rank(**DAY)
    assert (after["post_lines"], after["tombstones"], after["posts"]) == (3, 1, 2)
    assert (before["post_lines"], before["tombstones"], before["posts"]) == (2, 1, 1)
    assert [(row["author_id"], row["posts"]) for row in lake.results.rows("all")] == [("bob", 2)]


def test_a_copy_that_arrives_after_the_redaction_does_not_bring_the_post_back(deleted):
    redact(deleted)
    deleted.deliver("2026-11-24T06", [post("1", "ann", "2026-11-23T10:00:07.000Z", text="a secret")])
    deleted.rank()
    assert deleted.rows("select post_id from posts where network = 'x' and post_id = '1'") == []
    redact(deleted, "the next day")
    assert _left(deleted) == []


def test_the_words_of_an_author_who_left_are_gone(lake):
    words = [post(n, "ann", f"2026-11-23T1{n}:00:00.000Z", text=f"words {n}") for n in ("0", "1", "2")]
    lake.deliver(FIRST, [*words, author_delete("ann", "2026-11-23T11:00:00.000Z")])
    lake.rank()
    assert redact(lake)["posts"] == 2
    assert [row["text"] for row in lake.rows("select text from post_versions where text is not null")] == ["words 2"]
    assert [line.get("text") for line in _lines(_raw(lake))] == [None, None, "words 2", None]
    assert redaction(lake, "again").plan().count == 0


def test_there_is_nothing_left_to_do_after_it(deleted):
    redact(deleted)
    assert redaction(deleted, "again").plan().count == 0


def test_a_post_that_no_run_took_out_is_owed_a_ranking(lake):
    """Two days lie between a tombstone and its post: an hourly run does not look that far back."""
    lake.deliver("2026-11-20T01", [delete("1")])
    lake.rank(["2026-11-20T01"])
    lake.deliver(SECOND, [post("1", "ann", "2026-11-23T10:00:00.000Z"), post("2", "bob", "2026-11-23T10:00:00.000Z")])
    lake.rank([SECOND])
    assert _ranked(lake) == ["ann", "bob"]
    redact(lake)
    lake.rank([THIRD])
    assert _ranked(lake) == ["bob"]


def _ranked(lake) -> list:
    rows = lake.rows("select author_id from author_ranking where granularity = 'day' order by rank")
    return [row["author_id"] for row in rows]


def _steps(lake, run_id: str) -> list:
    """The acts of a redaction, as the DAG's tasks do them."""
    work = redaction(lake, run_id)
    kept = {}

    def plan():
        kept["plan"] = work.plan()

    return [
        plan,
        work.begin,
        lambda: lake.write("maintenance/redacted_versions.sql", kept["plan"].statements),
        lambda: work.rewrite_raw("2026-11-24"),
        work.finish,
    ]


class _Killed(Exception):
    pass


class _Dying:
    """A client that ends its process at the n-th call that changes something."""

    def __init__(self, client, calls: list[int]) -> None:
        self._client, self._calls = client, calls

    def __getattr__(self, name):
        found = getattr(self._client, name)
        if not name.startswith(("put_", "delete_", "batch_create", "batch_delete", "update_")):
            return found

        def call(**arguments):
            self._calls[0] -= 1
            if self._calls[0] < 0:
                raise _Killed(name)
            return found(**arguments)

        return call


def test_a_redaction_killed_at_every_write_and_repeated_gives_the_same_lake(lake):
    """The raw and the finishing task, killed before their n-th write, over and over until they get through."""
    lake.deliver(FIRST, [post("1", "ann", "2026-11-23T10:00:07.000Z", text="a secret")])
    lake.deliver(FIRST, [post("1", "ann", "2026-11-23T10:00:07.000Z", text="a secret")], name="copy")
    lake.deliver(SECOND, [delete("1"), post("2", "bob", "2026-11-24T00:00:00.000Z")])
    lake.rank()
    before = _raw(lake)
    work = redaction(lake)
    plan = work.plan()
    work.begin()
    lake.write("maintenance/redacted_versions.sql", plan.statements)
    evidence = None
    for survives in itertools.count():
        dying = _dying(lake, survives)
        try:
            dying.rewrite_raw("2026-11-24")
            evidence = document(lake, dying.finish())
            break
        except _Killed:
            continue
    assert survives >= 4
    assert _left(lake) == []
    originals = {hashlib.sha256(body).hexdigest() for body in before.values()}
    assert [one["redacted"] for one in evidence["raw_objects"]] == [1, 1]
    assert {one["sha256_before"] for one in evidence["raw_objects"]} < originals
    assert lake.rows("select post_id from posts") == [{"post_id": "2"}]
    counted = lake.rows("select kind, copies from post_versions where posted_date = '2026-11-23' order by kind")
    assert counted == [{"kind": "deleted", "copies": "0"}, {"kind": "redacted_post", "copies": "2"}]
    assert work.finish()  # a task that had ended may be repeated as well


def _dying(lake, survives: int):
    budget = [survives]
    work = redaction(lake)
    catalogue = dataclasses.replace(work.catalogue, client=_Dying(lake.client("glue"), budget))
    return dataclasses.replace(work, s3=_Dying(lake.client("s3"), budget), catalogue=catalogue)


def test_what_a_run_that_died_for_good_had_begun_is_ended_by_the_next(deleted):
    for step in _steps(deleted, "died")[:3]:
        step()
    redaction(deleted, "next", as_of=AS_OF + timedelta(days=1)).plan()
    assert _left(deleted) == []
    assert not any("secret" in json.dumps(line) for line in _lines(_raw(deleted)))


def test_what_was_planned_and_never_approved_is_left_alone(deleted):
    redaction(deleted, "rejected").plan()
    assert redaction(deleted, "next").plan().count == 1
    assert _left(deleted) != []


def test_a_partition_that_was_ingested_again_meanwhile_is_not_overwritten(deleted):
    work = redaction(deleted)
    plan = work.plan()
    work.begin()
    deleted.write("maintenance/redacted_versions.sql", plan.statements)
    (hour,) = deleted.catalogue.partitions("post_versions", f"arrival_interval = '{FIRST}'")
    elsewhere = f"s3://{deleted.names.buckets['lake']}/post_versions/run=other/"
    deleted.catalogue.point("post_versions", [type(hour)(hour.values, elsewhere, hour.notes)])
    document(deleted, work.finish())
    (now,) = deleted.catalogue.partitions("post_versions", f"arrival_interval = '{FIRST}'")
    assert now.location == elsewhere


def test_an_object_replaced_while_it_is_rewritten_is_not_lost(lake):
    lake.deliver(FIRST, [post("1", "ann", "2026-11-23T10:00:07.000Z")])
    s3 = lake.client("s3")

    class Racing:
        def __getattr__(self, name):
            return getattr(s3, name)

        def put_object(self, **arguments):
            s3.put_object(Bucket=arguments["Bucket"], Key=arguments["Key"], Body=b"newer")
            return s3.put_object(**arguments)

    zone = RawZone(Racing(), f"s3://{lake.names.buckets['raw']}/raw/posts/")
    with pytest.raises(s3.exceptions.ClientError, match="PreconditionFailed"):
        list(zone.redact(FIRST, {("x", "1")}, "run"))
    assert list(_raw(lake).values()) == [b"newer"]


RAW_KEY = "errors/posts/format-conversion-failed/dt=2026-11-24/hour=01/object"
ERRORS, REJECTS = f"{RAW_KEY.split('/object', maxsplit=1)[0]}/", "ledgers/rejects/dt=2026-11-24/"


def _put(lake, key: str, rows: list[dict]) -> None:
    body = "".join(json.dumps(row) + "\n" for row in rows).encode()
    lake.client("s3").put_object(Bucket=lake.names.buckets["raw"], Key=key, Body=body)


def _record(data: bytes) -> dict:
    return {"attemptsMade": 3, "errorCode": "S3.AccessDenied", "rawData": base64.b64encode(data).decode()}


def _reject(line: str, **more) -> dict:
    return {"reason": "no author", "offset": 7, "line": line, "line_encoding": "utf-8", **more}


def _readable(body: bytes) -> str:
    """What a person could read in an object, whatever it is packed in."""
    if body.startswith(b"PAR1"):
        return str(parquet.read_table(BytesIO(body)).to_pylist())
    text = (gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body).decode(errors="replace")
    raw = [base64.b64decode(one) for one in re.findall(r'"rawData": ?"([^"]*)"', text)]
    return text + "".join(map(_readable, raw))


def _places(lake, word: str) -> list[str]:
    """Every object of every bucket, overwritten versions too, in which the word can be read."""
    s3, found = lake.client("s3"), []
    for bucket in lake.names.buckets.values():
        for entry in s3.list_object_versions(Bucket=bucket).get("Versions", ()):
            where = {"Bucket": bucket, "Key": entry["Key"]}
            version = {} if entry["VersionId"] == "null" else {"VersionId": entry["VersionId"]}
            if word in _readable(s3.get_object(**where, **version)["Body"].read()):
                found.append(f"{bucket}/{entry['Key']}")
    return found


@pytest.fixture
def everywhere(lake):
    """A lake with a post, deleted by now, in every place that a post can get into."""
    secret = post("1", "ann", "2026-11-23T10:00:07.000Z", text="a secret")
    line, other = (f"{json.dumps(one)}\n".encode() for one in (secret, post("2", "bob", "2026-11-23T10:00:00.000Z")))
    lake.deliver(FIRST, [secret])
    lake.rank(**DAY)
    lake.rows("select text from posts")  # somebody's query, whose result is kept
    lake.deliver(SECOND, [secret, post("3", "bob", "2026-11-23T10:00:00.000Z")])
    ranking = lake.ranking("failed")
    failed = lake.acts(ranking)  # staged and written, never pointed at
    for _ in range(5):
        next(failed)
    ranking.end()  # its lease is free, as that of every run that has ended
    compact(lake, "compacted", many=0)  # whose old files may be in somebody's hands
    _put(lake, f"{RAW_KEY}-1", [_record(other), _record(other + line)])
    _put(lake, f"{RAW_KEY}-2", [_record(gzip.compress(line))])
    _put(
        lake,
        f"{REJECTS}r.ndjson",
        [
            _reject('{"post_id": "1", "text": "a secret'),
            _reject('{"text": "no id'),
        ],
    )
    lake.deliver(THIRD, [delete("1")])
    lake.rank(**DAY)
    return lake


def _maintain(lake, number: int) -> None:
    """A run of `maintain_lake`, `number` half days from now."""
    as_of = datetime.now(UTC) + number * timedelta(hours=12)
    redact(lake, f"maintenance {number}", as_of)
    redact_undelivered(lake, f"maintenance {number}", as_of)
    maintenance(lake, as_of).sweep()


def test_a_deleted_post_is_nowhere_to_be_read_after_a_day(everywhere):
    buckets = everywhere.names.buckets
    before = _places(everywhere, "secret")
    places = [f"{buckets['raw']}/{place}" for place in ("raw/posts/", ERRORS, REJECTS)]
    places += [
        f"{buckets['lake']}/post_versions/",
        f"{buckets['lake']}/staging/arrivals/",
        f"{buckets['query_results']}/",
    ]
    assert [place for place in places if not any(key.startswith(place) for key in before)] == []
    _maintain(everywhere, 1)
    assert [place for place in _places(everywhere, "secret") if "/raw/posts/" in place or REJECTS in place] == []
    _maintain(everywhere, 2)
    assert _places(everywhere, "secret") == []


def test_what_lies_outside_the_tables_keeps_its_lines_and_leaves_evidence(everywhere):
    assert redact_undelivered(everywhere) == 3
    s3, bucket = everywhere.client("s3"), everywhere.names.buckets["raw"]
    kept = s3.get_object(Bucket=bucket, Key=f"{RAW_KEY}-1")["Body"].read().splitlines()
    assert base64.b64decode(json.loads(kept[0])["rawData"]).count(b"text of 2") == 1
    lines = [json.loads(line) for line in base64.b64decode(json.loads(kept[1])["rawData"]).splitlines()]
    assert [(line["kind"], line["post_id"], line.get("text")) for line in lines] == [
        ("post", "2", "text of 2"),
        ("redacted_post", "1", None),
    ]
    rejects = s3.get_object(Bucket=bucket, Key=f"{REJECTS}r.ndjson")["Body"].read().splitlines()
    assert [(row["reason"], row.get("line")) for row in map(json.loads, rejects)] == [
        ("no author", None),
        ("no author", '{"text": "no id'),
    ]
    lake_bucket = everywhere.names.buckets["lake"]
    (evidence,) = [
        one["Key"]
        for one in s3.list_objects_v2(Bucket=lake_bucket, Prefix="evidence/")["Contents"]
        if one["Key"].endswith("-elsewhere.json")
    ]
    told = document(everywhere, f"s3://{lake_bucket}/{evidence}")["objects"]
    assert {one["key"] for one in told} == {f"{RAW_KEY}-1", f"{RAW_KEY}-2", f"{REJECTS}r.ndjson"}
    assert [(one["lines"], one["redacted"]) for one in told] == [(2, 1), (1, 1), (2, 1)]
    assert redact_undelivered(everywhere, "again") == 0


def test_the_words_of_an_author_who_left_go_from_error_records_up_to_the_leaving(lake):
    early, late = (post(n, "ann", f"2026-11-23T1{n}:00:00.000Z", text=f"words {n}") for n in ("1", "2"))
    _put(lake, f"{RAW_KEY}-1", [_record("".join(f"{json.dumps(one)}\n" for one in (early, late)).encode())])
    assert redact_undelivered(lake) == 0  # nothing was ranked yet
    lake.deliver(FIRST, [author_delete("ann", "2026-11-23T11:30:00.000Z")])
    lake.rank()
    assert redact_undelivered(lake) == 1
    assert _places(lake, "words 1") == []
    assert _places(lake, "words 2") == [f"{lake.names.buckets['raw']}/{RAW_KEY}-1"]


def test_ids_of_any_length_and_kind_are_looked_up(lake):
    hostile = ["'; drop table posts; --", "\\", "x" * 100_000, "\u0000", *(f"{n}'" * 150 for n in range(800))]
    _put(lake, f"{REJECTS}r.ndjson", [_reject(json.dumps({"id": one, "text": "words"})) for one in hostile])
    lines = "".join(f"{json.dumps(post(one, 'ann', '2026-11-23T10:00:00.000Z'))}\n" for one in (*hostile, "gone"))
    _put(lake, f"{RAW_KEY}-1", [_record(lines.encode())])
    lake.deliver(FIRST, [delete("gone"), delete("799'" * 150)])
    lake.rank()
    assert redact_undelivered(lake) == 2
    assert _places(lake, "text of gone") == []


def test_a_task_that_comes_back_to_swept_lines_fails_rather_than_take_them_for_none(everywhere):
    run = everywhere.ranking("failed").run
    maintenance(everywhere, datetime.now(UTC) + timedelta(hours=12)).sweep()
    with pytest.raises(QueryFailed, match=r"TABLE_NOT_FOUND|does not exist"):
        everywhere.rows(render("staging/survey.sql", arrivals=run.scratch("arrivals")))
