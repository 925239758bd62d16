"""The memory of responses: attempts at one call are executed once, and nothing else is held to be an attempt."""

import threading

import pytest

from localaws.core.cloud import AwsError, Caller
from localaws.gateway.retries import Retries
from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for
from localaws.wire.request import HttpAnswer, build_request
from localaws.wire.routing import Route

ROOT = Caller(arn="arn:aws:iam::123456789012:root")
OTHER = Caller(arn="arn:aws:iam::123456789012:user/other")
DELETE = Route("kinesis", "DeleteStream", "json")


class Calls:
    """Executes calls, numbered as they come."""

    def __init__(self, status=200):
        self.count = 0
        self.status = status

    def __call__(self):
        self.count += 1
        return HttpAnswer(self.status, {}, f"call {self.count}".encode())


def attempt(invocation="one", body=b"{}", target="Kinesis_20131202.DeleteStream"):
    headers = {"x-amz-target": target, "amz-sdk-invocation-id": invocation}
    return build_request("POST", "/", "", {name: text for name, text in headers.items() if text}, body)


def bodies(retries, calls, requests, route=DELETE, caller=ROOT):
    return [retries.serve(route, request, caller, calls).body for request in requests]


def test_all_attempts_at_a_call_get_its_first_response():
    assert bodies(Retries(), Calls(), [attempt(), attempt(), attempt()]) == [b"call 1"] * 3


@pytest.mark.parametrize(
    "second", [attempt("two"), attempt(body=b'{"a": 1}'), attempt(target="Kinesis_20131202.CreateStream")]
)
def test_another_call_is_executed(second):
    assert bodies(Retries(), Calls(), [attempt(), second]) == [b"call 1", b"call 2"]


def test_requests_that_name_no_invocation_are_executed_each_time():
    assert bodies(Retries(), Calls(), [attempt(""), attempt("")]) == [b"call 1", b"call 2"]


@pytest.mark.parametrize("action", ["DescribeStream", "ListShards", "GetRecords", "PutRecord", "PutRecords"])
def test_reads_and_puts_of_records_are_executed_each_time(action):
    route = Route("kinesis", action, "json")
    assert bodies(Retries(), Calls(), [attempt(), attempt()], route) == [b"call 1", b"call 2"]


def test_another_principal_never_gets_the_response():
    retries, calls = Retries(), Calls()
    retries.serve(DELETE, attempt(), ROOT, calls)
    assert retries.serve(DELETE, attempt(), OTHER, calls).body == b"call 2"
    session = Caller(arn=ROOT.arn, session="ASIA")
    assert retries.serve(DELETE, attempt(), session, calls).body == b"call 3"


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_a_call_that_failed_is_executed_again(status):
    assert bodies(Retries(), Calls(status), [attempt(), attempt()]) == [b"call 1", b"call 2"]


def test_a_call_that_raised_is_executed_again():
    retries = Retries()

    def throttled():
        raise AwsError("LimitExceededException", "slow down")

    with pytest.raises(AwsError):
        retries.serve(DELETE, attempt(), ROOT, throttled)
    assert retries.serve(DELETE, attempt(), ROOT, Calls()).body == b"call 1"


@pytest.mark.parametrize("fails", [False, True])
def test_an_attempt_that_overtakes_a_running_one_waits_for_it(fails):
    retries, calls = Retries(), Calls()
    begun, may_end = threading.Event(), threading.Event()
    responses = []

    def slow():
        begun.set()
        may_end.wait()
        if fails:
            raise AwsError("InternalFailure", "", status=500)
        return calls()

    def first():
        try:
            retries.serve(DELETE, attempt(), ROOT, slow)
        except AwsError:
            assert fails

    def second():
        responses.append(retries.serve(DELETE, attempt(), ROOT, calls).body)

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert begun.wait(patient(60))
    threads[1].start()
    assert (calls.count, responses) == (0, [])
    may_end.set()
    wait_for(lambda: responses, what="the second attempt")
    for thread in threads:
        thread.join()
    assert (calls.count, responses) == (1, [b"call 1"])


def test_a_response_is_forgotten_after_a_while():
    now = [0.0]
    retries, calls = Retries(seconds=900, clock=lambda: now[0]), Calls()
    assert bodies(retries, calls, [attempt()]) == [b"call 1"]
    now[0] = 899.0
    assert bodies(retries, calls, [attempt()]) == [b"call 1"]
    now[0] = 900.0
    assert bodies(retries, calls, [attempt()]) == [b"call 2"]


def test_the_oldest_responses_make_room_for_new_ones():
    retries, calls = Retries(most_bytes=10 * 600), Calls()
    bodies(retries, calls, [attempt(str(number)) for number in range(1000)])
    assert len(retries._remembered) <= 12
    assert bodies(retries, calls, [attempt("999"), attempt("0")]) == [b"call 1000", b"call 1001"]


def test_what_a_caller_does_to_a_response_does_not_reach_the_next_attempt():
    retries, calls = Retries(), Calls()
    first = retries.serve(DELETE, attempt(), ROOT, calls)
    first.headers["x"] = "y"
    first.body = b""
    assert retries.serve(DELETE, attempt(), ROOT, calls) == HttpAnswer(200, {}, b"call 1")
