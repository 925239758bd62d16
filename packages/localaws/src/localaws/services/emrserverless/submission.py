"""One job run as a process: `spark-submit` with the run's files, as the run's role."""

import gzip
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from localaws.core.cloud import REGION, AwsError, Caller, Cloud
from localaws.core.shapes import Document

MARK = "LOCALAWS_JOB_RUN"  # in the environment of every process of a run: the run's folder
_FILES = ("--py-files", "--jars", "--files")  # options whose values are comma-separated files
# What may come through from the environment of the local AWS.
_INHERITED = ("PATH", "HOME", "JAVA_HOME", "LANG", "TMPDIR", "TZ", "VIRTUAL_ENV")
_LAST = 400  # characters of the driver's last words in stateDetails


class CannotSubmit(Exception):
    """Why a run cannot start; the message becomes its stateDetails."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A job run's request, its folder, and the role that it runs as."""

    cloud: Cloud
    record: Document
    role: Caller
    folder: Path

    def start(self) -> "subprocess.Popen[bytes]":
        """The driver's process, the leader of a group of its own. Raises CannotSubmit."""
        driver = self.record["jobDriver"].get("sparkSubmit")
        if not driver:
            raise CannotSubmit("only Spark jobs (jobDriver.sparkSubmit) run here")
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [_spark_submit(), "--master", "local[1]"]
        command += self._parameters(driver.get("sparkSubmitParameters") or "")
        command += ["--driver-memory", os.environ.get("LOCALAWS_SPARK_MEMORY", "1g")]
        if jars := os.environ.get("LOCALAWS_SPARK_JARS"):
            command += ["--driver-class-path", jars.replace(",", os.pathsep)]
        for name, value in self._settings().items():
            command += ["--conf", f"{name}={value}"]
        command += [self._local(driver["entryPoint"]), *(driver.get("entryPointArguments") or [])]
        with (self.folder / "stdout").open("ab") as stdout, (self.folder / "stderr").open("ab") as stderr:
            return subprocess.Popen(
                command,
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )

    def last_words(self) -> str:
        """The end of the driver's log."""
        path = self.folder / "stderr"
        text = path.read_text(encoding="utf-8", errors="replace").strip() if path.exists() else ""
        return text[-_LAST:]

    def upload_logs(self) -> None:
        """Put the driver's logs where the run's monitoring wants them ("Storing logs", EMR Serverless)."""
        overrides = self.record.get("configurationOverrides") or {}
        uri = ((overrides.get("monitoringConfiguration") or {}).get("s3MonitoringConfiguration") or {}).get("logUri")
        if not uri:
            return
        bucket, prefix = _bucket_and_key(uri)
        application, run = self.record["applicationId"], self.record["jobRunId"]
        for name in ("stdout", "stderr"):
            key = f"{prefix.rstrip('/')}/applications/{application}/jobs/{run}/SPARK_DRIVER/{name}.gz".lstrip("/")
            self.cloud.authorize(self.role, "s3:PutObject", f"arn:aws:s3:::{bucket}/{key}")
            with tempfile.NamedTemporaryFile(dir=self.folder, delete=False) as packed:
                packed.write(gzip.compress((self.folder / name).read_bytes()))
            self.cloud.objects.put_file(bucket, key, Path(packed.name))

    def _parameters(self, text: str) -> list[str]:
        """The options of spark-submit, with files of S3 replaced by copies."""
        words = shlex.split(text)
        for place, word in enumerate(words[:-1]):
            if word in _FILES:
                words[place + 1] = ",".join(map(self._local, words[place + 1].split(",")))
        return words

    def _settings(self) -> Mapping[str, str]:
        """EMR's file system for s3:// is Hadoop's s3a here."""
        overrides = self.record.get("configurationOverrides") or {}
        settings: dict[str, str] = {}
        for configuration in overrides.get("applicationConfiguration") or []:
            if configuration.get("classification") == "spark-defaults":
                settings.update(configuration.get("properties") or {})
        return {
            **settings,
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.ui.enabled": "false",
            "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
            "spark.hadoop.fs.AbstractFileSystem.s3.impl": "org.apache.hadoop.fs.s3a.S3A",
            "spark.hadoop.fs.s3a.endpoint": self.cloud.endpoint,
            "spark.hadoop.fs.s3a.endpoint.region": REGION,
            "spark.hadoop.fs.s3a.path.style.access": "true",
            "spark.hadoop.fs.s3a.connection.ssl.enabled": "false",
            "spark.hadoop.fs.s3a.aws.credentials.provider": (
                "org.apache.hadoop.fs.s3a.auth.IAMInstanceCredentialsProvider"
            ),
        }

    def _environment(self) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        role = self.record["executionRole"].rpartition("/")[2]
        return {
            **inherited,
            "AWS_ENDPOINT_URL": self.cloud.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{self.cloud.endpoint}/_localaws/credentials/{role}",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": self.cloud.role_token(role),
            "PYSPARK_PYTHON": sys.executable,
            "SPARK_LOCAL_IP": "127.0.0.1",
            MARK: str(self.folder),
        }

    def _local(self, uri: str) -> str:
        """A file of S3 as a copy in the run's folder, read as its role. Raises CannotSubmit."""
        if not uri.startswith("s3://"):
            return uri
        bucket, key = _bucket_and_key(uri)
        try:
            self.cloud.authorize(self.role, "s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")
            info = self.cloud.objects.head(bucket, key)
        except AwsError as error:
            raise CannotSubmit(f"{uri} cannot be read by {self.role.arn}: {error.message}") from error
        if info is None:
            raise CannotSubmit(f"{uri} does not exist")
        target = self.folder / "files" / Path(key).name
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(info.path, target)
        return str(target)


def _bucket_and_key(uri: str) -> tuple[str, str]:
    parts = urlsplit(uri)
    return parts.netloc, parts.path.lstrip("/")


def _spark_submit() -> str:
    """LOCALAWS_SPARK_SUBMIT, that of the installed pyspark, or that on the PATH. Raises CannotSubmit."""
    candidates: Sequence[str | None] = (
        os.environ.get("LOCALAWS_SPARK_SUBMIT"),
        str(Path(sys.executable).parent / "spark-submit"),
        shutil.which("spark-submit"),
    )
    for candidate in candidates:
        if candidate and Path(candidate).is_file():
            return candidate
    raise CannotSubmit("no spark-submit is on this machine: install pyspark, or name one with LOCALAWS_SPARK_SUBMIT")
