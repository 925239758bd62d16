"""Every deletion that Postrank and its Terraform root use: what to make first, and what AWS says to a second one.

`gone` is the error code of a deletion of what is deleted already: the one that the API reference documents and that
Terraform's provider recognises, or "" where AWS answers with success.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from localaws.core.shapes import Document
from localaws.testing.server import LocalAws
from localaws.testing.streams import unique

SERVICES = ["firehose.amazonaws.com", "glue.amazonaws.com"]
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": SERVICES}, "Action": "sts:AssumeRole"}],
}
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
MANAGED = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
ZONE = "us-east-1a"


@dataclass(frozen=True)
class Deletion:
    """A boto3 method; `make` makes something for it to delete and returns its parameters."""

    service: str
    method: str
    make: Callable[[LocalAws], Document]
    gone: str
    is_gone: Callable[[LocalAws, Document], bool] = lambda _aws, _params: True  # for what takes a while

    def __str__(self) -> str:
        return f"{self.service}.{self.method}"


def bucket(aws: LocalAws) -> Document:
    name = unique("bucket")
    aws.client("s3").create_bucket(Bucket=name)
    return {"Bucket": name}


def stored(aws: LocalAws) -> Document:
    there = bucket(aws)
    aws.client("s3").put_object(**there, Key="a", Body=b"a")
    return {**there, "Key": "a"}


def stored_pair(aws: LocalAws) -> Document:
    there = stored(aws)
    return {"Bucket": there["Bucket"], "Delete": {"Objects": [{"Key": "a"}, {"Key": "never"}]}}


def upload(aws: LocalAws) -> Document:
    there = {**bucket(aws), "Key": "big"}
    return {**there, "UploadId": aws.client("s3").create_multipart_upload(**there)["UploadId"]}


def bucket_policy(aws: LocalAws) -> Document:
    there = bucket(aws)
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{there['Bucket']}/x"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    aws.client("s3").put_bucket_policy(**there, Policy=json.dumps(policy))
    return there


def lifecycle(aws: LocalAws) -> Document:
    there = bucket(aws)
    rule = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 3}}
    aws.client("s3").put_bucket_lifecycle_configuration(**there, LifecycleConfiguration={"Rules": [rule]})
    return there


def encryption(aws: LocalAws) -> Document:
    there = bucket(aws)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    aws.client("s3").put_bucket_encryption(**there, ServerSideEncryptionConfiguration={"Rules": [rule]})
    return there


def access_block(aws: LocalAws) -> Document:
    there = bucket(aws)
    block = {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": True,
    }
    aws.client("s3").put_public_access_block(**there, PublicAccessBlockConfiguration=block)
    return there


def stream(aws: LocalAws) -> Document:
    name = unique("stream")
    aws.client("kinesis").create_stream(StreamName=name, ShardCount=1)
    return {"StreamName": name}


def no_such_stream(aws: LocalAws, params: Document) -> bool:
    return params["StreamName"] not in aws.client("kinesis").list_streams()["StreamNames"]


def consumer(aws: LocalAws) -> Document:
    kinesis = aws.client("kinesis")
    arn = kinesis.describe_stream_summary(**stream(aws))["StreamDescriptionSummary"]["StreamARN"]
    kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="reader")
    return {"StreamARN": arn, "ConsumerName": "reader"}


def stream_policy(aws: LocalAws) -> Document:
    kinesis = aws.client("kinesis")
    arn = kinesis.describe_stream_summary(**stream(aws))["StreamDescriptionSummary"]["StreamARN"]
    kinesis.put_resource_policy(ResourceARN=arn, Policy=json.dumps(POLICY))
    return {"ResourceARN": arn}


def delivery(aws: LocalAws) -> Document:
    name = unique("delivery")
    role = unique("role")
    arn = aws.client("iam").create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    aws.client("firehose").create_delivery_stream(
        DeliveryStreamName=name,
        ExtendedS3DestinationConfiguration={"RoleARN": arn, "BucketARN": f"arn:aws:s3:::{bucket(aws)['Bucket']}"},
    )
    return {"DeliveryStreamName": name}


def database(aws: LocalAws) -> Document:
    name = unique("database").replace("-", "_")
    aws.client("glue").create_database(DatabaseInput={"Name": name})
    return {"Name": name}


def table(aws: LocalAws) -> Document:
    name = database(aws)["Name"]
    keys = [{"Name": "dt", "Type": "string"}]
    storage = {"Columns": [{"Name": "a", "Type": "string"}], "Location": "s3://nothing/"}
    described = {"Name": "posts", "StorageDescriptor": storage, "PartitionKeys": keys}
    aws.client("glue").create_table(DatabaseName=name, TableInput=described)
    return {"DatabaseName": name, "Name": "posts"}


def tables(aws: LocalAws) -> Document:
    return {"DatabaseName": table(aws)["DatabaseName"], "TablesToDelete": ["posts"]}


def partition(aws: LocalAws) -> Document:
    there = {"DatabaseName": table(aws)["DatabaseName"], "TableName": "posts"}
    aws.client("glue").create_partition(**there, PartitionInput={"Values": ["2026-11-25"]})
    return {**there, "PartitionValues": ["2026-11-25"]}


def partitions(aws: LocalAws) -> Document:
    there = partition(aws)
    values = there.pop("PartitionValues")
    return {**there, "PartitionsToDelete": [{"Values": values}]}


def crawler(aws: LocalAws) -> Document:
    name = unique("crawler")
    targets = {"S3Targets": [{"Path": f"s3://{bucket(aws)['Bucket']}/"}]}
    aws.client("glue").create_crawler(
        Name=name, Role=role(aws)["RoleName"], DatabaseName=database(aws)["Name"], Targets=targets
    )
    return {"Name": name}


def workgroup(aws: LocalAws) -> Document:
    name = unique("workgroup")
    aws.client("athena").create_work_group(Name=name)
    return {"WorkGroup": name, "RecursiveDeleteOption": True}


def named_query(aws: LocalAws) -> Document:
    query = aws.client("athena").create_named_query(Name="one", Database="default", QueryString="select 1")
    return {"NamedQueryId": query["NamedQueryId"]}


def prepared_statement(aws: LocalAws) -> Document:
    there = {"StatementName": unique("statement").replace("-", "_"), "WorkGroup": "primary"}
    aws.client("athena").create_prepared_statement(**there, QueryStatement="select 1")
    return there


def alarm(aws: LocalAws) -> Document:
    name = unique("alarm")
    aws.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="Test",
        MetricName="Age",
        Period=60,
        Statistic="Maximum",
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
    )
    return {"AlarmNames": [name]}


def dashboard(aws: LocalAws) -> Document:
    name = unique("dashboard")
    aws.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody='{"widgets": []}')
    return {"DashboardNames": [name]}


def log_group(aws: LocalAws) -> Document:
    name = unique("/logs/group")
    aws.client("logs").create_log_group(logGroupName=name)
    return {"logGroupName": name}


def log_stream(aws: LocalAws) -> Document:
    there = {**log_group(aws), "logStreamName": "one"}
    aws.client("logs").create_log_stream(**there)
    return there


def topic(aws: LocalAws) -> Document:
    return {"TopicArn": aws.client("sns").create_topic(Name=unique("topic"))["TopicArn"]}


def subscription(aws: LocalAws) -> Document:
    response = aws.client("sns").subscribe(
        **topic(aws), Protocol="email", Endpoint="team@example.com", ReturnSubscriptionArn=True
    )
    return {"SubscriptionArn": response["SubscriptionArn"]}


def queue(aws: LocalAws) -> Document:
    return {"QueueUrl": aws.client("sqs").create_queue(QueueName=unique("queue"))["QueueUrl"]}


def role(aws: LocalAws) -> Document:
    name = unique("role")
    aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    return {"RoleName": name}


def role_policy(aws: LocalAws) -> Document:
    there = {**role(aws), "PolicyName": "inline"}
    aws.client("iam").put_role_policy(**there, PolicyDocument=json.dumps(POLICY))
    return there


def attachment(aws: LocalAws) -> Document:
    there = {**role(aws), "PolicyArn": MANAGED}
    aws.client("iam").attach_role_policy(**there)
    return there


def instance_profile(aws: LocalAws) -> Document:
    name = unique("profile")
    aws.client("iam").create_instance_profile(InstanceProfileName=name)
    return {"InstanceProfileName": name}


def profile_role(aws: LocalAws) -> Document:
    there = {**instance_profile(aws), **role(aws)}
    aws.client("iam").add_role_to_instance_profile(**there)
    return there


def identity_provider(aws: LocalAws) -> Document:
    url = f"https://{unique('tokens')}.example.com"
    provider = aws.client("iam").create_open_id_connect_provider(Url=url, ThumbprintList=["0" * 40])
    return {"OpenIDConnectProviderArn": provider["OpenIDConnectProviderArn"]}


def user(aws: LocalAws) -> Document:
    name = unique("user")
    aws.client("iam").create_user(UserName=name)
    return {"UserName": name}


def access_key(aws: LocalAws) -> Document:
    there = user(aws)
    response = aws.client("iam").create_access_key(**there)
    return {**there, "AccessKeyId": response["AccessKey"]["AccessKeyId"]}


def group(aws: LocalAws) -> Document:
    name = unique("group")
    aws.client("iam").create_group(GroupName=name)
    return {"GroupName": name}


def group_member(aws: LocalAws) -> Document:
    there = {**group(aws), **user(aws)}
    aws.client("iam").add_user_to_group(**there)
    return there


def event_rule(aws: LocalAws) -> Document:
    name = unique("rule")
    aws.client("events").put_rule(Name=name, ScheduleExpression="rate(1 hour)")
    return {"Name": name}


def event_target(aws: LocalAws) -> Document:
    name = event_rule(aws)["Name"]
    aws.client("events").put_targets(Rule=name, Targets=[{"Id": "one", "Arn": topic(aws)["TopicArn"]}])
    return {"Rule": name, "Ids": ["one"]}


def policy(aws: LocalAws) -> Document:
    response = aws.client("iam").create_policy(PolicyName=unique("policy"), PolicyDocument=json.dumps(POLICY))
    return {"PolicyArn": response["Policy"]["Arn"]}


def secret(aws: LocalAws) -> Document:
    name = unique("secret")
    aws.client("secretsmanager").create_secret(Name=name, SecretString="{}")
    return {"SecretId": name, "ForceDeleteWithoutRecovery": True}


def secret_with_recovery(aws: LocalAws) -> Document:
    return {"SecretId": secret(aws)["SecretId"], "RecoveryWindowInDays": 7}


def parameter(aws: LocalAws) -> Document:
    name = unique("/parameter")
    aws.client("ssm").put_parameter(Name=name, Value="1", Type="String")
    return {"Name": name}


def document(aws: LocalAws) -> Document:
    name = unique("document")
    step = {"action": "aws:runShellScript", "name": "run", "inputs": {"runCommand": ["true"]}}
    content = {"schemaVersion": "2.2", "description": "", "mainSteps": [step]}
    aws.client("ssm").create_document(Name=name, Content=json.dumps(content), DocumentType="Command")
    return {"Name": name}


def repository(aws: LocalAws) -> Document:
    name = unique("repository")
    aws.client("ecr").create_repository(repositoryName=name)
    return {"repositoryName": name, "force": True}


def network(aws: LocalAws) -> Document:
    return {"VpcId": aws.client("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]}


def subnet(aws: LocalAws) -> Document:
    response = aws.client("ec2").create_subnet(**network(aws), CidrBlock="10.9.1.0/24", AvailabilityZone=ZONE)
    return {"SubnetId": response["Subnet"]["SubnetId"]}


def route_table(aws: LocalAws) -> Document:
    return {"RouteTableId": aws.client("ec2").create_route_table(**network(aws))["RouteTable"]["RouteTableId"]}


def gateway(aws: LocalAws) -> Document:
    response = aws.client("ec2").create_internet_gateway()
    return {"InternetGatewayId": response["InternetGateway"]["InternetGatewayId"]}


def attached_gateway(aws: LocalAws) -> Document:
    there = {**gateway(aws), **network(aws)}
    aws.client("ec2").attach_internet_gateway(**there)
    return there


def route(aws: LocalAws) -> Document:
    there = attached_gateway(aws)
    table = aws.client("ec2").create_route_table(VpcId=there["VpcId"])["RouteTable"]["RouteTableId"]
    where = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0"}
    aws.client("ec2").create_route(**where, GatewayId=there["InternetGatewayId"])
    return where


def route_association(aws: LocalAws) -> Document:
    ec2 = aws.client("ec2")
    there = subnet(aws)
    vpc = ec2.describe_subnets(SubnetIds=[there["SubnetId"]])["Subnets"][0]["VpcId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    return {"AssociationId": ec2.associate_route_table(RouteTableId=table, **there)["AssociationId"]}


def security_group(aws: LocalAws) -> Document:
    group = aws.client("ec2").create_security_group(GroupName=unique("group"), Description="one", **network(aws))
    return {"GroupId": group["GroupId"]}


_WEB = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.9.0.0/16"}]}


def ingress_rule(aws: LocalAws) -> Document:
    there = security_group(aws)
    response = aws.client("ec2").authorize_security_group_ingress(**there, IpPermissions=[_WEB])
    return {**there, "SecurityGroupRuleIds": [response["SecurityGroupRules"][0]["SecurityGroupRuleId"]]}


def egress_rule(aws: LocalAws) -> Document:
    there = security_group(aws)
    response = aws.client("ec2").authorize_security_group_egress(**there, IpPermissions=[_WEB])
    return {**there, "SecurityGroupRuleIds": [response["SecurityGroupRules"][0]["SecurityGroupRuleId"]]}


def ingress_permission(aws: LocalAws) -> Document:
    there = security_group(aws)
    aws.client("ec2").authorize_security_group_ingress(**there, IpPermissions=[_WEB])
    return {**there, "IpPermissions": [_WEB]}


def endpoint(aws: LocalAws) -> Document:
    response = aws.client("ec2").create_vpc_endpoint(**network(aws), ServiceName="com.amazonaws.us-east-1.s3")
    return {"VpcEndpointIds": [response["VpcEndpoint"]["VpcEndpointId"]]}


def volume(aws: LocalAws) -> Document:
    return {"VolumeId": aws.client("ec2").create_volume(AvailabilityZone=ZONE, Size=1)["VolumeId"]}


def address(aws: LocalAws) -> Document:
    return {"AllocationId": aws.client("ec2").allocate_address(Domain="vpc")["AllocationId"]}


def nat_gateway(aws: LocalAws) -> Document:
    response = aws.client("ec2").create_nat_gateway(**subnet(aws), **address(aws))
    return {"NatGatewayId": response["NatGateway"]["NatGatewayId"]}


def launch_template(aws: LocalAws) -> Document:
    data = {"ImageId": "ami-12c6146b"}
    template = aws.client("ec2").create_launch_template(LaunchTemplateName=unique("template"), LaunchTemplateData=data)
    return {"LaunchTemplateId": template["LaunchTemplate"]["LaunchTemplateId"]}


def instance(aws: LocalAws) -> Document:
    response = aws.client("ec2").run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)
    return {"InstanceIds": [response["Instances"][0]["InstanceId"]]}


def scaling_group(aws: LocalAws) -> Document:
    name = unique("group")
    aws.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=name,
        LaunchTemplate={**launch_template(aws), "Version": "$Latest"},
        MinSize=0,
        MaxSize=0,
        AvailabilityZones=[ZONE],
    )
    return {"AutoScalingGroupName": name, "ForceDelete": True}


def subnet_group(aws: LocalAws) -> Document:
    name = unique("subnets")
    aws.client("rds").create_db_subnet_group(
        DBSubnetGroupName=name, DBSubnetGroupDescription="one", SubnetIds=[subnet(aws)["SubnetId"]]
    )
    return {"DBSubnetGroupName": name}


def parameter_group(aws: LocalAws) -> Document:
    name = unique("parameters")
    aws.client("rds").create_db_parameter_group(
        DBParameterGroupName=name, DBParameterGroupFamily="postgres16", Description="one"
    )
    return {"DBParameterGroupName": name}


def budget(aws: LocalAws) -> Document:
    there = {"AccountId": "123456789012"}
    limit = {"Amount": "10", "Unit": "USD"}
    definition = {"BudgetName": unique("budget"), "BudgetLimit": limit, "TimeUnit": "MONTHLY", "BudgetType": "COST"}
    aws.client("budgets").create_budget(**there, Budget=definition)
    return {**there, "BudgetName": definition["BudgetName"]}


DELETIONS = (
    Deletion("athena", "delete_named_query", named_query, "InvalidRequestException"),
    Deletion("athena", "delete_prepared_statement", prepared_statement, "ResourceNotFoundException"),
    Deletion("athena", "delete_work_group", workgroup, "InvalidRequestException"),
    Deletion("autoscaling", "delete_auto_scaling_group", scaling_group, "ValidationError"),
    Deletion("budgets", "delete_budget", budget, "NotFoundException"),
    Deletion("cloudwatch", "delete_alarms", alarm, ""),
    Deletion("cloudwatch", "delete_dashboards", dashboard, "ResourceNotFound"),
    Deletion("ec2", "delete_internet_gateway", gateway, "InvalidInternetGatewayID.NotFound"),
    Deletion("ec2", "delete_launch_template", launch_template, "InvalidLaunchTemplateId.NotFound"),
    Deletion("ec2", "delete_nat_gateway", nat_gateway, ""),
    Deletion("ec2", "delete_route", route, "InvalidRoute.NotFound"),
    Deletion("ec2", "delete_route_table", route_table, "InvalidRouteTableID.NotFound"),
    Deletion("ec2", "delete_security_group", security_group, "InvalidGroup.NotFound"),
    Deletion("ec2", "delete_subnet", subnet, "InvalidSubnetID.NotFound"),
    Deletion("ec2", "delete_volume", volume, "InvalidVolume.NotFound"),
    Deletion("ec2", "delete_vpc", network, "InvalidVpcID.NotFound"),
    Deletion("ec2", "delete_vpc_endpoints", endpoint, ""),
    Deletion("ec2", "detach_internet_gateway", attached_gateway, "Gateway.NotAttached"),
    Deletion("ec2", "disassociate_route_table", route_association, "InvalidAssociationID.NotFound"),
    Deletion("ec2", "release_address", address, "InvalidAllocationID.NotFound"),
    Deletion("ec2", "revoke_security_group_egress", egress_rule, "InvalidSecurityGroupRuleId.NotFound"),
    Deletion("ec2", "revoke_security_group_ingress", ingress_rule, "InvalidSecurityGroupRuleId.NotFound"),
    Deletion("ec2", "revoke_security_group_ingress", ingress_permission, "InvalidPermission.NotFound"),
    Deletion("ec2", "terminate_instances", instance, ""),
    Deletion("ecr", "delete_repository", repository, "RepositoryNotFoundException"),
    Deletion("events", "delete_rule", event_rule, ""),
    Deletion("events", "remove_targets", event_target, ""),
    Deletion("firehose", "delete_delivery_stream", delivery, "ResourceNotFoundException"),
    Deletion("glue", "batch_delete_partition", partitions, ""),
    Deletion("glue", "batch_delete_table", tables, ""),
    Deletion("glue", "delete_crawler", crawler, "EntityNotFoundException"),
    Deletion("glue", "delete_database", database, "EntityNotFoundException"),
    Deletion("glue", "delete_partition", partition, "EntityNotFoundException"),
    Deletion("glue", "delete_table", table, "EntityNotFoundException"),
    Deletion("iam", "delete_access_key", access_key, "NoSuchEntity"),
    Deletion("iam", "delete_group", group, "NoSuchEntity"),
    Deletion("iam", "delete_instance_profile", instance_profile, "NoSuchEntity"),
    Deletion("iam", "delete_open_id_connect_provider", identity_provider, ""),
    Deletion("iam", "delete_policy", policy, "NoSuchEntity"),
    Deletion("iam", "delete_role", role, "NoSuchEntity"),
    Deletion("iam", "delete_role_policy", role_policy, "NoSuchEntity"),
    Deletion("iam", "delete_user", user, "NoSuchEntity"),
    Deletion("iam", "detach_role_policy", attachment, "NoSuchEntity"),
    Deletion("iam", "remove_role_from_instance_profile", profile_role, "NoSuchEntity"),
    Deletion("iam", "remove_user_from_group", group_member, "NoSuchEntity"),
    Deletion("kinesis", "delete_resource_policy", stream_policy, "ResourceNotFoundException"),
    Deletion("kinesis", "delete_stream", stream, "ResourceNotFoundException", no_such_stream),
    Deletion("kinesis", "deregister_stream_consumer", consumer, "ResourceNotFoundException"),
    Deletion("logs", "delete_log_group", log_group, "ResourceNotFoundException"),
    Deletion("logs", "delete_log_stream", log_stream, "ResourceNotFoundException"),
    Deletion("rds", "delete_db_parameter_group", parameter_group, "DBParameterGroupNotFound"),
    Deletion("rds", "delete_db_subnet_group", subnet_group, "DBSubnetGroupNotFoundFault"),
    Deletion("s3", "abort_multipart_upload", upload, "NoSuchUpload"),
    Deletion("s3", "delete_bucket", bucket, "NoSuchBucket"),
    Deletion("s3", "delete_bucket_encryption", encryption, ""),
    Deletion("s3", "delete_bucket_lifecycle", lifecycle, ""),
    Deletion("s3", "delete_bucket_policy", bucket_policy, ""),
    Deletion("s3", "delete_object", stored, ""),
    Deletion("s3", "delete_objects", stored_pair, ""),
    Deletion("s3", "delete_public_access_block", access_block, ""),
    Deletion("secretsmanager", "delete_secret", secret, ""),
    Deletion("secretsmanager", "delete_secret", secret_with_recovery, "InvalidRequestException"),
    Deletion("sns", "delete_topic", topic, ""),
    Deletion("sns", "unsubscribe", subscription, ""),
    Deletion("sqs", "delete_queue", queue, "AWS.SimpleQueueService.NonExistentQueue"),
    Deletion("ssm", "delete_document", document, "InvalidDocument"),
    Deletion("ssm", "delete_parameter", parameter, "ParameterNotFound"),
)
