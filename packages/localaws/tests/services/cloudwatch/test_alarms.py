"""Alarms: what they make of their data, whom they tell, and how they are kept."""

import json

import pytest
from botocore.exceptions import ClientError

from localaws.testing.server import running_localaws
from localaws.testing.streams import unique
from localaws.testing.waiting import wait_for

SPEED = 150  # an alarm's minute takes 0.4 s
TREATED = [("missing", "INSUFFICIENT_DATA"), ("breaching", "ALARM"), ("notBreaching", "OK")]


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    with running_localaws(tmp_path_factory.mktemp("localaws"), speed=SPEED) as aws:
        yield aws


@pytest.fixture(scope="module")
def cloudwatch(aws):
    return aws.client("cloudwatch")


@pytest.fixture
def queue(aws):
    """A topic's ARN, and a function that gives the notifications that reached a queue behind it."""
    sns, sqs = aws.client("sns"), aws.client("sqs")
    topic = sns.create_topic(Name=unique("topic"))["TopicArn"]
    url = sqs.create_queue(QueueName=unique("queue"))["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    def received():
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(json.loads(message["Body"])["Message"]) for message in messages]

    return topic, received


def make_alarm(cloudwatch, **options):
    name = unique("alarm")
    settings = {
        "MetricName": name,
        "Namespace": "Test",
        "Period": 60,
        "Statistic": "Maximum",
        "EvaluationPeriods": 1,
        "Threshold": 10.0,
        "ComparisonOperator": "GreaterThanThreshold",
        **options,
    }
    cloudwatch.put_metric_alarm(AlarmName=name, **settings)
    return name


def put(cloudwatch, name, value):
    cloudwatch.put_metric_data(Namespace="Test", MetricData=[{"MetricName": name, "Value": value}])


def state(cloudwatch, name):
    answer = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    (alarm,) = answer["MetricAlarms"] + answer["CompositeAlarms"]
    return alarm["StateValue"]


def wait_for_state(cloudwatch, name, expected, timeout=10):
    wait_for(lambda: state(cloudwatch, name) == expected, timeout=timeout, what=f"{name} to be {expected}")


def code_of(error):
    return error.value.response["Error"]["Code"]


def test_an_alarm_goes_off_and_comes_back_and_tells_its_topic(cloudwatch, queue):
    """Pages "Using Amazon CloudWatch alarms", "Notifying users on alarm changes"."""
    topic, received = queue
    name = make_alarm(cloudwatch, AlarmActions=[topic], OKActions=[topic], TreatMissingData="notBreaching")
    wait_for_state(cloudwatch, name, "OK")
    put(cloudwatch, name, 11.0)
    wait_for_state(cloudwatch, name, "ALARM")
    wait_for_state(cloudwatch, name, "OK")
    messages = []
    wait_for(lambda: messages.extend(received()) or len(messages) >= 3, what="three notifications")
    states = sorted((message["OldStateValue"], message["NewStateValue"]) for message in messages)
    assert states == [("ALARM", "OK"), ("INSUFFICIENT_DATA", "OK"), ("OK", "ALARM")]
    alarming = next(message for message in messages if message["NewStateValue"] == "ALARM")
    assert alarming["AlarmName"] == name
    assert alarming["NewStateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoint [11.0 (")
    assert alarming["Trigger"]["Threshold"] == 10.0
    history = cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="StateUpdate")["AlarmHistoryItems"]
    assert [item["HistorySummary"] for item in history] == [
        "Alarm updated from ALARM to OK",
        "Alarm updated from OK to ALARM",
        "Alarm updated from INSUFFICIENT_DATA to OK",
    ]


@pytest.mark.parametrize(("treatment", "expected"), TREATED)
def test_missing_data_are_treated_as_configured(cloudwatch, treatment, expected):
    """Page "Configuring how CloudWatch alarms treat missing data"."""
    name = make_alarm(cloudwatch, TreatMissingData=treatment)
    put(cloudwatch, name, 99.0 if expected != "ALARM" else 1.0)
    wait_for_state(cloudwatch, name, "ALARM" if expected != "ALARM" else "OK")
    wait_for_state(cloudwatch, name, expected)


def test_an_alarm_that_ignores_missing_data_keeps_its_state(cloudwatch):
    """Page "Configuring how CloudWatch alarms treat missing data": ignore."""
    name = make_alarm(cloudwatch, TreatMissingData="ignore")
    witness = make_alarm(cloudwatch, TreatMissingData="notBreaching")
    for alarm in (name, witness):
        put(cloudwatch, alarm, 99.0)
        wait_for_state(cloudwatch, alarm, "ALARM")
    wait_for_state(cloudwatch, witness, "OK")
    assert state(cloudwatch, name) == "ALARM"


def test_some_breaching_points_among_the_last_are_enough_when_asked_so(cloudwatch):
    """Page "PutMetricAlarm": DatapointsToAlarm."""
    some = make_alarm(cloudwatch, EvaluationPeriods=3, DatapointsToAlarm=1, TreatMissingData="notBreaching")
    every = make_alarm(cloudwatch, EvaluationPeriods=3, TreatMissingData="notBreaching")
    for alarm in (some, every):
        put(cloudwatch, alarm, 99.0)
    wait_for_state(cloudwatch, some, "ALARM")
    assert state(cloudwatch, every) != "ALARM"


def test_an_alarm_can_watch_an_expression(cloudwatch):
    """Page "PutMetricAlarm": Metrics."""
    name = unique("math")
    metric = {"Namespace": "Test", "MetricName": name}
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        EvaluationPeriods=1,
        Threshold=100.0,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        Metrics=[
            {"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
            {"Id": "e", "Expression": "m * 10"},
        ],
    )
    put(cloudwatch, name, 10.0)
    wait_for_state(cloudwatch, name, "ALARM")


def test_a_composite_alarm_follows_its_rule(cloudwatch):
    """Page "PutCompositeAlarm"."""
    first, second = make_alarm(cloudwatch), make_alarm(cloudwatch)
    name = unique("composite")
    rule = f'ALARM("{first}") AND NOT (OK({second}) OR ALARM({second}))'
    cloudwatch.put_composite_alarm(AlarmName=name, AlarmRule=rule)
    wait_for_state(cloudwatch, name, "OK")
    cloudwatch.set_alarm_state(AlarmName=first, StateValue="ALARM", StateReason="test")
    wait_for_state(cloudwatch, name, "ALARM")
    with pytest.raises(ClientError) as unreadable:
        cloudwatch.put_composite_alarm(AlarmName=name, AlarmRule="ALARM(")
    assert code_of(unreadable) == "InvalidParameterValue"


def test_a_state_that_is_set_runs_actions_unless_they_are_disabled(cloudwatch, queue):
    """Pages "SetAlarmState", "DisableAlarmActions"."""
    topic, received = queue
    name = make_alarm(cloudwatch, AlarmActions=[topic], TreatMissingData="ignore")
    cloudwatch.disable_alarm_actions(AlarmNames=[name])
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="silent")
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="back")
    cloudwatch.enable_alarm_actions(AlarmNames=[name])
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="loud")
    messages = wait_for(received, what="a notification")
    assert [message["NewStateReason"] for message in messages] == ["loud"]
    with pytest.raises(ClientError) as unknown:
        cloudwatch.set_alarm_state(AlarmName="nobody", StateValue="OK", StateReason="")
    assert code_of(unknown) == "ResourceNotFound"


def test_alarms_are_described_by_metric_tagged_and_deleted(cloudwatch):
    """Pages "DescribeAlarmsForMetric", "TagResource", "DeleteAlarms"."""
    name = make_alarm(cloudwatch, Tags=[{"Key": "a", "Value": "b"}])
    (alarm,) = cloudwatch.describe_alarms_for_metric(Namespace="Test", MetricName=name)["MetricAlarms"]
    assert alarm["AlarmArn"] == f"arn:aws:cloudwatch:us-east-1:123456789012:alarm:{name}"
    cloudwatch.tag_resource(ResourceARN=alarm["AlarmArn"], Tags=[{"Key": "c", "Value": "d"}])
    cloudwatch.untag_resource(ResourceARN=alarm["AlarmArn"], TagKeys=["a"])
    assert cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"] == [{"Key": "c", "Value": "d"}]
    cloudwatch.delete_alarms(AlarmNames=[name])
    assert cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"] == []


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"Period": 61}, "InvalidParameterValue"),
        ({"EvaluationPeriods": 2, "DatapointsToAlarm": 3}, "InvalidParameterValue"),
        ({"TreatMissingData": "maybe"}, "InvalidParameterValue"),
        ({"Statistic": "IQM"}, "ValidationError"),
    ],
)
def test_a_wrong_alarm_is_refused(cloudwatch, options, code):
    """Page "PutMetricAlarm"."""
    with pytest.raises(ClientError) as refused:
        make_alarm(cloudwatch, **options)
    assert code_of(refused) == code
