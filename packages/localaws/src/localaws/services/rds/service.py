"""The part of RDS that depends on what really runs: the lives of DB instances. The rest is the emulator's."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from localaws.core.cloud import AwsError, Caller, Cloud
from localaws.core.shapes import Document, Params, Structure
from localaws.services.rds import instance_records, parameters
from localaws.services.rds.database import Database, Wish
from localaws.services.rds.versions import chosen

log = logging.getLogger(__name__)
_AT_ONCE = 4
# What the emulator would answer with records behind which nothing is.
_ABSENT = frozenset(
    "CreateDBCluster CreateDBClusterSnapshot CreateDBInstanceReadReplica CreateDBProxy CreateDBSnapshot"
    " CreateBlueGreenDeployment CreateGlobalCluster CopyDBClusterSnapshot CopyDBSnapshot PromoteReadReplica"
    " RestoreDBClusterFromSnapshot RestoreDBClusterToPointInTime RestoreDBInstanceFromDBSnapshot"
    " RestoreDBInstanceToPointInTime StartExportTask".split()
)


class RdsService:
    """Keeps a Postgres server for each DB instance, in `rds/<identifier>/` below the state folder."""

    name = "rds"

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._databases: dict[str, Database] = {}
        self._pool = ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="rds")
        self._verbs: dict[str, Callable[[Document], Document]] = {
            "CreateDBInstance": self._create,
            "DeleteDBInstance": self._delete,
            "ModifyDBInstance": self._modify,
            "RebootDBInstance": self._reboot,
            "StartDBInstance": self._start,
            "StopDBInstance": self._stop,
        }
        self.actions = frozenset(self._verbs) | _ABSENT

    def start(self) -> None:
        """Start the servers of the instances that were not stopped; does not wait for them.

        Before the first call is answered they are `starting`: a record that was `available` has no server yet.
        """
        if not self._cloud.holds("rds"):
            return  # the emulator loads much when it is first asked
        instance_records.prepare()
        for identifier, record in instance_records.records().items():
            self._databases[identifier] = Database(self._cloud.state.resolve() / "rds" / identifier)
            if record.status == "available":
                instance_records.show(record, "starting")
                self._pool.submit(self._settled, self._bring_up, identifier, record)

    def stop(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            list(pool.map(Database.take_down, self._databases.values()))

    def handle(self, action: str, params: Params, caller: Caller) -> Structure:  # noqa: ARG002
        if action in _ABSENT:
            raise AwsError("NotImplemented", f"{action}: there are only single DB instances here", status=501)
        request = dict(params)
        request["DBInstanceIdentifier"] = str(request["DBInstanceIdentifier"]).lower()
        return self._verbs[action](request)

    def _create(self, request: Document) -> Document:
        parameters.check_new(request)
        request["EngineVersion"] = request.get("EngineVersion") or chosen(None).version
        chosen(request["EngineVersion"])
        instance_records.prepare()
        return self._done("CreateDBInstance", request, "creating", self._bring_up)

    def _start(self, request: Document) -> Document:
        return self._done("StartDBInstance", request, "starting", self._bring_up)

    def _stop(self, request: Document) -> Document:
        if request.get("DBSnapshotIdentifier"):
            raise AwsError("NotImplemented", "DBSnapshotIdentifier: snapshots are not here", status=501)
        return self._done("StopDBInstance", request, "stopping", self._take_down)

    def _reboot(self, request: Document) -> Document:
        self._available(request["DBInstanceIdentifier"])
        return self._done("RebootDBInstance", request, "rebooting", self._restart)

    def _delete(self, request: Document) -> Document:
        """DeleteDBInstance": a final snapshot unless it is declined."""
        if not request.get("SkipFinalSnapshot"):
            if not request.get("FinalDBSnapshotIdentifier"):
                message = "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
                raise AwsError("InvalidParameterCombination", message)
            raise AwsError("NotImplemented", "snapshots are not here: delete with SkipFinalSnapshot", status=501)
        answer = self._cloud.emulated("rds", "DeleteDBInstance", request)
        if (database := self._databases.pop(request["DBInstanceIdentifier"], None)) is not None:
            database.discard()
        return answer

    def _modify(self, request: Document) -> Document:
        """ModifyDBInstance": the password and the port change at once, whether asked to wait or not."""
        identifier = request["DBInstanceIdentifier"]
        record = self._available(identifier)
        parameters.check_change(request)
        version = request.get("EngineVersion") or record.engine_version
        if chosen(version).major != chosen(record.engine_version).major:
            raise AwsError("NotImplemented", "a server cannot change its major version here", status=501)
        answer = self._cloud.emulated("rds", "ModifyDBInstance", request)
        database = self._databases[identifier]
        if request.keys() & {"MasterUserPassword", "ManageMasterUserPassword", "RotateMasterUserPassword"}:
            database.set_password(record.master_username, instance_records.password(record))
        if (port := request.get("DBPortNumber")) is not None:
            database.move(port)
            instance_records.show(record, "modifying")
            self._pool.submit(self._settled, self._restart, identifier, record)
            answer["DBInstance"]["DBInstanceStatus"] = "modifying"
        return answer

    def _done(self, action: str, request: Document, between: str, then: Callable[[str, Any], None]) -> Document:
        """Have the emulator note the call, then its effect take place; the instance is `between` until it has."""
        identifier = request["DBInstanceIdentifier"]
        answer = self._cloud.emulated("rds", action, request)
        record = instance_records.records()[identifier]
        instance_records.show(record, between)
        self._databases.setdefault(identifier, Database(self._cloud.state.resolve() / "rds" / identifier))
        self._pool.submit(self._settled, then, identifier, record)
        answer["DBInstance"]["DBInstanceStatus"] = between
        if between == "creating":
            answer["DBInstance"].pop("Endpoint", None)
        return answer

    def _available(self, identifier: str) -> Any:
        """The record of an instance that runs. Raises AwsError DBInstanceNotFound or InvalidDBInstanceState."""
        record = instance_records.records().get(identifier) if self._cloud.holds("rds") else None
        if record is None:
            raise AwsError("DBInstanceNotFound", f"DBInstance {identifier} not found.", status=404)
        if record.status != "available":
            raise AwsError("InvalidDBInstanceState", f"Database instance is not in available state: {record.status}")
        return record

    def _settled(self, then: Callable[[str, Any], None], identifier: str, record: Any) -> None:
        try:
            then(identifier, record)
        except Exception:
            log.exception("DB instance %s cannot be brought to its state", identifier)
            instance_records.show(record, "failed")

    def _bring_up(self, identifier: str, record: Any) -> None:
        if (database := self._databases.get(identifier)) is None:
            return  # deleted meanwhile
        wish = Wish(
            version=record.engine_version,
            user=record.master_username,
            password=instance_records.password(record),
            database=record.db_name,
            port=record.port,
        )
        instance_records.place(record, database.bring_up(wish))
        instance_records.show(record, "available")

    def _take_down(self, identifier: str, record: Any) -> None:
        if (database := self._databases.get(identifier)) is not None:
            database.take_down()
            instance_records.show(record, "stopped")

    def _restart(self, identifier: str, record: Any) -> None:
        if (database := self._databases.get(identifier)) is not None:
            database.take_down()
            self._bring_up(identifier, record)
