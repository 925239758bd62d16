"""Postrank's resources on the local AWS: those that Terraform makes in an account, by the same names and policies.

Written in boto3 rather than applied with Terraform, so that a laptop needs neither Terraform nor its provider. A test
holds the two to the same description.
"""

import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from postrank.aws import policies
from postrank.aws.clients import MakeClient
from postrank.aws.resources import MAIN, Resources
from postrank.aws.tables import glue_tables
from postrank.errors import Fatal

if TYPE_CHECKING:
    from mypy_boto3_firehose import FirehoseClient
    from mypy_boto3_glue.type_defs import TableInputTypeDef
    from mypy_boto3_kinesis import KinesisClient

_ROLES = ("streamer", "firehose", "crawler", "airflow", "deployer")
_IMAGE = "ami-12c6146b"  # any image: the local AWS runs units, never the image
_READY_SECONDS = 300.0
# What the services say of a resource that is there: made by an earlier run that was stopped halfway, or by a call that
# was repeated because its response got lost.
_EXISTS = {
    "AlreadyExists",
    "AlreadyExistsException",
    "BucketAlreadyOwnedByYou",
    "DocumentAlreadyExists",
    "EntityAlreadyExists",
    "InvalidLaunchTemplateName.AlreadyExistsException",
    "ResourceInUseException",
}


class NotReady(Fatal):
    """A resource did not become usable in time."""

    def __init__(self, what: str, state: str) -> None:
        super().__init__(f"{what} is {state} after {_READY_SECONDS:.0f} s")


class Provision:
    """Creates everything but the streamer's instance, then, asked for, the instance."""

    def __init__(self, client: MakeClient, resources: Resources) -> None:
        self._client = client
        self._names = resources

    def exists(self) -> bool:
        """Whether an earlier run has made everything."""
        groups = self._client("autoscaling").describe_auto_scaling_groups(
            AutoScalingGroupNames=[self._names.streamer.name]
        )
        return bool(groups["AutoScalingGroups"])

    def base(self) -> Iterator[str]:
        """Create the resources in dependency order; yields the name of each kind when it stands."""
        for step in (
            self._buckets,
            self._roles,
            self._streams,
            self._delivery_streams,
            self._catalogue,
            self._workgroup,
            self._topic,
            self._documents,
        ):
            step()
            yield step.__name__.strip("_").replace("_", " ")

    def upgrade(self) -> None:
        """Give the tables that an earlier version created the columns that they lack, and create those that are new.

        Partitions stay as they are: in those, the new columns are null.
        """
        glue = self._client("glue")
        for table in glue_tables(self._names):
            _ensure(glue.create_table, DatabaseName=self._names.database, TableInput=table)
            existing = glue.get_table(DatabaseName=self._names.database, Name=table["Name"])["Table"]
            if existing["StorageDescriptor"].get("Columns") != table["StorageDescriptor"]["Columns"]:
                glue.update_table(DatabaseName=self._names.database, TableInput=cast("TableInputTypeDef", table))

    def warehouse_events(self) -> None:
        """Create the queue of the warehouse, and have S3 tell it of exports and trends."""
        sqs = self._client("sqs")
        policy = policies.document("warehouse-queue", self._names)
        sqs.create_queue(QueueName=self._names.warehouse_queue, Attributes={"Policy": policy})
        self._client("s3").put_bucket_notification_configuration(
            Bucket=self._names.buckets["results"],
            NotificationConfiguration={
                "QueueConfigurations": [
                    {
                        "Id": rule["id"],
                        "QueueArn": self._arn("sqs", self._names.warehouse_queue),
                        "Events": ["s3:ObjectCreated:*"],
                        "Filter": {
                            "Key": {
                                "FilterRules": [
                                    {"Name": "prefix", "Value": rule["prefix"]},
                                    {"Name": "suffix", "Value": rule["suffix"]},
                                ]
                            }
                        },
                    }
                    for rule in json.loads(policies.document("warehouse-events", self._names))
                ]
            },
        )

    def streamer(self, unit: str) -> None:
        """Create the streamer's instance: a group of one from a launch template, running the local `unit`."""
        name = self._names.streamer.name
        template = {
            "ImageId": _IMAGE,
            "InstanceType": "t4g.small",
            "IamInstanceProfile": {"Name": self._names.of_collector(MAIN).streamer.name},
            "MetadataOptions": {"HttpTokens": "required"},
            "TagSpecifications": [
                {
                    "ResourceType": "instance",
                    "Tags": [{"Key": "Name", "Value": name}, {"Key": "localaws:units", "Value": unit}],
                }
            ],
        }
        _ensure(self._client("ec2").create_launch_template, LaunchTemplateName=name, LaunchTemplateData=template)
        _ensure(
            self._client("autoscaling").create_auto_scaling_group,
            AutoScalingGroupName=name,
            LaunchTemplate={"LaunchTemplateName": name, "Version": "$Latest"},
            MinSize=1,
            MaxSize=1,
            DesiredCapacity=1,
            AvailabilityZones=[f"{self._names.region}a"],
        )

    def role(self, purpose: str) -> None:
        """Create a role with its policy, unless it exists."""
        iam = self._client("iam")
        name = self._names.roles[purpose]
        _ensure(iam.create_role, RoleName=name, AssumeRolePolicyDocument=policies.trust(purpose, self._names))
        iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=policies.policy(purpose, self._names))

    def _buckets(self) -> None:
        s3 = self._client("s3")
        for bucket in self._names.buckets.values():
            _ensure(s3.create_bucket, Bucket=bucket)
        s3.put_bucket_versioning(Bucket=self._names.buckets["results"], VersioningConfiguration={"Status": "Enabled"})

    def _roles(self) -> None:
        iam = self._client("iam")
        for role in _ROLES:
            self.role(role)
        profile = self._names.streamer.name
        _ensure(iam.create_instance_profile, InstanceProfileName=profile)
        _ensure(iam.add_role_to_instance_profile, InstanceProfileName=profile, RoleName=self._names.roles["streamer"])

    def _streams(self) -> None:
        kinesis = self._client("kinesis")
        for stream in self._names.streams.values():
            _ensure(kinesis.create_stream, StreamName=stream, StreamModeDetails={"StreamMode": "ON_DEMAND"})
        for stream in self._names.streams.values():
            self._wait_for(
                f"stream {stream}",
                partial(_stream_status, kinesis, stream),
            )

    def _delivery_streams(self) -> None:
        firehose = self._client("firehose")
        role = self._role_arn("firehose")
        for kind, name in self._names.delivery_streams.items():
            delivery = self._names.delivery[kind]
            _ensure(
                firehose.create_delivery_stream,
                DeliveryStreamName=name,
                DeliveryStreamType="KinesisStreamAsSource",
                KinesisStreamSourceConfiguration={
                    "KinesisStreamARN": self._arn("kinesis", f"stream/{self._names.streams[kind]}"),
                    "RoleARN": role,
                },
                ExtendedS3DestinationConfiguration={
                    "RoleARN": role,
                    "BucketARN": f"arn:aws:s3:::{self._names.buckets['raw']}",
                    "Prefix": delivery.prefix,
                    "ErrorOutputPrefix": delivery.error_prefix,
                    "BufferingHints": {
                        "SizeInMBs": self._names.buffer_mib,
                        "IntervalInSeconds": self._names.buffer_seconds,
                    },
                    "CompressionFormat": "GZIP",
                    "FileExtension": ".ndjson.gz",
                },
            )
        for name in self._names.delivery_streams.values():
            self._wait_for(
                f"delivery stream {name}",
                partial(_delivery_stream_status, firehose, name),
            )

    def _catalogue(self) -> None:
        glue = self._client("glue")
        _ensure(glue.create_database, DatabaseInput={"Name": self._names.database})
        tables = glue_tables(self._names)
        for table in tables:
            _ensure(glue.create_table, DatabaseName=self._names.database, TableInput=table)
        _ensure(
            glue.create_crawler,
            Name=self._names.crawler,
            Role=self._role_arn("crawler"),
            DatabaseName=self._names.database,
            Targets={
                "CatalogTargets": [
                    {
                        "DatabaseName": self._names.database,
                        "Tables": [f"{self._names.crawler_table_prefix}{kind}" for kind in self._names.streams],
                    }
                ]
            },
            SchemaChangePolicy={"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"},
            Configuration=json.dumps(
                {"Version": 1.0, "CrawlerOutput": {"Partitions": {"AddOrUpdateBehavior": "InheritFromTable"}}}
            ),
        )

    def _workgroup(self) -> None:
        _ensure(
            self._client("athena").create_work_group,
            Name=self._names.workgroup,
            Configuration={
                "EnforceWorkGroupConfiguration": False,
                "ResultConfiguration": {"OutputLocation": f"s3://{self._names.buckets['query_results']}/"},
                "PublishCloudWatchMetricsEnabled": True,
                "BytesScannedCutoffPerQuery": self._names.scan_limit_bytes,
            },
        )

    def _topic(self) -> None:
        self._client("sns").create_topic(Name=self._names.topic)

    def _documents(self) -> None:
        names = self._names.streamer
        documents = {
            names.document: "streamer-service",
            names.release_document: "streamer-release",
            names.backfill_document: "streamer-backfill",
        }
        for name, file in documents.items():
            _ensure(
                self._client("ssm").create_document,
                Name=name,
                DocumentType="Command",
                DocumentFormat="JSON",
                Content=policies.document(file, self._names),
            )

    def _arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self._names.region}:{self._names.account}:{resource}"

    def _role_arn(self, role: str) -> str:
        return f"arn:aws:iam::{self._names.account}:role/{self._names.roles[role]}"

    def _wait_for(self, what: str, status: Callable[[], str]) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while (state := status()) != "ACTIVE":
            if time.monotonic() > deadline:
                raise NotReady(what, state)
            time.sleep(0.1)


def _stream_status(kinesis: "KinesisClient", stream: str) -> str:
    return kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["StreamStatus"]


def _delivery_stream_status(firehose: "FirehoseClient", name: str) -> str:
    description = firehose.describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]
    return description["DeliveryStreamStatus"]


def _ensure(create: Callable[..., Any], **request: Any) -> None:
    """Create a resource unless it exists."""
    try:
        create(**request)
    except ClientError as error:
        if not _exists(error):
            raise


def _exists(error: ClientError) -> bool:
    details = error.response.get("Error", {})
    code = details.get("Code", "")
    message = details.get("Message", "")
    # A workgroup, and the role of an instance profile, have no code of their own for it.
    workgroup = code == "InvalidRequestException" and "already" in message
    role = code == "LimitExceeded" and "InstanceSessionsPerInstanceProfile" in message
    return code in _EXISTS or workgroup or role
