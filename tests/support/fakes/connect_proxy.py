"""A forward proxy on loopback as companies have them: it resolves names, and opens TLS with its own authority."""

import asyncio
import base64
import contextlib
import datetime
import ssl
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class ConnectProxy:
    """Tunnels to `hosts` (name: port on loopback); those at port 443 are served with a certificate of `authority`."""

    hosts: dict[str, int]
    authority: Path  # its certificate, in PEM form
    context: ssl.SSLContext
    password: str = ""  # of the user "user"; "": none is wanted
    targets: list[str] = field(default_factory=list)  # host:port of every request, in order
    port: int = 0

    @property
    def url(self) -> str:
        credentials = f"user:{self.password}@" if self.password else ""
        return f"http://{credentials}127.0.0.1:{self.port}"

    @property
    def names(self) -> set[str]:
        """The hosts that were asked for."""
        return {target.rpartition(":")[0] for target in self.targets}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, to the end of its connection."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await self._tunnel(reader, writer)
        writer.transport.abort()

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
        port = parts.port or 80
        self.targets.append(f"{parts.hostname}:{port}")
        if self.password and self._authorization not in head:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            return
        if parts.hostname not in self.hosts:
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            return
        origin_reader, origin_writer = await asyncio.open_connection("127.0.0.1", self.hosts[parts.hostname])
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await writer.drain()
            if port == 443:
                await writer.start_tls(self.context)
        else:
            origin_writer.write(head)
        try:
            await asyncio.gather(_pump(reader, origin_writer), _pump(origin_reader, writer))
        finally:
            origin_writer.transport.abort()

    @property
    def _authorization(self) -> bytes:
        return b"Basic " + base64.b64encode(f"user:{self.password}".encode())


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()


@contextmanager
def connect_proxy(folder: Path, hosts: dict[str, int]) -> Iterator[ConnectProxy]:
    """A running proxy; its authority's certificate is in `folder`."""
    proxy = ConnectProxy(hosts, folder / "authority.pem", _context(folder, hosts))
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(proxy.serve, "127.0.0.1", 0))
    proxy.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield proxy
    finally:
        asyncio.run_coroutine_threadsafe(_stop(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _stop(server: asyncio.Server) -> None:
    server.close()
    clients = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in clients:
        task.cancel()
    await asyncio.gather(*clients, return_exceptions=True)
    for _ in range(10):  # by then the transports that were aborted are closed
        await asyncio.sleep(0)


def _context(folder: Path, hosts: Iterable[str]) -> ssl.SSLContext:
    """Serves a certificate for the hosts; writes `authority.pem` and `server.pem`."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Generated authority")])
    authority = _certificate(authority_name, authority_name, authority_key.public_key(), authority=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Generated server")])
    names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
    certificate = _certificate(name, authority_name, key.public_key()).add_extension(names, critical=False)
    (folder / "authority.pem").write_bytes(_pem(authority.sign(authority_key, hashes.SHA256())))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(_pem(certificate.sign(authority_key, hashes.SHA256())) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


def _certificate(
    name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, *, authority: bool = False
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
