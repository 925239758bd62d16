"""Archive files that a backfill was told of: local ones as they are, those in S3 fetched while they are read."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from botocore.exceptions import BotoCoreError, ClientError

from postrank.aws.clients import Clients
from postrank.aws.prefixes import split
from postrank.errors import Fatal, Retryable

_S3 = "s3://"


class NoArchive(Fatal):
    """A file that was asked for cannot be had."""


class ArchiveAway(Retryable):
    """S3 did not give a file now."""


@contextmanager
def fetched(files: Sequence[str], clients: Clients) -> Iterator[list[Path]]:
    """The files as local paths, in their order. Raises NoArchive, ArchiveAway."""
    with TemporaryDirectory(prefix="postrank-archive-") as folder:
        yield [
            _fetch(file, Path(folder) / str(number), clients) if file.startswith(_S3) else Path(file)
            for number, file in enumerate(files)
        ]


def _fetch(url: str, folder: Path, clients: Clients) -> Path:
    bucket, key = split(url)
    if not bucket or not key:
        raise NoArchive(f"{url} names no object: write s3://bucket/key")
    folder.mkdir()
    path = folder / key.rsplit("/", 1)[-1]
    try:
        clients.get("s3").download_file(bucket, key, str(path))
    except ClientError as error:
        code = error.response["Error"].get("Code", "unknown error")
        if code in ("403", "404", "AccessDenied", "NoSuchKey", "NoSuchBucket"):
            raise NoArchive(f"{url} cannot be read: {code}") from error
        raise ArchiveAway(f"{url}: {code}") from error
    except BotoCoreError as error:
        raise ArchiveAway(f"{url}: {error}") from error
    return path
