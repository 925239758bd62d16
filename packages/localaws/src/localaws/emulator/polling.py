"""Long polling of SQS: the waiting happens here, so that the emulator stays free for others meanwhile."""

import time
from urllib.parse import urlencode

import orjson

from localaws.core.shapes import Params
from localaws.emulator.backend import Emulator
from localaws.emulator.client import call
from localaws.wire.request import HttpAnswer, HttpRequest, build_request

_PAUSE = 0.05  # seconds between two looks


def receive(emulator: Emulator, request: HttpRequest, params: Params) -> HttpAnswer:
    """Answer ReceiveMessage: at once when there are messages, else when some arrive or the wait is over."""
    deadline = time.monotonic() + _wait(emulator, params)
    at_once = _without_wait(request)
    while True:
        answer = emulator.handle(at_once, "sqs", "ReceiveMessage", keep=_has_messages)
        if _has_messages(answer) or answer.status >= 400 or time.monotonic() >= deadline:
            return answer
        time.sleep(_PAUSE)


def _has_messages(answer: HttpAnswer) -> bool:
    body = answer.content()
    return b"ReceiptHandle" in body


def _wait(emulator: Emulator, params: Params) -> float:
    """Seconds to wait: the call's, or the queue's own."""
    if "WaitTimeSeconds" in params:
        return min(float(params["WaitTimeSeconds"]), 20.0)
    names = {"QueueUrl": params.get("QueueUrl", ""), "AttributeNames": ["ReceiveMessageWaitTimeSeconds"]}
    attributes = call(emulator, "sqs", "GetQueueAttributes", names).get("Attributes", {})
    return min(float(attributes.get("ReceiveMessageWaitTimeSeconds", 0)), 20.0)


def _without_wait(request: HttpRequest) -> HttpRequest:
    if request.is_form:
        fields = [(name, text) for name, text in request.form if name != "WaitTimeSeconds"]
        body = urlencode([*fields, ("WaitTimeSeconds", "0")]).encode()
    else:
        body = orjson.dumps({**orjson.loads(request.body or b"{}"), "WaitTimeSeconds": 0})
    return build_request(request.method, request.path, request.query, request.headers, body)
