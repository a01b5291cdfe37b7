"""From a main.cf to the level of one delivery: which table counts, and what dane needs of the machine (postconf(5)).

`Configuration` is main.cf with its tables opened; simulations can be given changed ones (`MainCf.with_settings`).
"""

import re

import msgspec

from audits.postfix.errors import ConfigError
from audits.postfix.hostnames import valid_hostname
from audits.postfix.main_cf import MainCf
from audits.postfix.open_tables import Reader, open_tables
from audits.postfix.parameters import Version
from audits.postfix.per_site import DEFERRED_CONFIGURATION, GlobalPolicy, effective_level, global_policy
from audits.postfix.policy_map import policy_level
from audits.postfix.resolution import Attribute, Engine, Reason, Resolution, Rule
from audits.postfix.source_text import read_source, shown
from audits.postfix.tables import TableList
from audits.postfix.tls_levels import TlsLevel

PER_SITE = "smtp_tls_per_site"
POLICY_MAPS = "smtp_tls_policy_maps"
ALIAS_WARNING = (
    "smtp_cname_overrides_servername = yes: where the host is an alias (CNAME), Postfix looks up the alias's target."
)
FINGERPRINTS_ARE_READ_SINCE = Version(3, 6, 0)
MAX_FINGERPRINT = 3 * 64
_FINGERPRINT = re.compile(r"[0-9A-Fa-f]{2}(?::?[0-9A-Fa-f]{2})*")
_WORDS = re.compile(r"[^, \t\r\n]+")


class Configuration(msgspec.Struct, frozen=True):
    """All that decides about levels: the global policy, and the two kinds of tables where they are in use."""

    main_cf: MainCf
    policy: GlobalPolicy
    engine: Engine = Engine.MODERN
    per_site: TableList | None = None
    policy_maps: TableList | None = None


def configuration(
    main_cf: MainCf,
    engine: Engine = Engine.MODERN,
    reader: Reader = read_source,
    per_site: TableList | None = None,
    policy_maps: TableList | None = None,
) -> Configuration:
    """Open what main.cf names, except where tables are given instead; raises ConfigError.

    Before Postfix 2.3 there is no smtp_tls_policy_maps.
    """
    if engine is not Engine.MODERN:
        policy_maps = None
    elif policy_maps is None:
        policy_maps = _tables(main_cf, POLICY_MAPS, reader)
    return Configuration(
        main_cf=main_cf,
        policy=global_policy(main_cf, engine),
        engine=engine,
        per_site=_tables(main_cf, PER_SITE, reader) if per_site is None else per_site,
        policy_maps=policy_maps,
    )


def uses_utf8(main_cf: MainCf) -> bool:
    """Whether keys are folded and checked as Unicode (smtputf8_enable)."""
    return main_cf.flag("smtputf8_enable")


def _tables(main_cf: MainCf, name: str, reader: Reader) -> TableList | None:
    listed = main_cf.value(name)
    if not listed:
        return None
    return open_tables(listed, reader, (main_cf.path, main_cf.line(name)), uses_utf8(main_cf))


def resolve(config: Configuration, next_hop: str, host: str) -> Resolution:
    """The level for mail to `next_hop` over the server `host`, as smtp(8) asks before it opens a session."""
    if config.policy_maps is not None:
        version, utf8 = config.main_cf.version, uses_utf8(config.main_cf)
        resolution = policy_level(config.policy, config.policy_maps, next_hop, version, utf8)
        if config.per_site is not None:
            resolution = _hidden_site(resolution)
    else:
        resolution = effective_level(config.policy, config.per_site, next_hop, host, config.engine)
        if config.per_site is not None and _aliases_count(config):
            resolution = msgspec.structs.replace(resolution, warnings=(*resolution.warnings, ALIAS_WARNING))
    if config.engine is not Engine.MODERN:
        return resolution
    return _checked_fingerprint(
        _checked_name(_checked_dane(resolution, config.main_cf), config.main_cf), config.main_cf
    )


def _aliases_count(config: Configuration) -> bool:
    """Whether the target of a CNAME takes the place of the host's name; before 2.2.9 it always did."""
    return config.engine is Engine.BEFORE_PATCH or config.main_cf.flag("smtp_cname_overrides_servername")


def _hidden_site(resolution: Resolution) -> Resolution:
    sentence = "smtp_tls_policy_maps is not empty, so smtp_tls_per_site is not looked at, not even for other names."
    warning = "smtp_tls_per_site ignored when smtp_tls_policy_maps is not empty."
    return msgspec.structs.replace(
        resolution,
        why=(*resolution.why, Reason(Rule.POLICY_HIDES_SITE, sentence)),
        warnings=(*resolution.warnings, warning),
    )


def _checked_dane(resolution: Resolution, main_cf: MainCf) -> Resolution:
    """dane becomes may, and dane-only an error, where this client does no DNSSEC lookups."""
    if not resolution.level.needs_dnssec:
        return resolution
    obstacle = dane_obstacle(main_cf)
    if not obstacle:
        return resolution
    if resolution.level is TlsLevel.DANE:
        reason = Reason(Rule.NO_DNSSEC, f"{obstacle}, so dane is impossible: may.")
        why = (*resolution.why, reason)
        return msgspec.structs.replace(resolution, level=TlsLevel.MAY, why=why)
    return _invalid(resolution, Rule.NO_DNSSEC, f"{obstacle}, so dane-only is impossible, and the host is not used.")


def dane_obstacle(main_cf: MainCf) -> str:
    """The setting that makes DANE impossible; "" where there is none."""
    if main_cf.flag("disable_dns_lookups") and not main_cf.value("smtp_dns_support_level"):
        return "disable_dns_lookups = yes"
    if main_cf.value("smtp_dns_support_level").lower() != "dnssec":
        return "smtp_dns_support_level is not dnssec"
    if "dns" not in {word.lower() for word in _WORDS.findall(main_cf.value("smtp_host_lookup"))}:
        return "smtp_host_lookup has no dns"
    if main_cf.flag("ignore_mx_lookup_error"):
        return "ignore_mx_lookup_error = yes"
    options = {word.lower() for word in _WORDS.findall(main_cf.value("smtp_dns_resolver_options"))}
    if options & {"res_defnames", "res_dnsrch"}:
        return "smtp_dns_resolver_options appends domains"
    return ""


def _checked_name(resolution: Resolution, main_cf: MainCf) -> Resolution:
    """smtp_tls_servername counts where the policy gives no servername, and must be a host name."""
    if resolution.level.rank <= TlsLevel.NONE.rank or any(a.name == "servername" for a in resolution.attributes):
        return resolution
    name = main_cf.value("smtp_tls_servername")
    if not name or valid_hostname(name):
        return resolution
    return _invalid(resolution, Rule.BAD_SETTING, f"smtp_tls_servername = {shown(name)} is no host name.")


def _checked_fingerprint(resolution: Resolution, main_cf: MainCf) -> Resolution:
    """The level fingerprint needs a fingerprint that can be read, from the policy or from main.cf."""
    if resolution.level is not TlsLevel.FINGERPRINT or fingerprints(resolution.attributes, main_cf):
        return resolution
    return _invalid(resolution, Rule.NO_FINGERPRINT, "There is no fingerprint to match, so this host is not used.")


def fingerprints(attributes: tuple[Attribute, ...], main_cf: MainCf) -> tuple[str, ...]:
    """Those of the policy, or where it has none those of main.cf. Since 3.6 what is no hexadecimal text is passed over
    with a warning (tls_dane.c, tls_dane_add_fpt_digests); before, it was compared and never matched."""
    given = [word for each in attributes if each.name == "match" for word in each.value.split("|") if word]
    listed = _WORDS.findall(main_cf.value("smtp_tls_fingerprint_cert_match"))
    if main_cf.version < FINGERPRINTS_ARE_READ_SINCE:
        return tuple(given or listed)
    return tuple(filter(is_fingerprint, given)) or tuple(filter(is_fingerprint, listed))


def is_fingerprint(word: str) -> bool:
    """Pairs of hexadecimal digits with or without a colon between two."""
    return len(word) <= MAX_FINGERPRINT and _FINGERPRINT.fullmatch(word) is not None


def _invalid(resolution: Resolution, rule: Rule, sentence: str) -> Resolution:
    why = (*resolution.why, Reason(rule, sentence))
    return msgspec.structs.replace(resolution, level=TlsLevel.INVALID, why=why, status=DEFERRED_CONFIGURATION)


def host_of(next_hop: str) -> str:
    """The server's name that a next-hop in brackets names itself; raises ConfigError for every other form."""
    match = re.fullmatch(r"\[([^\[\]]+)\](?::[^:\s]+)?", next_hop)
    if match is None:
        raise ConfigError(
            "next-hop", 0, f'"{shown(next_hop)}" has no brackets, so its hosts come from the DNS; name one'
        )
    return re.sub("^ipv6:", "", match[1], flags=re.IGNORECASE)
