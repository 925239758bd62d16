"""An agent beside the streamer: Telegraf tails the same file into the same kind of sink.

    go install -tags custom,inputs.tail,outputs.kinesis,parsers.value,serializers.template \
        github.com/influxdata/telegraf/cmd/telegraf@v1.37.2
    python -m benchmarks.telegraf ~/go/bin/telegraf [--posts 200000]

CPU seconds are those of the producer's whole process, its start included. Telegraf sends each line as it stands, one
a record, 500 a call, and neither parses, counts nor remembers anything; `postrank stream` does all that it does.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.streamer import ACCOUNT, Measure, show
from benchmarks.x_posts import write_x_posts
from tests.support.aws_server import AwsServer, aws_server
from tests.support.waiting import wait_for

STREAM = "telegraf-posts"
_AGENT = """
[agent]
  interval = "1s"
  flush_interval = "1s"
  metric_batch_size = 500
  metric_buffer_limit = 20000
  omit_hostname = true
  quiet = true
[[inputs.tail]]
  files = ["{file}"]
  initial_read_offset = "beginning"
  max_undelivered_lines = 10000
  path_tag = ""
  data_format = "value"
  data_type = "string"
[[outputs.kinesis]]
  region = "us-east-1"
  endpoint_url = "{url}"
  streamname = "{stream}"
  data_format = "template"
  template = '{{{{ .Field "value" }}}}{{{{ "\\n" }}}}'
  [outputs.kinesis.partition]
    method = "random"
"""
_STREAMER = """
state = "{folder}/state"
[source]
kind = "replay"
files = ["{file}"]
[metrics]
seconds = 0
"""


def telegraf(binary: Path, file: Path, folder: Path, server: AwsServer, posts: int) -> Measure:
    """Telegraf, from its start until the sink has every post."""
    config = folder / "telegraf.conf"
    config.write_text(_AGENT.format(file=file, url=server.url, stream=STREAM), encoding="utf-8")

    def work() -> None:
        with subprocess.Popen([binary, "--config", config], stderr=subprocess.PIPE, text=True) as agent:
            try:
                wait_for(lambda: server.taken_lines >= posts or agent.poll() is not None, timeout=600, what="the agent")
            finally:
                agent.terminate()
            said = agent.communicate()[1]
        if server.taken_lines < posts:
            sys.exit(f"telegraf ended with {server.taken_lines} of {posts} posts sent: {said[-2000:]}")

    return measured(work)


def streamer(file: Path, folder: Path, server: AwsServer, posts: int) -> Measure:
    """`postrank stream` as a process, as the agent is one."""
    config = folder / "streamer.toml"
    config.write_text(_STREAMER.format(file=file, folder=folder), encoding="utf-8")
    argv = [Path(sys.executable).with_name("postrank"), "stream", "--config", config]
    found = measured(lambda: subprocess.run(argv, check=True, capture_output=True))
    assert server.taken_lines == posts
    return found


def measured(work: Callable[[], None]) -> Measure:
    """CPU seconds of the processes that `work` starts and ends, and wall seconds."""
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, time.perf_counter() - wall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("telegraf", type=Path)
    parser.add_argument("--posts", type=int, default=200_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = write_x_posts(folder / "posts.ndjson", asked.posts)
        os.environ |= {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "POSTRANK_ACCOUNT": ACCOUNT}
        base = None
        for what, run in (
            ("postrank stream", streamer),
            ("telegraf", lambda *given: telegraf(asked.telegraf, *given)),
        ):
            with aws_server() as server:
                os.environ["AWS_ENDPOINT_URL"] = server.url
                server.consume = lambda _stream, _data: None
                found = run(file, folder, server, asked.posts)
            show(what, asked.posts, found, base)
            base = base or found[0]


if __name__ == "__main__":
    main()
