"""Streams and shards, as the Kinesis API reference describes them."""

import itertools

import pytest
from botocore.exceptions import ClientError

from localaws.testing.server import running_localaws
from localaws.testing.streams import make_stream, settled, unique

HASH_SPACE = 2**128


@pytest.fixture(scope="module")
def kinesis(tmp_path_factory):
    with running_localaws(tmp_path_factory.mktemp("localaws"), speed=4) as aws:
        yield aws.client("kinesis")


def shards_of(kinesis, name, **options):
    return kinesis.list_shards(StreamName=name, **options)["Shards"]


def code_of(error):
    return error.value.response["Error"]["Code"]


def test_a_new_stream_covers_the_hash_space_once(kinesis):
    """Page "HashKeyRange"."""
    name = make_stream(kinesis, shards=3)
    ranges = sorted(
        (int(shard["HashKeyRange"]["StartingHashKey"]), int(shard["HashKeyRange"]["EndingHashKey"]))
        for shard in shards_of(kinesis, name)
    )
    assert ranges[0][0] == 0
    assert ranges[-1][1] == HASH_SPACE - 1
    assert all(low[1] + 1 == high[0] for low, high in itertools.pairwise(ranges))


def test_a_stream_is_creating_then_active_then_deleting_then_gone(kinesis):
    """Page "StreamDescriptionSummary": StreamStatus."""
    name = unique("stream")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    assert kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamStatus"] == "CREATING"
    with pytest.raises(ClientError) as refused:
        kinesis.put_record(StreamName=name, Data=b"x", PartitionKey="k")
    assert code_of(refused) == "ResourceNotFoundException"
    settled(kinesis, name)
    kinesis.delete_stream(StreamName=name)
    assert kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamStatus"] == "DELETING"
    kinesis.get_waiter("stream_not_exists").wait(StreamName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 10})


def test_tags_given_at_creation_are_kept(kinesis):
    """Page "CreateStream": Tags."""
    name = make_stream(kinesis, Tags={"Project": "lake", "Owner": "x"})
    arn = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]
    kinesis.tag_resource(ResourceARN=arn, Tags={"Stage": "test"})
    kinesis.remove_tags_from_stream(StreamName=name, TagKeys=["Owner"])
    expected = [{"Key": "Project", "Value": "lake"}, {"Key": "Stage", "Value": "test"}]
    assert kinesis.list_tags_for_stream(StreamName=name)["Tags"] == expected
    assert kinesis.list_tags_for_resource(ResourceARN=arn)["Tags"] == expected


def test_a_second_stream_of_the_name_is_refused(kinesis):
    """Page "CreateStream": ResourceInUseException."""
    name = make_stream(kinesis)
    with pytest.raises(ClientError, match="already exists") as refused:
        kinesis.create_stream(StreamName=name, ShardCount=1)
    assert code_of(refused) == "ResourceInUseException"


def test_a_stream_that_does_not_exist_is_not_found(kinesis):
    """Page "DescribeStream": ResourceNotFoundException."""
    with pytest.raises(ClientError) as refused:
        kinesis.describe_stream(StreamName="nobody")
    assert code_of(refused) == "ResourceNotFoundException"
    assert "Stream nobody under account 123456789012 not found." in str(refused.value)


def test_streams_are_listed_page_by_page(kinesis):
    """Page "ListStreams"."""
    names = sorted(make_stream(kinesis) for _ in range(3))
    pages = kinesis.get_paginator("list_streams").paginate(PaginationConfig={"PageSize": 2})
    listed = [name for page in pages for name in page["StreamNames"]]
    assert [name for name in listed if name in names] == names


def test_splitting_a_shard_closes_it_and_opens_two_children(kinesis):
    """Page "SplitShard"."""
    name = make_stream(kinesis)
    kinesis.split_shard(StreamName=name, ShardToSplit="shardId-000000000000", NewStartingHashKey=str(HASH_SPACE // 4))
    parent, left, right = shards_of(kinesis, name)
    assert "EndingSequenceNumber" in parent["SequenceNumberRange"]
    assert left["ParentShardId"] == right["ParentShardId"] == parent["ShardId"]
    assert right["HashKeyRange"]["StartingHashKey"] == str(HASH_SPACE // 4)
    with pytest.raises(ClientError) as busy:
        kinesis.split_shard(StreamName=name, ShardToSplit=left["ShardId"], NewStartingHashKey="5")
    assert code_of(busy) == "ResourceInUseException"
    settled(kinesis, name)
    with pytest.raises(ClientError) as closed:
        kinesis.split_shard(StreamName=name, ShardToSplit=parent["ShardId"], NewStartingHashKey="5")
    assert code_of(closed) == "InvalidArgumentException"


def test_merging_neighbours_opens_one_shard_with_two_parents(kinesis):
    """Page "MergeShards"."""
    name = make_stream(kinesis, shards=3)
    first, second, third = (shard["ShardId"] for shard in shards_of(kinesis, name))
    with pytest.raises(ClientError, match="not an adjacent pair"):
        kinesis.merge_shards(StreamName=name, ShardToMerge=first, AdjacentShardToMerge=third)
    kinesis.merge_shards(StreamName=name, ShardToMerge=first, AdjacentShardToMerge=second)
    merged = shards_of(kinesis, name, ShardFilter={"Type": "AT_LATEST"})[-1]
    assert {merged["ParentShardId"], merged["AdjacentParentShardId"]} == {first, second}


def test_scaling_leaves_even_shards_and_keeps_the_limits_of_a_step(kinesis):
    """Page "UpdateShardCount": at most double, at least half."""
    name = make_stream(kinesis, shards=2)
    answer = kinesis.update_shard_count(StreamName=name, TargetShardCount=3, ScalingType="UNIFORM_SCALING")
    assert (answer["CurrentShardCount"], answer["TargetShardCount"]) == (2, 3)
    open_shards = shards_of(kinesis, name, ShardFilter={"Type": "AT_LATEST"})
    starts = sorted(int(shard["HashKeyRange"]["StartingHashKey"]) for shard in open_shards)
    assert starts == [HASH_SPACE * part // 3 for part in range(3)]
    settled(kinesis, name)
    for target in (7, 1):
        with pytest.raises(ClientError) as refused:
            kinesis.update_shard_count(StreamName=name, TargetShardCount=target, ScalingType="UNIFORM_SCALING")
        assert code_of(refused) == "LimitExceededException"


def test_shards_are_listed_page_by_page(kinesis):
    """Page "ListShards": NextToken comes without a stream's name."""
    name = make_stream(kinesis, shards=5)
    first = kinesis.list_shards(StreamName=name, MaxResults=3)
    rest = kinesis.list_shards(NextToken=first["NextToken"])
    assert [len(first["Shards"]), len(rest["Shards"])] == [3, 2]
    assert "NextToken" not in rest
    with pytest.raises(ClientError) as refused:
        kinesis.list_shards(StreamName=name, NextToken=first["NextToken"])
    assert code_of(refused) == "InvalidArgumentException"


def test_retention_grows_and_shrinks_within_its_bounds(kinesis):
    """Pages "IncreaseStreamRetentionPeriod", "DecreaseStreamRetentionPeriod": 24 to 8760 hours."""
    name = make_stream(kinesis)
    kinesis.increase_stream_retention_period(StreamName=name, RetentionPeriodHours=48)
    settled(kinesis, name)
    assert kinesis.describe_stream(StreamName=name)["StreamDescription"]["RetentionPeriodHours"] == 48
    for call, hours in (
        (kinesis.increase_stream_retention_period, 24),
        (kinesis.increase_stream_retention_period, 9000),
        (kinesis.decrease_stream_retention_period, 23),
    ):
        with pytest.raises(ClientError) as refused:
            call(StreamName=name, RetentionPeriodHours=hours)
        assert code_of(refused) == "InvalidArgumentException"


def test_an_on_demand_stream_has_four_shards_and_takes_no_shard_count(kinesis):
    """Page "Choose the right mode": 4 MB/s for a new stream."""
    name = make_stream(kinesis, shards=None, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    summary = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    assert summary["OpenShardCount"] == 4
    assert summary["StreamModeDetails"] == {"StreamMode": "ON_DEMAND"}
    with pytest.raises(ClientError) as refused:
        kinesis.create_stream(StreamName="x", ShardCount=1, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    assert code_of(refused) == "ValidationException"
    kinesis.update_stream_mode(StreamARN=summary["StreamARN"], StreamModeDetails={"StreamMode": "PROVISIONED"})
    summary = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    assert summary["StreamModeDetails"] == {"StreamMode": "PROVISIONED"}


def test_encryption_and_shard_metrics_are_switched_on_and_off(kinesis):
    """Pages "StartStreamEncryption", "EnableEnhancedMonitoring"."""
    name = make_stream(kinesis)
    kinesis.start_stream_encryption(StreamName=name, EncryptionType="KMS", KeyId="alias/aws/kinesis")
    settled(kinesis, name)
    answer = kinesis.enable_enhanced_monitoring(StreamName=name, ShardLevelMetrics=["IncomingBytes"])
    assert (answer["CurrentShardLevelMetrics"], answer["DesiredShardLevelMetrics"]) == ([], ["IncomingBytes"])
    settled(kinesis, name)
    description = kinesis.describe_stream(StreamName=name)["StreamDescription"]
    assert (description["EncryptionType"], description["KeyId"]) == ("KMS", "alias/aws/kinesis")
    assert description["EnhancedMonitoring"] == [{"ShardLevelMetrics": ["IncomingBytes"]}]
    kinesis.stop_stream_encryption(StreamName=name, EncryptionType="KMS", KeyId="alias/aws/kinesis")
    assert kinesis.describe_stream(StreamName=name)["StreamDescription"]["EncryptionType"] == "NONE"


def test_a_consumer_is_registered_described_and_deregistered(kinesis):
    """Page "RegisterStreamConsumer"."""
    name = make_stream(kinesis)
    arn = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]
    consumer = kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="reader", Tags={"a": "b"})["Consumer"]
    described = kinesis.describe_stream_consumer(ConsumerARN=consumer["ConsumerARN"])["ConsumerDescription"]
    assert (described["ConsumerStatus"], described["StreamARN"]) == ("ACTIVE", arn)
    tags = kinesis.list_tags_for_resource(ResourceARN=consumer["ConsumerARN"])["Tags"]
    assert tags == [{"Key": "a", "Value": "b"}]
    assert kinesis.list_tags_for_resource(ResourceARN=arn)["Tags"] == []
    with pytest.raises(ClientError) as retained:
        kinesis.delete_stream(StreamName=name)
    assert code_of(retained) == "ResourceInUseException"
    kinesis.deregister_stream_consumer(ConsumerARN=consumer["ConsumerARN"])
    assert kinesis.list_stream_consumers(StreamARN=arn)["Consumers"] == []


def test_a_resource_policy_is_kept_until_it_is_deleted(kinesis):
    """Pages "PutResourcePolicy", "GetResourcePolicy", "DeleteResourcePolicy"."""
    name = make_stream(kinesis)
    arn = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]
    kinesis.put_resource_policy(ResourceARN=arn, Policy='{"Statement": []}')
    assert kinesis.get_resource_policy(ResourceARN=arn)["Policy"] == '{"Statement": []}'
    kinesis.delete_resource_policy(ResourceARN=arn)
    with pytest.raises(ClientError) as gone:
        kinesis.delete_resource_policy(ResourceARN=arn)
    assert code_of(gone) == "ResourceNotFoundException"


@pytest.mark.parametrize("name", ["a b", "x" * 129])
def test_a_name_outside_the_model_is_refused_in_aws_words(kinesis, name):
    """Page "CreateStream": StreamName."""
    with pytest.raises(
        ClientError, match=r"1 validation error detected: Value .* at 'streamName' failed to satisfy constraint"
    ) as refused:
        kinesis.create_stream(StreamName=name, ShardCount=1)
    assert code_of(refused) == "ValidationException"
