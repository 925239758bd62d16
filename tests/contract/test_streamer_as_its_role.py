"""The streamer on the local AWS, under the role that it has in production: what it is allowed is what it needs."""

import gzip
from pathlib import Path

import orjson

from localaws.testing.server import running_localaws
from localaws.testing.waiting import wait_for
from postrank.laptop.provision import Provision
from tests.support import permissions
from tests.support.streaming.streamers import NAMES, StreamerProcess, record, write_lines

SECRETS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def test_posts_reach_the_raw_zone_and_no_call_is_refused(tmp_path: Path) -> None:
    file = write_lines(tmp_path / "posts.ndjson", [record(n, author=n % 7, seconds=n / 10) for n in range(2000)])
    (tmp_path / "aws").mkdir()
    with running_localaws(tmp_path / "aws", speed=300, enforce_iam=True) as aws:
        list(Provision(aws.client, NAMES).base())
        role = aws.role_environment(NAMES.roles["streamer"])
        settings = {"metrics": {"seconds": 1}, "raw": {"keep": True}}
        streamer = StreamerProcess(tmp_path, aws.endpoint, [file], settings, role)
        streamer.without = SECRETS
        assert streamer.run() == 0, streamer.log
        s3, bucket = aws.client("s3"), NAMES.buckets["raw"]

        def delivered(prefix: str = "raw/posts/") -> set[str]:
            found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
            bodies = [gzip.decompress(s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()) for one in found]
            return {orjson.loads(line)["post_id"] for body in bodies for line in body.splitlines()}

        wait_for(lambda: delivered() == {str(n) for n in range(2000)}, timeout=40, what="every post", every=0.5)
        assert delivered("raw/json/") == {str(n) for n in range(2000)}, "the originals, by the time that it ended"
        permissions.gather(aws.call_log())
        mine = [call for call in aws.call_log() if NAMES.roles["streamer"] in str(call.get("principal"))]
    assert {"kinesis:PutRecords", "s3:PutObject", "cloudwatch:PutMetricData"} <= {
        f"{call['service']}:{call['action'].rpartition(':')[2]}" for call in mine
    }
    assert "denied" not in streamer.log.casefold()
