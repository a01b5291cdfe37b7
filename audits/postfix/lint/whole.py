"""Lint of a main.cf with its TLS policy tables: settings that hide, contradict or cannot serve one another."""

import msgspec

from audits.postfix.errors import ConfigError
from audits.postfix.lint.rows import Row
from audits.postfix.lint.words import Found, Kind, Place, Rules, Severity
from audits.postfix.main_cf import MainCf
from audits.postfix.per_site import GlobalPolicy, global_policy
from audits.postfix.policy_map import parse_entry
from audits.postfix.resolve import PER_SITE, POLICY_MAPS, dane_obstacle
from audits.postfix.tables import fold_key
from audits.postfix.tls_levels import TLS_LEVEL_OF, TlsLevel, per_site_value
from scanner.facts import Level

RULES = Rules(Kind.MAIN_CF)
_SWITCHES = ("smtp_use_tls", "smtp_enforce_tls", "smtp_tls_enforce_peername")
_STRONG = (TlsLevel.FINGERPRINT, TlsLevel.DANE, TlsLevel.DANE_ONLY, TlsLevel.SECURE)


class TableRows(msgspec.Struct, frozen=True):
    """A table that was read: its name as in main.cf, the file in which its rows stand, and the rows."""

    name: str
    path: str
    rows: tuple[Row, ...]


class Whole(msgspec.Struct, frozen=True):
    """A main.cf with the tables that could be read; `policy` is None where its switches cannot be read."""

    main_cf: MainCf
    per_site: tuple[TableRows, ...] = ()
    policy_maps: tuple[TableRows, ...] = ()
    policy: GlobalPolicy | None = None

    def value(self, name: str) -> str:
        """An expanded parameter, "" where it cannot be expanded (another check reports that)."""
        try:
            return self.main_cf.value(name)
        except ConfigError:
            return ""

    def is_yes(self, name: str) -> bool:
        """Whether a switch is on."""
        return self.value(name).lower() == "yes"

    @property
    def site_rows(self) -> list[tuple[Place, Row, Level]]:
        """The usable rows of smtp_tls_per_site, unless policy maps hide them."""
        if self.value(POLICY_MAPS):
            return []
        found = [
            ((table.path, row.line), row, per_site_value(row.value)) for table in self.per_site for row in table.rows
        ]
        return [(place, row, value) for place, row, value in found if value is not None]

    @property
    def policy_rows(self) -> list[tuple[Place, Row, TlsLevel, bool]]:
        """The usable rows of smtp_tls_policy_maps with their level; the last is true where tafile gives a CA."""
        found: list[tuple[Place, Row, TlsLevel, bool]] = []
        for table in self.policy_maps:
            for row in table.rows:
                entry = parse_entry(row.value, row.version)
                if not entry.error:
                    found.append(((table.path, row.line), row, entry.level, bool(entry.values("tafile"))))
        return found


def safe_policy(main_cf: MainCf) -> GlobalPolicy | None:
    """The global policy, or None where main.cf has an error in it."""
    try:
        return global_policy(main_cf)
    except ConfigError:
        return None


@RULES.check(
    "cf-hidden-per-site",
    Severity.WARNING,
    fails="smtp_tls_policy_maps = inline:{example.org=may}\nsmtp_tls_per_site = inline:{example.net=MUST}\n",
    passes="smtp_tls_per_site = inline:{example.net=MUST}\nsmtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt\n",
    remedy="Move the entries of smtp_tls_per_site into smtp_tls_policy_maps, and remove smtp_tls_per_site.",
)
def hidden_per_site(whole: Whole) -> Found:
    """As soon as smtp_tls_policy_maps is not empty, smtp_tls_per_site is not consulted at all, even for destinations
    that the policy maps do not name."""
    if whole.value(PER_SITE) and whole.value(POLICY_MAPS):
        yield whole.main_cf.line(PER_SITE), "smtp_tls_per_site is ignored, because smtp_tls_policy_maps is not empty"


@RULES.check(
    "cf-hidden-switches",
    Severity.WARNING,
    fails="smtp_tls_security_level = may\nsmtp_enforce_tls = yes\n",
    passes="smtp_tls_security_level = encrypt\n",
    remedy="Remove the switch; smtp_tls_security_level says it all.",
)
def hidden_switches(whole: Whole) -> Found:
    """Where smtp_tls_security_level is set, smtp_use_tls, smtp_enforce_tls and smtp_tls_enforce_peername are not
    read."""
    level = whole.value("smtp_tls_security_level")
    if not level:
        return
    for name in _SWITCHES:
        if whole.main_cf.setting(name):
            yield whole.main_cf.line(name), f"{name} is ignored, because smtp_tls_security_level = {level}"


@RULES.check(
    "cf-peername-alone",
    Severity.WARNING,
    fails="smtp_use_tls = yes\nsmtp_tls_enforce_peername = yes\n",
    passes="smtp_enforce_tls = yes\nsmtp_tls_enforce_peername = no\n",
    remedy="Set smtp_tls_security_level = verify (or smtp_enforce_tls = yes) if certificates shall be checked.",
)
def peername_alone(whole: Whole) -> Found:
    """smtp_tls_enforce_peername counts only together with smtp_enforce_tls = yes. The documents of 2.2.9 say that it
    implies smtp_use_tls; in no version it does."""
    name = "smtp_tls_enforce_peername"
    alone = not whole.is_yes("smtp_enforce_tls") and not whole.value("smtp_tls_security_level")
    if alone and whole.main_cf.setting(name) and whole.is_yes(name):
        yield whole.main_cf.line(name), f"{name} = yes does nothing without smtp_enforce_tls = yes"


@RULES.check(
    "cf-no-ca",
    Severity.ERROR,
    fails="smtp_tls_per_site = inline:{example.org=MUST}\n",
    passes="smtp_tls_per_site = inline:{example.org=MUST}\nsmtp_tls_CApath = /etc/ssl/certs\n",
    remedy="Set smtp_tls_CAfile or smtp_tls_CApath.",
)
def no_ca(whole: Whole) -> Found:
    """smtp_tls_CAfile and smtp_tls_CApath are empty by default. Then no certificate has a trusted issuer, and at MUST,
    verify and secure nothing can be delivered."""
    trust = ("smtp_tls_CAfile", "smtp_tls_CApath", "smtp_tls_trust_anchor_file")
    if any(whole.value(name) for name in trust) or whole.is_yes("tls_append_default_CA"):
        return
    sentence = "no CA is trusted (smtp_tls_CAfile and smtp_tls_CApath are empty), so"
    if whole.policy and whole.policy.level.checks_ca:
        line = max(whole.main_cf.line(name) for name in ("smtp_tls_security_level", "smtp_enforce_tls"))
        yield line, f"{sentence} the global level {whole.policy.level} delivers nothing"
    for place, row, value in whole.site_rows:
        if value is Level.MUST:
            yield place, f"{sentence} MUST delivers nothing to {row.key or 'these hosts'}"
    for place, row, level, own_ca in whole.policy_rows:
        if level.checks_ca and not own_ca:
            yield place, f"{sentence} {level} delivers nothing to {row.key or 'these destinations'}"


@RULES.check(
    "cf-lowers",
    Severity.WARNING,
    fails="smtp_tls_security_level = secure\nsmtp_tls_CApath = /c\nsmtp_tls_per_site = inline:{example.org=MUST}\n",
    passes="smtp_tls_security_level = may\nsmtp_tls_CApath = /c\nsmtp_tls_per_site = inline:{example.org=MUST}\n",
    remedy="Remove the entry, or move the table to smtp_tls_policy_maps, which knows all levels.",
)
def lowers(whole: Whole) -> Found:
    """MUST means verify, MUST_NOPEERMATCH encrypt, and both replace the global level, also one that protects better:
    secure and dane do not trust an unsigned MX record, verify does."""
    if whole.policy is None or whole.policy.security_level is None:
        return
    level = whole.policy.level
    for place, row, value in whole.site_rows:
        lowered = TLS_LEVEL_OF[value]
        weaker = level in _STRONG or (level is TlsLevel.VERIFY and value is Level.MUST_NOPEERMATCH)
        if weaker and value in (Level.MUST, Level.MUST_NOPEERMATCH):
            yield place, f"{value} lowers the global level {level} to {lowered} for {row.key or 'these hosts'}"


@RULES.check(
    "cf-may-without-effect",
    Severity.INFO,
    fails="smtp_tls_security_level = encrypt\nsmtp_tls_per_site = inline:{example.org=MAY}\n",
    passes="smtp_tls_security_level = encrypt\nsmtp_tls_per_site = inline:{example.org=NONE}\n",
    remedy="Remove the entry; to allow clear text, only NONE helps, or smtp_tls_policy_maps with may.",
)
def may_without_effect(whole: Whole) -> Found:
    """MAY gives way to every stronger global level, so it cannot allow clear text to a destination."""
    if whole.policy is None or whole.policy.level.rank <= TlsLevel.MAY.rank:
        return
    for place, row, value in whole.site_rows:
        if value is Level.MAY:
            yield place, f"MAY changes nothing for {row.key or 'these hosts'}: the global level is {whole.policy.level}"


@RULES.check(
    "cf-cname-override",
    Severity.WARNING,
    fails="smtp_cname_overrides_servername = yes\n",
    passes="smtp_cname_overrides_servername = no\n",
    remedy="Set smtp_cname_overrides_servername = no (Postfix 2.2.9 and later).",
)
def cname_override(whole: Whole) -> Found:
    """With yes the target of a CNAME record replaces the server's name for policy lookups and for the check of the
    certificate, so a false DNS answer chooses the policy. TLS_README: "Disallow CNAME hostname overrides"."""
    name = "smtp_cname_overrides_servername"
    if whole.is_yes(name):
        default = "" if whole.main_cf.setting(name) else f", the default of Postfix {whole.main_cf.version}"
        yield whole.main_cf.line(name), f"{name} = yes{default}: DNS aliases choose the policy"


@RULES.check(
    "cf-dane-without-dnssec",
    Severity.ERROR,
    fails="smtp_tls_security_level = dane\n",
    passes="smtp_tls_security_level = dane\nsmtp_dns_support_level = dnssec\n",
    remedy="Set smtp_dns_support_level = dnssec, with a validating resolver on this machine.",
)
def dane_without_dnssec(whole: Whole) -> Found:
    """Where the client makes no DNSSEC lookups, dane is only may, with a warning at each delivery, and dane-only
    delivers nothing."""
    try:
        obstacle = dane_obstacle(whole.main_cf)
    except ConfigError:
        return
    if not obstacle:
        return
    if whole.policy and whole.policy.level.needs_dnssec:
        yield whole.main_cf.line("smtp_tls_security_level"), _without_dnssec(obstacle, whole.policy.level)
    for place, _, level, _ in whole.policy_rows:
        if level.needs_dnssec:
            yield place, _without_dnssec(obstacle, level)


def _without_dnssec(obstacle: str, level: TlsLevel) -> str:
    effect = "is only may" if level is TlsLevel.DANE else "delivers nothing"
    return f"{obstacle}, so {level} {effect}"


@RULES.check(
    "cf-shadowed",
    Severity.WARNING,
    fails="smtp_tls_policy_maps = inline:{example.org=may}, inline:{example.org=encrypt}\n",
    passes="smtp_tls_policy_maps = inline:{example.org=may}, inline:{example.net=encrypt}\n",
    remedy="Remove the entry, or put its table first.",
)
def shadowed(whole: Whole) -> Found:
    """Tables are searched in their order and the first answer counts; behind a static: table nothing is reached."""
    for tables in (whole.per_site, whole.policy_maps):
        seen: dict[str, str] = {}
        everything = ""
        for table in tables:
            for row in table.rows:
                earlier = everything or seen.get(fold_key(row.key, utf8=True), "")
                if earlier and row.key:
                    yield (table.path, row.line), f'"{row.key}" is never reached: {earlier} answers before'
            for row in table.rows:
                seen.setdefault(fold_key(row.key, utf8=True), table.name)
            if table.name.startswith("static:"):
                everything = everything or table.name
