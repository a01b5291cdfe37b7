"""The text of a table: a comment above each line, because behind a value it would become part of it (postmap(1)).

Everything from the wire is escaped to ASCII without line ends, so that no server writes lines of ours.
"""

from collections.abc import Iterator

from audits.policy_table.lines import POLICY_MAPS_SINCE, Line, Wish
from audits.policy_table.looks import DANE_RUNGS, GRADE_RUNGS, Way
from audits.policy_table.table import Table
from audits.postfix.lint import Kind
from scanner.domain_name import printable
from scanner.facts import Fact

MAX_COMMENT = 900
OWN_DOMAINS = "none of the routed domains may be one of your own: a route goes before mydestination (transport(5))"
HOSTS_GO = "a routed host that is taken out of the DNS bounces the mail at once (5.4.4): write these tables every night"
"""Seen of smtp(8): a last next-hop in brackets without a name in the DNS is a hard error, where an MX host is not."""
_NAMES_SHOWN = 6
_TRUSTED = frozenset({"MUST", "verify", "secure"})


def policy_kind(wish: Wish) -> Kind:
    """Which kind of table the policy lines are."""
    old = wish.version < POLICY_MAPS_SINCE
    return Kind.PER_SITE if old or wish.format.value == Kind.PER_SITE.value else Kind.POLICY_MAPS


def policy_parameter(wish: Wish) -> str:
    """The parameter of main.cf that reads the policy lines."""
    return {Kind.PER_SITE: "smtp_tls_per_site", Kind.POLICY_MAPS: "smtp_tls_policy_maps"}[policy_kind(wish)]


def policy_text(table: Table, wish: Wish) -> str:
    """The table for smtp_tls_per_site or smtp_tls_policy_maps."""
    parameter = policy_parameter(wish)
    needs = [f"{parameter} = hash:THIS_FILE", *main_cf_needs(table)]
    if parameter == "smtp_tls_per_site":
        needs.append("no smtp_tls_policy_maps, beside which this table is not read")
    if wish.version < POLICY_MAPS_SINCE:
        needs.append(
            "smtp_cname_overrides_servername = no (Postfix 2.2.9; before, an alias hides the name of its host)"
        )
    return _text(parameter, needs, table.lines, wish)


def routes_text(table: Table, wish: Wish) -> str:
    """The table for transport_maps."""
    needs = ["transport_maps = hash:THIS_FILE", "smtp_cname_overrides_servername = no", OWN_DOMAINS]
    return f"# {HOSTS_GO}\n" + _text("transport_maps", needs, table.routes, wish)


def main_cf_needs(table: Table) -> list[str]:
    """What main.cf must say so that the lines deliver: trusted CAs, DNSSEC."""
    levels = {line.value.split()[0] for line in table.lines}
    needs = []
    if levels & _TRUSTED:
        needs.append("smtp_tls_CAfile = FILE (or smtp_tls_CApath): the CAs that the scan trusted")
    if levels & {"dane", "dane-only"}:
        needs.append("smtp_dns_support_level = dnssec, and a validating resolver on this machine")
    return needs


def _text(parameter: str, needs: list[str], lines: tuple[Line, ...], wish: Wish) -> str:
    strict = " --strict" if wish.strict else ""
    head = [
        f"# {parameter}: written by tlsaudit policy write --format {wish.format} --postfix {wish.version}{strict}",
        "# Run postmap on it. A comment tells what its line rests on; behind the date in it nobody knows any more.",
        *(f"# main.cf: {need}" for need in needs),
    ]
    body = [row for line in lines for row in ("", _comment(line), f"{line.key} {line.value}")]
    return "".join(f"{row}\n" for row in (*head, *body))


def _comment(line: Line) -> str:
    words = "; ".join((_seen(line), *_marks(line), *filter(None, [_plain(line.lack)]), _recheck(line)))
    return "# " + (words if len(words) <= MAX_COMMENT else words[: MAX_COMMENT - 3] + "...")


def _seen(line: Line) -> str:
    evidence = line.evidence
    count = len(evidence.looks)
    runs = f"{count} run{'s' if count > 1 else ''}, {evidence.looks[-1].at:%Y-%m-%d} to {evidence.newest.at:%Y-%m-%d}"
    hosts = list(dict.fromkeys(address.host for address in evidence.addresses))
    more = f" and {len(hosts) - _NAMES_SHOWN} more" if len(hosts) > _NAMES_SHOWN else ""
    shown = " ".join(_plain(host) for host in hosts[:_NAMES_SHOWN]) + more
    addresses = len(evidence.addresses)
    where = f"{addresses} address{'es' if addresses > 1 else ''} of {shown}"
    return f"{evidence.entry}: {line.candidate.rung} sustained at {where} ({runs})"


def _marks(line: Line) -> Iterator[str]:
    """How the names are known; the loophole of the documents where they are not; what the line may stand above."""
    candidate, evidence = line.candidate, line.evidence
    if evidence.dane_is_open and candidate.rung not in DANE_RUNGS:
        yield "whether DANE holds is not known, and the line goes before a global level dane"
    if candidate.rung in GRADE_RUNGS[:3]:
        return
    if candidate.trusting:
        yield "names learnt from unsigned MX records (MUST-INSECURE-MX): an attacker who forges DNS chooses them"
    elif candidate.rung not in DANE_RUNGS:
        yield "names known by " + " ".join(way for way in Way if evidence.ways[way] is Fact.YES)


def _recheck(line: Line) -> str:
    what = f" ({_plain(line.recheck.what)})" if line.recheck.what else ""
    return f"re-check by {line.recheck.by:%Y-%m-%d}{what}"


def _plain(text: str) -> str:
    """ASCII without anything that a terminal obeys."""
    return printable(text, MAX_COMMENT).encode("ascii", "backslashreplace").decode("ascii")
