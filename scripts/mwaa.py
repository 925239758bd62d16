"""Packages DAGs, plug-ins, SQL and the wheel for Amazon MWAA, and puts them into an environment's bucket.

    dags/                 the DAGs, `include/` and constraints.txt
    plugins.zip           the plug-ins, and the wheel of this checkout
    requirements.txt      the wheel and what MWAA's image has too old, under --constraint
    startup.sh            which Postrank this is: POSTRANK_ENVIRONMENT and POSTRANK_ACCOUNT of whoever builds

usage: python scripts/mwaa.py FOLDER [BUCKET]
"""

import hashlib
import os
import shutil
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

import boto3

from postrank.deploy.release import build
from postrank.errors import Fatal, PostrankError
from postrank.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
# The newest Airflow of which AWS publishes MWAA's image (github.com/aws/amazon-mwaa-docker-images, images/airflow) that
# was tried. Older ones lack what the DAGs import: 3.0.6 has no airflow.sdk.BaseHook.
AIRFLOW = "3.2.1"
HOME = "/usr/local/airflow"  # AIRFLOW_HOME on MWAA
# What the image lacks, or has too old: its Amazon provider cannot run a crawler without rewriting it.
OURS = ("apache-airflow-providers-amazon", "apache-airflow-providers-postgres", "tweepy")


class NotEmpty(Fatal):
    """The folder to build into holds something else."""


def bundle(folder: Path, settings: Settings) -> None:
    """Write everything that MWAA takes into `folder`, which is made anew. Raises NotEmpty, BadRelease."""
    if folder.exists() and any(folder.iterdir()) and not (folder / "startup.sh").exists():
        raise NotEmpty(f"{folder} holds something that was not made here: name another folder")
    shutil.rmtree(folder, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(ROOT / "dags", folder / "dags", ignore=ignored)
    shutil.copytree(ROOT / "include", folder / "dags/include", ignore=shutil.ignore_patterns("sample"))
    pins = _pins()
    (folder / "dags/constraints.txt").write_text("".join(f"{pin}\n" for pin in (f"apache-airflow=={AIRFLOW}", *pins)))
    with tempfile.TemporaryDirectory(prefix="postrank-release-") as made:
        release = build(ROOT, Path(made))
        _zip(folder / "plugins.zip", next(release.folder.glob("*.whl")))
    lines = [
        f"--find-links {HOME}/plugins",
        f"--constraint {HOME}/dags/constraints.txt",
        f"postrank[export,warehouse]=={release.version}",
        *(pin.replace("-amazon==", "-amazon[aiobotocore]==") for pin in pins),
    ]
    (folder / "requirements.txt").write_text("".join(f"{line}\n" for line in lines))
    exports = {
        "POSTRANK_ENVIRONMENT": settings.environment,
        "POSTRANK_ACCOUNT": settings.account,
        "POSTRANK_INCLUDE": f"{HOME}/dags/include",
        "AIRFLOW_CONN_AWS_DEFAULT": "aws://",  # the environment's own role
    }
    (folder / "startup.sh").write_text(
        "#!/bin/sh\n" + "".join(f"export {key}='{one}'\n" for key, one in exports.items())
    )


def _pins() -> list[str]:
    packages = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    versions = {package["name"]: package["version"] for package in packages if "version" in package}
    return [f"{name}=={versions[name]}" for name in OURS]


def _zip(target: Path, wheel: Path) -> None:
    """The plug-ins and the wheel; the same files give the same bytes."""
    plugins = ROOT / "plugins"
    files = {path.relative_to(plugins).as_posix(): path for path in plugins.rglob("*") if path.is_file()}
    kept = {name: path for name, path in files.items() if "__pycache__" not in name}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in sorted({**kept, wheel.name: wheel}.items()):
            archive.writestr(zipfile.ZipInfo(name), path.read_bytes(), zipfile.ZIP_DEFLATED)


def sync(folder: Path, bucket: str) -> tuple[int, int]:
    """Make the bucket hold what `folder` holds; below dags/ nothing else stays. Returns the numbers put and removed."""
    s3 = boto3.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    there = {one["Key"]: one["ETag"].strip('"') for page in pages for one in page.get("Contents", [])}
    ours = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    changed = [key for key, path in ours.items() if there.get(key) != _md5(path)]
    gone = [key for key in there if key.startswith("dags/") and key not in ours]
    for key in changed:
        s3.put_object(Bucket=bucket, Key=key, Body=ours[key].read_bytes())
    for key in gone:
        s3.delete_object(Bucket=bucket, Key=key)
    return len(changed), len(gone)


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def main(words: list[str]) -> int:
    """Build, and sync if a bucket is named."""
    if not 1 <= len(words) <= 2:
        print(__doc__)
        return 2
    folder = Path(words[0])
    try:
        bundle(folder, Settings.of(os.environ))
    except PostrankError as error:
        print(f"mwaa: {error}", file=sys.stderr)
        return 2
    print(f"built {folder} for Airflow {AIRFLOW}")
    if words[1:]:
        put, removed = sync(folder, words[1])
        print(f"s3://{words[1]}: {put} files put, {removed} removed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
