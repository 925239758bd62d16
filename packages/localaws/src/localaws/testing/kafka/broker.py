"""A broker's process: formatted, started, killed and started again with what it has on disk."""

import secrets
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from localaws.testing.kafka.certificates import Authority
from localaws.testing.kafka.jars import NoKafka, classpath
from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for

_HERE = Path(__file__).parent
_JAVA = ("java", "-Xmx384m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
_LISTENERS = ("PLAIN", "TLS", "SASL", "CONTROLLER")
_FORMAT_SECONDS = 60
_START_SECONDS = 60
# May do all things in any topic; has a password and no rights.
WRITER = "writer"
STRANGER = "stranger"
ACCESS_KEY = "AKIDEXAMPLE"  # of IAM tokens: as WRITER
_SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-512")
_LOGIN = "org.apache.kafka.common.security"


@dataclass
class Broker:
    """One node, which is broker and controller, on loopback.

    `plain` takes everyone, `tls` asks for a certificate without insisting, `sasl` takes PLAIN, SCRAM and the tokens
    of IAM over TLS; each as `host:port`.
    """

    folder: Path
    authority: Authority
    password: str = field(default_factory=lambda: secrets.token_hex(8))
    ports: Mapping[str, int] = field(default_factory=lambda: _free_ports(_LISTENERS))
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def plain(self) -> str:
        return f"127.0.0.1:{self.ports['PLAIN']}"

    @property
    def tls(self) -> str:
        return f"localhost:{self.ports['TLS']}"

    @property
    def sasl(self) -> str:
        return f"localhost:{self.ports['SASL']}"

    @property
    def log(self) -> str:
        """What the broker complained about."""
        return (self.folder / "broker.log").read_text(encoding="utf-8", errors="replace")

    def start(self) -> None:
        """Start the process, and wait until it takes connections."""
        command = [*_JAVA, "-cp", self._classpath(), "kafka.Kafka", str(self.folder / "server.properties")]
        with (self.folder / "broker.log").open("ab") as log:
            process = self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)

        def listens() -> bool:
            assert process.poll() is None, f"the broker ended: {self.log[-3000:]}"
            return all(_is_open(self.ports[name]) for name in ("PLAIN", "TLS", "SASL"))

        wait_for(listens, timeout=_START_SECONDS, what="the broker")

    def kill(self) -> None:
        """End the process as a power cut does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        """Suspend the process: its connections stay, and nothing answers."""
        if self.process is not None:
            self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)

    def format(self) -> None:
        """Write the configuration and the first records of the metadata log. Raises NoKafka."""
        (self.folder / "server.properties").write_text(self._properties(), encoding="utf-8")
        users = [
            word
            for user in (WRITER, STRANGER)
            for mechanism in _SCRAM
            for word in ("--add-scram", f"{mechanism}=[name={user},password={self.password}]")
        ]
        words = ["format", "--cluster-id", "MkU3OEVBNTcwNTJENDM2Qg", "--config", str(self.folder / "server.properties")]
        command = [*_JAVA, "-cp", self._classpath(), "kafka.tools.StorageTool", *words, *users]
        done = subprocess.run(command, capture_output=True, text=True, timeout=patient(_FORMAT_SECONDS), check=False)
        if done.returncode != 0:
            raise NoKafka(f"the log could not be formatted: {(done.stdout + done.stderr)[-500:]}")

    def _classpath(self) -> str:
        return f"{_HERE}:{classpath()}"  # log4j2.properties is here

    def _properties(self) -> str:
        listeners = ",".join(f"{name}://{_host(name)}:{self.ports[name]}" for name in _LISTENERS)
        plain = "".join(f' user_{user}="{self.password}"' for user in (WRITER, STRANGER))
        values = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{self.ports['CONTROLLER']}",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAIN",
            "listeners": listeners,
            "listener.security.protocol.map": "PLAIN:PLAINTEXT,TLS:SSL,SASL:SASL_SSL,CONTROLLER:PLAINTEXT",
            "log.dirs": str(self.folder / "log"),
            "num.partitions": "4",
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            "log.retention.check.interval.ms": "1000",
            "log.initial.task.delay.ms": "1000",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": f"User:ANONYMOUS;User:{WRITER};User:{ACCESS_KEY};User:CN=writer",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self.authority.server_pem),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.authority.certificate),
            "listener.name.tls.ssl.client.auth": "requested",
            "listener.name.sasl.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
            "listener.name.sasl.plain.sasl.jaas.config": f"{_LOGIN}.plain.PlainLoginModule required{plain};",
            "listener.name.sasl.oauthbearer.sasl.jaas.config": (
                f'{_LOGIN}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";'
            ),
            "listener.name.sasl.oauthbearer.sasl.server.callback.handler.class": "IamTokens",
        }
        for mechanism in _SCRAM:
            key = f"listener.name.sasl.{mechanism.lower()}.sasl.jaas.config"
            values[key] = f"{_LOGIN}.scram.ScramLoginModule required;"
        return "".join(f"{key}={value}\n" for key, value in values.items())


@contextmanager
def running() -> Iterator[Broker]:
    """A broker that was just formatted. Raises NoKafka where it cannot be had."""
    classpath()
    with TemporaryDirectory(prefix="kafka-") as folder:
        broker = Broker(Path(folder), Authority.make(Path(folder)))
        broker.format()
        try:
            broker.start()
            yield broker
        finally:
            broker.kill()


def _host(listener: str) -> str:
    """Clients verify the name that they connect to; an address is quicker where nothing is verified."""
    return "localhost" if listener in ("TLS", "SASL") else "127.0.0.1"


def _free_ports(names: tuple[str, ...]) -> dict[str, int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in names]
    ports = {name: server.getsockname()[1] for name, server in zip(names, sockets, strict=True)}
    for server in sockets:
        server.close()
    return ports


def _is_open(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
