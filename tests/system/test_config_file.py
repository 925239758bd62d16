"""`make run CONFIG=x.toml ONCE=1` as its user meets it, with X on loopback and its token in a variable."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for
from postrank.posts.times import to_text
from tests.support.fakes.x import TOKEN, fake_x, post
from tests.support.stack.laptop_run import RANKED_SECONDS, exported, running_stack

pytestmark = [pytest.mark.slow, pytest.mark.system, pytest.mark.timeout(patient(600))]

CONFIG = """[source]
kind = "x"
host = "{host}"
bearer_token = "env:X_BEARER_TOKEN"
daily_budget = 5.0
monthly_budget = 50.0
[[source.rules]]
value = "cats"
"""
POSTS = {"7": 5, "8": 3}  # by author


def test_x_is_ranked_from_a_configuration_and_its_token_is_in_no_file_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X_BEARER_TOKEN", TOKEN)
    with fake_x() as x:
        config = tmp_path / "x.toml"
        config.write_text(CONFIG.format(host=x.url), encoding="utf-8")
        with running_stack(tmp_path, (), "--config", str(config), "--once") as running:
            wait_for(
                lambda: x.feed.connected or running.process.poll() is not None,
                timeout=RANKED_SECONDS,
                what="the streamer to connect",
            )
            for author, posts in POSTS.items():
                for number in range(posts):
                    now = to_text(datetime.now(UTC))
                    x.publish(post(f"{author}{number}", author, created_at=now))
            assert running.process.wait(timeout=patient(RANKED_SECONDS)) == 0, running.said()
    rows = exported(tmp_path / "var" / "results", "all")
    assert [(row["network"], row["author_id"], row["posts"]) for row in rows] == [("x", "7", "5"), ("x", "8", "3")]
    assert "X takes the token" in running.said()
    folders = [tmp_path / "var" / name for name in ("log", "streamer", "results", "aws/units")]
    files = [running.output, *(path for folder in folders for path in folder.rglob("*") if path.is_file())]
    assert not [path for path in files if TOKEN.encode() in path.read_bytes()]
