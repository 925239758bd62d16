"""The table of permissions, held against AWS's own list of actions and resources (as policy-sentry carries it)."""

import re

import pytest

from localaws.iam.permissions import s3_actions
from localaws.iam.permissions.actions import _PREFIXES
from localaws.iam.permissions.resource_arns import TEMPLATES

querying = pytest.importorskip("policy_sentry.querying.actions", reason="policy-sentry is not installed")
ACTIONS = [(service, action) for service, actions in TEMPLATES.items() for action in actions]
# Tagging works on every kind of resource of a service, and these take their ARN from the caller.
GIVEN = re.compile(r"\{(ResourceArn|ResourceName|ResourceARN|resourceArn|RoleArn)\}$")
# Actions of the API whose permission has another name, or none of its own.
UNLISTED = {("sqs", item) for item in ("ChangeMessageVisibilityBatch", "DeleteMessageBatch", "SendMessageBatch")} | {
    ("sns", "PublishBatch"),
    ("kinesis", "UpdateMaxRecordSize"),
}


def form(arn):
    """The fixed parts of an ARN: "arn:aws:kinesis:stream/"."""
    plain = arn.replace("${Partition}", "aws").replace("{region}", "").replace("{account}", "")
    plain = plain.replace("${Region}", "").replace("${Account}", "")
    return re.sub(r"\$?\{[^}]*\}|\*", "*", plain)


@pytest.mark.parametrize(("service", "action"), ACTIONS)
def test_an_action_works_on_resources_of_the_listed_kinds(service, action):
    prefix = _PREFIXES.get(service, service)
    if (service, action) in UNLISTED:
        pytest.skip("no permission of its own")
    data = querying.get_action_data(prefix, action)
    assert data, f"{prefix}:{action} is no action"
    listed = {form(item["resource_arn_format"]) for item in data[prefix]}
    for template in TEMPLATES[service][action]:
        if not GIVEN.match(template):
            assert any(form(template).startswith(arn.split("*")[0]) for arn in listed if arn != "*"), (template, listed)


NAMED_ALIKE = (
    "CopyObject CreateBucket DeleteBucket DeleteObjects GetBucketLocation GetBucketPolicy ListBuckets PutBucketPolicy"
    " PutBucketVersioning"
)
S3_ACTIONS = sorted({*s3_actions._OBJECT, *s3_actions._BUCKET, *NAMED_ALIKE.split()})


@pytest.mark.parametrize("action", S3_ACTIONS)
@pytest.mark.parametrize("version", [{}, {"VersionId": "v"}])
def test_permissions_of_s3_are_listed_ones(action, version):
    params = {"Bucket": "b", "Key": "k", "CopySource": "b/k", **version}
    for permission, _ in s3_actions.pairs(action, params):
        assert querying.get_action_data("s3", permission.removeprefix("s3:")), permission
