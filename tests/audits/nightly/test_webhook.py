"""The webhook: one POST of valid JSON by verified HTTPS, and no redirect."""

import http.server
import json
import socket
import ssl
import threading
from pathlib import Path

import pytest

from audits.demo.certificates import new_authority
from audits.nightly.config import Calling, Night, NightConfig
from audits.nightly.news import TellError
from audits.nightly.webhook import call
from tests.audits.nightly.news_factory import loud


class Handler(http.server.BaseHTTPRequestHandler):
    status = 204
    seen: list[tuple[dict[str, str], bytes]] = []  # noqa: RUF012 - one server a test, emptied by the fixture

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((dict(self.headers), body))
        self.send_response(self.status)
        if self.status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def server(tmp_path):
    authority = new_authority()
    (tmp_path / "root.pem").write_bytes(authority.root_pem)
    issued = authority.credential("localhost")
    (tmp_path / "chain.pem").write_bytes(issued.chain_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "chain.pem")
    running = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    running.socket = context.wrap_socket(running.socket, server_side=True)
    Handler.seen.clear()
    Handler.status = 204
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


def calling(server, **changes) -> Calling:
    return Calling(url=f"https://localhost:{server.server_port}/hook", **{"cafile": "root.pem"} | changes)


def night(folder: Path) -> Night:
    return Night(NightConfig(("d.txt",)), folder, {})


def test_the_program_gets_the_news_once(server, tmp_path):
    (tmp_path / "token").write_text("secret\n")
    call(loud(), calling(server, token_file="token"), night(tmp_path))
    ((headers, body),) = Handler.seen
    assert headers["Content-Type"] == "application/json"
    assert headers["Authorization"] == "Bearer secret"
    assert json.loads(body)["run"] == "2026-11-21"


@pytest.mark.parametrize("status", [302, 404, 500])
def test_anything_but_success_is_told_and_nobody_else_is_called(server, tmp_path, status):
    Handler.status = status
    with pytest.raises(TellError, match=str(status)):
        call(loud(), calling(server), night(tmp_path))
    assert len(Handler.seen) == 1


def test_a_certificate_that_is_not_trusted_is_told(server, tmp_path):
    with pytest.raises(TellError, match="CERTIFICATE_VERIFY_FAILED"):
        call(loud(), calling(server, cafile=""), night(tmp_path))
    assert not Handler.seen


@pytest.mark.parametrize("answer", [b"220 mail.example ESMTP\r\n", b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200])
def test_what_is_no_http_is_told(tmp_path, answer):
    def serve():
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(TellError, match="webhook http://"):
            call(loud(), Calling(url=f"http://127.0.0.1:{listener.getsockname()[1]}/"), night(tmp_path))
        thread.join()


def test_a_server_that_is_not_there_is_told(tmp_path):
    with pytest.raises(TellError, match="refused"):
        call(loud(), Calling(url="http://127.0.0.1:9/"), night(tmp_path))
