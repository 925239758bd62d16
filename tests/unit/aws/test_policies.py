"""The policies of Postrank's roles name what they allow: actions one by one, resources wherever they have a name."""

import re

import pytest

from tests.support import permissions

querying = pytest.importorskip("policy_sentry.querying.actions", reason="policy-sentry is not installed")
PARTS = sorted(path.stem for path in permissions.POLICIES.glob("*.json") if not path.stem.endswith(".trust"))
STATEMENTS = [(part, one["Sid"], one) for part in PARTS for one in permissions.part(part)]
# Where a part of a resource's name is given by AWS or by a run, and what then bounds it.
UNNAMED = (
    r"arn:aws:s3:::[^*/]+/.*\*",  # the keys of a named bucket
    r"arn:aws:glue:[^*]+:table/[^*/]+/\*",  # the tables that queries of a run make, in a named database
    r"arn:aws:s3:::[^*/]+/state/streamer/\*/(heartbeat|deploying)\.json",  # of each collector
    r"arn:aws:logs:[^*]+:log-group:[^*]+:(log-stream:)?\*",  # the streams of a named log group
    r"arn:aws:logs:[^*]+:log-group:/[^*]+-streamer-\*",  # the log groups of collectors
    r"arn:aws:rds-db:[^*]+:dbuser:\*/postrank_(reader|owner)",  # the id that RDS gives an instance
    r"arn:aws:emr-serverless:[^*]+:/applications/\*",  # the id that EMR Serverless gives an application
    r"arn:aws:kafka:[^*]+:(cluster|topic|group)/[^*/]+/\*",  # the id that MSK gives a cluster; what it holds
    r"arn:aws:secretsmanager:[^*?]+-\?{6}",  # the six letters that Secrets Manager adds to a name
)
# Any, where a condition says which.
CONDITIONED = (
    r"arn:aws:(ec2|kms):[^*]+(\*:key|:(instance|volume))/\*",
    r"arn:aws:secretsmanager:[^*]+:secret:rds!db-\*",
    r"\*",
)
# MWAA makes these in AWS's own account, or names them by its environment ("Amazon MWAA execution role").
OF_MWAA = (r"arn:aws:sqs:[^*]+:\*:airflow-celery-\*", r"arn:aws:logs:[^*]+:log-group:airflow-[^*]+-\*")


@pytest.mark.parametrize(("part", "sid", "statement"), STATEMENTS, ids=[f"{part}-{sid}" for part, sid, _ in STATEMENTS])
def test_a_statement_allows_listed_actions_on_resources_that_have_a_name(part, sid, statement):
    assert statement["Effect"] == "Allow"
    assert set(statement) <= {"Sid", "Effect", "Action", "Resource", "Condition"}
    assert [action for action in statement["Action"] if not querying.get_action_data(*action.split(":"))] == []
    forms = [*UNNAMED, *(OF_MWAA if part.endswith("-mwaa") else ()), *(CONDITIONED if "Condition" in statement else ())]
    for resource in statement["Resource"]:
        if resource == "*" and "Condition" not in statement:
            assert [action for action in statement["Action"] if takes_resources(action)] == []
        elif "*" in resource or "?" in resource:
            assert any(re.fullmatch(form, resource) for form in forms), resource


def takes_resources(action: str) -> bool:
    """Whether AWS lets a policy name the resources of an action (Service Authorization Reference)."""
    service, _, name = action.partition(":")
    return any(one["resource_arn_format"] != "*" for one in querying.get_action_data(service, name)[service])
