"""Files of every container and form, whole and damaged: rows given and rows reported lost add up, and nothing falls."""

import bz2
import csv
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from postrank.sources.files.file_reader import FileReader
from postrank.sources.files.inspection import Report, inspect
from postrank.sources.files.line_batches import LineBatch

ROWS = 60


def v1(number: int) -> dict[str, object]:
    return {
        "created_at": f"Sat Aug 10 11:00:{number % 60:02d} +0000 2019",
        "id_str": str(1160000000000000000 + number),
        "text": f'synthetic, "quoted" {number} {{[',
        "user": {"id_str": str(number % 3), "screen_name": "ann"},
        "entities": {"hashtags": [{"text": "a"}]},
    }


def v2(number: int) -> dict[str, object]:
    at = f"2022-03-05T07:00:{number % 60:02d}.000Z"
    return {"id": str(1500000000000000000 + number), "author_id": str(number % 3), "text": "a\nb, é", "created_at": at}


def json_lines() -> bytes:
    return b"".join(json.dumps(v1(number)).encode() + b"\n" for number in range(ROWS))


def table() -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, ["id", "author_id", "created_at", "text"])
    writer.writeheader()
    writer.writerows(v2(number) for number in range(ROWS))
    return out.getvalue().encode()


def parquet_file() -> bytes:
    out = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist([v2(number) for number in range(ROWS)]), out, row_group_size=20)
    return out.getvalue()


def tar(data: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        entry = tarfile.TarInfo("posts.jsonl")
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("posts.jsonl", data)
    return out.getvalue()


def skippable(data: bytes) -> bytes:
    return b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd" + zstandard.ZstdCompressor(write_checksum=True).compress(data)


def in_members(compress: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Compressed in three members, cut within lines."""

    def members(data: bytes) -> bytes:
        third = len(data) // 3
        return b"".join(compress(data[at : at + third + 2]) for at in range(0, len(data), third + 2))

    return members


FORMS: dict[str, Callable[[], bytes]] = {
    "JSON lines": json_lines,
    "one array": lambda: json.dumps([v1(number) for number in range(ROWS)]).encode(),
    "an array, pretty": lambda: json.dumps([v1(number) for number in range(ROWS)], indent=2).encode(),
    "an array, an element a line": lambda: (
        b"[\n" + b",\n".join(json.dumps(v1(number)).encode() for number in range(ROWS)) + b"\n]\n"
    ),
    "objects on end": lambda: b"".join(json.dumps(v1(number)).encode() for number in range(ROWS)),
    "objects, pretty": lambda: b"\n".join(json.dumps(v2(number), indent=1).encode() for number in range(ROWS)),
    "a page": lambda: json.dumps(
        {"data": [v2(number) for number in range(ROWS)], "meta": {"result_count": ROWS}}
    ).encode(),
    "statuses": lambda: json.dumps({"statuses": [v1(number) for number in range(ROWS)]}).encode(),
    "CSV": table,
    "UTF-16": lambda: json_lines().decode().encode("utf-16"),
    "UTF-8 with a mark": lambda: b"\xef\xbb\xbf" + json_lines(),
}
CONTAINERS: dict[str, Callable[[bytes], bytes]] = {
    "none": lambda data: data,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
    "gzip members": in_members(gzip.compress),
    "bzip2 members": in_members(bz2.compress),
    "xz members": in_members(lzma.compress),
    "zstd frames": in_members(zstandard.ZstdCompressor().compress),
    "skippable frames": skippable,
    "tar": tar,
    "tar.gz": lambda data: gzip.compress(tar(data)),
    "tar.xz": lambda data: lzma.compress(tar(data)),
    "zip": zipped,
}


def report(path: Path, data: bytes) -> Report:
    path.write_bytes(data)
    return inspect(path)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_in_every_container_gives_all_rows_and_no_reject(form: str, container: str, tmp_path: Path) -> None:
    found = report(tmp_path / "file", CONTAINERS[container](FORMS[form]()))
    assert (found.posts, found.rejects, found.why) == (ROWS, 0, ""), (found.form, found.reasons)


def test_parquet_gives_all_rows(tmp_path: Path) -> None:
    assert report(tmp_path / "file", parquet_file()).posts == ROWS


# Forms that may end after any row: where one is cut between rows, nothing shows it.
WITHOUT_AN_END = ("JSON lines", "objects on end", "objects, pretty", "CSV", "UTF-16", "UTF-8 with a mark")
CUTS = [(form, "none") for form in FORMS] + [("JSON lines", container) for container in CONTAINERS]


@pytest.mark.parametrize(("form", "container"), CUTS)
def test_a_file_cut_anywhere_gives_what_is_whole_and_says_that_more_is_lost(
    form: str, container: str, tmp_path: Path
) -> None:
    whole = CONTAINERS[container](FORMS[form]())
    for cut in [*range(0, len(whole), max(len(whole) // 40, 1)), len(whole) - 1]:
        found = report(tmp_path / "file", whole[:cut])
        untold = container == "none" and form in WITHOUT_AN_END
        assert found.posts + found.rejects >= ROWS or found.at_least or found.why or untold, (cut, found)
        assert found.posts <= ROWS


def boundaries(data: bytes) -> Iterator[int]:
    """Where a brace, a quote, a newline or a comma stands."""
    yield from (at for at, byte in enumerate(data) if byte in b'{}[]",\n')


@pytest.mark.parametrize("form", [form for form in FORMS if "UTF" not in form])
@pytest.mark.parametrize("damage", ["dropped", "replaced"])
def test_a_byte_of_structure_that_is_lost_costs_few_rows_and_is_reported(
    form: str, damage: str, tmp_path: Path
) -> None:
    data = FORMS[form]()
    places = list(boundaries(data))
    for at in places[:: max(len(places) // 60, 1)]:
        broken = data[:at] + (b"" if damage == "dropped" else b"~") + data[at + 1 :]
        found = report(tmp_path / "file", broken)
        lost = ROWS - found.posts
        assert lost <= 0 or found.rejects >= lost or found.at_least or found.why, (at, broken[at - 40 : at + 40], found)
        assert found.posts <= ROWS


@pytest.mark.parametrize("container", [name for name in CONTAINERS if name not in ("none", "tar")])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_damaged_compressed_data_never_falls_and_is_reported(
    container: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = CONTAINERS[container](json_lines())
    at = data.draw(st.integers(0, len(whole) - 1))
    size = data.draw(st.integers(0, 40))
    put = data.draw(st.binary(max_size=40))
    broken = whole[:at] + put + whole[at + size :]
    found = report(tmp_path_factory.mktemp("damage") / "file", broken)
    assert found.posts <= ROWS + 5
    assert found.posts >= ROWS or found.rejects or found.why


@settings(max_examples=150, deadline=None)
@given(
    data=st.binary(max_size=600),
    start=st.sampled_from([b"", b"{", b"[{", b"id,author_id,created_at\n", b"WARC/1.0\r\n"]),
)
def test_no_bytes_make_reading_fall(data: bytes, start: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    found = report(tmp_path_factory.mktemp("any") / "file", start + data)
    assert found.posts or found.why


@pytest.mark.parametrize("container", ["none", "gzip", "zstd frames", "tar.gz", "zip"])
@pytest.mark.parametrize("form", ["JSON lines", "one array", "CSV", "UTF-16"])
def test_reading_resumes_at_any_position_without_a_repeat(form: str, container: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTAINERS[container](FORMS[form]()))
    lines = LineBatch(where="file")
    positions: list[tuple[int, int]] = []
    total = 0
    for position in FileReader(path, lines, each=True).read():
        total += len(lines.take(None).events)
        positions.append((position, total))
    total += len(lines.take(None).events)
    assert total == ROWS
    for position, done in positions[::7]:
        rest = LineBatch(where="file")
        for _ in FileReader(path, rest, each=True).read(position):
            pass
        assert done + len(rest.take(None).events) == ROWS


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz", "zstd"])
@pytest.mark.parametrize("filling", [b"\0", b"\n"])
def test_a_bomb_is_ended_within_its_limit(kind: str, filling: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(CONTAINERS[kind](json_lines()) + CONTAINERS[kind](filling * (120 << 20)))
    lines = LineBatch(where="bomb")
    reasons = []
    for _ in FileReader(path, lines).read():
        reasons += [reject.reason for reject in lines.take(None).rejects]
    reasons += [reject.reason for reject in lines.take(None).rejects]
    assert any("expands more than 250 times" in reason for reason in reasons), reasons
