"""How a Kafka cluster is reached: brokers, TLS, SASL, IAM tokens of MSK; as options and as librdkafka's properties.

Property names are librdkafka's ("Configuration properties"). The client's own log is silent: what it reports goes
through `Reports`, and a broker that is away is logged by who waits for it.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from postrank.documents import Document, JsonObject
from postrank.extras import require
from postrank.kafka.iam_tokens import IamTokens
from postrank.kafka.reports import Reports
from postrank.options import Options, Secret
from postrank.outbound import aws_authorities, is_local

SASL = ("none", "plain", "scram-sha-256", "scram-sha-512", "aws-msk-iam")
TOPIC = r"[A-Za-z0-9._-]{1,249}"  # Apache Kafka, "Topic naming"
_BROKER = re.compile(r"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\]):(?P<port>\d{1,5})")
_MSK_REGION = re.compile(r"\.kafka(?:-serverless)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com")
_CRITICAL = 2  # syslog's level of librdkafka's own log


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One cluster, as one user. `region` is of IAM tokens alone."""

    brokers: tuple[str, ...]
    tls: bool
    sasl: str
    username: str = ""
    password: Secret | None = None
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    region: str = ""

    @classmethod
    def of(cls, options: Options) -> Self:
        """`brokers` (required), `tls` (true), `sasl` (none), `username`, `password`, `ca_file`, `certificate_file`,
        `key_file`, `region`. What is wrong is noted in the options.
        """
        brokers = tuple(options.texts("brokers"))
        if options.is_set("brokers") == []:
            options.wrong("brokers", "must name at least one broker")
        for broker in brokers:
            if not _is_address(broker):
                options.wrong("brokers", f"must be host:port each, not {broker!r}")
        tls = options.flag("tls", True)
        sasl = options.text("sasl", "none", among=SASL)
        by_password = sasl not in ("none", "aws-msk-iam")
        connection = cls(
            brokers=brokers,
            tls=tls,
            sasl=sasl,
            username=options.text("username") if by_password else "",
            password=options.secret("password") if by_password else None,
            ca_file=_file(options, "ca_file"),
            certificate_file=_file(options, "certificate_file"),
            key_file=_file(options, "key_file"),
            region=_region(options, brokers) if sasl == "aws-msk-iam" else "",
        )
        connection._note_conflicts(options)
        return connection

    def properties(self, reports: Reports) -> Document:
        """Librdkafka's properties, with the callbacks of `reports`. Raises MissingExtra, Unusable."""
        require("confluent_kafka")
        protocol = ("SASL_" if self.sasl != "none" else "") + ("SSL" if self.tls else "PLAINTEXT")
        return {
            "bootstrap.servers": ",".join(self.brokers),
            "security.protocol": protocol,
            "client.id": "postrank",
            "error_cb": reports.note,
            "log_level": _CRITICAL,
            "log.connection.close": False,
            "reconnect.backoff.ms": 100,
            "reconnect.backoff.max.ms": 5_000,
            "broker.address.family": "any",
            "allow.auto.create.topics": False,
            **self._tls_properties(),
            **self._sasl_properties(reports),
        }

    def check_token(self, reports: Reports) -> None:
        """Sign an IAM token, where the cluster wants one: a client that has none only says so after 10 s.

        Raises NoToken.
        """
        if self.sasl == "aws-msk-iam":
            IamTokens(self.region, reports).token("")

    def _tls_properties(self) -> JsonObject:
        if not self.tls:
            return {}
        authorities = self.ca_file or aws_authorities()
        files = {
            "ssl.ca.location": authorities,
            "ssl.certificate.location": self.certificate_file,
            "ssl.key.location": self.key_file,
        }
        return {name: str(path) for name, path in files.items() if path}

    def _sasl_properties(self, reports: Reports) -> JsonObject:
        if self.sasl == "none":
            return {}
        if self.sasl == "aws-msk-iam":
            require("aws_msk_iam_sasl_signer")
            return {"sasl.mechanism": "OAUTHBEARER", "oauth_cb": IamTokens(self.region, reports).token}
        password = self.password.reveal() if self.password else ""
        return {"sasl.mechanism": self.sasl.upper(), "sasl.username": self.username, "sasl.password": password}

    def _note_conflicts(self, options: Options) -> None:
        if not self.tls and self.sasl in ("plain", "aws-msk-iam") and not all(map(_on_this_machine, self.brokers)):
            options.wrong("tls", f"must be true with sasl {self.sasl}: the password or token would travel readable")
        if bool(self.certificate_file) != bool(self.key_file):
            options.wrong("certificate_file", "and key_file go together: name both, or neither")
        if not self.tls and (self.certificate_file or self.ca_file):
            options.wrong("tls", "must be true for ca_file and certificate_file to have a use")


def _is_address(broker: str) -> bool:
    match = _BROKER.fullmatch(broker)
    return match is not None and 0 < int(match["port"]) < 65_536


def _on_this_machine(broker: str) -> bool:
    return is_local(broker.rpartition(":")[0].strip("[]"))


def _file(options: Options, key: str) -> Path | None:
    if not options.optional(key):
        return None
    path = options.path(key)
    if not path.is_file():
        options.wrong(key, f"names {path}, which is no file")
    return path


def _region(options: Options, brokers: tuple[str, ...]) -> str:
    """The region of a token: that of the brokers' names, unless `region` says another."""
    regions = {match["region"] for broker in brokers if (match := _MSK_REGION.search(broker))}
    return options.text("region", regions.pop() if len(regions) == 1 else None)
