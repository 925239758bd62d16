"""The S3 service: every verb about objects, and bucket notifications. All other configuration of buckets is the
emulator's.
"""

from collections.abc import Callable

from localaws.core.cloud import AwsError, Caller, Cloud
from localaws.core.shapes import Document, Params, Structure
from localaws.services.s3.events.delivery import Delivery
from localaws.services.s3.listing import ListVerbs
from localaws.services.s3.multipart import MultipartVerbs
from localaws.services.s3.notifications import NotificationVerbs
from localaws.services.s3.objects import ObjectVerbs
from localaws.services.s3.store import Store

# Verbs about objects that are not here; the emulator, which has no objects, could only answer them wrongly.
_ABSENT = frozenset(
    {
        "CreateSession", "GetObjectLegalHold", "GetObjectRetention", "GetObjectTorrent", "PutObjectLegalHold",
        "PutObjectRetention", "RenameObject", "RestoreObject", "SelectObjectContent", "UpdateObjectEncryption",
        "WriteGetObjectResponse",
    }
)  # fmt: skip


class S3Service:
    """Objects, versions, multipart uploads, listings."""

    name = "s3"

    def __init__(self, cloud: Cloud, store: Store) -> None:
        self._store = store
        self._delivery = Delivery(cloud, store.outbox)
        self._answers: dict[str, Callable[[Structure], Document]] = {
            **ObjectVerbs(store).actions,
            **MultipartVerbs(store).actions,
            **ListVerbs(store).actions,
            **NotificationVerbs(store, self._delivery).actions,
        }
        self.actions = frozenset(self._answers) | _ABSENT
        cloud.after("s3", "CreateBucket", lambda params, result, caller: store.create_bucket(params["Bucket"]))  # noqa: ARG005
        cloud.after("s3", "DeleteBucket", lambda params, result, caller: store.delete_bucket(params["Bucket"]))  # noqa: ARG005
        cloud.after("s3", "PutBucketVersioning", self._set_versioning)

    def handle(self, action: str, params: Params, caller: Caller) -> Structure:  # noqa: ARG002
        answer = self._answers.get(action)
        if answer is None:
            message = f"A header or query you provided implies functionality that is not implemented: {action}"
            raise AwsError("NotImplemented", message, status=501)
        return answer(params)

    def before(self, action: str, params: Params) -> None:
        """What must hold before the emulator is asked. Raises AwsError."""
        if action == "DeleteBucket":
            self._store.require_empty(params["Bucket"])

    def start(self) -> None:
        self._store.sweep()
        self._delivery.start()

    def stop(self) -> None:
        """Every request has been answered from files and rows that are whole; events that are pending stay so."""
        self._delivery.stop()

    def _set_versioning(self, params: Params, result: Structure, caller: Caller) -> None:  # noqa: ARG002
        self._store.set_versioning(params["Bucket"], str(params["VersioningConfiguration"].get("Status", "")))
