"""One file for what a streamer collects: `posts.ndjson`, `.ndjson.gz`, `.csv` or `.parquet`.

While it is collected, everything lies in `<file>.collecting`: records, cursor, ledgers. The file itself appears whole,
when the streamer ends. A source that was stopped before its end is gone on with when the same file is named again.
Rejected lines are in `<file>.rejects.ndjson`.
"""

import gzip
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import orjson

from postrank.errors import Fatal
from postrank.extras import require
from postrank.sinks import POSTS
from postrank.streamer.outlets import records_folder

FORMS = (".ndjson", ".ndjson.gz", ".csv", ".parquet")


class WrongForm(Fatal):
    """A file's name has no ending that says its form."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"--out {path}: the name must end in {', '.join(FORMS[:-1])} or {FORMS[-1]}")


class FileExists(Fatal):
    """A file that is not this command's own would be overwritten."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"--out {path} exists already: remove it, or name another file")


class OtherRequest(Fatal):
    """What was collected for a file belongs to another command."""

    def __init__(self, out: "OutFile") -> None:
        super().__init__(
            f"{out.folder} holds what another command collected for {out.path.name}: give that command again, remove "
            "the folder, or name another file"
        )


class OutFile:
    """The file, and the folder beside it that holds what is collected for it."""

    def __init__(self, path: Path) -> None:
        """Raises WrongForm, FileExists, or MissingExtra where a form needs pyarrow."""
        forms = [form for form in FORMS if path.name.endswith(form)]
        if not forms:
            raise WrongForm(path)
        self.path = path
        self.form = forms[0]
        self.folder = path.with_name(f"{path.name}.collecting")
        self.rejects = path.with_name(f"{path.name}.rejects.ndjson")
        if self.form in (".csv", ".parquet"):
            require("pyarrow")
        if path.exists() and not self.folder.exists():
            raise FileExists(path)

    @property
    def state(self) -> Path:
        """The streamer's state folder."""
        return self.folder / "state"

    def claim(self, request: Sequence[str | None]) -> None:
        """Have the folder belong to one request: posts of no other get into the file. Raises OtherRequest."""
        path = self.folder / "request.json"
        document = orjson.dumps(list(request))
        if not self.folder.exists():
            self.folder.mkdir(parents=True)
            path.write_bytes(document)
        elif not path.is_file() or path.read_bytes() != document:
            raise OtherRequest(self)

    def write(self) -> None:
        """Write all that was collected so far to the file and the rejected lines beside it."""
        members = sorted((records_folder(self.folder) / POSTS).glob("*.ndjson.gz"))
        with replaced(self.path) as part:
            if self.form == ".ndjson.gz":
                _concatenate(members, part)
            elif self.form == ".ndjson":
                _decompress(members, part)
            else:
                from postrank.streamer.out_table import write_table  # pyarrow is slow to import

                write_table(members, part, csv=self.form == ".csv")
        rejected = sorted((self.folder / "ledgers" / "rejects").glob("dt=*/*.ndjson"))
        if rejected:
            with replaced(self.rejects) as part:
                _concatenate(rejected, part)

    def forget(self) -> None:
        """Remove the folder: the source has ended, and nothing is left to go on with."""
        shutil.rmtree(self.folder)


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A name to write to, which becomes `path` when everything went well."""
    part = path.with_name(f"{path.name}.part")
    try:
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _concatenate(members: list[Path], target: Path) -> None:
    with target.open("wb") as file:
        for member in members:
            with member.open("rb") as source:
                shutil.copyfileobj(source, file)


def _decompress(members: list[Path], target: Path) -> None:
    with target.open("wb") as file:
        for member in members:
            with gzip.open(member) as source:
                shutil.copyfileobj(source, file)
