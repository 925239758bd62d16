"""Telegraf beside the streamer: it tails a file and puts each line as it stands, unparsed, 500 in a call.

benchmarks/README.md says how to build it.
"""

import json
import os
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from tests.support.fakes.aws import aws_server

SECONDS = 600.0  # within which the last line must have come
Measure = tuple[float, float]  # CPU seconds, wall seconds

_CONFIG = """
[agent]
  flush_interval = "1s"
  metric_batch_size = 500
  metric_buffer_limit = 10000
  omit_hostname = true
  quiet = true
[[inputs.tail]]
  files = [{file}]
  initial_read_offset = "beginning"
  path_tag = ""
  data_format = "value"
  data_type = "string"
[[outputs.kinesis]]
  region = "us-east-1"
  endpoint_url = {url}
  streamname = "s-posts"
  data_format = "template"
  template = '{{{{ .Field "value" }}}}'
  [outputs.kinesis.partition]
    method = "random"
"""


def telegraf(program: Path, file: Path, lines: int) -> Measure:
    """CPU seconds of the agent's whole process, its start included, and seconds until the last line was there.

    The sink is a thread of this process. Raises TimeoutError if fewer than `lines` records come.
    """
    done, taken = threading.Event(), 0

    def consume(_stream: str, _data: bytes) -> None:
        nonlocal taken
        taken += 1
        if taken >= lines:
            done.set()

    with aws_server() as server, tempfile.TemporaryDirectory() as folder:
        server.consume = consume
        config = Path(folder) / "telegraf.conf"
        config.write_text(_CONFIG.format(file=json.dumps(str(file)), url=json.dumps(server.url)), encoding="utf-8")
        keys = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench"}
        began = time.perf_counter()
        process = subprocess.Popen([program, "--config", config], env={**os.environ, **keys})
        arrived = done.wait(SECONDS)
        wall = time.perf_counter() - began
        time.sleep(2)  # it panics when it is stopped while it notes what was delivered
        process.terminate()
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0  # it was waited for
    if not arrived:
        raise TimeoutError(f"{taken} of {lines} lines came within {SECONDS:.0f} s")
    return usage.ru_utime + usage.ru_stime, wall
