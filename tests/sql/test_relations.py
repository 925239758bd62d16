"""Every file of `include/sql` by itself: given rows, expected rows, on the local Athena.

Given are two arrival hours. The first brings two posts of ann's (one of them twice, the copy of a later moment with
her name) and one of bob's; the second deletes one of ann's, moves bob's by an edit with an id of its own, and brings
one more of bob's, twice, and likes of ann's, one of them withdrawn.
"""

from datetime import timedelta
from pathlib import Path

import jinja2
import pytest
from jinja2 import nodes

from postrank.aws.glue import Partition
from postrank.aws.resources import Resources
from postrank.ranking.publish import CheckFailed, require_empty
from postrank.ranking.request import EVENTS
from postrank.ranking.run_identity import Run
from postrank.ranking.sql_literals import FILTERS
from postrank.trends.hashtags import hour_of
from tests.support.lake.ranked_lake import Lake, delete, like, metrics, post, put, render
from tests.support.lake.upkeep import AS_OF, compaction, comparison, redaction

# The fixtures rank, owe and redact in one lake, and later statements read what earlier ones left.
pytestmark = pytest.mark.in_file_order

SQL = Path(__file__).resolve().parents[2] / "include" / "sql"
FIRST, SECOND = "2026-11-24T01", "2026-11-24T02"
BOBS = post("3", "bob", "2026-11-23T10:01:10.000Z", hashtags=["Rain", "sun"], received_at="2026-11-24T01:00:00.000Z")
EDIT = {
    **BOBS,
    "kind": "edit",
    "posted_at": "2026-11-23T10:00:30.000Z",
    "received_at": "2026-11-24T02:00:00.000Z",
    "versions": ["3", "31"],
}
REPOST = post("2", "ann", "2026-11-23T10:00:59.000Z", repost_of="9", author_name="Ann")
GIVEN = {
    FIRST: [
        post("1", "ann", "2026-11-23T10:00:00.000Z", hashtags=["rain"]),
        REPOST,
        {**REPOST, "author_name": "Before", "received_at": "2026-11-24T01:00:00.000Z"},
        BOBS,
    ],
    SECOND: [
        delete("1", author_id="ann"),
        EDIT,
        *[post("4", "bob", "2026-11-23T10:01:20.000Z")] * 2,
        like("l1", "bob", "2026-11-23T10:02:00.000Z", "2", "ann"),
        like("l2", "bob", "2026-11-23T10:02:00.000Z", "1", "ann"),
        like("l3", "bob", "2026-11-23T10:02:00.000Z", "2", "ann"),
        delete("l3"),
        metrics("2", "2026-11-24T02:00:00.000Z", author_id="ann", like_count=4),
    ],
}
# What to read of what a file wrote, in which order, and what must be there after the second hour.
WRITTEN = {
    "staging/arrivals.sql": (
        "kind, post_id, posted_date, copies",
        [
            ("delete", "1", None, "1"),
            ("delete", "l3", None, "1"),
            ("edit", "3", "2026-11-23", "1"),
            ("like", "l1", "likes", "1"),
            ("like", "l2", "likes", "1"),
            ("like", "l3", "likes", "1"),
            ("metrics", "2", "metrics", "1"),
            ("post", "4", "2026-11-23", "2"),
        ],
    ),
    "staging/touched_minutes.sql": (
        "kind, post_id, date_format(posted_minute, '%H:%i'), lines",
        [
            ("deleted", "1", "10:00", "0"),
            ("replaced", "3", "10:01", "0"),
            ("touched", None, "10:00", "1"),
            ("touched", None, "10:01", "2"),
        ],
    ),
    "marts/post_versions.sql": (
        "kind, post_id, posted_date, copies",
        [
            ("delete", "1", "corrections", "1"),
            ("delete", "l3", "corrections", "1"),
            ("deleted", "1", "2026-11-23", "0"),
            ("edit", "3", "2026-11-23", "1"),
            ("edit", "3", "corrections", "1"),
            ("like", "l1", "likes", "1"),
            ("like", "l2", "likes", "1"),
            ("like", "l3", "likes", "1"),
            ("metrics", "2", "metrics", "1"),
            ("post", "4", "2026-11-23", "2"),
        ],
    ),
    "marts/author_minutes.sql": (
        "author_id, date_format(posted_minute, '%H:%i'), posts, peak_at_posts, tail, original_posts",
        [
            ("ann", "10:00", "1", "1", "1", "0"),
            ("bob", "10:00", "1", "1", "1", "1"),
            ("bob", "10:01", "1", "2", "1", "1"),
        ],
    ),
    "marts/scoped_minutes.sql": (
        "author_id, author_handle, date_format(posted_minute, '%H:%i'), posts, peak_at_posts, tail",
        [
            ("ann", "ann", "10:00", "0", "0", "0"),
            ("ann", None, "10:02", "1", "1", "0"),
            ("bob", "bob", "10:00", "0", "0", "0"),
            ("bob", "bob", "10:01", "0", "0", "0"),
        ],
    ),
    "marts/author_ranking.sql": (
        "granularity, rank, author_id, posts, share, previous_rank, peak_60s, revision",
        [
            ("day", "0", None, "3", None, None, None, "2"),
            ("day", "1", "bob", "2", "0.666667", None, "2", "2"),
            ("day", "2", "ann", "1", "0.333333", None, "1", "2"),
        ],
    ),
}


RELATIONS = {"marts/author_ranking.sql": "author_ranking_revisions"}


@pytest.fixture(scope="module")
def done(aws):
    """The lake after both hours, and what each file wrote for the second."""
    lake = Lake(aws.client, Resources.of("relations", "123456789012")).create()
    lake.deliver(FIRST, GIVEN[FIRST])
    lake.rank([FIRST])
    lake.deliver(SECOND, GIVEN[SECOND])
    work = lake.ranking("second", [SECOND])
    assert work.begin()
    notes = work.arrived()
    lake.write("staging/arrivals.sql", work.arrivals(notes))
    lines = work.survey(notes)
    lake.write("staging/touched_minutes.sql", work.touched(notes))
    planned = work.layout(notes, lines)
    lake.write("marts/post_versions.sql", planned["post_versions"])
    work.point_versions(planned, notes)
    lake.write("marts/author_minutes.sql", planned["author_minutes"])
    work.point_minutes(planned)
    lake.write("marts/author_ranking.sql", planned["author_ranking"])
    work.point_ranking(planned)
    work.end()
    scoped = {"likes_since": "2026-11-23", "likes_until": "2026-12-23", "has_tag": False, "tag": ""}
    weights = {f"{name}_weight": int(name == "likes_received") for name in EVENTS}
    days = {"read_days": ["2026-11-23"], "include_reposts": True}
    table = work.run.scratch("scoped_minutes")
    location = f"s3://{lake.names.buckets['lake']}/staging/scoped/"
    lake.write("marts/scoped_minutes.sql", [{"table": table, "location": location, **scoped, **weights, **days}])
    return lake, work.run, planned


def _rows(lake: Lake, sql: str) -> list[tuple]:
    return [tuple(row.values()) for row in lake.rows(sql)]


def _sorted(rows: list[tuple]) -> list[tuple]:
    return sorted(rows, key=lambda row: tuple(str(cell) for cell in row))


@pytest.mark.parametrize("path", WRITTEN)
def test_a_written_relation_holds_what_is_expected(done, path):
    lake, run, _ = done
    columns, expected = WRITTEN[path]
    relation = RELATIONS.get(path, path.split("/")[1].removesuffix(".sql"))
    where = "where granularity = 'day'" if path == "marts/author_ranking.sql" else ""
    found = _rows(lake, f"select {columns} from {run.scratch(relation)} {where}")
    assert _sorted(found) == _sorted(expected)


def _answers(lake: Lake, run: Run, planned: dict) -> dict[str, tuple[str, list[tuple]]]:
    """Of the files that select, or make a view: the statement to ask, and what must come."""
    (export,) = planned["exports"]
    hashtags = {"first_day": "2026-11-23", "last_day": "2026-11-23", "all_networks": True, "networks_ranked": []}
    trend = {"window_hour": "2026-11-23T10"}
    interval = {"all_from": "2026-11-23T10:00:00Z", "all_to": "2026-11-23T11:00:00Z", "include_reposts": True}
    interval |= {"has_tag": False, "tag": ""}
    return {
        "ddl/posts.sql": (
            "select post_id, author_id from posts order by 1",
            [("2", "ann"), ("3", "bob"), ("4", "bob")],
        ),
        "ddl/newest_versions.sql": (
            "select post_id, kind, copy_rank from newest_versions order by 1",
            [("2", "post", "1"), ("3", "edit", "1"), ("4", "post", "1")],
        ),
        "ddl/likes.sql": (
            "select post_id, author_id, like_of, like_of_author from likes order by 1",
            [("l1", "bob", "2", "ann"), ("l2", "bob", "1", "ann")],
        ),
        "ddl/metrics_series.sql": (
            "select post_id, author_id, is_author, like_count, view_count from metrics_series",
            [("2", "ann", "false", "4", None)],
        ),
        "ddl/metrics.sql": ("select post_id, author_id, like_count from metrics", [("2", "ann", "4")]),
        "ddl/post_chains.sql": ("select version_id, post_id from post_chains", [("31", "3")]),
        "ddl/tombstones.sql": (
            "select network, post_id, is_author from tombstones order by 2",
            [("x", "1", "false"), ("x", "l3", "false")],
        ),
        "ddl/judged_versions.sql": (
            "select kind, post_id, posted_date, is_gone from judged_versions "
            " order by arrival_interval, kind = 'like', 1, 2, 3",
            [
                ("post", "1", "2026-11-23", "true"),
                ("post", "2", "2026-11-23", "false"),
                ("post", "3", "2026-11-23", "false"),
                ("delete", "1", "corrections", "false"),
                ("delete", "l3", "corrections", "false"),
                ("deleted", "1", "2026-11-23", "false"),
                ("edit", "3", "2026-11-23", "false"),
                ("edit", "3", "corrections", "false"),
                ("metrics", "2", "metrics", "false"),
                ("post", "4", "2026-11-23", "false"),
                ("like", "l1", "likes", "false"),
                ("like", "l2", "likes", "false"),
                ("like", "l3", "likes", "true"),
            ],
        ),
        "ddl/author_ranking.sql": (
            "select rank, author_id, posts, revision from author_ranking where granularity = 'day' order by rank",
            [("1", "bob", "2", "2"), ("2", "ann", "1", "2")],
        ),
        "staging/survey.sql": (
            render("staging/survey.sql", arrivals=run.scratch("arrivals")),
            [("delete", "2", "2"), ("edit", "1", "1"), ("like", "3", "3"), ("metrics", "1", "1"), ("post", "2", "1")],
        ),
        "staging/touched_days.sql": (
            render("staging/touched_days.sql", run="another", debt_runs=["owed"]),
            [("", "2026-11-23", "false", "2026-11-23 10:00:00.000", "2026-11-23 10:01:00.000", "3", "3")],
        ),
        "staging/touched_hours.sql": (
            render(
                "staging/touched_hours.sql",
                debt_runs=["owed"],
                touched_from="2026-11-16T10:00:00Z",
                touched_to="2026-11-23T11:00:00Z",
            ),
            [("2026-11-23T10:00:00",)],
        ),
        "exports/ranked_authors.sql": (
            f"select rank, author_id from ({render('exports/ranked_authors.sql', **export)}) where granularity = 'day'",
            [("0", None), ("1", "bob"), ("2", "ann")],
        ),
        "exports/taken_out.sql": (render("exports/taken_out.sql", **export), [("6", "1", "2", "1", "3")]),
        "exports/hashtags.sql": (
            render("exports/hashtags.sql", limit=10, **hashtags, **interval),
            [("rain", "1", "1", "9.0"), ("sun", "1", "1", "9.0")],
        ),
        "exports/hashtag_days.sql": (
            render("exports/hashtag_days.sql", limit=1, **hashtags, **interval),
            [("2026-11-23", "1", "rain", "1")],
        ),
        "exports/posts_by_type.sql": (
            render("exports/posts_by_type.sql", **hashtags, **interval),
            [("2026-11-23", "original", "2", "1", "9.0"), ("2026-11-23", "repost", "1", "1", "9.0")],
        ),
        "exports/author_lengths.sql": (
            render("exports/author_lengths.sql", limit=10, **hashtags, **interval),
            [("x", "bob", "2", "9.0"), ("x", "ann", "1", "9.0")],
        ),
        "exports/cascades.sql": (
            "select root_id, author_id, posts, reposts, quotes, depth, width"
            f" from ({render('exports/cascades.sql', limit=10, **hashtags, **interval)})",
            [("9", None, "1", "1", "0", "1", "1")],
        ),
        "exports/busiest.sql": (
            render("exports/busiest.sql", limit=10, arrival_from="2026-11-22", **hashtags, **interval),
            [],
        ),
        "exports/trending_hashtags.sql": (
            f"select rank, hashtag, posts from ({render('exports/trending_hashtags.sql', **trend)}) order by rank",
            [("1", "rain", "1"), ("2", "sun", "1")],
        ),
        "labels/arrived_posts.sql": (
            "select arrival_interval, post_id, author_id, text, hashtags, is_gone from "
            f"({render('labels/arrived_posts.sql', days=['2026-11-23'], arrival_hours=[FIRST, SECOND])}) order by 1, 2",
            [
                (FIRST, "2", "ann", "text of 2", None, "false"),
                (SECOND, "1", None, None, None, "true"),
                (SECOND, "3", "bob", "text of 3", '["Rain","sun"]', "false"),
                (SECOND, "4", "bob", "text of 4", None, "false"),
            ],
        ),
        "labels/day_texts.sql": (
            render("labels/day_texts.sql", day="2026-11-23"),
            [(None, "text of 3"), (None, "text of 4")],
        ),
        "labels/deleted_posts.sql": (
            render("labels/deleted_posts.sql", first_hour=SECOND),
            [("x", "1", None, "2026-11-24 05:00:00.000"), ("x", "l3", None, "2026-11-24 05:00:00.000")],
        ),
        "labels/reduced_days.sql": (
            render("labels/reduced_days.sql", days=["2026-11-23"]),
            [(SECOND, "2026-11-23")],
        ),
        "maintenance/redaction_candidates.sql": (
            render("maintenance/redaction_candidates.sql"),
            [(FIRST, "2026-11-23", "x", "1", "false"), (SECOND, "likes", "x", "l3", "false")],
        ),
        "maintenance/deleted_among.sql": (
            render("maintenance/deleted_among.sql", post_ids=["1", "2", "author:ann"]),
            [("x", "1", "2026-11-24 05:00:00.000", "false")],
        ),
        "queries/lines_by_arrival_hour.sql": (
            render("queries/lines_by_arrival_hour.sql"),
            [
                ("2026-11-24", "02", "x", "delete", "2", "2"),
                ("2026-11-24", "02", "x", "edit", "1", "1"),
                ("2026-11-24", "02", "x", "like", "3", "3"),
                ("2026-11-24", "02", "x", "metrics", "1", "1"),
                ("2026-11-24", "02", "x", "post", "2", "1"),
                ("2026-11-24", "01", "x", "post", "4", "3"),
            ],
        ),
        "queries/newest_ranking.sql": (
            f"select rank, author_name, posts, share, previous_rank from ({render('queries/newest_ranking.sql')})",
            [("1", None, "2", "0.666667", None), ("2", "Ann", "1", "0.333333", None)],
        ),
        "queries/ranking_debt.sql": (
            render("queries/ranking_debt.sql"),
            [("2026-11-23", "2", "3", "1")],
        ),
        "queries/rising_hashtags.sql": (
            f"select rank, hashtag, posts, authors from ({render('queries/rising_hashtags.sql')})",
            [("1", "rain", "1", "1"), ("2", "sun", "1", "1")],
        ),
    }


ANSWERED = (
    "ddl/author_ranking.sql",
    "ddl/judged_versions.sql",
    "ddl/likes.sql",
    "ddl/metrics.sql",
    "ddl/metrics_series.sql",
    "ddl/newest_versions.sql",
    "ddl/post_chains.sql",
    "ddl/posts.sql",
    "ddl/tombstones.sql",
    "exports/author_lengths.sql",
    "exports/busiest.sql",
    "exports/cascades.sql",
    "exports/hashtag_days.sql",
    "exports/hashtags.sql",
    "exports/posts_by_type.sql",
    "exports/ranked_authors.sql",
    "exports/taken_out.sql",
    "exports/trending_hashtags.sql",
    "labels/arrived_posts.sql",
    "labels/day_texts.sql",
    "labels/deleted_posts.sql",
    "labels/reduced_days.sql",
    "maintenance/deleted_among.sql",
    "maintenance/redaction_candidates.sql",
    "queries/lines_by_arrival_hour.sql",
    "queries/newest_ranking.sql",
    "queries/ranking_debt.sql",
    "queries/rising_hashtags.sql",
    "staging/survey.sql",
    "staging/touched_days.sql",
    "staging/touched_hours.sql",
)


@pytest.fixture(scope="module")
def trending(done):
    """The hour's hashtags, ranked and pointed at."""
    lake, _, _ = done
    work = lake.trends("trends")
    hour = hour_of("2026-11-23T10:00:00Z")
    assert work.begin()
    lake.write("marts/hashtag_ranking.sql", work.plan([hour], 10))
    work.point([hour], {})
    work.end()


@pytest.fixture(scope="module")
def owing(done):
    """A run's debt that nobody has paid yet."""
    lake, run, _ = done
    location = lake.catalogue.location(run.scratch("touched_minutes"))
    for debt in ("touched_minutes", "hashtag_debt"):
        lake.catalogue.point(debt, [Partition(("owed",), location)])


@pytest.mark.parametrize("path", ANSWERED)
def test_a_question_is_answered_with_what_is_expected(done, trending, owing, path):
    statement, expected = _answers(*done)[path]
    assert _rows(done[0], statement) == expected


# By relation: its columns, and what makes rows wrong: another value of some columns, or fewer or more rows.
COLUMNS = {
    "post_versions": "arrival_interval, kind, network, post_id, author_id, posted_at, posted_date",
    "author_minutes": (
        "network, author_id, posted_minute, posts, peak_at_posts, tail, original_posts, original_peak_at_posts,"
        " posted_date"
    ),
    "scoped_minutes": "network, author_id, posted_minute, posts, peak_at_posts, tail, posted_date",
    "author_ranking": "granularity, window_start, window_end, network_scope, rank, posts, share",
    "hashtag_ranking": "rank, hashtag, posts, authors, burst",
}
WRONG = [
    ("post_versions", {}, "union all select {columns} from {table}"),
    ("post_versions", {"post_id": "cast(null as varchar)"}, ""),
    ("post_versions", {"network": "cast(null as varchar)"}, ""),
    ("post_versions", {"author_id": "cast(null as varchar)"}, ""),
    ("post_versions", {"posted_at": "cast(null as timestamp(3))"}, ""),
    ("post_versions", {"posted_at": "date_add('day', 1, posted_at)"}, ""),
    ("author_minutes", {}, "union all select {columns} from {table}"),
    ("author_minutes", {"posted_date": "'2026-11-22'"}, ""),
    ("author_minutes", {"posts": "0", "tail": "0", "original_posts": "0"}, ""),
    ("author_minutes", {"peak_at_posts": "0", "original_peak_at_posts": "0"}, ""),
    ("author_minutes", {"tail": "posts + 1"}, ""),
    ("author_minutes", {"original_posts": "posts + 1"}, ""),
    ("author_minutes", {"original_peak_at_posts": "peak_at_posts + 1"}, ""),
    ("scoped_minutes", {}, "union all select {columns} from {table}"),
    ("scoped_minutes", {"author_id": "cast(null as varchar)"}, ""),
    ("scoped_minutes", {"posted_date": "'2026-11-22'"}, ""),
    ("scoped_minutes", {"posts": "-1"}, ""),
    ("scoped_minutes", {"tail": "posts + 1"}, ""),
    ("scoped_minutes", {"peak_at_posts": "tail - 1"}, ""),
    ("author_ranking", {}, "where rank <> 1"),
    ("author_ranking", {}, "where rank > 0"),
    ("author_ranking", {"posts": "case when rank = 0 then posts - 1 else posts end"}, ""),
    ("author_ranking", {"posts": "case when rank > 0 then 0 else posts end"}, ""),
    ("author_ranking", {"share": "case when rank > 0 then 1.5e0 end"}, ""),
    ("hashtag_ranking", {}, "where rank <> 1"),
    ("hashtag_ranking", {"burst": "cast(rank as double)"}, ""),
    ("hashtag_ranking", {"hashtag": "'rain'"}, ""),
    ("hashtag_ranking", {"hashtag": "upper(hashtag)"}, ""),
    ("hashtag_ranking", {"posts": "0", "authors": "0"}, ""),
    ("hashtag_ranking", {"authors": "posts + 1"}, ""),
]


@pytest.mark.parametrize("relation", COLUMNS)
def test_the_check_of_a_relation_finds_nothing_in_it(done, trending, relation):
    lake, run, _ = done
    require_empty(lake.athena, relation, [render(f"checks/{relation}.sql", table=_table(run, relation))])


@pytest.mark.parametrize(("relation", "values", "rows"), WRONG, ids=lambda part: str(part)[:60])
def test_the_check_of_a_relation_finds_what_is_wrong_in_it(done, trending, relation, values, rows):
    lake, run, _ = done
    table = _table(run, relation)
    columns = [f"{values.get(name, name)} as {name}" for name in COLUMNS[relation].split(", ")]
    rest = rows.format(columns=", ".join(columns), table=table)
    lake.athena.run(f"create or replace view broken_{relation} as select {', '.join(columns)} from {table} {rest}")
    with pytest.raises(CheckFailed, match=f"the check of {relation} found"):
        require_empty(lake.athena, relation, [render(f"checks/{relation}.sql", table=f"broken_{relation}")])


def _table(run: Run, relation: str) -> str:
    """Where the rows of a relation are that the second run wrote."""
    return relation if relation == "hashtag_ranking" else run.scratch(RELATIONS.get(f"marts/{relation}.sql", relation))


def test_the_maintenance_of_relations_writes_what_is_expected(done):
    """In the order in which a day brings it; the last test of this lake, since it changes it."""
    lake, _, _ = done
    gathering = compaction(lake, "relations", as_of=AS_OF + timedelta(days=1))
    lake.write("maintenance/settled_ranking.sql", (settled := gathering.settle(timedelta(0))))
    rows = "select rank, author_id, posts, revision from {} where granularity = 'day' order by rank"
    assert _rows(lake, rows.format(settled[0]["table"])) == [
        ("0", None, "3", "2"),
        ("1", "bob", "2", "2"),
        ("2", "ann", "1", "2"),
    ]
    work = redaction(lake, "relations")
    plan = work.plan()
    lake.write("maintenance/redacted_versions.sql", plan.statements)
    kinds = "select kind, post_id, author_id, text, copies from {} order by post_id"
    assert _rows(lake, kinds.format(plan.statements[0]["table"])) == [
        ("redacted_post", "1", None, None, "1"),
        ("post", "2", "ann", "text of 2", "2"),
        ("post", "3", "bob", "text of 3", "1"),
        ("like", "l1", "bob", None, "1"),
        ("like", "l2", "bob", None, "1"),
        ("redacted_like", "l3", None, None, "1"),
    ]
    work.begin()
    work.finish()
    owed = {"table": "owed", "location": f"s3://{lake.names.buckets['lake']}/staging/owed/"}
    (hours,) = ({"arrival_hours": one["arrival_hours"], "days": one["days"]} for one in plan.statements)
    lake.athena.run(render("maintenance/owed_minutes.sql", **owed, **hours))
    assert _rows(lake, "select posted_date, date_format(posted_minute, '%H:%i'), lines from owed") == [
        ("2026-11-23", "10:00", "1")
    ]
    (compacted,) = [one for one in gathering.plan(many=0) if one["relation"] == "author_minutes"]
    lake.write("maintenance/compacted.sql", [compacted])
    assert _rows(lake, f"select count(*) from {compacted['table']}") == [("3",)]
    assert _rows(lake, render("checks/compacted.sql", **compacted)) == []
    lost = {**compacted, "table": "broken_compacted"}
    lake.athena.run(f"create or replace view broken_compacted as select * from {compacted['table']} where posts > 9")
    assert _rows(lake, render("checks/compacted.sql", **lost)) == [("2026-11-23/2026-11-23", "3", None)]
    told = {"network": "x", "author_id": "ann", "kind": "tumbling", "final": True, "posts": 7}
    put(lake, "raw_author_windows", FIRST, [{**told, "window_start": "2026-11-23T10:00:00.000Z"}])
    hour = hour_of("2026-11-23T10:00:00Z")
    with pytest.raises(Exception, match=r"author_id ann, .* stream_posts 7, lake_posts 1, redacted_posts 1"):
        comparison(lake).hold(hour, hour.replace(hour=11), settled=hour.replace(day=24))


@pytest.mark.parametrize("path", sorted(SQL.rglob("*.sql")), ids=lambda path: path.name)
def test_a_value_gets_into_a_statement_as_a_literal_or_not_at_all(path):
    tree = jinja2.Environment().parse(path.read_text(encoding="utf-8"))
    words = [part for output in tree.find_all(nodes.Output) for part in output.nodes]
    values = [part for part in words if not isinstance(part, nodes.TemplateData)]
    assert all(isinstance(part, nodes.Filter) and part.name in {*FILTERS} for part in values)
    assert not list(tree.find_all((nodes.If, nodes.For, nodes.Macro)))


WINDOWS = ("-- check of the stream's windows: ", "-- check of Spark's windows: ")


def test_every_file_is_tested_here_says_its_grain_first_and_every_table_has_a_check():
    folders = ("ddl", "staging", "marts", "checks", "exports", "labels", "maintenance")
    files = {str(path.relative_to(SQL)) for folder in folders for path in (SQL / folder).glob("*.sql")}
    below = {"marts/hashtag_ranking.sql", "ddl/stored_windows.sql", "ddl/logs.sql", "ddl/originals.sql"}
    below |= {"checks/stream_windows.sql", "checks/spark_windows.sql"}
    below |= {
        f"maintenance/{name}.sql"
        for name in ("compacted", "owed_minutes", "redacted_versions", "scrubbed_among", "settled_ranking")
    }
    below |= {
        f"checks/{name}.sql"
        for name in (
            *("author_minutes", "author_ranking", "compacted", "hashtag_ranking", "post_versions"),
            "scoped_minutes",
        )
    }
    questions = {path for path in ANSWERED if path.startswith("queries/")}
    assert files == {*WRITTEN, *ANSWERED, *below} - questions
    for path in files:
        first = (SQL / path).read_text(encoding="utf-8").split("\n", 1)[0]
        name = path.split("/")[1].removesuffix(".sql")
        assert first.startswith((f"-- {name}: ", f"-- check of {name}: ", *WINDOWS)), path
    assert {f"checks/{path.split('/')[1]}" for path in files if path.startswith("marts/")} <= files
