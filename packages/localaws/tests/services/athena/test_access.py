"""A query reads and writes with its caller's permissions, no more ("Identity and access management in Athena")."""

import json

from localaws.testing.athena.queries import DATA, RESULTS, Queries
from localaws.testing.server import running_localaws


def _user(running, name, statements):
    """Credentials of a user who may do what the statements say."""
    iam = running.client("iam")
    iam.create_user(UserName=name)
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement} for statement in statements]}
    iam.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}


def test_a_query_may_read_only_what_its_caller_may(tmp_path):
    with running_localaws(tmp_path, enforce_iam=True) as running:
        queries = Queries(running.client).create()
        open_table = queries.json_table("n bigint", {"a.json": [{"n": 1}]})
        closed_table = queries.json_table("n bigint", {"a.json": [{"n": 2}]})
        keys = _user(
            running,
            "reader",
            [
                {"Action": ["athena:*", "glue:Get*"], "Resource": "*"},
                {"Action": ["s3:ListBucket", "s3:GetBucketLocation"], "Resource": "*"},
                {"Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{DATA}/{open_table}/*"},
                {"Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"arn:aws:s3:::{RESULTS}/*"},
            ],
        )
        reader = Queries(lambda service: running.client(service, **keys))
        assert reader.rows(f"select n from {open_table}") == [["1"]]
        assert reader.failure(f"select n from {closed_table}").startswith(
            "PERMISSION_DENIED: Access denied on s3:GetObject"
        )
        assert reader.failure(f"drop table {open_table}").startswith("PERMISSION_DENIED")
        assert reader.failure(
            f"create table mine with (external_location = 's3://{DATA}/mine/') as select 1 as a"
        ).startswith("PERMISSION_DENIED: Access denied on s3:PutObject")
