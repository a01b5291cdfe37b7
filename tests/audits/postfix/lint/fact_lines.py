"""The facts of a check's examples as looks, and a table beside them."""

from collections.abc import Iterable

from audits.policy_table.looks import AddressLook, Look, Rung
from audits.postfix.lint import Kind, LintMessage
from audits.postfix.lint.facts import concerned, fact_messages, fact_table
from audits.postfix.lint.rows import table_rows
from audits.postfix.tls_levels import TlsLevel
from tests.audits.policy_table.look_factory import address, facts, look


def looks_of(text: str) -> tuple[Look, ...]:
    """Lines "DOMAIN HOST LEVEL": the strongest level that the host sustains; the hosts are verified by their names."""
    domains: dict[str, list[AddressLook]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        domain, host, level = line.split()
        met = address(facts(Rung(level)), host=host, at=f"192.0.2.{number}", names=(host,), trusted=True)
        domains.setdefault(domain, []).append(met)
    return tuple(look(*addresses, entry=domain, name=domain) for domain, addresses in domains.items())


def lint_beside(text: str, kind: Kind, looks: Iterable[Look], level: TlsLevel | None = None) -> tuple[LintMessage, ...]:
    rows, _ = table_rows(text, "table", kind)
    return fact_messages(fact_table(rows, kind, tuple(concerned(looks, rows)), level), "table")
