"""One look at one domain: what a run stored, reduced to what a line of a Postfix table rests on.

Only a part of the stored judgement is decoded, so that many runs of many domains can be held side by side. Text from
the wire is cut and escaped here, once.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum

import msgspec

from audits.levels import DELAYED_THEN_CLEAR
from audits.names import name_match
from scanner.domain_name import printable
from scanner.facts import Dnssec, DomainFacts, Fact, RouteStatus
from scanner.tls_facts import CertificateFacts

_ANSWERED = ("ok", "inconclusive")
"""States of an endpoint that was reached (verdicts.State)."""
_WORDS = 160
NAMES_KEPT = 100
"""Names of a leaf; where there are so many, more may have been left out."""


class Rung(StrEnum):
    """What a line can demand; each is sustained by an address, or not, or nobody knows."""

    NONE = "NONE"
    MAY = "MAY"
    MUST_NOPEERMATCH = "MUST_NOPEERMATCH"
    MUST = "MUST"
    MUST_BY_NAME = "MUST with SNI"
    """MUST for a client that sends the MX host's name in the handshake (servername=hostname)."""
    DANE = "dane"
    """Usable TLSA records, of which one matches: `dane` where it is more than MAY."""
    DANE_ONLY = "dane-only"
    DANE_OR_LESS = "dane or less"
    """The level dane of Postfix, which without usable records is MAY or MUST_NOPEERMATCH."""


DANE_RUNGS = (Rung.DANE, Rung.DANE_ONLY, Rung.DANE_OR_LESS)
GRADE_RUNGS = (Rung.NONE, Rung.MAY, Rung.MUST_NOPEERMATCH, Rung.MUST)


class Way(StrEnum):
    """How the name in the certificate is known other than by unsigned MX records; the words of `must_by`."""

    DNSSEC = "MUST-DNSSEC"
    STS = "MUST-STS"
    NEXTHOP = "MUST-NEXTHOP"


class AddressLook(msgspec.Struct, frozen=True):
    """One address of one MX host. `facts` is empty where nobody answered; `reasons` tell why a rung is not sustained.

    `delayed`: at MAY a mail waits, then goes in clear. `offers`: EHLO in clear showed STARTTLS. `names` and `trusted`
    are of the leaf and its chain. `until`: when the leaf expires, without and with a server name. `seen_at`: when it
    was asked, None where it was not.
    """

    host: str
    address: str
    facts: dict[Rung, Fact] = {}
    reasons: dict[Rung, str] = {}
    delayed: bool = False
    offers: bool = False
    names: tuple[str, ...] = ()
    trusted: bool = False
    until: datetime | None = None
    until_by_name: datetime | None = None
    seen_at: datetime | None = None

    @property
    def answered(self) -> bool:
        return bool(self.facts)

    def fact(self, rung: Rung) -> Fact:
        return self.facts.get(rung, Fact.INCONCLUSIVE)


class Look(msgspec.Struct, frozen=True):
    """One domain in one run. `hosts` are its MX hosts in order of preference; `unlocated` those whose addresses could
    not all be looked up; `cliffs` say what breaks, when and why, without the days that every signing of the zone
    moves."""

    run: str
    at: datetime
    entry: str
    name: str
    brackets: bool
    port: int | None
    status: RouteStatus
    hosts: tuple[str, ...] = ()
    unlocated: tuple[str, ...] = ()
    addresses: tuple[AddressLook, ...] = ()
    ways: dict[Way, Fact] = {}
    sts_mx: tuple[str, ...] = ()
    cliffs: tuple[tuple[str, datetime, str], ...] = ()

    @property
    def answered(self) -> bool:
        return any(address.answered for address in self.addresses)


# --- what is read of a stored judgement (records.DomainRecord) ------------------------------------------------------


class _Reason(msgspec.Struct, frozen=True):
    level: str
    sustained: Fact
    reason: str
    detail: str


class _Leaf(msgspec.Struct, frozen=True):
    names: tuple[str, ...] = ()
    not_after: datetime | None = None


class _Trust(msgspec.Struct, frozen=True):
    trusted: bool = False


class _Smtp(msgspec.Struct, frozen=True):
    keywords_clear: tuple[str, ...] = ()


class _Endpoint(msgspec.Struct, frozen=True):
    mx_host: str
    address: str
    port: int
    use: str
    state: str
    sustained: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    reasons: tuple[_Reason, ...] = ()
    remarks: tuple[str, ...] = ()
    leaf: _Leaf | None = None
    seen_at: datetime | None = None
    sni: str = ""
    trust: _Trust | None = None
    smtp: _Smtp | None = None

    @property
    def answered(self) -> bool:
        return self.state in _ANSWERED

    def fact(self, level: str) -> Fact:
        """Of an endpoint that answered."""
        if level in self.sustained:
            return Fact.YES
        return Fact.INCONCLUSIVE if level in self.unknown else Fact.NO

    def reason(self, level: str) -> str:
        found = next((each for each in self.reasons if each.level == level), None)
        return printable(f"{found.reason}: {found.detail}" if found.detail else found.reason, _WORDS) if found else ""


class _Cause(msgspec.Struct, frozen=True):
    cause: str
    detail: str = ""


class _Dane(msgspec.Struct, frozen=True):
    mx_host: str
    address: str
    port: int
    state: str
    reason: _Cause | None = None
    dane: Fact = Fact.INCONCLUSIVE
    dane_only: Fact = Fact.INCONCLUSIVE


class _DaneVerdict(msgspec.Struct, frozen=True):
    endpoints: tuple[_Dane, ...] = ()


class _StsHost(msgspec.Struct, frozen=True):
    in_policy: bool


class _Sts(msgspec.Struct, frozen=True):
    state: str
    mode: str | None = None
    mx: tuple[str, ...] = ()
    hosts: tuple[_StsHost, ...] = ()


class _Cliff(msgspec.Struct, frozen=True):
    at: datetime
    what: str
    why: str
    where: str = ""
    rolling: bool = False


class _Published(msgspec.Struct, frozen=True):
    mx_dnssec: Dnssec = Dnssec.INDETERMINATE
    dane: _DaneVerdict | None = None
    mta_sts: _Sts | None = None
    must_by: tuple[str, ...] = ()
    cliffs: tuple[_Cliff, ...] = ()


class _Judged(msgspec.Struct, frozen=True):
    sustained: tuple[str, ...] = ()
    endpoints: tuple[_Endpoint, ...] = ()
    published: _Published | None = None


_DECODER = msgspec.json.Decoder(_Judged)


# --- a stored result as a look -------------------------------------------------------------------------------------


def look_of(facts: DomainFacts, judgement: bytes, run: str, started: datetime) -> Look:
    """The look of a run at a domain; `started` stands for the time where no endpoint was asked.

    Raises `msgspec.MsgspecError` where the judgement is none of this program.
    """
    judged = _DECODER.decode(judgement)
    mail = [each for each in judged.endpoints if each.use == "mail"]
    target, route = facts.target, facts.route
    published = judged.published or _Published()
    return Look(
        run=run,
        at=max((each.seen_at for each in mail if each.seen_at), default=started),
        entry=target.entry,
        name=target.name,
        brackets=target.brackets,
        port=target.port,
        status=route.status,
        hosts=tuple(dict.fromkeys(host.name for host in route.hosts if not host.missing)),
        unlocated=tuple(dict.fromkeys(host.name for host in route.hosts if host.failure)),
        addresses=_merged(_address(each, judged, published) for each in mail),
        ways=_ways(facts, judged, published),
        sts_mx=published.mta_sts.mx if published.mta_sts else (),
        cliffs=tuple(
            (c.what, c.at, printable(f"{c.why} ({c.where})", _WORDS)) for c in published.cliffs if not c.rolling
        ),
    )


def _address(mail: _Endpoint, judged: _Judged, published: _Published) -> AddressLook:
    where = (mail.mx_host, mail.address)
    if not mail.answered:
        return AddressLook(*where)
    facts = {rung: mail.fact(rung) for rung in GRADE_RUNGS}
    reasons = {rung: words for rung in GRADE_RUNGS if facts[rung] is Fact.NO and (words := mail.reason(rung))}
    named = next(
        (e for e in judged.endpoints if e.use == "policy" and (e.mx_host, e.address) == where and e.sni == e.mx_host),
        None,
    )
    if named is not None and named.answered:
        facts[Rung.MUST_BY_NAME] = named.fact(Rung.MUST)
    facts |= _dane_facts(mail, published, reasons)
    return AddressLook(
        *where,
        facts=facts,
        reasons=reasons,
        delayed=DELAYED_THEN_CLEAR in mail.remarks,
        offers="STARTTLS" in mail.smtp.keywords_clear if mail.smtp else False,
        names=mail.leaf.names[:NAMES_KEPT] if mail.leaf else (),
        trusted=mail.trust.trusted if mail.trust else False,
        until=mail.leaf.not_after if mail.leaf else None,
        until_by_name=named.leaf.not_after if named and named.leaf else None,
        seen_at=mail.seen_at,
    )


def _dane_facts(mail: _Endpoint, published: _Published, reasons: dict[Rung, str]) -> dict[Rung, Fact]:
    """`dane` counts only with usable records: without them it demands no more than MAY."""
    endpoints = published.dane.endpoints if published.dane else ()
    where = (mail.mx_host, mail.address, mail.port)
    found = next((each for each in endpoints if (each.mx_host, each.address, each.port) == where), None)
    if found is None:
        return {}
    open_ = found.state in ("indeterminate", "lookup-failed") and found.dane is not Fact.NO
    absent = Fact.INCONCLUSIVE if open_ else Fact.NO
    facts = {Rung.DANE: found.dane if found.state == "usable" else absent, Rung.DANE_ONLY: found.dane_only}
    facts[Rung.DANE_OR_LESS] = found.dane
    for rung, fact in facts.items():
        if fact is Fact.NO and found.reason:
            reasons[rung] = printable(f"{found.reason.cause}: {found.reason.detail}", _WORDS)
    return facts


_WORST = (Fact.NO, Fact.INCONCLUSIVE, Fact.NOT_TESTED, Fact.YES)


def _merged(looks: Iterable[AddressLook]) -> tuple[AddressLook, ...]:
    """An MX host that is listed twice is one; the worse fact counts, and who answered goes before who did not."""
    found: dict[tuple[str, str], AddressLook] = {}
    for look in looks:
        where = (look.host, look.address)
        earlier = found.get(where)
        if earlier is None or not earlier.answered:
            found[where] = look
        elif look.answered:
            facts = {rung: min(earlier.fact(rung), look.fact(rung), key=_WORST.index) for rung in earlier.facts}
            found[where] = msgspec.structs.replace(earlier, facts=facts, reasons=earlier.reasons | look.reasons)
    return tuple(found.values())


def _ways(facts: DomainFacts, judged: _Judged, published: _Published) -> dict[Way, Fact]:
    """Each way as a fact: what was not answered is neither yes nor no."""
    status = facts.route.status
    signed = {Dnssec.SECURE: Fact.YES, Dnssec.INDETERMINATE: Fact.INCONCLUSIVE}.get(published.mx_dnssec, Fact.NO)
    ways = {Way.DNSSEC: signed if status is RouteStatus.MX else Fact.NO, Way.STS: _sts_way(published.mta_sts)}
    if status in (RouteStatus.NEXT_HOP, RouteStatus.IMPLICIT_MX) or Way.NEXTHOP in published.must_by:
        ways[Way.NEXTHOP] = Fact.YES
    else:
        unnamed = any(_names_another(each, facts.target.name) for each in judged.endpoints)
        ways[Way.NEXTHOP] = Fact.NO if unnamed or Rung.MUST in judged.sustained else Fact.INCONCLUSIVE
    return ways


def _names_another(mail: _Endpoint, domain: str) -> bool:
    """A host that sustains MUST without naming the domain: a "no" to match=nexthop, however the others answered."""
    if mail.use != "mail" or not mail.answered or Rung.MUST not in mail.sustained or mail.leaf is None:
        return False
    return not name_match(CertificateFacts("", b"", names_dns=mail.leaf.names), domain).matched


def _sts_way(sts: _Sts | None) -> Fact:
    if sts is None or sts.state == "unknown":
        return Fact.INCONCLUSIVE
    if sts.state != "valid" or sts.mode != "enforce" or not all(host.in_policy for host in sts.hosts):
        return Fact.NO
    return Fact.YES if sts.hosts else Fact.INCONCLUSIVE


def worst(facts: Iterator[Fact]) -> Fact:
    """No where one is no, else inconclusive where one is open; inconclusive for none at all."""
    return min(facts, key=_WORST.index, default=Fact.INCONCLUSIVE)
