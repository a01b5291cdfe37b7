"""The frames and their columns, as data: from here come the dtypes, FRAMES.md and the tests.

The words of a category stand in the order in which people read them. "unknown" never becomes an empty cell: an empty
cell says that there is no such thing (no certificate, no MTA-STS policy), an unanswered question has a word of its own.
"""

from collections.abc import Iterable
from enum import Enum, StrEnum

import msgspec

from audits.dane import TlsaState
from audits.diff import Kind as ChangeKind
from audits.diff import Severity
from audits.findings import Verdict
from audits.mta_sts import StsState
from audits.verdicts import Grade, State, Today
from scanner.facts import Dnssec, EndpointUse, Fact, Level, RouteStatus
from scanner.failures import Kind as FailureKind
from scanner.failures import Stage
from scanner.policy_facts import StsMode
from scanner.tls_facts import HelloStyle


class Kind(StrEnum):
    """What a column holds, and thereby its dtype; each has an empty value."""

    TEXT = "text"
    WORD = "word"
    """One of a fixed list."""
    RUN = "run"
    """The name of a run; runs are ordered by time."""
    NUMBER = "number"
    TIME = "time"
    YES_NO = "yes/no"


DTYPES = {
    Kind.TEXT: "string",
    Kind.WORD: "category",
    Kind.RUN: "category",
    Kind.NUMBER: "Int64",
    Kind.TIME: "datetime64[us, UTC]",
    Kind.YES_NO: "boolean",
}
"""pandas' names; those of RUN are ordered categories."""


class Column(msgspec.Struct, frozen=True):
    """One column: `meaning` with the unit and with what an empty cell says; `words` for WORD."""

    name: str
    kind: Kind
    meaning: str
    words: tuple[str, ...] = ()

    @property
    def dtype(self) -> str:
        return DTYPES[self.kind]


class Frame(msgspec.Struct, frozen=True):
    """One frame: what a row is, and its columns in their order."""

    name: str
    row: str
    columns: tuple[Column, ...]


def _text(name: str, meaning: str) -> Column:
    return Column(name, Kind.TEXT, meaning)


def _number(name: str, meaning: str) -> Column:
    return Column(name, Kind.NUMBER, meaning)


def _time(name: str, meaning: str) -> Column:
    return Column(name, Kind.TIME, meaning)


def _yes_no(name: str, meaning: str) -> Column:
    return Column(name, Kind.YES_NO, meaning)


def _word(name: str, words: Iterable[str | Enum], meaning: str) -> Column:
    return Column(name, Kind.WORD, meaning, tuple(w.value if isinstance(w, Enum) else w for w in words))


_RUN = Column("run", Kind.RUN, "The run's name, which is its start in UTC.")
_DOMAIN = _text("domain", "The entry of the list: a domain in A-labels, or a next-hop.")
_GRADE = _word("grade", Grade, "The strongest level that a sender can enforce without losing mail.")
_REQUIRED = _word("required", Level, "The level that the list demands; empty where it demands none.")
_ADDRESS = _text("address", "IPv4 or IPv6 address.")
_PORT = _number("port", "TCP port.")
_SNI = _text("sni", "The server name that was sent; empty for the handshake as Postfix makes it.")
_SEEN = _time("seen_at", "When the endpoint was asked; empty where it was not.")
_LEVELS = "levels, weakest first, with blanks between"

_VERSIONS = ("TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1.0", "SSLv3")
VERSION_COLUMNS = {version: version.lower().replace(".", "_") for version in _VERSIONS}
"""Version as the records spell it -> column of the frame `endpoints`."""

RUNS = Frame(
    "runs",
    "One run of the store.",
    (
        _RUN,
        _word("status", ("unfinished", "finished"), "How far it came."),
        _time("started", "When it began."),
        _time("finished", "When it ended; empty for an unfinished one."),
        _number("targets", "Entries of its list."),
        _number("done", "Entries that have a result."),
        _number("duplicates", "Lines of the list that repeated an entry."),
        _text("tool_version", "The tlsaudit that made it."),
        _text("trust_digest", "SHA-256 over its trust anchors: runs with the same one judge chains alike."),
    ),
)

GRADES = Frame(
    "grades",
    "One domain in one run: the grade alone, which is read fast.",
    (_RUN, _DOMAIN, _GRADE, _REQUIRED),
)

DOMAINS = Frame(
    "domains",
    "One domain in one run, with all that was judged of it as a whole.",
    (
        _RUN,
        _DOMAIN,
        _text("domain_unicode", "The name as people write it."),
        _word("route", RouteStatus, "How its mail finds its hosts, or why it finds none."),
        _GRADE,
        _word("some_mx_grade", Grade, "The grade where Postfix tries the hosts in order."),
        _word("today", Today, "What mail gets today from a sender that uses TLS where it is offered."),
        _text("sustained", f"The sustained {_LEVELS}."),
        _text("unknown", f"The {_LEVELS}, that are not known."),
        _number("asked", "Mail endpoints that were to be asked."),
        _number("answered", "Mail endpoints that answered."),
        _number("not_asked", "Mail endpoints left alone."),
        _text("reason", "What caps the grade, in one word (RFC 8460 where it has one); empty where nothing does."),
        _text("detail", "The fact behind the reason, in the words of the server or of OpenSSL."),
        _text("remedy", "What would lift the grade."),
        _text("mx_host", "The host that caps the grade; empty where nothing does, or no host is the cause."),
        _text("operator", "Who runs the first MX host: its registrable domain; empty without mail."),
        _REQUIRED,
        _yes_no("compliant", "Whether the required level is sustained; empty where none is required or it is unknown."),
        _text("must_by", "By which ways the MX name of MUST is known, with blanks between."),
        _word("mx_dnssec", Dnssec, "Security of the MX answer."),
        _word("dane", Fact, "Whether level dane is sustained; empty where published policy was not looked for."),
        _word("dane_only", Fact, "Whether level dane-only is sustained; empty as for `dane`."),
        _word("mta_sts", StsState, "State of the MTA-STS policy; empty as for `dane`."),
        _word("mta_sts_mode", StsMode, "Mode of the MTA-STS policy; empty where there is no valid one."),
        _word(
            "mta_sts_delivers", Fact, "Whether a sender that enforces the policy loses no mail; empty as for `dane`."
        ),
        _yes_no("tls_rpt", "Whether a valid TLSRPT record is published; empty where policy was not looked for."),
        _time("expires", "When the first leaf certificate of its mail endpoints expires; empty without any."),
        _time("next_cliff", "The next day on which something breaks unless somebody acts; empty without any."),
        _text("next_cliff_what", "What breaks then."),
    ),
)

ENDPOINTS = Frame(
    "endpoints",
    "One endpoint (address and port) of one domain, under one MX host, in one run.",
    (
        _RUN,
        _DOMAIN,
        _text("mx_host", "The host name by which the domain reaches it."),
        _number("preference", "Of the MX record; lower is tried first."),
        _ADDRESS,
        _PORT,
        _SNI,
        _word("use", EndpointUse, "For mail, as submission service, or for published policy."),
        _text("operator", "The registrable domain of the MX host."),
        _word("state", State, "How far we came with it."),
        _word("starttls", Fact, "Whether it offers STARTTLS and goes on to TLS."),
        _text("sustained", f"The {_LEVELS}, that it sustains."),
        _text("reason", "Why not MUST, in one word; empty where MUST is sustained or nobody answered."),
        _text("detail", "The fact behind it."),
        *(_word(column, Fact, f"Whether it speaks {version}.") for version, column in VERSION_COLUMNS.items()),
        _word("hybrid_group", Fact, "Whether it offers a post-quantum hybrid key exchange (X25519MLKEM768 and kin)."),
        _text("group", "The key exchange group of the deciding handshake; empty without one."),
        _yes_no("trusted", "Whether the chain verifies; empty where there is none."),
        _text("leaf_sha256", "SHA-256 of the leaf certificate; empty without one."),
        _time("leaf_not_after", "When the leaf expires; empty without one."),
        _word("dane", TlsaState, "State of its TLSA records; empty where they were not looked for."),
        _word("dane_matched", Fact, "Whether a TLSA record matches the chain; empty as for `dane`."),
        _number("connections", "Connections made to it for its facts."),
        _SEEN,
    ),
)

HANDSHAKES = Frame(
    "handshakes",
    "One SMTP session with one endpoint in one run, however many domains share it; not the connections of one hello.",
    (
        _RUN,
        _ADDRESS,
        _PORT,
        _SNI,
        _number("session", "Its number at this endpoint, from 1."),
        _word("hello", HelloStyle, "Which ClientHello it was to open with."),
        _text("greeting", "The server's greeting, code and words; empty where none came."),
        _text("version", "The TLS version as OpenSSL spells it; empty without a handshake."),
        _text("suite", "The cipher suite, by its IANA name; empty without a handshake."),
        _text("group", "The key exchange group; empty without a handshake, or where it is not known."),
        _text("leaf_sha256", "SHA-256 of the leaf that was shown; empty without one."),
        _number("chain_length", "Certificates that were shown; empty without a handshake."),
        _word("failed_stage", Stage, "The step that ended it before its QUIT; empty where all went well."),
        _word("failed_kind", FailureKind, "In which way; empty where all went well."),
        _text("failed_words", "The server's words or the system's; empty where all went well."),
        _text("transcript", "Every line: C: ours, S: the server's, * a remark; line feeds between."),
        _SEEN,
    ),
)

CERTIFICATES = Frame(
    "certificates",
    "One certificate in one run, however many endpoints show it.",
    (
        _RUN,
        _text("sha256", "SHA-256 of its DER, hexadecimal."),
        _word("role", ("leaf", "issuer"), "Leaf where any endpoint shows it first, else issuer."),
        _number("endpoints", "Endpoints that show it."),
        _text("subject", "Subject name (RFC 4514)."),
        _text("issuer", "Issuer name (RFC 4514)."),
        _text("issuer_organisation", "The issuer's O, else its whole name."),
        _text("serial", "Serial number, hexadecimal."),
        _text("names", "Its dNSNames, with line feeds between; the CNs where it has none."),
        _time("not_before", "Begin of its validity; empty where it cannot be read."),
        _time("not_after", "End of its validity; empty where it cannot be read."),
        _number("lifetime_days", "Whole days between the two, rounded up; empty where they cannot be read."),
        _text("key", 'Algorithm and size: "RSA 2048", "EC secp256r1"; empty where it cannot be read.'),
        _text("signature", "Signature algorithm."),
        _yes_no("is_ca", "Basic constraints say CA; empty where there are none."),
        _yes_no("self_issued", "Subject and issuer are the same name."),
    ),
)

FINDINGS = Frame(
    "findings",
    "One requirement of one baseline, asked of one subject, in one run. Empty where the run was judged by none.",
    (
        _RUN,
        _DOMAIN,
        _text("baseline", "Id of the baseline."),
        _text("requirement", "The baseline's own id."),
        _text("rule", "The question (`tlsaudit rules ID`)."),
        _text("title", "The question in a few words."),
        _text("subject", "The domain, an endpoint or the policy host."),
        _word("verdict", Verdict, "What became of it."),
        _word("at_stake", Verdict, "The verdict where it is not met: weighs an unknown."),
        _text("level", "The document's word: must, should, may."),
        _text("clause", "Where the document says so."),
        _text("evidence", "What a person can check."),
        _text("grade", "The document's own grade; empty where it has none."),
        _text("waiver", "Who waived it and why; empty where nobody did."),
    ),
)

CHANGES = Frame(
    "changes",
    "One thing that changed for one domain between a run and the one before it with a list like its own.",
    (
        _RUN,
        Column("before_run", Kind.RUN, "The older of the two runs."),
        _DOMAIN,
        _word("kind", ChangeKind, "What changed."),
        _word("severity", Severity, "How much it matters."),
        _text("where", "The host or addresses; empty for the whole domain."),
        _text("before", "The earlier value, in short."),
        _text("after", "The later value, in short."),
        _text("detail", "A phrase for people."),
        _text("evidence", "What a person can check."),
        Column("since", Kind.RUN, "The run in which `before` was seen."),
    ),
)

FRAMES = {
    frame.name: frame for frame in (RUNS, DOMAINS, ENDPOINTS, HANDSHAKES, CERTIFICATES, FINDINGS, GRADES, CHANGES)
}
"""Name -> frame, in the order in which they are exported."""
