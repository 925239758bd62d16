"""A statement over more than fits into memory goes to disk; one over more than fits there fails, and nothing is left.

"Query exhausted resources at this scale factor" is Athena's word for it ("Troubleshooting in Athena").
"""

import threading

import pytest

from localaws.testing.athena.queries import Queries
from localaws.testing.patience import patient
from localaws.testing.server import running_localaws

ROWS = 400_000  # of some 100 bytes: more than the memory below holds
SORTED = (
    "select count(*), max(place) from (select t, row_number() over (order by t) as place from ("
    "select to_hex(sha256(to_utf8(cast(x as varchar)))) as t from ("
    "select 1000 * a.x + b.x as x from unnest(sequence(1, {rows} / 1000)) as a (x)"
    " cross join unnest(sequence(1, 1000)) as b (x))))"
)
MEMORY = "50MB"


def _size(path):
    try:
        return path.stat().st_size
    except FileNotFoundError:  # the engine deletes while the test looks
        return 0


def _spilled(server):
    return sum(_size(path) for path in (server.state / "athena" / "scratch").rglob("spill/*"))


@pytest.mark.timeout(patient(240))
def test_a_sort_over_more_than_fits_spills_and_cleans_up(tmp_path):
    with running_localaws(tmp_path, env={"LOCALAWS_ATHENA_MEMORY": MEMORY}) as server:
        queries, seen, ended = Queries(server.client, patience=200).create(), [0], threading.Event()

        def look():
            while not ended.wait(0.01):
                seen.append(_spilled(server))

        looking = threading.Thread(target=look)
        looking.start()
        try:
            assert queries.rows(SORTED.format(rows=ROWS)) == [[str(ROWS), str(ROWS)]]
        finally:
            ended.set()
            looking.join()
        assert max(seen) > 1_000_000
        assert _spilled(server) == 0


@pytest.mark.timeout(patient(240))
def test_a_statement_over_the_limit_on_disk_fails_and_the_next_one_runs(tmp_path):
    limits = {"LOCALAWS_ATHENA_MEMORY": MEMORY, "LOCALAWS_ATHENA_SPILL": "1MB"}
    with running_localaws(tmp_path, env=limits) as server:
        queries = Queries(server.client, patience=200).create()
        reason = queries.failure(SORTED.format(rows=ROWS))  # which succeeds above, with room on disk
        assert reason == "EXCEEDED_MEMORY_LIMIT: Query exhausted resources at this scale factor"
        assert _spilled(server) == 0
        assert queries.rows("select 1") == [["1"]]


def test_what_a_killed_server_spilled_is_gone_when_the_engine_starts_again(tmp_path):
    left = tmp_path / "state" / "athena" / "scratch" / "spill" / "duckdb_temp_storage_DEFAULT-0.tmp"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"x" * 1000)
    with running_localaws(tmp_path) as server:
        assert Queries(server.client).create().rows("select 1") == [["1"]]
        assert not left.exists()
