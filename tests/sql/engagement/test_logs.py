"""Requests of logs in the lake: counted as arrived, in the view and the named queries, and in no ranking."""

from tests.support.lake.ranked_lake import Lake, post, render

HOUR = "2026-11-24T01"


def request(number: int, second: int, **fields):
    at = f"2026-11-24T00:{second // 60:02d}:{second % 60:02d}.000Z"
    usual = {"host": "192.0.2.7", "method": "GET", "path": "/", "status": 200, "bytes": 10}
    event = {"kind": "log", "network": "web", "post_id": f"f-{number}", "posted_at": at, **usual, **fields}
    return {**event, "received_at": "2026-11-24T01:00:00.000Z", "collector": "c"}


REQUESTS = [
    request(1, 0, path="/a?x=1"),
    request(2, 10, path="/a?x=2", host="192.0.2.8"),
    request(3, 70, status=503, path="/b"),
    request(4, 130, status=500, path="/b", bytes=None),
    request(4, 130, status=500, path="/b", bytes=None),  # delivered twice
    request(5, 140, status=404, host="192.0.2.8"),
]


def test_requests_are_counted_and_queried_and_change_no_ranking(lake: Lake) -> None:
    lake.deliver(HOUR, [post("1", "ann", "2026-11-24T00:10:00.000Z"), *REQUESTS])
    manifest = lake.rank([HOUR])
    assert (manifest["post_lines"], manifest["posts"]) == (1, 1)
    assert lake.rows("select count(*) as versions from post_versions") == [{"versions": "1"}]
    assert lake.rows("select count(*) as requests from logs") == [{"requests": "5"}]
    hosts = lake.rows(render("queries/busiest_hosts.sql"))
    assert [(row["rank"], row["host"], row["requests"], row["server_errors"]) for row in hosts] == [
        ("1", "192.0.2.7", "3", "2"),
        ("2", "192.0.2.8", "2", "0"),
    ]
    paths = lake.rows(render("queries/busiest_paths.sql"))
    assert [(row["path"], row["requests"], row["hosts"]) for row in paths] == [
        ("/a", "2", "2"),
        ("/b", "2", "1"),
        ("/", "1", "1"),
    ]
    minutes = lake.rows(render("queries/statuses_by_minute.sql"))
    assert [(row["window_start"][14:16], row["status"], row["requests"]) for row in minutes] == [
        ("00", "200", "2"),
        ("01", "503", "1"),
        ("02", "404", "1"),
        ("02", "500", "1"),
    ]


def test_hosts_and_paths_of_an_interval_are_ranked_as_a_whole_and_by_day(lake: Lake) -> None:
    yesterday = {"posted_at": "2026-11-23T23:59:59.999Z"}
    outside = request(9, 0, posted_at="2026-11-25T00:00:00.000Z", host="198.51.100.1")
    lake.deliver(HOUR, [*REQUESTS, request(8, 0, status=400, **yesterday), outside, request(7, 0, network="intranet")])
    lake.rank([HOUR])
    scope = {
        "arrival_from": "2026-11-22",
        "all_from": "2026-11-23T00:00:00Z",
        "all_to": "2026-11-25T00:00:00Z",
        "all_networks": False,
        "networks_ranked": ["web"],
    }
    rows = lake.rows(render("exports/busiest.sql", limit=2, **scope))
    columns = ("kind", "posted_date", "rank", "name", "requests", "client_errors", "server_errors", "others", "bytes")
    assert [tuple(row[name] for name in columns) for row in rows] == [
        ("host", None, "1", "192.0.2.7", "4", "1", "2", "3", "30"),
        ("host", None, "2", "192.0.2.8", "2", "1", "0", "2", "20"),
        ("host", "2026-11-23", "1", "192.0.2.7", "1", "1", "0", "1", "10"),
        ("host", "2026-11-24", "1", "192.0.2.7", "3", "0", "2", "2", "20"),
        ("host", "2026-11-24", "2", "192.0.2.8", "2", "1", "0", "2", "20"),
        ("path", None, "1", "/", "2", "2", "0", "2", "20"),
        ("path", None, "1", "/a", "2", "0", "0", "2", "20"),
        ("path", "2026-11-23", "1", "/", "1", "1", "0", "1", "10"),
        ("path", "2026-11-24", "1", "/a", "2", "0", "0", "2", "20"),
        ("path", "2026-11-24", "1", "/b", "2", "0", "2", "1", "10"),
    ]


def test_server_errors_slide_by_a_minute_over_five(lake: Lake) -> None:
    lake.deliver(HOUR, REQUESTS)
    lake.rank([HOUR])
    rows = lake.rows(render("queries/server_errors.sql"))
    assert [(row["window_start"][11:16], row["window_end"][11:16], row["errors"]) for row in rows] == [
        ("23:57", "00:02", "1"),
        ("23:58", "00:03", "2"),
        ("23:59", "00:04", "2"),
        ("00:00", "00:05", "2"),
        ("00:01", "00:06", "2"),
        ("00:02", "00:07", "1"),
    ]
