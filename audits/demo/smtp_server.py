"""Small SMTP servers on loopback that behave as one `Behaviour` says (RFC 5321, RFC 3207, RFC 8314). They take no mail.

    async with trio.open_nursery() as nursery:
        server = await nursery.start(serve, Behaviour(greeting=reply(421, "4.7.0 Too busy")))

The server is reached at (server.address, server.port) and counts its connections; cancelling the nursery ends it.
"""

import ssl
from collections import deque

import trio

from audits.demo.behaviour import (
    MUST_ISSUE_STARTTLS,
    Action,
    Behaviour,
    ClientCertificate,
    Close,
    Hang,
    Listen,
    Reset,
    Script,
    Send,
    TlsServer,
    Wait,
    reply,
)
from audits.demo.conversation import Conversation, Session
from audits.demo.tls_stream import server_context

__all__ = [
    "MUST_ISSUE_STARTTLS",
    "Action",
    "Behaviour",
    "ClientCertificate",
    "Close",
    "Hang",
    "Listen",
    "Reset",
    "Script",
    "Send",
    "Session",
    "SmtpServer",
    "TlsServer",
    "Wait",
    "reply",
    "serve",
]

SESSION_S = 300.0
REMEMBERED = 1000
"""Sessions kept for whoever wants to look at them; a long run must not fill the memory."""


class SmtpServer:
    """A running server, as its starter sees it: where it listens, how many connections came, the last sessions.

    A connection is open until one side has ended it; so `most_at_once` is 1 for a client that closes before it
    connects again, however soon.
    """

    def __init__(self, address: str, port: int) -> None:
        self.address = address
        self.port = port
        self.connections = 0
        self.open_now = 0
        self.most_at_once = 0
        self.sessions: deque[Session] = deque(maxlen=REMEMBERED)

    def begin(self) -> Session:
        """Counts a new connection."""
        self.connections += 1
        self.open_now += 1
        self.most_at_once = max(self.most_at_once, self.open_now)
        self.sessions.append(Session(self.connections))
        return self.sessions[-1]

    def end(self) -> None:
        self.open_now -= 1


async def serve(
    behaviour: Behaviour,
    *,
    address: str = "127.0.0.1",
    port: int = 0,
    task_status: trio.TaskStatus[SmtpServer] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serves until cancelled; for `nursery.start`, which returns the `SmtpServer`. Port 0 takes a free one.

    Raises ssl.SSLError where the local OpenSSL cannot do what the behaviour asks for.
    """
    contexts = _contexts(behaviour)
    (listener,) = await trio.open_tcp_listeners(port, host=address)
    server = SmtpServer(address, listener.socket.getsockname()[1])

    async def handle(stream: trio.SocketStream) -> None:
        session = server.begin()
        wanted = behaviour.at(session.number)
        context = contexts[wanted.tls] if wanted.tls else None
        conversation = Conversation(stream, wanted, context, session)
        try:
            with trio.move_on_after(SESSION_S):
                await conversation.hold()
            server.end()
            await conversation.linger()
        finally:
            await trio.aclose_forcefully(stream)

    task_status.started(server)
    await trio.serve_listeners(handle, [listener])


def _contexts(behaviour: Behaviour) -> dict[TlsServer, ssl.SSLContext]:
    """The contexts of this behaviour and of all that come later; made once, because loading keys costs time."""
    found: dict[TlsServer, ssl.SSLContext] = {}
    stage: Behaviour | None = behaviour
    while stage is not None:
        if stage.tls is not None and stage.tls not in found:
            found[stage.tls] = server_context(stage.tls)
        stage = stage.later[1] if stage.later else None
    return found
