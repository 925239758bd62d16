"""What was acknowledged outlives the process: finished executions and their results, saved statements, workgroups."""

from localaws.testing.athena.queries import ENDLESS, Queries
from localaws.testing.server import running_localaws


def test_executions_outlive_a_kill_and_unfinished_ones_fail(tmp_path):
    with running_localaws(tmp_path) as first:
        queries = Queries(first.client).create()
        table = queries.json_table("n bigint", {"a.json": [{"n": 1}]})
        done = queries.ok(f"select n from {table}")
        first.client("athena").create_work_group(Name="kept")
        first.client("athena").create_prepared_statement(
            StatementName="p", WorkGroup="primary", QueryStatement="select 7"
        )
        cut_off = queries.start(ENDLESS)
        first.kill()
    with running_localaws(tmp_path) as second:
        queries = Queries(second.client)
        assert queries.result(queries.ended(done["QueryExecutionId"]))[1] == [["1"]]
        assert queries.ended(cut_off)["Status"]["State"] == "FAILED"
        assert queries.ended(cut_off)["Status"]["AthenaError"]["ErrorCategory"] == 1
        assert queries.rows("execute p") == [["7"]]
        assert second.client("athena").get_work_group(WorkGroup="kept")["WorkGroup"]["State"] == "ENABLED"


def test_stops_in_time_while_a_query_runs(tmp_path):
    with running_localaws(tmp_path) as running:
        Queries(running.client).create().start(ENDLESS)
        assert running.stop() == 0
