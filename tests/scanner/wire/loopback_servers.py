"""Real TLS servers on a loopback port: OpenSSL's s_server, GnuTLS's gnutls-serv, tlslite-ng."""

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from tests.real_programs import program
from tests.scanner.wire.independent_tls import keyfactory, tlsconnection, x509, x509certchain

START_S = 10.0


@cache
def certificate_files(kind: str) -> tuple[str, str]:
    """Certificate and key files of an RSA or an EC key, made once."""
    folder = Path(mkdtemp(prefix="wire-test-"))
    certificate, key = str(folder / "certificate.pem"), str(folder / "key.pem")
    options = {"rsa": ["rsa:2048"], "ec": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]}[kind]
    command = ["openssl", "req", "-x509", "-nodes", "-days", "30", "-subj", f"/CN={kind}.example.org"]
    command += ["-newkey", *options, "-keyout", key, "-out", certificate]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"no server: {process.args}")


@contextmanager
def _running(command: list[str], port: int) -> Iterator[int]:
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _wait_for(port, process)
            yield port
        finally:
            process.kill()


@contextmanager
def openssl_server(*options: str, certificates: tuple[str, ...] = ("rsa",)) -> Iterator[int]:
    """`openssl s_server` with these options; a second certificate is given with -dcert."""
    port = free_port()
    command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-quiet", *options]
    for (flag, key_flag), kind in zip((("-cert", "-key"), ("-dcert", "-dkey")), certificates, strict=False):
        certificate, key = certificate_files(kind)
        command += [flag, certificate, key_flag, key]
    if not certificates:
        command.append("-nocert")
    with _running(command, port) as running:
        yield running


@contextmanager
def gnutls_server(priority: str, certificates: tuple[str, ...] = ("rsa", "ec")) -> Iterator[int]:
    """`gnutls-serv` with a priority string."""
    port = free_port()
    command = [program("gnutls-serv", "gnutls-bin"), "--quiet", "--echo", "--port", str(port), "--priority", priority]
    for kind in certificates:
        certificate, key = certificate_files(kind)
        command += ["--x509certfile", certificate, "--x509keyfile", key]
    with _running(command, port) as running:
        yield running


@contextmanager
def tlslite_server(**settings: object) -> Iterator[int]:
    """A tlslite-ng server in a thread, with these attributes of its HandshakeSettings."""
    certificate, key = (Path(name).read_text() for name in certificate_files("rsa"))
    chain = x509certchain.X509CertChain([x509.X509().parse(certificate)])
    private = keyfactory.parsePEMKey(key, private=True)
    chosen = tlsconnection.HandshakeSettings()
    for name, value in settings.items():
        setattr(chosen, name, value)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                accepted, _ = listener.accept()
            except OSError:
                return
            with accepted:
                accepted.settimeout(START_S)
                connection = tlsconnection.TLSConnection(accepted)
                try:
                    connection.handshakeServer(certChain=chain, privateKey=private, settings=chosen)
                except (tlsconnection.TLSError, OSError, ValueError):
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(START_S)
