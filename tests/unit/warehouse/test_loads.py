"""Loading exports into Postgres: what the tables hold after loads in any order, repeated, and killed."""

import itertools
import json
import threading
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from localaws.testing.databases import PASSWORD, await_status, create
from postrank.ranking.export_reader import Results
from postrank.warehouse.connection import READER, Login, Server, WarehouseAway, connect, fixed, managed_secret
from postrank.warehouse.loader import Loader
from postrank.warehouse.objects import NotLoadable, ObjectChanged, Objects
from postrank.warehouse.rankings import scope_and_metric
from postrank.warehouse.schema import OWNER, SchemaBehind, migrate, newest, require_newest
from tests.support.lake.exports import Author, Written, export
from tests.support.lake.warehouse import exported_rows, statement, stored_rows

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
ANN = Author(id="1", network="x", handle="ann", name="Ann")
BOB = Author(id="2", network="mastodon:example.org", handle="bob")


def posts(*counts):
    """So many posts of Ann and of Bob in the three minutes from noon."""
    by_author = zip((ANN, BOB), counts, strict=True)
    return [Written(author, NOON + timedelta(minutes=n % 3)) for author, count in by_author for n in range(count)]


def manifest(run):
    return f"rankings/run={run}/manifest.json"


def rankings(database):
    return stored_rows(database)


def exported(s3, bucket, run):
    return exported_rows(Results(s3, bucket), run)


def test_the_rows_equal_the_export(loader, database, s3, bucket):
    run = export(s3, bucket, posts(5, 3))
    loads = loader.load([manifest(run)])
    expected = exported(s3, bucket, run)
    assert rankings(database) == expected
    accounts = database.execute("select run, lines, duplicates, tombstones, posts, scanned_bytes from ranking_runs")
    assert accounts.fetchall() == [(run, 20, 12, 3, 8, 1_234_567)]
    assert loads.rows == {manifest(run): len(expected)}
    assert database.execute("select object, rows from loads").fetchall() == [(manifest(run), len(expected))]
    assert database.execute("select posts from hourly_totals").fetchall() == [(8,)]
    authors = database.execute("select network, author_id, handle, name from authors order by author_id").fetchall()
    assert authors == [(ANN.network, "1", "ann", "Ann"), (BOB.network, "2", "bob", None)]


def test_a_repeated_object_changes_nothing(loader, database, s3, bucket):
    run = export(s3, bucket, posts(5, 3))
    loader.load([manifest(run)])
    state = "select xmin, ctid, * from rankings order by granularity, window_start, rank"
    before = database.execute(state).fetchall()
    assert loader.load([manifest(run), manifest(run)]).unchanged == [manifest(run)]
    assert database.execute(state).fetchall() == before


@pytest.mark.parametrize("order", list(itertools.permutations((1, 2, 3))))
def test_every_order_of_revisions_ends_at_the_newest(loader, database, s3, bucket, order):
    """Ann loses posts from revision to revision: the rows of the last one alone remain."""
    runs = {number: export(s3, bucket, posts(9 - number, 3), f"manual__{number}", revision=number) for number in order}
    for number in order:
        loader.load([manifest(runs[number])])
    assert rankings(database) == exported(s3, bucket, runs[3])


def test_a_window_in_which_nobody_is_left_is_emptied(loader, database, s3, bucket):
    run = export(s3, bucket, posts(1, 0))
    loader.load([manifest(run)])
    again = export(s3, bucket, posts(1, 0), "manual__two", revision=2)
    windows = Results(s3, bucket).body(f"rankings/run={again}/windows.json")
    document = Results(s3, bucket).manifest(again)
    for file in document["files"]:
        file["rows"] = 0  # as an export says whose authors all are gone
    assert json.loads(windows)
    s3.put_object(Bucket=bucket, Key=manifest(again), Body=json.dumps(document))
    loader.load([manifest(again)])
    assert rankings(database) == []
    assert database.execute("select count(*) from authors").fetchone() == (0,)
    assert database.execute("select max(revision) from ranked_windows").fetchone() == (2,)


def test_metrics_and_scopes_are_kept_apart(loader, database, s3, bucket):
    for run, scope, order in (("a", "*", "posts"), ("b", "* by peak_60s", "peak_60s"), ("c", "x", "posts")):
        loader.load([manifest(export(s3, bucket, posts(2, 1), f"manual__{run}", scope=scope, order=order))])
    metrics = "select distinct scope, metric from rankings order by 1, 2"
    assert database.execute(metrics).fetchall() == [("*", "peak_60s"), ("*", "posts"), ("x", "posts")]


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        ({"scope": "*", "order": "posts"}, ("*", "posts")),
        ({"scope": "x by peak_60s", "order": "peak_60s"}, ("x", "peak_60s")),
        ({"scope": "*", "order": "posts", "metric": "posts"}, ("*", "posts")),
        ({"scope": "* of likes_received", "order": "posts", "metric": "likes_received"}, ("*", "likes_received")),
        (
            {"scope": "x of engagement posts=1,likes=2 tagged rain", "order": "posts", "metric": "engagement"},
            ("x posts=1,likes=2 tagged rain", "engagement"),
        ),
        (
            {"scope": "* of reposts_made by peak_60s", "order": "peak_60s", "metric": "reposts_made"},
            ("*", "reposts_made by peak_60s"),
        ),
    ],
)
def test_scope_and_metric_of_a_manifest_are_kept_apart(manifest, expected):
    assert scope_and_metric(manifest) == expected


def test_an_export_without_a_list_of_windows_is_loaded(loader, database, s3, bucket):
    run = export(s3, bucket, posts(2, 1))
    document = Results(s3, bucket).manifest(run)
    del document["windows"]
    s3.put_object(Bucket=bucket, Key=manifest(run), Body=json.dumps(document))
    loader.load([manifest(run)])
    assert rankings(database) == exported(s3, bucket, run)
    assert database.execute("select posts from hourly_totals").fetchall() == [(3,)]


def test_readers_never_see_half_a_ranking(loader, database, s3, bucket, server, credentials):
    """A reader compares the rows of each window with its revision while revisions replace each other."""
    runs = [export(s3, bucket, posts(3 + n, 40), f"manual__{n}", revision=n) for n in range(1, 9)]
    loader.load([manifest(runs[0])])
    finished = threading.Event()
    torn = []

    def look():
        query = "select count(distinct revision), count(distinct granularity) from rankings"
        with connect(server, credentials) as reader:
            while not finished.is_set():
                if (row := reader.execute(query).fetchone()) != (1, 4):
                    torn.append(row)

    reader = threading.Thread(target=look)
    reader.start()
    loader.load([manifest(run) for run in runs[1:]])
    finished.set()
    reader.join()
    assert torn == []


def test_a_load_killed_at_any_statement_leaves_the_old_rows(loader, database, s3, bucket, server, credentials):
    """The backend is terminated before each statement in turn; the next load succeeds."""
    first = export(s3, bucket, posts(5, 3))
    loader.load([manifest(first)])
    second = export(s3, bucket, posts(4, 3), "manual__two", revision=2)
    before = exported(s3, bucket, first)
    names = []
    loader_of_names = Loader(
        connect=loader.connect, statement=lambda name: names.append(name) or statement(name), objects=loader.objects
    )

    def dying(at):
        count = itertools.count()

        def read(name):
            if next(count) == at:
                kill = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'postrank'"
                database.execute(f"{kill} and pid <> pg_backend_pid()")
            return statement(name)

        return Loader(connect=loader.connect, statement=read, objects=loader.objects)

    loads = 0
    while True:
        try:
            dying(loads).load([manifest(second)])
        except WarehouseAway:
            assert rankings(database) == before
            loads += 1
        else:
            break
    assert loads >= 9
    assert rankings(database) == exported(s3, bucket, second)
    assert loader_of_names.load([manifest(second)]).unchanged == [manifest(second)]
    assert names == ["loaded_objects"]


def test_a_file_that_is_not_what_the_manifest_says_is_not_loaded(loader, database, s3, bucket):
    run = export(s3, bucket, posts(2, 1))
    s3.put_object(Bucket=bucket, Key=f"rankings/run={run}/granularity=hour/ranked_authors.parquet", Body=b"other")
    with pytest.raises(ObjectChanged, match="another checksum"):
        loader.load([manifest(run)])
    assert rankings(database) == []


def test_types_and_lengths_of_the_later_export_remain(loader, database, s3, bucket):
    def document(run, count):
        body = {
            "types": [{"posted_date": "2026-05-01", "type": "reply", "posts": count, "authors": 1, "mean_length": 9.5}],
            "authors": [{"network": "x", "author_id": "1", "posts": count, "mean_length": None}],
        }
        s3.put_object(Bucket=bucket, Key=f"rankings/run={run}/posts.json", Body=json.dumps(body))
        return f"rankings/run={run}/posts.json"

    older = export(s3, bucket, posts(2, 1), "manual__older", exported_at="2026-05-01T13:00:00Z")
    newer = export(s3, bucket, posts(2, 1), "manual__newer", exported_at="2026-05-01T14:00:00Z")
    loader.load([document(newer, 2), document(older, 7)])
    assert database.execute("select type, posts, mean_length from posts_by_type").fetchall() == [("reply", 2, 9.5)]
    assert database.execute("select author_id, posts, mean_length from author_lengths").fetchall() == [("1", 2, None)]


def test_gaps_and_hops_are_as_the_newest_ledger_says(loader, database, s3, bucket):
    def ledgers(run, second, recovered_by, delivered):
        gap = {"source": "x", "gap_from": "2026-05-01T11:00:00Z", "gap_to": "2026-05-01T11:05:00Z", "reason": "lost"}
        hop = {
            "collector": "main",
            "hop": "kinesis",
            "received": 9,
            "delivered": delivered,
            "rejected": 0,
            "ignored": 0,
        }
        at = {"noted_at": f"2026-05-01T12:00:{second:02d}Z"}
        body = {"gaps": [{**gap, **at, "recovered_by": recovered_by}], "hop_counts": [{**hop, **at}]}
        key = f"rankings/run={run}/ledgers.json"
        s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(body))
        return key

    newer = ledgers("newer", 9, "x-search", 8)
    older = ledgers("older", 3, None, 7)
    assert loader.load([newer, older]).rows == {newer: 2, older: 2}
    gaps = database.execute("select source, extract(epoch from gap_to - gap_from)::int, recovered_by from gaps")
    assert gaps.fetchall() == [("x", 300, "x-search")]
    assert database.execute("select collector, hop, delivered from hops").fetchall() == [("main", "kinesis", 8)]


def test_trends_of_an_hour_are_replaced(loader, database, s3, bucket):
    tag = {"rank": 1, "hashtag": "l'été\0", "posts": 3, "authors": 2, "week_posts": 0, "usual_posts": 0.1, "burst": 9.0}
    key = "trends/hour=2026-05-01T12/hashtags.json"
    for hashtags in ([tag, {**tag, "rank": 2}], [tag]):
        body = {"window_start": "2026-05-01T12:00:00Z", "hashtags": hashtags}
        s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(body))
        loader.load([key])
    assert database.execute("select rank, hashtag from hashtag_trends").fetchall() == [
        (1, "l'été\N{REPLACEMENT CHARACTER}")
    ]
    place = "trends/hour=2026-05-01T12/place=1.json"
    body = {
        "woeid": 1,
        "place": "Worldwide",
        "window_start": "2026-05-01T12:00:00Z",
        "heard_at": "2026-05-01T13:01:00Z",
    }
    s3.put_object(
        Bucket=bucket, Key=place, Body=json.dumps({**body, "trends": [{"rank": 1, "name": "a", "posts": None}]})
    )
    loader.load([place])
    assert database.execute("select woeid, rank, name, posts from place_trends").fetchall() == [(1, 1, "a", None)]


def test_what_no_load_has_seen_is_missed(loader, s3, bucket):
    runs = [export(s3, bucket, posts(2, 1), f"manual__{name}") for name in ("one", "two")]
    assert loader.missed() == [manifest(run) for run in runs]
    loader.load([manifest(runs[1])])
    assert loader.missed() == [manifest(runs[0])]
    assert loader.missed(datetime.now(UTC) + timedelta(hours=1)) == []
    s3.put_object(
        Bucket=bucket,
        Key=manifest(runs[1]),
        Body=s3.get_object(Bucket=bucket, Key=manifest(runs[1]))["Body"].read() + b" ",
    )
    assert set(loader.missed()) == {manifest(run) for run in runs}


def test_an_object_that_is_gone_is_reported_and_others_are_loaded(loader, s3, bucket):
    run = export(s3, bucket, posts(2, 1))
    loads = loader.load([manifest("gone"), manifest(run)])
    assert loads.missing == [manifest("gone")]
    assert list(loads.rows) == [manifest(run)]
    with pytest.raises(NotLoadable, match="latest"):
        loader.load(["rankings/latest.json"])


def test_the_reader_reads_and_nothing_else(database, server):
    database.execute(f"alter role {READER} password 'a-reader-in-a-test'")
    with connect(server, fixed(Login(user=READER, password="a-reader-in-a-test"))) as reader:
        reader.execute("select * from rankings")
        for text in ("insert into loads values ('a', 'b', 'c', 1)", "delete from rankings", "create table t (x int)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(text)
    owners = "select distinct tableowner from pg_tables where schemaname = 'public' and tablename <> 'alembic_version'"
    assert database.execute(owners).fetchall() == [(OWNER,)]


def test_migrations_are_repeatable_and_required(database, server, credentials):
    assert migrate(database) == newest()
    require_newest(database)
    with database.transaction(force_rollback=True):
        database.execute("update alembic_version set version_num = '0000'")
        with pytest.raises(SchemaBehind, match="migrate_warehouse"):
            require_newest(database)


def test_a_rotated_managed_secret_is_survived(warehouse_aws):
    """Open connections go on; a new one reads the secret again, as often as the rotation takes."""
    instance = create(warehouse_aws, "rotated", DBName="postrank", ManageMasterUserPassword=True)
    endpoint = instance["Endpoint"]
    server = Server(host=endpoint["Address"], port=endpoint["Port"], database="postrank")
    credentials = managed_secret(warehouse_aws.client("secretsmanager"), instance["MasterUserSecret"]["SecretArn"])
    stale = credentials()
    answers = iter([stale, stale])
    with connect(server, credentials) as opened:
        warehouse_aws.client("rds").modify_db_instance(
            DBInstanceIdentifier="rotated", RotateMasterUserPassword=True, ApplyImmediately=True
        )
        assert opened.execute("select 1").fetchone() == (1,)
        with connect(server, lambda: next(answers, None) or credentials()) as again:
            assert again.execute("select 1").fetchone() == (1,)
    assert "password" not in repr(stale)


def test_a_secret_that_is_rotated_during_a_load_is_survived(warehouse_aws, s3, bucket):
    """The load that is under way ends over its connection; the next one reads the secret again."""
    instance = create(warehouse_aws, "rotating", DBName="postrank", ManageMasterUserPassword=True)
    endpoint = instance["Endpoint"]
    server = Server(host=endpoint["Address"], port=endpoint["Port"], database="postrank")
    credentials = managed_secret(warehouse_aws.client("secretsmanager"), instance["MasterUserSecret"]["SecretArn"])
    with connect(server, credentials) as connection:
        migrate(connection)
    rotations = iter([True])

    def rotating(name):
        if name == "rankings_inserted" and next(rotations, False):
            warehouse_aws.client("rds").modify_db_instance(
                DBInstanceIdentifier="rotating", RotateMasterUserPassword=True, ApplyImmediately=True
            )
        return statement(name)

    loader = Loader(connect=lambda: connect(server, credentials), statement=rotating, objects=Objects(s3, bucket))
    before = credentials()
    runs = [export(s3, bucket, posts(5 - n, 3), f"manual__{n}", revision=n) for n in range(3)]
    assert len(loader.load([manifest(run) for run in runs[:2]]).rows) == 2
    assert credentials() != before
    assert len(loader.load([manifest(runs[2])]).rows) == 1
    with connect(server, credentials) as connection:
        assert rankings(connection) == exported(s3, bucket, runs[2])


def test_what_was_exported_while_the_database_was_away_is_loaded_afterwards(warehouse_aws, s3, bucket):
    """An hour without the database: loads fail as ones that may be repeated, and the sweep makes up for them."""
    endpoint = create(warehouse_aws, "away", DBName="postrank")["Endpoint"]
    server = Server(host=endpoint["Address"], port=endpoint["Port"], database="postrank")
    login = fixed(Login(user="keeper", password=PASSWORD))
    with connect(server, login) as connection:
        migrate(connection)
    loader = Loader(connect=lambda: connect(server, login), statement=statement, objects=Objects(s3, bucket))
    runs = [export(s3, bucket, posts(5, 3), "manual__before")]
    loader.load([manifest(runs[0])])
    warehouse_aws.client("rds").stop_db_instance(DBInstanceIdentifier="away")
    await_status(warehouse_aws, "away", "stopped")
    runs += [export(s3, bucket, posts(5 - n, 3), f"manual__{n}", revision=1 + n) for n in (1, 2)]
    for run in runs[1:]:
        with pytest.raises(WarehouseAway):
            loader.load([manifest(run)])
    warehouse_aws.client("rds").start_db_instance(DBInstanceIdentifier="away")
    await_status(warehouse_aws, "away", "available")
    missed = loader.missed()
    assert missed == [manifest(run) for run in runs[1:]]
    loader.load(missed)
    with connect(server, login) as connection:
        assert rankings(connection) == exported(s3, bucket, runs[2])
