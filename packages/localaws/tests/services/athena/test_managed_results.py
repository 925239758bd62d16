"""Workgroups whose results Athena manages ("Managed query results"): no bucket, and only GetQueryResults reads them."""

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from localaws.testing.athena.queries import DATA, RESULTS


@pytest.fixture
def managed(queries) -> Iterator[dict[str, object]]:
    """Options of a statement that runs in such a workgroup."""
    athena = queries.client("athena")
    athena.create_work_group(Name="managed", Configuration={"ManagedQueryResultsConfiguration": {"Enabled": True}})
    yield {"WorkGroup": "managed", "ResultConfiguration": {}}
    athena.delete_work_group(WorkGroup="managed", RecursiveDeleteOption=True)


def test_managed_results_have_no_address_and_are_read_over_the_api(queries, managed):
    execution = queries.ok("select 1 as n, 'x' as t", **managed)
    assert "OutputLocation" not in execution["ResultConfiguration"]
    assert execution["ManagedQueryResultsConfiguration"] == {"Enabled": True}
    assert queries.result(execution)[1] == [["1", "x"]]


def test_a_request_cannot_name_a_location_for_managed_results(queries, managed):
    athena = queries.client("athena")
    with pytest.raises(ClientError, match="OutputLocation cannot be set"):
        athena.start_query_execution(
            QueryString="select 1", WorkGroup="managed", ResultConfiguration={"OutputLocation": f"s3://{RESULTS}/out/"}
        )
    configuration = {
        "ManagedQueryResultsConfiguration": {"Enabled": True},
        "ResultConfiguration": {"OutputLocation": f"s3://{RESULTS}/out/"},
    }
    with pytest.raises(ClientError, match="cannot have an OutputLocation"):
        athena.create_work_group(Name="managed-too", Configuration=configuration)


def test_a_table_needs_a_location_of_its_own_where_results_are_managed(queries, managed):
    assert "external_location" in queries.failure("create table managed_nowhere as select 1 as n", **managed)
    location = f"s3://{DATA}/managed_table/"
    execution = queries.ok(
        f"create table managed_table with (external_location = '{location}') as select 1 as n", **managed
    )
    assert "DataManifestLocation" not in execution["Statistics"]
    assert queries.rows("select n from managed_table") == [["1"]]


def test_a_workgroup_changes_from_managed_results_to_a_bucket(queries, managed):
    athena = queries.client("athena")
    before = queries.ok("select 1 as n", **managed)
    athena.update_work_group(
        WorkGroup="managed",
        ConfigurationUpdates={
            "ManagedQueryResultsConfigurationUpdates": {"Enabled": False},
            "ResultConfigurationUpdates": {"OutputLocation": f"s3://{RESULTS}/out/"},
        },
    )
    after = queries.ok("select 2 as n", **managed)
    assert after["ResultConfiguration"]["OutputLocation"].startswith(f"s3://{RESULTS}/out/")
    assert queries.result(before)[1] == [["1"]]
