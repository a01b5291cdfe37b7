"""What the level dane comes to at one host: the step, or the level that it acts as (RFC 7672, TLS_README "DANE")."""

from audits.dane import EndpointDane, TlsaState
from audits.postfix.tls_levels import TlsLevel
from audits.simulate.host import Host, lost, why_of
from audits.simulate.outcomes import Kind, SimulationCause, Step, Why, Word
from scanner.facts import Fact

_MATCHED = {Fact.YES: Word.VERIFIED, Fact.NO: Word.TRUSTED}
"""The word for a match: only a host whose name came from signed MX records is verified."""


def dane_step(host: Host, level: TlsLevel) -> Step | TlsLevel:
    """What the TLSA records demand; without usable ones encryption, and without any what may gives."""
    dane, only = host.meeting.dane, level is TlsLevel.DANE_ONLY
    if dane is None:
        return Step(Kind.UNKNOWN, why=Why(SimulationCause.NOT_SCANNED, "TLSA records were not looked up (--no-policy)"))
    if dane.state in (TlsaState.INDETERMINATE, TlsaState.LOOKUP_FAILED):
        return Step(Kind.NEXT_MX if dane.dane is Fact.NO else Kind.UNKNOWN, why=why_of(dane))
    insecure = _insecure_mx(host, dane, only)
    if insecure is not None:
        return insecure
    if dane.state is TlsaState.USABLE:
        return _matching(host, dane)
    if only:
        return Step(Kind.NEXT_MX, why=why_of(dane))
    return TlsLevel.ENCRYPT if dane.state is TlsaState.UNUSABLE else TlsLevel.MAY


def _insecure_mx(host: Host, dane: EndpointDane, only: bool) -> Step | TlsLevel | None:
    """Host names from unsigned MX records (smtp_tls_dane_insecure_mx_policy, which dane-only does not read)."""
    if host.meeting.mx_secure is Fact.YES:
        return None
    policy = host.sender.value("smtp_tls_dane_insecure_mx_policy").lower()
    if not only and policy == "dane":
        return None
    if host.meeting.mx_secure is not Fact.NO:
        return Step(Kind.UNKNOWN, why=Why(SimulationCause.NOT_SCANNED, "whether the MX records are signed is unknown"))
    if only:
        return Step(Kind.NEXT_MX, why=Why("dane-required", "the MX records are not signed"))
    return TlsLevel.ENCRYPT if dane.state is TlsaState.USABLE and policy == "encrypt" else TlsLevel.MAY


def _matching(host: Host, dane: EndpointDane) -> Step:
    """Usable TLSA records: as verify, but the records are what the certificate must match."""
    if dane.dane is Fact.YES and dane.matched is Fact.YES:
        return Step(Kind.TLS, _MATCHED.get(host.meeting.mx_secure, Word.UNKNOWN))
    encrypted = host.without_certificate()
    if not host.begins_tls:
        return lost(encrypted)
    if dane.matched is Fact.NO:
        return Step(Kind.NEXT_MX, Word.UNTRUSTED, why_of(dane))
    if encrypted.sustained is not Fact.YES:
        return lost(encrypted)
    return Step(Kind.NEXT_MX if dane.dane is Fact.NO else Kind.UNKNOWN, why=why_of(dane))
