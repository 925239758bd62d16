"""Metrics, as the CloudWatch API reference describes them."""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from localaws.testing.server import running_localaws
from localaws.testing.streams import unique

DIMENSIONS = [{"Name": "Host", "Value": "a"}]


@pytest.fixture(scope="module")
def cloudwatch(tmp_path_factory):
    with running_localaws(tmp_path_factory.mktemp("localaws")) as aws:
        yield aws.client("cloudwatch")


@pytest.fixture
def namespace():
    return unique("Test")


def minute(back=0):
    return datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=back)


def put(cloudwatch, namespace, *data):
    cloudwatch.put_metric_data(
        Namespace=namespace, MetricData=[{"MetricName": "m", "Dimensions": DIMENSIONS, **datum} for datum in data]
    )


def statistics(cloudwatch, namespace, *names, back=10, period=60, dimensions=None, **options):
    kinds = {"Statistics": list(names)} if names else {}
    answer = cloudwatch.get_metric_statistics(
        Namespace=namespace,
        MetricName="m",
        Dimensions=DIMENSIONS if dimensions is None else dimensions,
        StartTime=minute(back),
        EndTime=minute(-1),
        Period=period,
        **kinds,
        **options,
    )
    return sorted(answer["Datapoints"], key=lambda point: point["Timestamp"])


def query(namespace, name="q", stat="Sum", *, period=60, **more):
    metric = {"Namespace": namespace, "MetricName": "m", "Dimensions": DIMENSIONS}
    return {"Id": name, "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}, **more}


def data(cloudwatch, *queries, back=10):
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=list(queries), StartTime=minute(back), EndTime=minute(-1), ScanBy="TimestampAscending"
    )
    return {result["Id"]: result["Values"] for result in answer["MetricDataResults"]}


def code_of(error):
    return error.value.response["Error"]["Code"]


def test_values_sets_and_counts_are_all_statistics_of_one_period(cloudwatch, namespace):
    """Pages "PutMetricData", "MetricDatum"."""
    at = minute(3)
    put(
        cloudwatch,
        namespace,
        {"Value": 2.0, "Timestamp": at},
        {"Values": [1.0, 10.0], "Counts": [3.0, 1.0], "Timestamp": at + timedelta(seconds=30)},
        {"StatisticValues": {"SampleCount": 2, "Sum": 9, "Minimum": 4, "Maximum": 5}, "Timestamp": at},
    )
    (point,) = statistics(cloudwatch, namespace, "SampleCount", "Sum", "Average", "Minimum", "Maximum")
    assert point == {
        "Timestamp": at,
        "SampleCount": 7.0,
        "Sum": 24.0,
        "Average": 24 / 7,
        "Minimum": 1.0,
        "Maximum": 10.0,
        "Unit": "None",
    }


def test_points_fall_into_their_periods(cloudwatch, namespace):
    """Page "GetMetricStatistics": Period."""
    put(cloudwatch, namespace, *({"Value": float(back), "Timestamp": minute(back)} for back in (1, 2, 4)))
    assert [point["Sum"] for point in statistics(cloudwatch, namespace, "Sum")] == [4.0, 2.0, 1.0]
    assert sum(point["Sum"] for point in statistics(cloudwatch, namespace, "Sum", period=300)) == 7.0


def test_percentiles_come_from_the_values(cloudwatch, namespace):
    """Page "CloudWatch statistics definitions"."""
    put(cloudwatch, namespace, {"Values": [float(number) for number in range(1, 101)], "Timestamp": minute(1)})
    (point,) = statistics(cloudwatch, namespace, ExtendedStatistics=["p50", "p99"])
    assert point["ExtendedStatistics"] == {"p50": 50.0, "p99": 99.0}


def test_dimensions_and_units_tell_metrics_apart(cloudwatch, namespace):
    """Page "CloudWatch concepts": each unique combination of dimensions is a separate metric."""
    put(
        cloudwatch,
        namespace,
        {"Value": 1.0, "Unit": "Count"},
        {"Value": 2.0, "Unit": "Bytes"},
        {"Value": 4.0, "Dimensions": []},
    )
    assert [point["Sum"] for point in statistics(cloudwatch, namespace, "Sum", dimensions=[])] == [4.0]
    assert [point["Sum"] for point in statistics(cloudwatch, namespace, "Sum", Unit="Bytes")] == [2.0]
    listed = cloudwatch.list_metrics(Namespace=namespace)["Metrics"]
    assert [metric["Dimensions"] for metric in listed] == [DIMENSIONS, []]
    filtered = cloudwatch.list_metrics(Namespace=namespace, Dimensions=[{"Name": "Host"}])["Metrics"]
    assert [metric["Dimensions"] for metric in filtered] == [DIMENSIONS]


def test_metric_data_answers_many_queries_and_metric_math(cloudwatch, namespace):
    """Pages "GetMetricData", "Use metric math"."""
    put(cloudwatch, namespace, {"Values": [2.0, 4.0], "Timestamp": minute(2)}, {"Value": 9.0, "Timestamp": minute(1)})
    result = data(
        cloudwatch,
        query(namespace, "total"),
        query(namespace, "most", "Maximum", ReturnData=False),
        {"Id": "share", "Expression": "100 * most / total"},
        {"Id": "shifted", "Expression": "share - 50 * 2"},
        {"Id": "flag", "Expression": "IF(total > 7, 1, 0)"},
        {"Id": "rise", "Expression": "RATE(total) * PERIOD(total)"},
        back=3,
    )
    assert result["total"] == [6.0, 9.0]
    assert result["share"] == [pytest.approx(400 / 6), 100.0]
    assert result["shifted"] == [pytest.approx(-100 / 3), 0.0]
    assert result["flag"] == [0.0, 1.0]
    assert result["rise"] == [pytest.approx(3.0)]
    assert "most" not in result


def test_what_has_no_result_gives_no_points(cloudwatch, namespace):
    """Page "Use metric math"."""
    put(cloudwatch, namespace, {"Value": -8.0, "Timestamp": minute(2)})
    expressions = ["m / 0", "m ^ 0.5", "10 ^ 999", "LOG(m)"]
    queries = [{"Id": f"e{number}", "Expression": text} for number, text in enumerate(expressions)]
    result = data(cloudwatch, query(namespace, "m", ReturnData=False), *queries)
    assert result == {f"e{number}": [] for number in range(4)}


def test_fill_gives_empty_periods_a_value(cloudwatch, namespace):
    """Page "Use metric math": FILL."""
    put(cloudwatch, namespace, {"Value": 5.0, "Timestamp": minute(2)})
    result = data(
        cloudwatch,
        query(namespace, "m", ReturnData=False),
        {"Id": "zero", "Expression": "FILL(m, 0)"},
        {"Id": "same", "Expression": "FILL(m, REPEAT)"},
        back=3,
    )
    assert result["zero"] == [0.0, 5.0, 0.0, 0.0]
    assert result["same"] == [5.0, 5.0, 5.0]


@pytest.mark.parametrize(
    "expression", ["ANOMALY_DETECTION_BAND(m)", "SEARCH('x', 'Sum')", "m +", "unknown * 2", "m m", "(" * 2000]
)
def test_math_that_is_not_supported_is_refused(cloudwatch, namespace, expression):
    """Page "GetMetricData": ValidationError."""
    with pytest.raises(ClientError) as refused:
        data(cloudwatch, query(namespace, "m", ReturnData=False), {"Id": "e", "Expression": expression})
    assert code_of(refused) == "ValidationError"


@pytest.mark.parametrize(
    ("datum", "code"),
    [
        ({"Value": 1.0, "Values": [1.0]}, "InvalidParameterCombination"),
        ({}, "MissingParameter"),
        ({"Values": [1.0, 2.0], "Counts": [1.0]}, "InvalidParameterValue"),
        ({"Value": 1.0, "Timestamp": datetime(2020, 1, 1, tzinfo=UTC)}, "InvalidParameterValue"),
    ],
)
def test_wrong_data_are_refused(cloudwatch, namespace, datum, code):
    """Page "PutMetricData"."""
    with pytest.raises(ClientError) as refused:
        put(cloudwatch, namespace, datum)
    assert code_of(refused) == code


def test_the_namespaces_of_aws_are_reserved(cloudwatch):
    """Page "PutMetricData": Namespace must not begin with AWS/."""
    with pytest.raises(ClientError) as refused:
        put(cloudwatch, "AWS/Kinesis", {"Value": 1.0})
    assert code_of(refused) == "InvalidParameterValue"


def test_wrong_periods_and_too_many_points_are_refused(cloudwatch, namespace):
    """Page "GetMetricStatistics": Period; at most 1,440 datapoints."""
    with pytest.raises(ClientError) as odd:
        statistics(cloudwatch, namespace, "Sum", period=61)
    assert code_of(odd) == "InvalidParameterValue"
    with pytest.raises(ClientError) as many:
        statistics(cloudwatch, namespace, "Sum", back=3000)
    assert code_of(many) == "InvalidParameterCombination"
