"""Buttons of tasks, and the pages that they lead to, on what a run really left on the local AWS."""

from urllib.parse import parse_qs, urlsplit

import pytest

from postrank.aws.glue import Catalogue, Partition
from tests.dags.conftest import NAMES
from tests.support.lake.ranked_lake import post

HOUR = "2026-11-25T01"
INTERVAL = {"interval_start": "2026-11-25T00:00:00Z", "interval_end": "2026-11-25T01:00:00Z"}


@pytest.fixture(scope="module")
def ranked(aws, deliver, run_dag):
    """A ranking by hand."""
    deliver(HOUR, [post("links", "ann", "2026-11-25T00:10:00.000Z")], name="links")
    location = f"s3://{NAMES.buckets['raw']}/raw/posts/dt={HOUR[:10]}/hour={HOUR[11:]}/"
    Catalogue(aws.client("glue"), NAMES.database).point("raw_posts", [Partition((HOUR[:10], HOUR[11:]), location)])
    run = run_dag("rank_authors", **INTERVAL)
    assert run.state == "success"
    return run


@pytest.fixture
def pages():
    from postrank_airflow.ui.evidence import app

    return app


def _uri(link: str) -> str:
    return parse_qs(urlsplit(link).query)["uri"][0]


def test_a_statement_links_to_a_page_with_its_text_and_its_state(ranked, pages):
    link = ranked.link("author_ranking", "QueryLink", 0)
    assert link.startswith("/postrank/aws/rank_authors/queries/")
    page = pages.query_page("rank_authors", link.rsplit("/", 1)[1])
    body = page.body.decode()
    assert "SUCCEEDED" in body
    assert "-- author_ranking: one row per granularity" in body

    assert page.headers["content-security-policy"].startswith("default-src 'none'")


def test_a_statement_is_shown_for_the_dag_that_ran_it_only(ranked, pages):
    query = ranked.link("author_ranking", "QueryLink", 0).rsplit("/", 1)[1]
    with pytest.raises(pages.NotShown):
        pages.query_page("trending_topics", query)


def test_an_export_links_to_its_objects_and_to_the_leaderboard(ranked, pages):
    uri = _uri(ranked.link("publish_ranking", "ObjectsLink"))
    listing = pages.objects_page("rank_authors", uri).body.decode()
    assert "manifest.json" in listing
    assert "granularity=hour/ranked_authors.parquet" in listing
    assert "&quot;interval&quot;" in pages.object_page("rank_authors", f"{uri}manifest.json").body.decode()
    assert "binary" in pages.object_page("rank_authors", f"{uri}granularity=hour/ranked_authors.parquet").body.decode()
    run = uri.rstrip("/").rsplit("run=", 1)[1]
    assert ranked.link("publish_ranking", "LeaderboardLink") == f"/postrank/leaderboard?run={run}"
    assert ranked.link("write_report", "ReportLink") == f"/postrank/runs/{run}/report"


@pytest.mark.parametrize("bucket", ["raw", "lake", "results"])
@pytest.mark.parametrize("dag_id", ["rank_authors", "check_delivery", "nothing"])
def test_objects_beyond_what_a_dag_exported_are_not_shown(pages, bucket, dag_id):
    for key in ("", "raw/posts/", "post_versions/", "trends/", "rankings/../raw"):
        with pytest.raises(pages.NotShown, match="is not among the objects"):
            pages.objects_page(dag_id, f"s3://{NAMES.buckets[bucket]}/{key}")


def test_a_task_that_wrote_nothing_has_no_button(run_dag, ranked):
    idle = run_dag("rank_authors", interval_start=None, interval_end=None)
    assert not idle.link("publish_ranking", "ObjectsLink")
    assert not idle.link("publish_ranking", "LeaderboardLink")
