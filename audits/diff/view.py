"""What is settled of a domain after a number of looks: the newest answer to each question, kept while none comes.

A diff compares two such views, the second being the first with one more look. So a question that stays unanswered or
untested tonight cannot make a change: the view keeps its earlier answer, for as many runs as are looked back. And what
was unanswered last night is compared with the last night on which it was answered.

Where some of the addresses do not answer a grade is an upper bound: every further answer can only lower it
(ARCHITECTURE section 5). Then a lower grade is news, and a higher one is not, until the silence has lasted `window`
looks.
"""

from collections.abc import Iterable

from audits.diff.policy_view import cliffs_seen, dane_kept, dane_seen, dnssec_seen, sts_kept, tlsa_seen, tlsrpt_kept
from audits.diff.settled import ANSWERS, DNS, WINDOW, GradeWords, Hearing, Leaf, Look, Place, Settled, View, kept
from audits.records import DomainRecord, EndpointRecord
from audits.sender_levels import SenderLevel
from audits.verdicts import Grade, State
from scanner.facts import EndpointUse, Fact, Level, MxHost, RouteStatus
from scanner.failures import NOT_ASKED, Kind

_SILENT = frozenset({State.UNREACHABLE, State.REFUSED})
_SAYS_NOTHING = (State.NOT_ASKED, State.INCONCLUSIVE)
"""Neither silent nor an answer: nobody asked, or the session broke off before EHLO was answered."""
_WITH_HOSTS = frozenset({RouteStatus.MX, RouteStatus.IMPLICIT_MX, RouteStatus.NEXT_HOP})
STRENGTH = {Grade.NO_MAIL: 0, Grade.NONE: 1, Grade.MAY: 2, Grade.MUST_NOPEERMATCH: 3, Grade.MUST: 4}


def view_of(looks: Iterable[Look], window: int = WINDOW) -> View:
    """The view after these looks, oldest first."""
    view = View()
    for look in looks:
        view = advanced(view, look, window)
    return view


def advanced(view: View, look: Look, window: int = WINDOW) -> View:
    """The view after one more look. The same look once more changes nothing."""
    mail = [e for e in look.record.endpoints if e.use == EndpointUse.MAIL]
    plain = [e for e in look.record.endpoints if e.use != EndpointUse.POLICY]
    hearing = _hearing(view, look, mail)
    partial = _unlisted(view, look) or any(_is_missing(e, hearing[_place(e)].value, window) for e in mail)
    return View(
        grade=_grade(view.grade, look, partial),
        hosts=_hosts(view, look),
        addresses=kept(look, view.addresses, {h.name: frozenset(h.addresses) for h in _known_hosts(look)}),
        hearing=hearing,
        starttls=kept(look, view.starttls, {_place(e): e.starttls for e in plain if _tells_starttls(e)}),
        versions=kept(look, view.versions, _versions(plain)),
        leaves=_leaves(view, look, plain),
        expiries=kept(look, view.expiries, {e.leaf.sha256: e.leaf for e in plain if e.leaf}),
        cliffs=kept(look, view.cliffs, cliffs_seen(look)),
        dane=dane_kept(view.dane, look, partial),
        dane_places=kept(look, view.dane_places, dane_seen(look, {_place(e) for e in mail})),
        tlsa=kept(look, view.tlsa, tlsa_seen(look)),
        sts=sts_kept(view.sts, look, partial),
        tlsrpt=tlsrpt_kept(view.tlsrpt, look),
        dnssec=kept(look, view.dnssec, dnssec_seen(look)),
    )


# --- the grade, and who answered -----------------------------------------------------------------------------------


def _place(endpoint: EndpointRecord) -> Place:
    return endpoint.mx_host, endpoint.address, endpoint.port


def _hearing(view: View, look: Look, mail: Iterable[EndpointRecord]) -> dict[Place, Settled[Hearing]]:
    """Only the addresses of this look, unless some were not looked up: one that leaves and comes back is new."""
    found = dict(view.hearing) if _failed_hosts(look) or look.facts.route.failure else {}
    for each in mail:
        earlier = view.hearing.get(_place(each))
        if earlier is not None and earlier.run == look.run:
            found[_place(each)] = earlier
            continue
        known = earlier.value if earlier else Hearing()
        silent = known.silent + 1 if each.state in _SILENT else known.silent if each.state in _SAYS_NOTHING else 0
        heard = Hearing(known.heard or each.state is State.OK, silent)
        found[_place(each)] = Settled(heard, look.run, look.at, each.detail)
    return {**found, DNS: _dns_hearing(view.hearing.get(DNS), look)}


def _dns_hearing(earlier: Settled[Hearing] | None, look: Look) -> Settled[Hearing]:
    """Whether the DNS told the hosts. What it says wrongly is an answer, and told as one (`dnssec_seen`)."""
    if earlier is not None and earlier.run == look.run:
        return earlier
    known, failure = earlier.value if earlier else Hearing(), look.facts.route.failure
    if failure is None:
        return Settled(Hearing(heard=True), look.run, look.at)
    mute = failure.kind not in NOT_ASKED and failure.kind is not Kind.BOGUS
    return Settled(Hearing(known.heard, known.silent + mute), look.run, look.at, str(failure))


def _failed_hosts(look: Look) -> set[str]:
    return {host.name for host in look.facts.route.hosts if host.failure is not None}


def _unlisted(view: View, look: Look) -> bool:
    """Whether the addresses of a host that had a part in the grade were not found tonight."""
    failed = _failed_hosts(look)
    return any(place[0] in failed and hearing.value.heard for place, hearing in view.hearing.items())


def _is_missing(endpoint: EndpointRecord, hearing: Hearing, window: int) -> bool:
    """Whether an address that has a part in the grade did not tell it tonight."""
    return endpoint.state is not State.OK and hearing.heard and hearing.silent < window


def _grade(known: Settled[GradeWords] | None, look: Look, partial: bool) -> Settled[GradeWords] | None:
    record, bound = look.record, look.record.binding
    if record.grade is Grade.INCONCLUSIVE:
        return known
    words = GradeWords(
        record.grade,
        bound.reason if bound else "",
        bound.detail if bound else "",
        bound.mx_host if bound else "",
        SenderLevel.MUST_NOPEERMATCH in record.sustained,
        record.compliant is False,
        _causes(record),
    )
    if partial and known is not None and STRENGTH[words.grade] >= STRENGTH[known.value.grade]:
        return known
    return Settled(words, look.run, look.at)


def _causes(record: DomainRecord) -> frozenset[str]:
    """Every reason for which an endpoint misses the level that the domain misses."""
    bound = record.binding
    if bound is None:
        return frozenset()
    mail = (each for each in record.endpoints if each.use == EndpointUse.MAIL)
    refused = [(_place(each), said) for each in mail for said in each.reasons if said.sustained is Fact.NO]
    where = bound.mx_host, bound.address, bound.port
    missed = {said.level for place, said in refused if place == where and said.reason == bound.reason}
    return frozenset(said.reason for _, said in refused if said.level in missed)


# --- hosts and what they showed ------------------------------------------------------------------------------------


def _hosts(view: View, look: Look) -> Settled[frozenset[str]] | None:
    route = look.facts.route
    if route.status not in _WITH_HOSTS:
        return view.hosts
    return Settled(frozenset(host.name for host in route.hosts), look.run, look.at)


def _known_hosts(look: Look) -> Iterable[MxHost]:
    """The hosts whose addresses were all looked up."""
    return (host for host in look.facts.route.hosts if host.failure is None)


def _tells_starttls(endpoint: EndpointRecord) -> bool:
    """A "no" that one session said and no second confirmed is no answer; then the level is unknown, too."""
    settled = Level.MUST_NOPEERMATCH not in endpoint.unknown
    return endpoint.starttls is Fact.YES or (endpoint.starttls is Fact.NO and settled)


def _versions(endpoints: Iterable[EndpointRecord]) -> dict[tuple[Place, str], Fact]:
    return {
        (_place(each), version): offered
        for each in endpoints
        for version, offered in each.protocols.items()
        if offered in ANSWERS
    }


def _leaves(view: View, look: Look, endpoints: Iterable[EndpointRecord]) -> dict[Place, Settled[Leaf]]:
    found = {}
    for each in endpoints:
        if each.leaf is not None:
            earlier = view.leaves.get(_place(each))
            seen = earlier.value.seen if earlier else frozenset()
            found[_place(each)] = Leaf(each.leaf, seen | {each.leaf.sha256})
    return kept(look, view.leaves, found)
