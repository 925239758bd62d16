"""A bundle: one collector's configuration and the files it names, as one archive with a checksum.

`collector.toml` holds what a file with one source holds, without the keys of the host (HOST_KEYS). Files lie beside it
under the relative names by which the configuration names them. The same content is the same archive, byte for byte.
"""

import gzip
import hashlib
import io
import tarfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from postrank.collectors.configuration import Collector
from postrank.collectors.toml_text import toml
from postrank.documents import Document, JsonObject
from postrank.errors import Fatal

CONFIGURATION = "collector.toml"
HOST_KEYS = ("state", "instance_id", "collector", "remote")  # a host keeps its own
FILE_KEYS = (
    ("filters", "handles_file"),
    ("filters", "keywords_file"),
    ("source", "follow_file"),
    ("source", "zstd_dictionary"),
)
LARGEST = 8 << 20  # bytes of all files together


class BadBundle(Fatal):
    """What should be a bundle is none, or cannot become one."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """The files of a bundle by name; `collector.toml` is among them."""

    files: Mapping[str, bytes]

    @classmethod
    def of(cls, collector: Collector, folder: Path) -> "Bundle":
        """The bundle of a collector whose configuration names files relative to `folder`. Raises BadBundle."""
        table = {key: value for key, value in collector.table.items() if key not in HOST_KEYS}
        files = {CONFIGURATION: toml(table).encode()}
        for key, name in named_files(table):
            files[_checked(name, f"{key} names {name}")] = _read(folder, key, name)
        if (size := sum(map(len, files.values()))) > LARGEST:
            raise BadBundle(f"the files of a bundle may hold {LARGEST:,} bytes, and these hold {size:,}")
        return cls(files)

    @classmethod
    def from_archive(cls, archive: bytes) -> "Bundle":
        """The bundle in an archive. Raises BadBundle."""
        files: dict[str, bytes] = {}
        size = 0
        try:
            with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
                for member in tar:
                    size += member.size
                    if not member.isfile() or size > LARGEST:
                        raise BadBundle(f"the bundle holds {member.name}, which is no file or too large")
                    content = tar.extractfile(member)
                    files[_checked(member.name, f"the bundle holds {member.name}")] = content.read() if content else b""
        except (tarfile.TarError, OSError, EOFError) as error:
            raise BadBundle(f"the bundle cannot be read: {error}") from error
        if CONFIGURATION not in files:
            raise BadBundle(f"the bundle holds no {CONFIGURATION}")
        return cls(files)

    @classmethod
    def from_folder(cls, folder: Path) -> "Bundle":
        """The bundle that `write` wrote. Raises OSError."""
        paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        return cls({str(path.relative_to(folder)): path.read_bytes() for path in paths})

    @property
    def table(self) -> Document:
        """The configuration. Raises BadBundle."""
        try:
            return tomllib.loads(self.files[CONFIGURATION].decode())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadBundle(f"{CONFIGURATION} of the bundle is no TOML: {error}") from error

    def archive(self) -> bytes:
        """The bundle as a gzipped tar file."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for name, content in sorted(self.files.items()):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        return gzip.compress(buffer.getvalue(), mtime=0)

    @property
    def checksum(self) -> str:
        """SHA-256 over names and contents, which no version of gzip changes."""
        digest = hashlib.sha256()
        for name, content in sorted(self.files.items()):
            digest.update(f"{hashlib.sha256(content).hexdigest()}  {name}\n".encode())
        return digest.hexdigest()

    def write(self, folder: Path) -> None:
        """Write the files below a folder."""
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def named_files(table: JsonObject) -> Iterator[tuple[str, str]]:
    """The keys of a configuration that name files to publish, with the names."""
    for section, key in FILE_KEYS:
        tables = table.get(section)
        if isinstance(tables, Mapping) and isinstance(tables.get(key), str):
            yield f"{section}.{key}", tables[key]


def located(table: JsonObject, folder: Path) -> Document:
    """A configuration whose relative file names are paths below `folder`."""
    document = dict(table)
    for section, key in FILE_KEYS:
        tables = document.get(section)
        if isinstance(tables, Mapping) and isinstance(tables.get(key), str):
            document[section] = {**tables, key: str(folder / Path(tables[key]).expanduser())}
    return document


def _read(folder: Path, key: str, name: str) -> bytes:
    path = folder / name
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            raise BadBundle(f"{key} names {name}, a link out of {folder}: only files of the folder can be published")
        return path.read_bytes()
    except OSError as error:
        raise BadBundle(f"{key} names {path}, which cannot be read: {error.strerror}") from error


def _checked(name: str, what: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or name.startswith("~") or "\\" in name or not path.parts:
        raise BadBundle(f"{what}: name a file of the folder by its path below it")
    return str(path)
