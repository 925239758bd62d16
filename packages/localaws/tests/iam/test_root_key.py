"""The root's key: one for each state folder, for its owner only, and what its tokens open."""

import os
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import boto3
import pytest

from localaws.testing.patience import patient
from localaws.testing.server import running_localaws

TRUST = '{"Version": "2012-10-17", "Statement": []}'


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def credentials_of(aws, role, token):
    """The status of the answer to who asks for a role's credentials with a token."""
    headers = {} if token is None else {"Authorization": token}
    request = urllib.request.Request(f"{aws.endpoint}/_localaws/credentials/{role}", headers=headers)
    try:
        with urllib.request.urlopen(request) as response:
            return response.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_each_state_folder_has_a_secret_that_lasts_and_only_its_owner_reads(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with running_localaws(tmp_path / "one") as item, running_localaws(tmp_path / "two") as two:
        secrets = {item.root.secret, two.root.secret}
        assert len(secrets) == 2
        assert all(len(secret) >= 40 for secret in secrets)
        assert (mode(item.state), mode(item.state / "credentials")) == (0o700, 0o600)
        secret = item.root.secret
        argv = Path(f"/proc/{item.process.pid}/cmdline").read_text()
    with running_localaws(tmp_path / "one") as again:
        assert again.root.secret == secret
        again.client("s3").list_buckets()
        assert secret not in argv + again.stderr.read_text()


def test_a_state_folder_that_was_open_to_others_is_closed(tmp_path):
    state = tmp_path / "state"
    state.mkdir(mode=0o755)
    (state / "credentials").write_text(
        "[default]\naws_access_key_id = mine\naws_secret_access_key = chosen-by-its-owner-x\n"
    )
    with running_localaws(tmp_path) as aws:
        assert (mode(state), mode(state / "credentials")) == (0o700, 0o600)
        assert (aws.root.key, aws.root.secret) == ("mine", "chosen-by-its-owner-x")
        aws.client("s3").list_buckets()


def test_sdks_read_the_key_from_the_shared_credentials_file(aws, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(aws.state / "credentials"))
    sts = boto3.session.Session().client("sts", endpoint_url=aws.endpoint, region_name="us-east-1")
    assert sts.get_caller_identity()["Arn"].endswith(":root")


def test_a_roles_token_opens_that_role_and_no_other(aws):
    iam = aws.client("iam")
    for name in ("reader", "writer"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    token = aws.root.token_of("reader")
    assert credentials_of(aws, "reader", token) == 200
    assert credentials_of(aws, "arn:aws:iam::123456789012:role/reader", token) == 200
    assert credentials_of(aws, "nobody", aws.root.token_of("nobody")) == 404
    for role, shown in (("writer", token), ("reader", None), ("reader", ""), ("reader", aws.root.secret),
                        ("reader", f"{token}0"), ("nobody", token), ("reader", "\u00e9")):  # fmt: skip
        assert credentials_of(aws, role, shown) == 403
    pretender = aws.client("s3", aws_secret_access_key=token)
    with pytest.raises(pretender.exceptions.ClientError, match="SignatureDoesNotMatch"):
        pretender.list_buckets()


def test_the_command_prints_a_roles_token(aws):
    argv = [sys.executable, "-m", "localaws", "token", "reader", "--credentials", str(aws.state / "credentials")]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=patient(60))
    assert done.stdout.strip() == aws.root.token_of("reader")


def test_a_root_key_can_come_from_another_file(tmp_path):
    path = tmp_path / "shared"
    path.write_text("[default]\naws_access_key_id = shared\naws_secret_access_key = secret-of-a-whole-test\n")
    with running_localaws(tmp_path, options=("--credentials", str(path))) as aws:
        assert not (aws.state / "credentials").exists()
        keys = {"aws_access_key_id": "shared", "aws_secret_access_key": "secret-of-a-whole-test"}
        s3 = boto3.client("s3", endpoint_url=aws.endpoint, region_name="us-east-1", **keys)
        assert s3.list_buckets()["Buckets"] == []


@pytest.mark.parametrize("text", ["", "[default]\n", "nonsense", "[default]\naws_access_key_id =\n", "[other]\n"])
def test_a_credentials_file_without_a_key_is_named(tmp_path, text):
    (tmp_path / "credentials").write_text(text)
    assert f"{tmp_path / 'credentials'} is not a shared credentials file" in refused(tmp_path)


@pytest.mark.parametrize(("key", "secret"), [("localaws", "localaws"), ("localaws", ""), ("", "x" * 40)])
def test_a_secret_that_can_be_guessed_is_not_taken(tmp_path, key, secret):
    (tmp_path / "credentials").write_text(f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")
    assert f"{tmp_path / 'credentials'}: aws_access_key_id must not be empty" in refused(tmp_path)


def test_a_server_that_other_machines_reach_enforces_iam(tmp_path):
    assert "add --enforce-iam" in refused(tmp_path, "--host", "0.0.0.0")


def refused(state, *options):
    """What a server that does not start says."""
    argv = [sys.executable, "-m", "localaws", "serve", "--port", "0", "--state", str(state), *options]
    done = subprocess.run(argv, env={**os.environ}, capture_output=True, text=True, check=False, timeout=patient(60))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr
