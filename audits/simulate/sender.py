"""The sending Postfix: all that main.cf says about deliveries beside the level, and what of it is not followed here."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from audits.grade import endpoint_verdict
from audits.postfix.errors import ConfigError
from audits.postfix.lint.protocols import parse_protocols
from audits.postfix.main_cf import MainCf
from audits.postfix.parameters import default, knows
from audits.postfix.resolution import Attribute, Engine, Resolution
from audits.postfix.resolve import Configuration
from audits.postfix.source_text import shown
from audits.postfix.tls_levels import TlsLevel
from audits.simulate.offer import Offer, suites_of, wire_version
from audits.trust import (
    NOT_TRUSTED,
    ChainVerdict,
    TrustStore,
    TrustStoreError,
    load_trust_store,
    verify_chain,
)
from audits.verdicts import EndpointVerdict
from scanner.facts import EndpointFacts, EndpointRef
from scanner.tls_facts import CertificateFacts

GRADES = ("high", "medium", "low", "export", "null")
NOT_FOLLOWED = {
    "sender_dependent_default_transport_maps": "sender-dependent transports",
    "sender_dependent_relayhost_maps": "sender-dependent relay hosts",
    "smtp_sasl_auth_enable": "SMTP authentication, without which a relay may refuse the mail",
    "smtp_sender_dependent_authentication": "sender-dependent authentication",
    "smtp_tls_dane_policy": "smtp_tls_dane_policy",
    "smtp_discard_ehlo_keywords": "EHLO keywords that are discarded",
    "smtp_discard_ehlo_keyword_address_maps": "EHLO keywords that are discarded",
    "smtp_dns_reply_filter": "filtered DNS answers",
    "smtp_reply_filter": "rewritten replies of servers",
    "smtp_delivery_status_filter": "rewritten delivery results",
    "soft_bounce": "soft_bounce: what is called bounced is deferred instead",
    "smtp_bind_address": "the source address",
    "smtp_bind_address6": "the source address",
    "content_filter": "content_filter, through which mail goes first",
    "best_mx_transport": "best_mx_transport",
    "smtp_tls_cert_file": "a client certificate, which some servers demand",
    "smtp_tls_chain_files": "a client certificate, which some servers demand",
    "smtp_tls_eccert_file": "a client certificate, which some servers demand",
    "smtp_tls_dcert_file": "a client certificate, which some servers demand",
    "smtp_tls_trust_anchor_file": "trust anchors that go before smtp_tls_CAfile and smtp_tls_CApath",
    "smtp_tls_force_insecure_host_tlsa_lookup": "TLSA records of hosts whose addresses are not signed",
    "tls_dane_digests": "the digests of TLSA records",
    "tls_wildcard_matches_multiple_labels": "which names a name behind a dot covers",
    "tls_eecdh_auto_curves": "the groups of a handshake",
    "tls_ssl_options": "options of OpenSSL",
    "smtp_never_send_ehlo": "without EHLO there is no TLS",
    "smtp_always_send_ehlo": "without EHLO there is no TLS",
    "smtp_skip_5xx_greeting": "a server that greets with 5xx bounces the mail",
    "smtp_defer_if_no_mx_address_found": "what bounces for want of an address is deferred instead",
    "defer_transports": "transports whose mail waits",
    "tls_config_file": "a configuration file of OpenSSL",
    "smtp_address_verify_target": "address verification",
}
"""Settings that can change what a delivery does, and that a simulation does not follow: named where they are set."""
REMEMBERED = 20_000
"""Verdicts kept of each kind."""
_WORDS = re.compile(r"[^, \t\r\n]+")


class Limits(msgspec.Struct, frozen=True):
    """How far smtp(8) goes: addresses and sessions for one next-hop (0: no limit), and the address families."""

    addresses: int = 5
    sessions: int = 2
    ipv4: bool = True
    ipv6: bool = True


class Memory(msgspec.Struct):
    """What was worked out before: many domains share their servers."""

    chains: dict[tuple[tuple[str, ...], datetime], ChainVerdict] = msgspec.field(default_factory=dict)
    endpoints: dict[tuple[EndpointRef, int], tuple[EndpointFacts | None, EndpointVerdict]] = msgspec.field(
        default_factory=dict
    )
    offers: dict[tuple[TlsLevel, tuple[Attribute, ...]], Offer] = msgspec.field(default_factory=dict)
    values: dict[str, str] = msgspec.field(default_factory=dict)


class Sender(msgspec.Struct, frozen=True):
    """A Postfix that sends. `trust` None: it trusts nobody. `notes` name what of main.cf is not followed.

    `now` is when it sends; None: when each server was scanned.
    """

    config: Configuration
    trust: TrustStore | None
    verify_depth: int
    limits: Limits
    follows_mx: bool
    wrappermode: bool
    aliases_count: bool
    fallback: tuple[str, ...]
    notes: tuple[str, ...] = ()
    now: datetime | None = None
    memory: Memory = msgspec.field(default_factory=Memory)

    @property
    def main_cf(self) -> MainCf:
        return self.config.main_cf

    @property
    def falls_back_to_clear(self) -> bool:
        """Whether broken TLS at the level may ends in clear text; Postfix 2.2 defers until the mail comes back."""
        return self.config.engine is Engine.MODERN

    def verified(self, chain: Sequence[CertificateFacts], at: datetime) -> ChainVerdict:
        """What the anchors say of a chain, as seen at a moment."""
        if self.trust is None:
            return ChainVerdict(
                trusted=False, result=NOT_TRUSTED, reason="smtp_tls_CAfile and smtp_tls_CApath are empty"
            )
        known, key = self.memory.chains, (tuple(certificate.sha256 for certificate in chain), at)
        if key not in known:
            if len(known) >= REMEMBERED:
                known.clear()
            known[key] = verify_chain(self.trust, chain, at, self.verify_depth)
        return known[key]

    def judged(self, ref: EndpointRef, facts: EndpointFacts | None) -> EndpointVerdict:
        """The endpoint under the sender's trust anchors; `facts` are kept beside it, so that their id stays theirs."""
        known, key = self.memory.endpoints, (ref, id(facts))
        if key not in known:
            if len(known) >= REMEMBERED:
                known.clear()
            known[key] = facts, endpoint_verdict(ref, facts, self.verified)
        return known[key][1]

    def value(self, name: str) -> str:
        """A setting of main.cf, expanded once."""
        known = self.memory.values
        if name not in known:
            known[name] = self.main_cf.value(name)
        return known[name]

    def offer(self, resolution: Resolution, level: TlsLevel) -> Offer:
        """What is offered at a level, with the attributes of the policy."""
        known, key = self.memory.offers, (level, resolution.attributes)
        if key not in known:
            if len(known) >= REMEMBERED:
                known.clear()
            known[key] = _offer(self.main_cf, self.config.engine, resolution, level)
        return known[key]


LoadTrust = Callable[[Sequence[Path], Sequence[Path], bool], TrustStore]


def _load(files: Sequence[Path], folders: Sequence[Path], system: bool) -> TrustStore:
    return load_trust_store(files, folders, system=system)


def sender_of(config: Configuration, load: LoadTrust = _load) -> Sender:
    """Read what a delivery needs from main.cf; raises ConfigError."""
    main_cf = config.main_cf
    lookup = {word.lower() for word in _words(main_cf, "smtp_host_lookup")}
    families = {word.lower() for word in _words(main_cf, "inet_protocols")}
    dns_off = main_cf.flag("disable_dns_lookups") or main_cf.value("smtp_dns_support_level").lower() == "disabled"
    return Sender(
        config=config,
        trust=_trust(main_cf, load),
        verify_depth=number(main_cf, "smtp_tls_scert_verifydepth"),
        limits=Limits(
            number(main_cf, "smtp_mx_address_limit"),
            number(main_cf, "smtp_mx_session_limit"),
            ipv4=bool(families & {"all", "ipv4"}),
            ipv6=bool(families & {"all", "ipv6"}),
        ),
        follows_mx=not dns_off,
        wrappermode=knows("smtp_tls_wrappermode", main_cf.version) and main_cf.flag("smtp_tls_wrappermode"),
        aliases_count=config.engine is Engine.BEFORE_PATCH or main_cf.flag("smtp_cname_overrides_servername"),
        fallback=tuple(_words(main_cf, "smtp_fallback_relay")),
        notes=tuple(_notes(config, lookup)),
    )


def number(main_cf: MainCf, name: str) -> int:
    """A number that main.cf sets; raises ConfigError for everything else."""
    value = main_cf.value(name)
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise ConfigError(main_cf.path, main_cf.line(name), f"{name} = {shown(value)}: a number is needed")
    return int(value)


def _words(main_cf: MainCf, name: str) -> list[str]:
    return _WORDS.findall(main_cf.value(name))


# --- trust -----------------------------------------------------------------------------------------------------------


def _trust(main_cf: MainCf, load: LoadTrust) -> TrustStore | None:
    """The anchors of smtp_tls_CAfile and smtp_tls_CApath; the system's only beside them (tls_append_default_CA)."""
    files = [Path(value) for value in (main_cf.value("smtp_tls_CAfile"),) if value]
    folders = [Path(value) for value in (main_cf.value("smtp_tls_CApath"),) if value]
    if not files and not folders:
        return None
    known = knows("tls_append_default_CA", main_cf.version)
    system = main_cf.flag("tls_append_default_CA") if known else True
    try:
        return load(files, folders, system)
    except TrustStoreError as error:
        name = "smtp_tls_CAfile" if files else "smtp_tls_CApath"
        raise ConfigError(main_cf.path, main_cf.line(name), f"{name}: {error}") from error


# --- what is offered -------------------------------------------------------------------------------------------------


def _offer(main_cf: MainCf, engine: Engine, resolution: Resolution, level: TlsLevel) -> Offer:
    """The protocols and suites (tls_policy.c, set_cipher_grade): "may" reads other settings than the levels above."""
    kind = "" if level is TlsLevel.MAY else "mandatory_"
    given = {attribute.name: attribute.value for attribute in resolution.attributes}
    if engine is not Engine.MODERN:
        return Offer(frozenset({"SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"}), suites_of("ALL:!aNULL:!eNULL"))
    protocols = given.get("protocols", main_cf.value(f"smtp_tls_{kind}protocols"))
    parsed = parse_protocols(protocols.replace(":", " "), main_cf.version)
    enabled = () if parsed.unknown else parsed.enabled
    grade = given.get("ciphers", main_cf.value(f"smtp_tls_{kind}ciphers")).lower()
    excluded = given.get("exclude")
    if excluded is None:
        excluded = main_cf.value("smtp_tls_exclude_ciphers")
        if kind:
            excluded += " " + main_cf.value("smtp_tls_mandatory_exclude_ciphers")
    words = _WORDS.findall(excluded.replace(":", " "))
    if kind:
        words.append("eNULL" if level is TlsLevel.ENCRYPT else "aNULL")
    listed = main_cf.value(f"tls_{grade}_cipherlist") if grade in GRADES else ""
    if not listed or any(word[0] in "!+-@" for word in words):
        return Offer(frozenset(), ())
    suites = suites_of(":".join((listed, *(f"!{word}" for word in words))))
    return Offer(frozenset(map(wire_version, enabled)) - {"SSLv2"}, suites)


# --- what is not followed --------------------------------------------------------------------------------------------


def _notes(config: Configuration, lookup: set[str]) -> Iterator[str]:
    main_cf = config.main_cf
    if config.policy_maps is not None and config.per_site is not None:
        yield f"{_where(main_cf, 'smtp_tls_per_site')}: smtp_tls_per_site is ignored beside smtp_tls_policy_maps"
    if not main_cf.value("smtp_tls_CAfile") and not main_cf.value("smtp_tls_CApath"):
        yield f"{main_cf.path}: smtp_tls_CAfile and smtp_tls_CApath are empty, so no CA is trusted: MUST never succeeds"
    for name, what in NOT_FOLLOWED.items():
        setting = main_cf.setting(name)
        if setting is not None and setting.value.lower() not in ("", (default(name, main_cf.version) or "no").lower()):
            yield f"{_where(main_cf, name)}: {name} is not followed: {what}"
    if "native" in lookup:
        yield f"{_where(main_cf, 'smtp_host_lookup')}: smtp_host_lookup: names in /etc/hosts are not looked at"
    if config.engine is not Engine.MODERN:
        yield (
            f"Postfix {config.engine}: its levels, and no delivery in clear behind broken TLS; words, security levels "
            "and suites are those of Postfix 3 and of an OpenSSL of today"
        )
    if main_cf.value("smtp_tls_CApath") and config.engine is Engine.MODERN:
        yield (
            f"{_where(main_cf, 'smtp_tls_CApath')}: smtp_tls_CApath: all hashed certificates count; smtp(8) in a "
            "chroot sees those inside of it"
        )


def _where(main_cf: MainCf, name: str) -> str:
    line = main_cf.line(name)
    return f"{main_cf.path}:{line}" if line else main_cf.path
