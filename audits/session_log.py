"""What a session looked like, in the detail of Postfix's smtp_tls_loglevel (-v and `tlsaudit trace`).

0 nothing; 1 handshake and certificate; 2 the negotiation line by line; 3 also a hex dump of the negotiation; 4 a hex
dump of everything after STARTTLS.
"""

import sys
from collections.abc import Callable, Iterator

from scanner.connection import Phase, Tap
from scanner.domain_name import printable
from scanner.facts import Endpoint, SessionFacts

Write = Callable[[str], None]

HEX_BYTES = 16
MAX_LINE = 300


def to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


class SessionLog:
    """Writes sessions at one loglevel."""

    def __init__(self, loglevel: int, write: Write = to_stderr) -> None:
        self._loglevel = loglevel
        self._write = write

    def observe(self, endpoint: Endpoint, session: SessionFacts) -> None:
        """One finished session."""
        if self._loglevel >= 1:
            self._write(f"{endpoint.key}: {headline(session)}")
        if self._loglevel >= 2:
            for line in session.transcript:
                self._write(f"{endpoint.key}: {printable(line, MAX_LINE)}")

    def tap(self, endpoint: Endpoint) -> Tap | None:
        """Sees the bytes of a session from level 3 on."""
        if self._loglevel < 3:
            return None
        phases = {Phase.HANDSHAKE} if self._loglevel == 3 else {Phase.HANDSHAKE, Phase.TLS}

        def dump(phase: Phase, direction: str, data: bytes) -> None:
            if phase in phases:
                self._write(f"{endpoint.key}: {direction} {len(data)} bytes ({phase.value})")
                for line in hex_lines(data):
                    self._write(f"{endpoint.key}: {line}")

        return dump


def headline(session: SessionFacts) -> str:
    """One line on a session: the TLS connection in Postfix's words, or why there was none."""
    handshake = session.handshake
    if handshake is None:
        failed = f": {printable(str(session.failure), MAX_LINE)}" if session.failure else ", STARTTLS not offered"
        return f"no TLS connection{failed}"
    group = f" key-exchange {handshake.group}" if handshake.group else ""
    leaf = f", leaf certificate sha256={handshake.chain[0]}" if handshake.chain else ", no certificate"
    words = f"TLS connection established: {handshake.version} with cipher {handshake.openssl_suite}{group}{leaf}"
    return words + (f"; then {printable(str(session.failure), MAX_LINE)}" if session.failure else "")


def hex_lines(data: bytes) -> Iterator[str]:
    """Offset, sixteen bytes in hexadecimal, and as ASCII."""
    for start in range(0, len(data), HEX_BYTES):
        row = data[start : start + HEX_BYTES]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        yield f"{start:04x} {row.hex(' '):<47} {text}"
