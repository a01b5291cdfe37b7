"""Lint of main.cf line by line: settings that Postfix refuses, ignores, or reads in another way than they look.

Only TLS is judged, and what a TLS level depends on. The checks see a `Line`: one setting, with the file around it.
"""

import difflib
import re

import msgspec

from audits.postfix import parameters
from audits.postfix.errors import ConfigError
from audits.postfix.lint.ciphers import cipher_findings, exclusion_findings, is_grade
from audits.postfix.lint.protocols import protocol_findings
from audits.postfix.lint.words import Found, Kind, Rules, Severity
from audits.postfix.macros import MacroError, tokens
from audits.postfix.main_cf import MainCf, Setting
from audits.postfix.per_site import NEVER_EMPTY
from audits.postfix.tls_levels import TLS_LEVEL_OF, per_site_value, tls_level

RULES = Rules(Kind.MAIN_CF)
_SWITCH_VALUES = ("yes", "no")
_NAMES = re.compile(r"[A-Za-z0-9_]+")
_NEAR = 0.85


class Line(msgspec.Struct, frozen=True):
    """One setting of a main.cf, with its value expanded where that is possible ("" elsewhere)."""

    setting: Setting
    main_cf: MainCf
    value: str

    @property
    def name(self) -> str:
        """The parameter's name."""
        return self.setting.name

    @property
    def line(self) -> int:
        """Where the setting begins."""
        return self.setting.line

    @property
    def known(self) -> bool:
        """The version at hand reads the parameter."""
        return parameters.knows(self.name, self.main_cf.version)


def is_about_tls(name: str) -> bool:
    """Whether a parameter is one of TLS, also when it is misspelt."""
    return "tls" in name.lower()


def line_of(setting: Setting, main_cf: MainCf) -> Line:
    """The line with its expanded value."""
    try:
        value = main_cf.expanded(setting.value, setting.line, setting.name)
    except ConfigError:
        value = ""
    return Line(setting, main_cf, value)


@RULES.check(
    "cf-expression",
    Severity.ERROR,
    fails="smtp_tls_CAfile = $smtp_tls_CApath\nsmtp_tls_CApath = ${smtp_tls_CAfile}\n",
    passes="smtp_tls_CAfile = ${config_directory}/CAcert.pem\n",
    remedy='Correct the expression; a dollar sign itself is written "$$".',
)
def expression(line: Line) -> Found:
    """A $name expression that Postfix cannot expand, or that needs its own value, stops every Postfix program that
    reads the parameter."""
    if not is_about_tls(line.name):
        return
    try:
        line.main_cf.expanded(line.setting.value, line.line, line.name)
    except ConfigError as error:
        yield line.line, error.sentence


@RULES.check(
    "cf-undefined-name",
    Severity.WARNING,
    fails="smtpd_tls_cert_file = /etc/letsencrypt/live/$domain.$tld/fullchain.pem\n",
    passes="smtpd_tls_cert_file = /etc/letsencrypt/live/$myhostname/fullchain.pem\n",
    remedy="Define the name in main.cf, or write its value.",
)
def undefined_name(line: Line) -> Found:
    """A name that is defined nowhere expands to nothing, without an error of the daemons."""
    if not is_about_tls(line.name):
        return
    defined = {setting.name for setting in line.main_cf.settings} | parameters.all_names()
    for name in sorted(referenced_names(line.setting.value) - defined):
        yield line.line, f"{line.name}: ${name} is defined nowhere and stands for nothing"


def referenced_names(value: str) -> set[str]:
    """The names of a value's unconditional $name expressions; conditional ones are meant to be empty at times."""
    try:
        return {token.text for token in tokens(value) if token.is_macro and _NAMES.fullmatch(token.text)}
    except MacroError:
        return set()


@RULES.check(
    "cf-overridden",
    Severity.WARNING,
    fails="smtp_tls_security_level = encrypt\nsmtp_tls_security_level = may\n",
    passes="smtp_tls_security_level = encrypt\n",
    remedy="Remove the line that does not count.",
)
def overridden(line: Line) -> Found:
    """Of two settings of one parameter the last one counts, wherever it stands."""
    last = line.main_cf.setting(line.name)
    if last and last.line != line.line and last.value != line.setting.value and is_about_tls(line.name):
        yield line.line, f"{line.name} is set again in line {last.line}, and only that counts"


@RULES.check(
    "cf-comment",
    Severity.ERROR,
    fails="smtp_tls_security_level = may # opportunistic\n",
    passes="# opportunistic\nsmtp_tls_security_level = may\n",
    remedy="Put the comment on a line of its own.",
)
def comment(line: Line) -> Found:
    """Only whole lines are comments; behind a value "#" and what follows belong to the value."""
    if is_about_tls(line.name) and re.search(r"(?:^|\s)#", line.setting.value):
        yield line.line, f"{line.name}: the comment has become part of the value"


@RULES.check(
    "cf-quotes",
    Severity.ERROR,
    fails='smtp_tls_mandatory_ciphers = "high"\n',
    passes="smtp_tls_mandatory_ciphers = high\n",
    remedy="Remove the quotes.",
)
def quotes(line: Line) -> Found:
    """Quotes mean nothing in main.cf and become part of the value ("DO NOT USE quotes", as TLS_README of 2.2 says)."""
    if is_about_tls(line.name) and '"' in line.setting.value:
        yield line.line, f"{line.name}: the quotes have become part of the value"


@RULES.check(
    "cf-unknown",
    Severity.ERROR,
    fails="smtp_tls_securty_level = may\n",
    passes="smtp_tls_security_level = may\n",
    remedy="Write the name as postconf(5) does.",
)
def unknown(line: Line) -> Found:
    """A parameter that no Postfix version has is read as a name of the administrator's own, so it does nothing unless
    something refers to it."""
    name = line.name
    if name in parameters.all_names() or not (is_about_tls(name) or name.startswith(("smtp_", "smtpd_", "lmtp_"))):
        return
    if any(name in setting.value for setting in line.main_cf.settings):
        return
    close = difflib.get_close_matches(name, sorted(filter(is_about_tls, parameters.all_names())), n=1, cutoff=_NEAR)
    if close:
        yield line.line, f"{name} is no parameter; did you mean {close[0]}?"
    elif is_about_tls(name):
        yield line.line, f"{name} is no parameter, and nothing in this file refers to it", Severity.WARNING


@RULES.check(
    "cf-too-new",
    Severity.ERROR,
    fails="smtp_tls_enable_rpk = yes\n",
    passes="smtp_tls_connection_reuse = yes\n",
    remedy="Remove the setting, or name the Postfix version that will read it.",
)
def too_new(line: Line) -> Found:
    """A parameter of a later version is ignored in silence."""
    since = parameters.introduced().get(line.name)
    if since is not None and since > line.main_cf.version:
        yield line.line, f"{line.name} exists since Postfix {since} only"


@RULES.check(
    "cf-obsolete",
    Severity.WARNING,
    fails="smtpd_tls_cipherlist = DEFAULT\n",
    passes="smtpd_tls_mandatory_ciphers = high\n",
    remedy="Remove the setting.",
)
def obsolete(line: Line) -> Found:
    """A parameter that Postfix does not read any more does nothing, whatever its value promises."""
    entry = parameters.gone(line.name, line.main_cf.version)
    if entry:
        yield line.line, f"{line.name} does nothing since Postfix {entry.since}; instead: {entry.instead}"


@RULES.check(
    "cf-replaced",
    Severity.INFO,
    fails="smtp_use_tls = yes\n",
    passes="smtp_tls_security_level = may\n",
    remedy="Use the newer parameter.",
)
def replaced(line: Line) -> Found:
    """A parameter of the old user interface still works, but what replaced it says more. From the version on in which
    Postfix itself warns of its removal this is a warning."""
    entry = parameters.replaced(line.name, line.main_cf.version)
    if entry is None or not line.setting.value:
        return
    severity = Severity.WARNING if entry.warned_at(line.main_cf.version) else Severity.INFO
    going = f", and Postfix {entry.warned} and later warn of its removal" if severity is Severity.WARNING else ""
    yield line.line, f"{line.name} was replaced in Postfix {entry.since}{going}; instead: {entry.instead}", severity


@RULES.check(
    "cf-switch",
    Severity.ERROR,
    fails="smtp_use_tls = true\n",
    passes="smtp_tls_note_starttls_offer = yes\n",
    remedy='Write "yes" or "no".',
)
def switch(line: Line) -> Found:
    """A switch takes yes and no; every other word stops the daemon: "bad boolean configuration"."""
    is_switch = parameters.default(line.name, line.main_cf.version) in _SWITCH_VALUES
    if is_switch and line.known and is_about_tls(line.name) and line.value.lower() not in _SWITCH_VALUES:
        yield line.line, f'{line.name} = {line.value}: only "yes" and "no" are allowed'


@RULES.check(
    "cf-level",
    Severity.ERROR,
    fails="smtp_tls_security_level = MUST\n",
    passes="smtp_tls_security_level = encrypt\n",
    remedy="Write none, may or encrypt; the client also knows dane, dane-only, fingerprint, verify and secure.",
)
def level(line: Line) -> Found:
    """A level that does not exist stops the SMTP client ("invalid tls security level"), or leaves the server without
    a policy."""
    server = line.name in ("smtpd_tls_security_level", "postscreen_tls_security_level", "tlsproxy_tls_security_level")
    client = line.name in ("smtp_tls_security_level", "lmtp_tls_security_level", "tlsproxy_client_security_level")
    if not line.value or not line.known or not (server or client):
        return
    site = per_site_value(line.value)
    if tls_level(line.value) is None:
        old = f"; what smtp_tls_per_site calls {site} is {TLS_LEVEL_OF[site]}" if site else ""
        yield line.line, f'{line.name}: there is no level "{line.value}"{old}'
    elif server and line.value.lower() not in ("none", "may", "encrypt"):
        yield line.line, f'{line.name}: the server has no level "{line.value}" and takes encrypt'


@RULES.check(
    "cf-grade",
    Severity.ERROR,
    fails="smtp_tls_mandatory_ciphers = HIGH:!aNULL\n",
    passes="smtp_tls_mandatory_ciphers = high\n",
    remedy="Write high or medium.",
)
def grade(line: Line) -> Found:
    """These parameters take a grade; with every other word TLS is not available, and mail at mandatory levels stays."""
    if line.known and line.name.endswith(("_tls_ciphers", "_tls_mandatory_ciphers")) and not is_grade(line.value):
        yield line.line, f'{line.name}: "{line.value}" is no cipher grade'


@RULES.check(
    "cf-cert-match",
    Severity.ERROR,
    fails="smtp_tls_secure_cert_match =\n",
    passes="smtp_tls_secure_cert_match = nexthop, dot-nexthop\n",
    remedy="Write names or hostname, nexthop, dot-nexthop; or remove the line.",
)
def cert_match(line: Line) -> Found:
    """With an empty value smtp(8) does not start ("bad string length"), so that all mail waits."""
    if line.known and line.name in NEVER_EMPTY and not line.setting.value:
        yield line.line, f"{line.name} is empty"


@RULES.check(
    "cf-cipher",
    Severity.ERROR,
    fails="smtpd_tls_exclude_ciphers = aNULL, EDH-RSA-DES-CDC3-SHA, KRB5-DE5, CBC3-SHA\n",
    passes="smtpd_tls_exclude_ciphers = aNULL, MD5, RC4\n",
    remedy="Write the name as OpenSSL spells it, or remove it; case counts.",
)
def cipher(line: Line) -> Found:
    """A misspelt name excludes nothing, in silence; a name that OpenSSL has given up excludes nothing either. In a list
    of exclusions a sign before a name, such as "!aNULL", makes every TLS session fail."""
    if line.known and line.name.endswith(("exclude_ciphers", "_cipherlist")) and line.name != "tls_preempt_cipherlist":
        findings = exclusion_findings if line.name.endswith("exclude_ciphers") else cipher_findings
        for sentence, severity in findings(line.value):
            yield line.line, f"{line.name}: {sentence}", severity


@RULES.check(
    "cf-protocols",
    Severity.ERROR,
    fails="smtpd_tls_mandatory_protocols = TLSv1\n",
    passes="smtpd_tls_mandatory_protocols = >=TLSv1.2\n",
    remedy='Write ">=TLSv1.2" (Postfix 3.6 and later) or "!SSLv2, !SSLv3, !TLSv1, !TLSv1.1".',
)
def protocols(line: Line) -> Found:
    """A list of names switches every other version off: "TLSv1" leaves TLS 1.0 alone, which today's peers refuse."""
    if line.known and line.name.endswith("_protocols") and is_about_tls(line.name):
        for sentence, severity in protocol_findings(line.value, line.main_cf.version):
            yield line.line, f"{line.name}: {sentence}", severity


@RULES.check(
    "cf-wrappermode",
    Severity.WARNING,
    fails="smtpd_tls_wrappermode = yes\n",
    passes="smtpd_tls_wrappermode = no\n",
    remedy='Write "-o smtpd_tls_wrappermode=yes" behind the service of port 465 in master.cf.',
)
def wrappermode(line: Line) -> Found:
    """In main.cf the wrapper mode reaches port 25 too, where no client expects TLS before the greeting."""
    if line.name == "smtpd_tls_wrappermode" and line.value.lower() == "yes":
        yield line.line, "smtpd_tls_wrappermode = yes makes every port of the SMTP server speak TLS at once"


@RULES.check(
    "cf-loglevel",
    Severity.WARNING,
    fails="smtp_tls_loglevel = 4\n",
    passes="smtp_tls_loglevel = 1\n",
    remedy="Write 0 or 1.",
)
def loglevel(line: Line) -> Found:
    """From 3 on the log holds dumps of the TLS negotiation, from 4 on of all that is sent: mail and passwords."""
    if line.name in ("smtp_tls_loglevel", "smtpd_tls_loglevel", "lmtp_tls_loglevel") and line.value in ("3", "4"):
        what = "the mail itself" if line.value == "4" else "the TLS negotiation"
        yield line.line, f"{line.name} = {line.value} dumps {what} into the log"
