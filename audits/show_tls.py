"""What a server's TLS is able to do, as lines for people: versions with their suites, chains, groups, features."""

from collections.abc import Iterator

from scanner.answers import Fact
from scanner.deep_facts import DeepFacts
from scanner.wire_facts import TlsFacts, VersionFacts

FEATURES = (
    ("hybrid_group", "X25519MLKEM768"),
    ("extended_master_secret", "extended master secret"),
    ("secure_renegotiation", "secure renegotiation"),
    ("encrypt_then_mac", "encrypt-then-MAC"),
    ("session_tickets", "session tickets"),
    ("compression", "compression"),
    ("client_certificate", "client certificate requested"),
    ("ocsp_staple", "OCSP staple"),
    ("downgrade_sentinel", "downgrade sentinel"),
    ("fallback_scsv", "fallback SCSV"),
    ("sha1_signatures", "SHA-1 handshake signatures"),
    ("large_hello", "large hello understood"),
)
"""Field of `TlsFacts` -> its words."""


def tls_lines(tls: TlsFacts) -> Iterator[str]:
    """One block: what is offered first, then what is not, then what stayed open."""
    for version in tls.versions:
        yield from _version_lines(version)
    accepted = [entry.name for entry in tls.classes if entry.accepted is Fact.YES]
    open_classes = [entry.name for entry in tls.classes if entry.accepted is Fact.INCONCLUSIVE]
    yield f"  accepted of the classes that some standard forbids: {', '.join(accepted) or 'none'}"
    if open_classes:
        yield f"  unknown of these classes: {', '.join(open_classes)}"
    for chain in tls.chains:
        yield f"  {chain.authentication} chain of {len(chain.chain)}: {chain.chain[0] if chain.chain else '-'}"
    for dh in tls.dh:
        yield f"  DH {dh.bits} bits {dh.name or 'own prime'} with {dh.suite}"
    for answer in (Fact.YES, Fact.NO, Fact.INCONCLUSIVE):
        words = [text for field, text in FEATURES if getattr(tls, field) is answer]
        if words:
            yield f"  {answer.value}: {', '.join(words)}"
    if not tls.complete:
        yield "  not every question was answered: what is missing is inconclusive (see --patience)"


def _version_lines(version: VersionFacts) -> Iterator[str]:
    known = "" if version.complete or version.offered is not Fact.YES else " (at least these)"
    evidence = f"    {version.evidence}" if version.evidence else ""
    yield f"  {version.version} {version.offered.value}{known}{evidence}"
    for suite in version.suites:
        yield f"    {suite}"
    if version.groups:
        yield f"    groups: {', '.join(version.groups)}"
    if version.suites:
        yield f"    preference: {version.preference.value}"


def deep_lines(deep: DeepFacts) -> Iterator[str]:
    """Resumption, command injection, and the intrusive tests."""
    for way in deep.resumption:
        hint = f", lifetime hint {way.lifetime_hint_s} s" if way.lifetime_hint_s is not None else ""
        yield f"  resumption by {way.way.value}: issued {way.issued.value}, resumed {way.resumed.value}{hint}"
    if deep.command_injection is not Fact.NOT_TESTED:
        yield f"  STARTTLS command injection: {deep.command_injection.value}"
    for test in deep.vulnerabilities:
        detail = f" ({test.detail})" if test.detail else ""
        yield f"  vulnerable to {test.name}: {test.vulnerable.value}{detail}"
    if deep.vulnerability_connections:
        yield f"  {deep.vulnerability_connections} connections for these tests"
