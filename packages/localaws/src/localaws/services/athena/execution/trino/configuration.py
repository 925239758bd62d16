"""Trino's configuration: loopback only, a key for each direction, the local Glue and S3 behind the connectors."""

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

HIVE = "awsdatacatalog"
ICEBERG = "awsdatacatalog_iceberg"  # Iceberg tables that are read by their name in awsdatacatalog are redirected here
UNLOAD = "localaws_unload"  # the schema of the tables that UNLOAD writes through, of which Glue has none
_HOST = "127.0.0.1"
_WRITER_LIMIT = 100  # "Considerations and limitations" of CTAS and INSERT INTO: partitions per statement

# Its decoder needs a module that not every Java brings.
_PARQUET = {"parquet.experimental.vectorized-decoding.enabled": "false"}
_LOG_LEVELS = {
    "io.trino": "WARN",
    "io.airlift": "WARN",
    "Bootstrap": "WARN",  # lists the configuration, keys included
    # Until the server takes requests, it warns of not answering itself.
    "io.trino.memory.RemoteNodeMemory": "ERROR",
    "io.trino.metadata.RemoteNodeState": "ERROR",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where a Trino listens and what it reaches."""

    folder: Path  # of this configuration
    port: int
    plugins: Path
    callbacks: str  # URL of localaws's decisions and metastore
    s3: str  # URL
    region: str
    token_key: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    @property
    def etc(self) -> Path:
        return self.folder / "etc"

    @property
    def mappings(self) -> Path:
        """Whose S3 keys each statement has."""
        return self.etc / "s3-mappings.json"


def unload_table(user: str) -> str:
    """The table through which a statement writes an UNLOAD."""
    return "x" + user.replace("-", "")


def write(settings: Settings) -> None:
    """Write all files, readable by their owner alone."""
    etc = settings.etc
    (etc / "catalog").mkdir(parents=True, exist_ok=True)
    key_file = etc / "token.key"
    _write(key_file, base64.b64encode(settings.token_key).decode())
    write_mappings(settings, {})
    _properties(etc / "config.properties", _server(settings, key_file))
    _properties(
        etc / "access-control.properties",
        {
            "access-control.name": "localaws",
            "localaws.decisions": f"{settings.callbacks}/decisions",
            "localaws.catalogs": f"{HIVE},{ICEBERG}",
        },
    )
    _properties(etc / "log.properties", _LOG_LEVELS)
    _properties(etc / "catalog" / f"{HIVE}.properties", _hive(settings))
    _properties(etc / "catalog" / f"{ICEBERG}.properties", _iceberg(settings))


def write_mappings(settings: Settings, keys: Mapping[str, tuple[str, str]]) -> None:
    """Let each statement (its execution id is Trino's user) reach S3 with an access key and its secret."""
    mappings = [{"user": user, "accessKey": key, "secretKey": secret} for user, (key, secret) in keys.items()]
    # No statement is of this user: a file without mappings is not accepted.
    mappings.append({"user": "-", "accessKey": "-", "secretKey": "-"})
    _write(settings.mappings, json.dumps({"mappings": mappings}))


def _server(settings: Settings, key_file: Path) -> dict[str, str]:
    return {
        "coordinator": "true",
        "node-scheduler.include-coordinator": "true",
        "node.environment": "localaws",
        "node.id": "localaws",
        "node.bind-ip": _HOST,
        "node.internal-address": _HOST,
        "http-server.http.port": str(settings.port),
        "discovery.uri": f"http://{_HOST}:{settings.port}",
        # A token is asked for as over HTTPS; on loopback the header of a proxy stands for it.
        "http-server.process-forwarded": "true",
        "http-server.authentication.type": "JWT",
        "http-server.authentication.jwt.key-file": str(key_file),
        "http-server.authentication.allow-insecure-over-http": "false",
        "internal-communication.shared-secret": secrets.token_hex(32),
        "web-ui.enabled": "false",
        "plugin.dir": str(settings.plugins),
        "catalog.config-dir": str(settings.etc / "catalog"),
        "access-control.config-files": str(settings.etc / "access-control.properties"),
        "log.levels-file": str(settings.etc / "log.properties"),
        "query.max-length": "1000000",
        "query.max-history": "10",
        "query.min-expire-age": "30s",
        "query.client.timeout": "2m",
        "task.concurrency": "2",
        # Each writer counts its own partitions: with one, the limit is a statement's, as Athena's is.
        "task.min-writer-count": "1",
        "task.max-writer-count": "1",
        "task.max-worker-threads": "8",
    }


def _s3(settings: Settings) -> dict[str, str]:
    return {
        "fs.native-s3.enabled": "true",
        "s3.endpoint": settings.s3,
        "s3.region": settings.region,
        "s3.path-style-access": "true",
        "s3.security-mapping.enabled": "true",
        "s3.security-mapping.config-file": str(settings.mappings),
        "s3.security-mapping.refresh-period": "1ms",
    }


def _glue(settings: Settings) -> dict[str, str]:
    return {
        "hive.metastore.glue.endpoint-url": f"{settings.callbacks}/glue",
        "hive.metastore.glue.region": settings.region,
        "hive.metastore.glue.aws-access-key": "localaws",  # what the metastore goes by is in its URL
        "hive.metastore.glue.aws-secret-key": "localaws",
        "hive.metastore.glue.partitions-segments": "1",
    }


def _hive(settings: Settings) -> dict[str, str]:
    return {
        "connector.name": "hive",
        "hive.metastore": "glue",
        **_glue(settings),
        **_s3(settings),
        **_PARQUET,
        "hive.iceberg-catalog-name": ICEBERG,
        # How Athena reads and writes Hive tables.
        "hive.security": "allow-all",
        "hive.non-managed-table-writes-enabled": "true",
        "hive.non-managed-table-creates-enabled": "true",
        "hive.recursive-directories": "true",
        "hive.ignore-absent-partitions": "true",
        "hive.max-partitions-per-writers": str(_WRITER_LIMIT),
        "hive.collect-column-statistics-on-write": "false",
        "hive.table-statistics-enabled": "false",
        "hive.timestamp-precision": "MILLISECONDS",
        "hive.partition-projection-enabled": "true",
    }


def _iceberg(settings: Settings) -> dict[str, str]:
    return {
        "connector.name": "iceberg",
        "iceberg.catalog.type": "glue",
        **_glue(settings),
        **_s3(settings),
        **_PARQUET,
        "iceberg.hive-catalog-name": HIVE,
        "iceberg.file-format": "PARQUET",
        "iceberg.max-partitions-per-writer": str(_WRITER_LIMIT),
        "iceberg.extended-statistics.collect-on-write": "false",
        # VACUUM states its own ages.
        "iceberg.expire-snapshots.min-retention": "0s",
        "iceberg.remove-orphan-files.min-retention": "0s",
    }


def _properties(path: Path, values: Mapping[str, str]) -> None:
    _write(path, "".join(f"{name}={value}\n" for name, value in values.items()))


def _write(path: Path, text: str) -> None:
    """Replace the file at once: Trino may read it at any moment."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
