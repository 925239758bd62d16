"""Runs with several collectors: which there are, what each instance runs, how their hops add up."""

import gzip
import subprocess
import tomllib
from pathlib import Path

import pytest

from localaws.testing.server import running_localaws
from postrank.aws.resources import Resources
from postrank.collectors.registry import Entry, Registry
from postrank.delivery.lines import DeliveredLines, Hour
from postrank.delivery.run_accounting import Accounting
from postrank.heartbeat import Heartbeat
from postrank.laptop.services.collectors import Collectors, arrived
from postrank.laptop.services.local_aws import LocalCloud, root_key
from postrank.laptop.services.processes import Parts
from postrank.laptop.setup.layout import Layout
from postrank.laptop.setup.options import NoLogs, OneConfig, Options, SourcesInConfig, UnusedPosts
from postrank.laptop.setup.resume import OtherPosts, keep_record, resumed
from postrank.streamer.config import Config

ROOT = Path(__file__).resolve().parents[3]
NAMES = Resources.of("local", "123456789012")
TWO = (
    '[collectors.main.source]\nkind = "replay"\nfiles = ["{file}"]\n'
    '[collectors.toots.source]\nkind = "mastodon"\n'
    '[[collectors.toots.source.instances]]\nurl = "https://social.example"\ntoken = "env:TOOT_TOKEN"\n'
)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout.of(ROOT, tmp_path / "var")
    layout.create()
    return layout


@pytest.fixture
def posts(tmp_path: Path) -> Path:
    path = tmp_path / "posts.ndjson"
    path.write_text("{}\n", encoding="utf-8")
    return path


@pytest.fixture
def config(tmp_path: Path, posts: Path) -> Path:
    path = tmp_path / "collectors.toml"
    path.write_text(TWO.format(file=posts), encoding="utf-8")
    return path


def _collectors(layout: Layout, options: Options, port: int = 1) -> Collectors:
    root_key(layout.aws / "state" / "credentials")
    return Collectors(layout, NAMES, LocalCloud(Parts(layout.logs), layout, port, NAMES.region), options.collectors())


def test_each_source_is_a_collector_and_files_go_to_those_that_read_them(layout: Layout, posts: Path) -> None:
    options = Options(project=ROOT, var=layout.var, sources=("sample", "tail", "bluesky"), posts=(posts,))
    sample, tail, bluesky = options.collectors()
    assert [(one.collector, one.kind) for one in (sample, tail, bluesky)] == [
        ("sample", "replay"),
        ("tail", "tail"),
        ("bluesky", "bluesky"),
    ]
    assert [path.name for path in sample.files(layout)] == ["synthetic-posts.ndjson.gz"]
    assert (tail.files(layout), bluesky.files(layout)) == ((posts,), ())
    single = Options(project=ROOT, source="bluesky")
    assert single.collectors() == (single,)


def test_without_any_posts_two_collectors_share_the_sample(layout: Layout) -> None:
    options = Options(project=ROOT, var=layout.var)
    collectors = options.collectors()
    assert [(one.collector, one.kind) for one in collectors] == [("sample-x", "replay"), ("sample-others", "replay")]
    lines = [gzip.decompress(path.read_bytes()).splitlines() for one in collectors for path in one.files(layout)]
    (sample,) = Options(project=ROOT, source="sample").files(layout)
    assert sorted(line for part in lines for line in part) == sorted(gzip.decompress(sample.read_bytes()).splitlines())
    assert all(lines)
    keep_record(options, layout)
    assert resumed(Options(project=ROOT, keep=True), layout).is_default
    with pytest.raises(OtherPosts, match="resumes a run of the bundled sample, and bluesky was given"):
        resumed(Options(project=ROOT, keep=True, source="bluesky"), layout)


def test_a_map_in_the_configuration_names_the_collectors(config: Path) -> None:
    main, toots = Options(project=ROOT, config=config).collectors()
    assert [(main.collector, main.kind), (toots.collector, toots.kind)] == [("main", "replay"), ("toots", "mastodon")]


def test_sources_that_contradict_each_other_or_a_file_are_refused(tmp_path: Path, config: Path, posts: Path) -> None:
    base = {"project": ROOT, "var": tmp_path / "var"}
    with pytest.raises(SourcesInConfig, match="names the collectors of the run: leave out SOURCE"):
        Options(**base, config=config, source="bluesky").check()
    with pytest.raises(SourcesInConfig):
        Options(**base, config=config, posts=(posts,)).check()
    with pytest.raises(UnusedPosts, match="bluesky or mastodon reads no files"):
        Options(**base, sources=("bluesky", "mastodon"), posts=(posts,)).check()
    with pytest.raises(NoLogs):
        Options(**base, sources=("sample", "tail")).check()
    with pytest.raises(UnusedPosts, match="sample reads no files"):
        Options(**base, source="sample", posts=(posts,)).check()
    single = tmp_path / "single.toml"
    single.write_text('[source]\nkind = "bluesky"\n', encoding="utf-8")
    with pytest.raises(OneConfig, match=r"write \[collectors\.NAME\.source\] for each"):
        Options(**base, sources=("sample", "bluesky"), config=single).check()


def test_a_run_of_several_is_resumed_as_it_was(layout: Layout, posts: Path, config: Path) -> None:
    keep_record(Options(project=ROOT, sources=("replay", "bluesky"), posts=(posts,)), layout)
    again = resumed(Options(project=ROOT, keep=True), layout)
    assert (again.sources, again.posts) == (("replay", "bluesky"), (posts,))
    with pytest.raises(OtherPosts, match=r"resumes a run of replay \+ bluesky"):
        resumed(Options(project=ROOT, keep=True, source="bluesky"), layout)
    keep_record(Options(project=ROOT, config=config), layout)
    assert resumed(Options(project=ROOT, keep=True), layout).config == config
    with pytest.raises(OtherPosts, match="several collectors with"):
        resumed(Options(project=ROOT, keep=True, sources=("sample", "x")), layout)


def test_each_instance_has_a_unit_a_configuration_a_log_and_a_token_of_its_own(
    layout: Layout, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOOT_TOKEN", "never-shown-secret")
    _collectors(layout, Options(project=ROOT, config=config)).describe()
    toots = tomllib.loads((layout.units / "postrank-streamer-toots.toml").read_text(encoding="utf-8"))
    main = tomllib.loads((layout.units / "postrank-streamer.toml").read_text(encoding="utf-8"))
    assert (Path(main["log"]).name, Path(toots["log"]).name) == ("streamer.log", "streamer-toots.log")
    texts = [Path(unit["argv"][-1]).read_text(encoding="utf-8") for unit in (main, toots)]
    assert "never-shown-secret" not in "".join(texts)
    streamers = [Config.load(Path(unit["argv"][-1]), {}) for unit in (main, toots)]
    assert [(one.name, one.source) for one in streamers] == [("main", "replay"), ("toots", "mastodon")]
    assert streamers[0].state != streamers[1].state
    assert "secretsmanager:postrank-local-mastodon#toots-0" in texts[1]


def test_the_program_of_backfills_takes_the_configuration_of_the_collector(layout: Layout, config: Path) -> None:
    _collectors(layout, Options(project=ROOT, config=config)).describe()
    program = layout.units / "bin" / "postrank-backfill"
    asked = ["--source", "x-search", "--from", "2026-11-24T05:00:00Z", "--to", "2026-11-24T06:00:00Z"]
    for words, reason in (
        (["--collector", "toots", *asked], "a configuration whose source is x"),
        (["--collector", "x", *asked], "there is no collector x"),
    ):
        done = subprocess.run([program, *words], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 2
        assert reason in done.stderr


def test_the_dags_are_told_of_the_collectors(layout: Layout, config: Path) -> None:
    with running_localaws(layout.aws, enforce_iam=False) as aws:
        s3 = aws.client("s3")
        s3.create_bucket(Bucket=NAMES.buckets["raw"])
        port = int(aws.endpoint.rpartition(":")[2])
        registry = Registry(s3, NAMES)
        _collectors(layout, Options(project=ROOT, source="sample"), port).register()
        assert registry.entries() == [Entry("main")], "one source is the environment's only collector"
        _collectors(layout, Options(project=ROOT, config=config), port).register()
        assert registry.entries() == [Entry("main", "replay"), Entry("toots", "mastodon")]
        _collectors(layout, Options(project=ROOT, sources=("sample", "bluesky")), port).register()
        assert registry.names() == ["bluesky", "sample"]


def _beat(**counts: int) -> Heartbeat:
    texts = dict.fromkeys(("phase", "collector", "instance_id", "source", "version", "started_at", "written_at"), "")
    return Heartbeat(
        **texts, finished=True, counts={"read": counts["delivered"], "events": counts["delivered"], **counts}
    )


class Delivered(DeliveredLines):
    """What was counted, without a bucket to count it in."""

    def __init__(self, lines: int, **collectors: int) -> None:
        super().__init__(None, "", "raw/")
        self.hours = {"raw/dt=2026-11-24/hour=05": Hour(objects=1, lines=lines, collectors=collectors)}


def test_what_one_collector_has_too_much_makes_up_for_no_loss_of_another() -> None:
    manifest = {"arrived_lines": {"post": 10}, "arrival_hours": ["2026-11-24T05"]}
    beats = {"main": _beat(delivered=6), "x": _beat(delivered=4)}
    assert Accounting.of(beats, Delivered(10, x=4), manifest).lost == 0
    shifted = Accounting.of(beats, Delivered(10, x=3), manifest)
    assert shifted.lost == 1
    assert not arrived(Delivered(10, x=3), beats)
    names = [hop.name for hop in shifted.hops]
    assert names == ["source → streamer", "streamer → Kinesis", "Firehose → S3", "S3 → Athena"]
    (received,) = [hop.received for hop in shifted.hops if hop.name == "Firehose → S3"]
    assert received == 10, "the sum of all collectors"
    assert [hop.lost for hop in shifted.of_collectors["x"]] == [0, 0, 1]
    assert shifted.table().row_count == 2 * (1 + 3) + 1 + 4, "a row names each collector, and the sum"
