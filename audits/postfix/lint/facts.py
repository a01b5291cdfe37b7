"""Lint of TLS policy tables beside the facts of a scan: what their lines do to today's servers.

A line is judged by what it makes of each MX host of each scanned domain that it concerns. Only what was answered
counts: a host that nobody reached is neither right nor wrong. Patterns have no keys, so tables of them are left out.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from audits.policy_table.looks import NAMES_KEPT, AddressLook, Look, Rung, Way, worst
from audits.postfix.hostnames import valid_hostname
from audits.postfix.lint.cert_match import DEFAULT_MATCH, matches
from audits.postfix.lint.rows import Row
from audits.postfix.lint.words import TABLE_KINDS, Found, Kind, LintMessage, Rules, Severity
from audits.postfix.per_site import PER_SITE_ORDER
from audits.postfix.policy_map import PolicyEntry, keys_for, parse_entry
from audits.postfix.tables import fold_key
from audits.postfix.tls_levels import TLS_LEVEL_OF, TlsLevel, per_site_value
from audits.reasons import Cause
from scanner.domain_name import printable
from scanner.facts import Fact, RouteStatus

EXAMPLE = """\
example.org mx1.example.org MUST
example.org mx2.example.org MUST
example.net mx.example.net MUST_NOPEERMATCH
"""
"""The facts of all examples; the names of the MX hosts come from unsigned records."""
BOTH = Rules(*TABLE_KINDS, facts=EXAMPLE)
SITE = Rules(Kind.PER_SITE, facts=EXAMPLE)
POLICY = Rules(Kind.POLICY_MAPS, facts=EXAMPLE)

_RUNGS = {
    TlsLevel.NONE: Rung.NONE,
    TlsLevel.MAY: Rung.MAY,
    TlsLevel.ENCRYPT: Rung.MUST_NOPEERMATCH,
    TlsLevel.DANE: Rung.DANE_OR_LESS,
    TlsLevel.DANE_ONLY: Rung.DANE_ONLY,
}
_HOST_MISMATCH = "certificate-host-mismatch"


class Met(msgspec.Struct, frozen=True):
    """What one line makes of one host of one domain: the level, and whether the host sustains it, with the reason."""

    row: Row
    look: Look
    host: str
    level: TlsLevel
    fact: Fact
    why: str = ""


class FactTable(msgspec.Struct, frozen=True):
    """A table and the looks that it concerns. `level` is the global one, None where no main.cf tells it."""

    rows: tuple[Row, ...]
    kind: Kind
    looks: tuple[Look, ...]
    met: tuple[Met, ...]
    level: TlsLevel | None = None


def fact_messages(table: FactTable, path: str) -> tuple[LintMessage, ...]:
    """All messages about one table."""
    own = SITE if table.kind is Kind.PER_SITE else POLICY
    return tuple(sorted((*BOTH.messages(path, table), *own.messages(path, table))))


def concerned(looks: Iterable[Look], rows: Iterable[Row]) -> Iterator[Look]:
    """The looks that some row can be about."""
    keys = {fold_key(row.key, utf8=True) for row in rows if row.key}
    for look in looks:
        names = (*keys_for(look.entry), *look.hosts)
        if any(fold_key(name, utf8=True) in keys for name in names):
            yield look


def fact_table(
    rows: tuple[Row, ...],
    kind: Kind,
    looks: tuple[Look, ...],
    level: TlsLevel | None = None,
    match: Mapping[TlsLevel, tuple[str, ...]] = DEFAULT_MATCH,
) -> FactTable:
    """The table with all that its lines meet. `match` are main.cf's names for verify and secure."""
    index: dict[str, Row] = {}
    for row in rows:
        if row.key:
            index.setdefault(fold_key(row.key, utf8=True), row)
    meet = _site_meetings if kind is Kind.PER_SITE else _policy_meetings
    return FactTable(rows, kind, looks, tuple(met for look in looks for met in meet(look, index, match)), level)


# --- what a line meets ---------------------------------------------------------------------------------------------


def _answered(look: Look) -> dict[str, list[AddressLook]]:
    hosts: dict[str, list[AddressLook]] = {}
    for address in look.addresses:
        if address.answered:
            hosts.setdefault(address.host, []).append(address)
    return hosts


def _site_meetings(look: Look, index: Mapping[str, Row], match: Mapping[TlsLevel, tuple[str, ...]]) -> Iterator[Met]:
    """The greater value of next-hop and host, and the line that gives it."""
    for host, addresses in _answered(look).items():
        found = [index[key] for key in (fold_key(look.entry, utf8=True), fold_key(host, utf8=True)) if key in index]
        valued = [(row, value) for row in found if (value := per_site_value(row.value)) is not None]
        if not valued or len(valued) < len(found):
            continue
        row, value = max(valued, key=lambda pair: PER_SITE_ORDER.index(pair[1]))
        entry = PolicyEntry(TLS_LEVEL_OF[value])
        yield Met(row, look, host, entry.level, *_fact(entry, look, addresses, match))


def _policy_meetings(look: Look, index: Mapping[str, Row], match: Mapping[TlsLevel, tuple[str, ...]]) -> Iterator[Met]:
    row = next((index[key] for name in keys_for(look.entry) if (key := fold_key(name, utf8=True)) in index), None)
    entry = parse_entry(row.value, row.version) if row else None
    if row is None or entry is None or entry.error:
        return
    for host, addresses in _answered(look).items():
        yield Met(row, look, host, entry.level, *_fact(entry, look, addresses, match))


def _fact(
    entry: PolicyEntry, look: Look, addresses: list[AddressLook], match: Mapping[TlsLevel, tuple[str, ...]]
) -> tuple[Fact, str]:
    """The level at a host: of all its addresses, with the reason of the first that fails."""
    answers = [_address_fact(entry, look, address, match) for address in addresses]
    failing = next((why for fact, why in answers if fact is Fact.NO), "")
    return worst(fact for fact, _ in answers), failing


def _address_fact(
    entry: PolicyEntry, look: Look, address: AddressLook, match: Mapping[TlsLevel, tuple[str, ...]]
) -> tuple[Fact, str]:
    rung = _RUNGS.get(entry.level)
    if entry.level is TlsLevel.DANE and look.ways.get(Way.DNSSEC) is not Fact.YES and _differ(address):
        return Fact.INCONCLUSIVE, ""
    if rung is not None:
        return address.fact(rung), address.reasons.get(rung, "")
    if not entry.level.checks_ca or entry.values("tafile"):
        return Fact.INCONCLUSIVE, ""
    if entry.values("servername"):
        sent = entry.values("servername")[0].lower() in ("hostname", address.host.lower())
        return (address.fact(Rung.MUST_BY_NAME) if sent else Fact.INCONCLUSIVE), "it fails with its name sent (SNI)"
    patterns = tuple(name for words in entry.values("match") for name in words.split(":")) or match[entry.level]
    return _named(patterns, look, address)


def _differ(address: AddressLook) -> bool:
    """Behind unsigned MX records `dane` is `may` or DANE, as smtp_tls_dane_insecure_mx_policy has it (postconf(5))."""
    return address.fact(Rung.DANE_OR_LESS) is not address.fact(Rung.MAY)


def _named(patterns: tuple[str, ...], look: Look, address: AddressLook) -> tuple[Fact, str]:
    """Trust as for MUST; the names are those of the line."""
    must, why = address.fact(Rung.MUST), address.reasons.get(Rung.MUST, "")
    elsewhere = must is Fact.NO and not why.startswith(_HOST_MISMATCH)
    if must is Fact.INCONCLUSIVE or elsewhere or patterns == DEFAULT_MATCH[TlsLevel.VERIFY]:
        return must, why
    if matches(patterns, look.name, address.host, address.names):
        return Fact.YES, ""
    if not address.names or len(address.names) == NAMES_KEPT or not valid_hostname(address.host):
        return Fact.INCONCLUSIVE, ""
    names = printable(", ".join(address.names[:4]), 120)
    return Fact.NO, f"{_HOST_MISMATCH}: none of {':'.join(patterns)} is among: {names}"


# --- rules ---------------------------------------------------------------------------------------------------------


def _by_row(met: Iterable[Met]) -> dict[int, list[Met]]:
    rows: dict[int, list[Met]] = {}
    for each in met:
        rows.setdefault(each.row.line, []).append(each)
    return rows


def _more(met: list[Met]) -> str:
    """How many other domains a finding concerns."""
    return _others(len({each.look.entry for each in met}) - 1)


def _others(count: int) -> str:
    return f" (and {count} more domain{'s' if count > 1 else ''})" if count > 0 else ""


def _first_word(row: Row) -> str:
    return row.value.split()[0].rstrip(",") if row.value.split() else row.value


@BOTH.check(
    "facts-fails",
    Severity.ERROR,
    fails="example.net MUST\n",
    passes="example.org MUST\n",
    remedy="Lower the line to what the servers sustain (`tlsaudit policy write`), or have the server mended.",
)
def fails(table: FactTable) -> Found:
    """The scan saw that the servers do not sustain what the line demands: the mail is deferred, or bounced at once
    where the server answers 5xx to STARTTLS. Where other hosts of the domain sustain it, this host is only skipped
    otherwise, which is a warning."""
    for line, met in _by_row(table.met).items():
        failing = [each for each in met if each.fact is Fact.NO]
        if not failing:
            continue
        alone = [each for each in failing if _all_fail(each.look, met) or _bounces(each)]
        worst_case = (alone or failing)[0]
        why = f": {worst_case.why}" if worst_case.why else ""
        place = f"{printable(worst_case.host)}, an MX host of {worst_case.look.entry}{_more(failing)}"
        sentence = f"{_first_word(worst_case.row)} fails today at {place}{why}"
        yield line, sentence, Severity.ERROR if alone else Severity.WARNING


def _all_fail(look: Look, met: list[Met]) -> bool:
    """Whether the line leaves the domain no host that answered."""
    own = {each.host for each in met if each.look is look and each.fact is Fact.NO}
    return own == set(_answered(look))


def _bounces(met: Met) -> bool:
    """Whether smtp(8) returns the mail at once, even where another host would take it."""
    return met.why.startswith(Cause.STARTTLS_REFUSED)


@BOTH.check(
    "facts-clear",
    Severity.WARNING,
    fails="example.org NONE\n",
    passes="example.org MUST\n",
    remedy="Remove the line, or write the level that the servers sustain.",
)
def clear(table: FactTable) -> Found:
    """NONE sends mail in clear to servers that take it in TLS. The line may once have been right, for a server whose
    TLS was broken."""
    for line, met in _by_row(table.met).items():
        able = [each for each in met if each.level is TlsLevel.NONE and _best(each) is not None]
        if able:
            at = f"{printable(able[0].host)}, an MX host of {able[0].look.entry}{_more(able)}"
            yield line, f"mail goes in clear to {at}, which sustains {_best(able[0])}"


def _best(met: Met) -> Rung | None:
    """The strongest level above MAY that a host sustains."""
    addresses = _answered(met.look)[met.host]
    held = [r for r in (Rung.MUST, Rung.MUST_NOPEERMATCH) if all(a.fact(r) is Fact.YES for a in addresses)]
    return held[0] if held else None


@BOTH.check(
    "facts-loophole",
    Severity.INFO,
    fails="example.org MUST\n",
    passes="example.net MUST_NOPEERMATCH\n",
    remedy='Route around the DNS (`tlsaudit policy write --format transport`), or write "secure match=nexthop".',
)
def loophole(table: FactTable) -> Found:
    """The certificate is compared with the name of the MX host, and that name comes from an unsigned MX record: who
    forges DNS answers chooses the name. "Closing a DNS loophole with per-site TLS policies" (TLS_README)."""
    for line, met in _by_row(table.met).items():
        names = [each for each in met if each.level is TlsLevel.VERIFY and each.fact is Fact.YES]
        unsure = [each for each in names if _forgeable(each.look) and "match=" not in each.row.value.lower()]
        if unsure:
            yield line, f"the MX hosts of {unsure[0].look.entry}{_more(unsure)} are known from unsigned records"


def _forgeable(look: Look) -> bool:
    """Whether who forges DNS answers chooses the host, and with it the name that its certificate must have."""
    return look.status is not RouteStatus.NEXT_HOP and look.ways.get(Way.DNSSEC) is Fact.NO


@SITE.check(
    "facts-other-hosts",
    Severity.WARNING,
    fails="mx1.example.org MUST\n",
    passes="example.org MUST\n",
    remedy="Write the domain as the key: it holds for all of its hosts.",
)
def other_hosts(table: FactTable) -> Found:
    """A policy is per host: with an entry for one MX host, mail goes to another one in clear as soon as the first is
    down, or fails to verify. "Host entries do not protect a domain"."""
    if table.level is not None and table.level.rank > TlsLevel.MAY.rank:
        return
    values = {fold_key(row.key, utf8=True): row.value.upper() for row in reversed(table.rows)}
    demanding = {key for key, value in values.items() if value in ("MUST", "MUST_NOPEERMATCH")}
    for row in table.rows:
        key = fold_key(row.key, utf8=True)
        if key not in demanding:
            continue
        opened = [(look, host) for look in table.looks for host in _left_open(look, key, demanding)]
        if opened:
            (look, host), domains = opened[0], len({each.entry for each, _ in opened})
            where = f"{printable(host)}, another MX host of {look.entry}{_others(domains - 1)}"
            yield row.line, f"{row.value} for {row.key} leaves {where}, open to mail in clear"


def _left_open(look: Look, key: str, demanding: set[str]) -> Iterator[str]:
    """The other hosts of a domain that has the key as one of its hosts, of which nothing is demanded."""
    hosts = [fold_key(host, utf8=True) for host in look.hosts]
    if key in hosts and fold_key(look.entry, utf8=True) not in demanding:
        yield from (host for host in hosts if host not in demanding)


@POLICY.check(
    "facts-host-key",
    Severity.WARNING,
    fails="mx1.example.org verify\n",
    passes="example.org verify\n",
    remedy="Write the domain as the key, or the next-hop as the transport table has it.",
)
def host_key(table: FactTable) -> Found:
    """smtp_tls_policy_maps is searched by the next-hop alone, never by the name of an MX host as smtp_tls_per_site
    is."""
    entries = {look.entry for look in table.looks}
    owners = {fold_key(host, utf8=True): look.entry for look in table.looks for host in look.hosts}
    for row in table.rows:
        key = fold_key(row.key, utf8=True)
        if key in owners and key not in entries:
            sentence = f'"{row.key}" is an MX host of {owners[key]}: the line does not hold for mail to that domain'
            yield row.line, sentence
