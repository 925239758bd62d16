"""Delivery of events: a thread sends what the outbox holds to queues and topics whose policies allow S3 to do so."""

import json
import logging
import threading

from localaws.core.cloud import ACCOUNT, AwsError, Cloud
from localaws.services.s3.events.configuration import unreachable
from localaws.services.s3.events.outbox import Message, Outbox, test_event

log = logging.getLogger(__name__)
_PRINCIPAL = "s3.amazonaws.com"
_PAUSE_SECONDS = 1.0  # before a message that could not be sent is tried again
_ACTIONS = {"sqs": "sqs:SendMessage", "sns": "sns:Publish"}


class Delivery:
    """Sends messages in the order of their events."""

    def __init__(self, cloud: Cloud, outbox: Outbox) -> None:
        self._cloud = cloud
        self._outbox = outbox
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="s3-events", daemon=True)
        outbox.added = self._wake.set

    def start(self) -> None:
        self._wake.set()  # for what an earlier process left
        self._thread.start()

    def stop(self) -> None:
        """Come to rest; the next start resumes with what is pending."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def try_out(self, bucket: str, destination: str) -> None:
        """Send the test event. Raises AwsError InvalidArgument where the destination does not take it."""
        try:
            self._send(bucket, destination, test_event(bucket))
        except AwsError as error:
            denied = "Permissions on the destination queue or topic do not allow S3 to publish notifications from this"
            absent = "The destination queue or topic does not exist"
            raise unreachable(destination, f"{denied} bucket" if error.code == "AccessDenied" else absent) from error

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait()
            self._wake.clear()
            try:
                self._drain()
            except Exception:
                log.exception("events of S3 cannot be delivered; they are tried again")
                self._stopping.wait(_PAUSE_SECONDS)
                self._wake.set()

    def _drain(self) -> None:
        while not self._stopping.is_set() and (messages := self._outbox.pending()):
            for message in messages:
                self._deliver(message)
                self._outbox.done(message)

    def _deliver(self, message: Message) -> None:
        """Send a message. One that its destination rejects is lost, as it is on AWS."""
        bucket = _bucket_of(message.body)
        try:
            self._send(bucket, message.destination, message.body)
        except AwsError as error:
            if error.status >= 500:
                raise
            log.warning("an event of bucket %s is lost: %s: %s", bucket, message.destination, error.message)

    def _send(self, bucket: str, destination: str, body: str) -> None:
        service = destination.split(":")[2]
        context = {"aws:SourceArn": f"arn:aws:s3:::{bucket}", "aws:SourceAccount": ACCOUNT}
        self._cloud.authorize_service(_PRINCIPAL, _ACTIONS[service], destination, context)
        if service == "sqs":
            url = f"{self._cloud.endpoint}/{ACCOUNT}/{destination.rpartition(':')[2]}"
            self._cloud.emulated("sqs", "SendMessage", {"QueueUrl": url, "MessageBody": body})
        else:
            params = {"TopicArn": destination, "Subject": "Amazon S3 Notification", "Message": body}
            self._cloud.emulated("sns", "Publish", params)


def _bucket_of(body: str) -> str:
    return str(json.loads(body)["Records"][0]["s3"]["bucket"]["name"])
