"""Resource ARNs of calls, service by service, as templates over a call's parameters.

Source: "Actions, resources, and condition keys for AWS services" (Service Authorization Reference). In a template
`{A|B.C}` is the first parameter that is there; of a list, each member gives an ARN; a value that is itself an ARN
stands for the whole. An action that is not here works on "*".
"""

_KINESIS_STREAM = ("arn:aws:kinesis:{region}:{account}:stream/{StreamARN|ResourceARN|StreamName|StreamId}",)
_DELIVERY = ("arn:aws:firehose:{region}:{account}:deliverystream/{DeliveryStreamName}",)
_CATALOG = "arn:aws:glue:{region}:{account}:catalog"
_DATABASE = "arn:aws:glue:{region}:{account}:database/{DatabaseName}"
_TABLE = "arn:aws:glue:{region}:{account}:table/{DatabaseName}/{TableName|Name|TableInput.Name|TablesToDelete}"
_IN_TABLE = (_CATALOG, _DATABASE, _TABLE)
_ANY_TABLE = (_CATALOG, _DATABASE, "arn:aws:glue:{region}:{account}:table/{DatabaseName}/*")
_OF_DATABASE = (_CATALOG, "arn:aws:glue:{region}:{account}:database/{Name|DatabaseInput.Name}")
_CRAWLER = ("arn:aws:glue:{region}:{account}:crawler/{Name|CrawlerName}",)
_WORKGROUP = ("arn:aws:athena:{region}:{account}:workgroup/{WorkGroup|Name}",)
_INSTANCE = ("arn:aws:ec2:{region}:{account}:instance/{InstanceIds|InstanceId}",)
_VOLUME = "arn:aws:ec2:{region}:{account}:volume/{VolumeId}"
_PARAMETER = ("arn:aws:ssm:{region}:{account}:parameter/{Name|Names|Path}",)
_DOCUMENT = ("arn:aws:ssm:{region}:{account}:document/{Name}",)
_GROUP = ("arn:aws:autoscaling:{region}:{account}:autoScalingGroup:*:autoScalingGroupName/{AutoScalingGroupName}",)
_ALARM = ("arn:aws:cloudwatch:{region}:{account}:alarm:{AlarmName|AlarmNames}",)
_LOG_GROUP = ("arn:aws:logs:{region}:{account}:log-group:{logGroupName|logGroupIdentifier}",)
_LOG_STREAM = ("arn:aws:logs:{region}:{account}:log-group:{logGroupName}:log-stream:{logStreamName}",)
_SECRET = ("arn:aws:secretsmanager:{region}:{account}:secret:{SecretId|Name}",)
_TOPIC = ("arn:aws:sns:{region}:{account}:{TopicArn|ResourceArn|Name}",)
_QUEUE = ("arn:aws:sqs:{region}:{account}:{QueueUrl|QueueName}",)
_ROLE = ("arn:aws:iam::{account}:role/{RoleName}",)
_USER = ("arn:aws:iam::{account}:user/{UserName}",)
_POLICY = ("arn:aws:iam::{account}:policy/{PolicyArn|PolicyName}",)
_EMR_APPLICATION = ("arn:aws:emr-serverless:{region}:{account}:/applications/{applicationId}",)
_PROFILE = ("arn:aws:iam::{account}:instance-profile/{InstanceProfileName}",)

Templates = dict[str, tuple[str, ...]]


def _each(actions: str, templates: tuple[str, ...]) -> Templates:
    return dict.fromkeys(actions.split(), templates)


TEMPLATES: dict[str, Templates] = {
    "kinesis": {
        **_each(
            "AddTagsToStream CreateStream DecreaseStreamRetentionPeriod DeleteResourcePolicy DeleteStream"
            " DescribeStream DescribeStreamSummary GetRecords"
            " GetResourcePolicy GetShardIterator IncreaseStreamRetentionPeriod ListShards ListStreamConsumers"
            " ListTagsForResource ListTagsForStream MergeShards PutRecord PutRecords PutResourcePolicy"
            " RegisterStreamConsumer RemoveTagsFromStream SplitShard StartStreamEncryption StopStreamEncryption"
            " TagResource UntagResource UpdateMaxRecordSize ",
            _KINESIS_STREAM,
        ),
        **_each(
            "DeregisterStreamConsumer DescribeStreamConsumer SubscribeToShard",
            ("arn:aws:kinesis:{region}:{account}:stream/{ConsumerARN|StreamARN}",),
        ),
    },
    "firehose": _each(
        "CreateDeliveryStream DeleteDeliveryStream DescribeDeliveryStream ListTagsForDeliveryStream PutRecord"
        " PutRecordBatch StartDeliveryStreamEncryption StopDeliveryStreamEncryption TagDeliveryStream"
        " UntagDeliveryStream UpdateDestination",
        _DELIVERY,
    ),
    "glue": {
        **_each("CreateDatabase DeleteDatabase GetDatabase UpdateDatabase", _OF_DATABASE),
        "GetDatabases": (_CATALOG, "arn:aws:glue:{region}:{account}:database/*"),
        **_each("GetTables SearchTables BatchDeleteTable", _ANY_TABLE),
        **_each(
            "BatchCreatePartition BatchDeletePartition BatchGetPartition BatchUpdatePartition CreatePartition"
            " CreatePartitionIndex CreateTable DeletePartition DeletePartitionIndex DeleteTable DeleteTableVersion"
            " GetPartition GetPartitionIndexes GetPartitions GetTable GetTableVersion GetTableVersions"
            " UpdatePartition UpdateTable GetColumnStatisticsForTable",
            _IN_TABLE,
        ),
        **_each("DeleteCrawler GetCrawler StartCrawler StopCrawler UpdateCrawler", _CRAWLER),
        **_each("GetTags TagResource UntagResource", ("{ResourceArn}",)),
    },
    "athena": {
        **_each(
            "BatchGetNamedQuery BatchGetPreparedStatement BatchGetQueryExecution CreateNamedQuery"
            " CreatePreparedStatement CreateWorkGroup DeleteNamedQuery DeletePreparedStatement DeleteWorkGroup"
            " GetNamedQuery GetPreparedStatement GetQueryExecution GetQueryResults GetQueryRuntimeStatistics"
            " GetWorkGroup ListNamedQueries ListPreparedStatements ListQueryExecutions StartQueryExecution"
            " StopQueryExecution UpdateNamedQuery UpdatePreparedStatement UpdateWorkGroup",
            _WORKGROUP,
        ),
        **_each("ListTagsForResource TagResource UntagResource", ("{ResourceARN}",)),
        **_each(
            "CreateDataCatalog DeleteDataCatalog GetDataCatalog GetDatabase GetTableMetadata ListDatabases"
            " ListTableMetadata UpdateDataCatalog",
            ("arn:aws:athena:{region}:{account}:datacatalog/{CatalogName|Name}",),
        ),
    },
    "ec2": _each(
        "AssociateIamInstanceProfile GetConsoleOutput ModifyInstanceAttribute ModifyInstanceMetadataOptions"
        " MonitorInstances RebootInstances StartInstances StopInstances TerminateInstances UnmonitorInstances",
        _INSTANCE,
    )
    | _each("AttachVolume DetachVolume", (*_INSTANCE, _VOLUME)),
    "ssm": {
        **_each(
            "DeleteParameter DeleteParameters GetParameter GetParameterHistory GetParameters GetParametersByPath"
            " PutParameter",
            _PARAMETER,
        ),
        **_each(
            "CreateDocument DeleteDocument DescribeDocument DescribeDocumentPermission GetDocument"
            " ModifyDocumentPermission UpdateDocument UpdateDocumentDefaultVersion",
            _DOCUMENT,
        ),
    },
    "autoscaling": _each(
        "AttachInstances CompleteLifecycleAction CreateAutoScalingGroup CreateOrUpdateTags DeleteAutoScalingGroup"
        " DetachInstances EnterStandby ExitStandby PutScalingPolicy ResumeProcesses SetDesiredCapacity"
        " StartInstanceRefresh SuspendProcesses TerminateInstanceInAutoScalingGroup UpdateAutoScalingGroup",
        _GROUP,
    ),
    "monitoring": {
        **_each(
            "DeleteAlarms DescribeAlarmHistory DescribeAlarms DisableAlarmActions EnableAlarmActions"
            " PutCompositeAlarm PutMetricAlarm SetAlarmState",
            _ALARM,
        ),
        **_each("ListTagsForResource TagResource UntagResource", ("{ResourceARN}",)),
    },
    "logs": {
        **_each(
            "CreateLogGroup DeleteLogGroup DescribeLogStreams FilterLogEvents PutRetentionPolicy ListTagsLogGroup"
            " TagLogGroup PutMetricFilter PutSubscriptionFilter",
            _LOG_GROUP,
        ),
        **_each("CreateLogStream DeleteLogStream GetLogEvents PutLogEvents", _LOG_STREAM),
        **_each("ListTagsForResource TagResource UntagResource", ("{resourceArn}",)),
    },
    "secretsmanager": _each(
        "CreateSecret DeleteSecret DescribeSecret GetResourcePolicy GetSecretValue ListSecretVersionIds"
        " PutResourcePolicy PutSecretValue RestoreSecret RotateSecret TagResource UntagResource UpdateSecret"
        " UpdateSecretVersionStage",
        _SECRET,
    ),
    "sns": {
        **_each(
            "AddPermission ConfirmSubscription CreateTopic DeleteTopic GetTopicAttributes ListSubscriptionsByTopic"
            " ListTagsForResource RemovePermission SetTopicAttributes Subscribe TagResource UntagResource",
            _TOPIC,
        ),
        **_each("Publish PublishBatch", ("arn:aws:sns:{region}:{account}:{TopicArn|TargetArn|PhoneNumber}",)),
    },
    "sqs": _each(
        "AddPermission ChangeMessageVisibility ChangeMessageVisibilityBatch CreateQueue DeleteMessage"
        " DeleteMessageBatch DeleteQueue GetQueueAttributes GetQueueUrl ListDeadLetterSourceQueues ListQueueTags"
        " PurgeQueue ReceiveMessage RemovePermission SendMessage SendMessageBatch SetQueueAttributes TagQueue"
        " UntagQueue",
        _QUEUE,
    ),
    "iam": {
        **_each(
            "AttachRolePolicy CreateRole DeleteRole DeleteRolePermissionsBoundary DeleteRolePolicy DetachRolePolicy"
            " GetRole GetRolePolicy ListAttachedRolePolicies ListInstanceProfilesForRole ListRolePolicies"
            " ListRoleTags PutRolePermissionsBoundary PutRolePolicy TagRole UntagRole UpdateAssumeRolePolicy"
            " UpdateRole UpdateRoleDescription",
            _ROLE,
        ),
        **_each(
            "AttachUserPolicy CreateAccessKey CreateUser DeleteAccessKey DeleteUser DeleteUserPolicy"
            " DetachUserPolicy GetUser GetUserPolicy ListAccessKeys ListAttachedUserPolicies ListUserPolicies"
            " PutUserPolicy TagUser UntagUser UpdateAccessKey UpdateUser",
            _USER,
        ),
        **_each(
            "CreatePolicy CreatePolicyVersion DeletePolicy DeletePolicyVersion GetPolicy GetPolicyVersion"
            " ListEntitiesForPolicy ListPolicyVersions SetDefaultPolicyVersion TagPolicy UntagPolicy",
            _POLICY,
        ),
        **_each(
            "AddRoleToInstanceProfile CreateInstanceProfile DeleteInstanceProfile GetInstanceProfile"
            " RemoveRoleFromInstanceProfile TagInstanceProfile UntagInstanceProfile",
            _PROFILE,
        ),
    },
    "emr-serverless": {
        **_each(
            "DeleteApplication GetApplication ListJobRuns StartApplication StartJobRun StopApplication"
            " UpdateApplication",
            _EMR_APPLICATION,
        ),
        **_each("CancelJobRun GetJobRun", (_EMR_APPLICATION[0] + "/jobruns/{jobRunId}",)),
        **_each("ListTagsForResource TagResource UntagResource", ("{resourceArn}",)),
    },
    "rds": {
        **_each(
            "CreateDBInstance DeleteDBInstance DescribeDBInstances ModifyDBInstance RebootDBInstance StartDBInstance"
            " StopDBInstance",
            ("arn:aws:rds:{region}:{account}:db:{DBInstanceIdentifier}",),
        ),
        **_each("AddTagsToResource ListTagsForResource RemoveTagsFromResource", ("{ResourceName}",)),
        **_each(
            "CreateDBSubnetGroup DeleteDBSubnetGroup ModifyDBSubnetGroup",
            ("arn:aws:rds:{region}:{account}:subgrp:{DBSubnetGroupName}",),
        ),
        **_each(
            "CreateDBParameterGroup DeleteDBParameterGroup DescribeDBParameters ModifyDBParameterGroup",
            ("arn:aws:rds:{region}:{account}:pg:{DBParameterGroupName}",),
        ),
    },
    "sts": _each("AssumeRole AssumeRoleWithWebIdentity AssumeRoleWithSAML", ("{RoleArn}",)),
    "kms": _each(
        "Decrypt DescribeKey Encrypt GenerateDataKey GetKeyPolicy",
        ("arn:aws:kms:{region}:{account}:key/{KeyId}",),
    ),
    "events": _each(
        "DeleteRule DescribeRule ListTargetsByRule PutRule PutTargets RemoveTargets",
        ("arn:aws:events:{region}:{account}:rule/{Name|Rule}",),
    ),
}
