"""What is asked of a server beyond its hellos: resumption, and (only where wanted) tests that touch the session."""

from enum import StrEnum

import msgspec

from scanner.answers import Fact


class Way(StrEnum):
    """How a session can be resumed."""

    TLS13_TICKET = "TLSv1.3 ticket"
    TLS12_TICKET = "TLSv1.2 ticket"
    TLS12_SESSION_ID = "TLSv1.2 session ID"


class ResumptionFacts(msgspec.Struct, frozen=True):
    """One way of resumption (RFC 8446 section 2.2, RFC 5077, RFC 5246 section 7.3).

    `issued`: the server gave a ticket or an ID; `resumed`: it took up the session in a second connection.
    `lifetime_hint_s` is the server's word for how long a ticket may be used.
    """

    way: Way
    issued: Fact
    resumed: Fact
    lifetime_hint_s: int | None = None


class VulnerabilityFacts(msgspec.Struct, frozen=True):
    """The answer of one intrusive test: `name` is that of the test, `vulnerable` its answer, `detail` its words."""

    name: str
    vulnerable: Fact
    detail: str = ""


class DeepFacts(msgspec.Struct, frozen=True):
    """Everything of this kind about one endpoint; what was not wanted stays not tested.

    `command_injection`: bytes sent behind STARTTLS in clear were obeyed inside TLS (CVE-2011-0411).
    `vulnerability_connections` are those of the intrusive tests, which count apart.
    """

    resumption: tuple[ResumptionFacts, ...] = ()
    command_injection: Fact = Fact.NOT_TESTED
    vulnerabilities: tuple[VulnerabilityFacts, ...] = ()
    vulnerability_connections: int = 0
