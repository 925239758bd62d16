"""A deletion whose response is lost, or that is made twice, fails no client in a way that AWS would not."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError

from localaws.testing.deletions import DELETIONS, Deletion, alarm, stream
from localaws.testing.losing_proxy import LosingProxy, first_attempts, losing_proxy
from localaws.testing.server import LocalAws
from localaws.testing.streams import read_all, settled, unique
from localaws.testing.waiting import wait_for


@pytest.fixture(scope="module")
def lossy(aws: LocalAws) -> Iterator[LosingProxy]:
    """A proxy that loses the response of the first attempt at each call."""
    with losing_proxy(urlsplit(aws.endpoint).port, first_attempts()) as proxy:
        yield proxy


def retry_at_once(caught_exception: Exception | None, **_: Any) -> int | None:
    """The pause before a retry of botocore's: none."""
    return 0 if isinstance(caught_exception, HTTPClientError) else None


def through(proxy: LosingProxy, aws: LocalAws, service: str) -> Any:
    """A client behind the proxy that retries lost connections."""
    client = aws.client(service, endpoint_url=proxy.url, config=Config(retries={"max_attempts": 3}))
    client.meta.events.register_first("needs-retry", retry_at_once)
    return client


@pytest.mark.parametrize("deletion", DELETIONS, ids=str)
def test_a_deletion_whose_response_was_lost_succeeds_when_it_is_retried(aws, lossy, deletion: Deletion):
    params = deletion.make(aws)
    losses = len(lossy.lost)
    response = getattr(through(lossy, aws, deletion.service), deletion.method)(**params)
    assert len(lossy.lost) == losses + 1
    assert not response.get("Errors")
    assert not response.get("Unsuccessful")


@pytest.mark.parametrize("deletion", DELETIONS, ids=str)
def test_a_second_deletion_has_the_error_that_clients_take_for_gone(aws, deletion: Deletion):
    params = deletion.make(aws)
    delete = getattr(aws.client(deletion.service), deletion.method)
    delete(**params)
    wait_for(lambda: deletion.is_gone(aws, params), what=f"{deletion} to end")
    assert error_code(delete, params) == deletion.gone


def error_code(method: Any, params: dict[str, Any]) -> str:
    try:
        method(**params)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return ""


def test_absent_vpc_endpoints_are_listed_as_unsuccessful(aws):
    (absent,) = aws.client("ec2").delete_vpc_endpoints(VpcEndpointIds=["vpce-0123456789"])["Unsuccessful"]
    assert (absent["ResourceId"], absent["Error"]["Code"]) == ("vpce-0123456789", "InvalidVpcEndpointId.NotFound")


def test_a_creation_whose_response_was_lost_is_not_made_twice(aws, lossy):
    name = unique("table")
    client = through(lossy, aws, "glue")
    client.create_database(DatabaseInput={"Name": name})
    queries = through(lossy, aws, "athena")
    created = queries.create_named_query(Name=name, Database=name, QueryString="select 1", ClientRequestToken=name * 3)
    ids = aws.client("athena").list_named_queries()["NamedQueryIds"]
    assert [item for item in ids if item == created["NamedQueryId"]] == [created["NamedQueryId"]]
    instance = through(lossy, aws, "ec2").create_volume(AvailabilityZone="us-east-1a", Size=3)["VolumeId"]
    sized = aws.client("ec2").describe_volumes(Filters=[{"Name": "size", "Values": ["3"]}])["Volumes"]
    assert [volume["VolumeId"] for volume in sized] == [instance]


def test_records_that_are_put_again_are_there_twice_as_on_aws(aws, lossy):
    kinesis = aws.client("kinesis")
    name = stream(aws)["StreamName"]
    settled(kinesis, name)
    through(lossy, aws, "kinesis").put_record(StreamName=name, PartitionKey="a", Data=b"once")
    records = [record["Data"] for shard in read_all(kinesis, name).values() for record in shard]
    assert records == [b"once", b"once"]


def test_alarms_that_many_delete_at_once_are_deleted_without_an_error(aws):
    names = [alarm(aws)["AlarmNames"][0] for _ in range(20)]
    cloudwatch = aws.client("cloudwatch")

    def delete(first: int) -> dict[str, Any]:
        return cloudwatch.delete_alarms(AlarmNames=[*names[first:], *names[:first]])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(delete, range(20)))
    assert cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"] == []


def test_alarms_with_correct_names_are_deleted_beside_incorrect_ones(aws):
    """Page "DeleteAlarms"."""
    (name,) = alarm(aws)["AlarmNames"]
    cloudwatch = aws.client("cloudwatch")
    cloudwatch.delete_alarms(AlarmNames=["never", name])
    assert cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"] == []


def test_an_alarm_stays_while_a_composite_alarm_depends_on_it(aws):
    """Page "DeleteAlarms": composites first, one a call."""
    cloudwatch = aws.client("cloudwatch")
    (name,) = alarm(aws)["AlarmNames"]
    composites = [unique("composite"), unique("composite")]
    for composite in composites:
        cloudwatch.put_composite_alarm(AlarmName=composite, AlarmRule=f'ALARM("{name}")')
    assert error_code(cloudwatch.delete_alarms, {"AlarmNames": [name]}) == "ValidationError"
    assert error_code(cloudwatch.delete_alarms, {"AlarmNames": composites}) == "ValidationError"
    assert len(cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]) == 1
    for composite in composites:
        cloudwatch.delete_alarms(AlarmNames=[composite])
    cloudwatch.delete_alarms(AlarmNames=[name])
