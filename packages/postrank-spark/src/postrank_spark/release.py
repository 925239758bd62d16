"""A release of the job in a bucket: the package as a zip file, the entry point and the queries, under one version.

`<prefix>/<version>/{job.py,postrank_spark.zip,queries/*.sql}` and `<prefix>/latest.json`. The version is a hash of the
contents: the same files have the same version, and a changed query is a new one.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PREFIX = "spark"
LATEST = f"{PREFIX}/latest.json"  # {"version": "..."}
_ENTRY = b"from postrank_spark.cli import main\n\nmain()\n"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # of files in the zip, so that the same files are the same bytes


def files(queries: Path) -> dict[str, bytes]:
    """The release's files by name."""
    contents = {"job.py": _ENTRY, "postrank_spark.zip": _package()}
    for query in sorted(queries.glob("*.sql")):
        contents[f"queries/{query.name}"] = query.read_bytes()
    return contents


def version_of(contents: Mapping[str, bytes]) -> str:
    """Twelve hexadecimal digits."""
    digest = hashlib.sha256()
    for name, content in sorted(contents.items()):
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:12]


def upload(s3: Any, bucket: str, queries: Path) -> str:
    """Store a release and name it the latest one; returns its version, which the same files have again."""
    contents = files(queries)
    version = version_of(contents)
    for name, content in contents.items():
        s3.put_object(Bucket=bucket, Key=f"{PREFIX}/{version}/{name}", Body=content)
    s3.put_object(Bucket=bucket, Key=LATEST, Body=json.dumps({"version": version}).encode())
    return version


def _package() -> bytes:
    root = Path(__file__).parent
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(root.rglob("*")):
            if path.suffix in (".py", ".lock"):
                name = f"{root.name}/{path.relative_to(root).as_posix()}"
                archive.writestr(zipfile.ZipInfo(name, _EPOCH), path.read_bytes())
    return packed.getvalue()
