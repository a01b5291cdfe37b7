"""The effective TLS level under smtp_tls_per_site, as three generations of Postfix decide it.

The order of 2.2.9 and of every 3.x: among the values for next-hop and host, whichever way round they stand,
MUST beats MUST_NOPEERMATCH beats NONE beats MAY beats nothing; the winner replaces the global level, except that a
global level above "may" replaces MAY. Before the patch of 2006-01-21 two of these did not hold ("found by exhaustive
simulation", HISTORY of 2.2.9), and `Engine.BEFORE_PATCH` decides as that code did.
"""

import msgspec

from audits.postfix.errors import ConfigError
from audits.postfix.main_cf import MainCf
from audits.postfix.parameters import knows
from audits.postfix.resolution import Engine, KeyLookup, Reason, Resolution, Role, Rule
from audits.postfix.source_text import shown
from audits.postfix.tables import Hit, LookupFailure, TableList, fold_key
from audits.postfix.tls_levels import TLS_LEVEL_OF, TlsLevel, per_site_value, tls_level
from scanner.facts import Level

DEFERRED_CONFIGURATION = "4.7.5"
DEFERRED_LOOKUP = "4.3.0"
NEVER_EMPTY = ("smtp_tls_verify_cert_match", "smtp_tls_secure_cert_match")
PER_SITE_ORDER = (Level.MAY, Level.NONE, Level.MUST_NOPEERMATCH, Level.MUST)


class GlobalPolicy(msgspec.Struct, frozen=True):
    """What main.cf says for all destinations: smtp_tls_security_level ("" if empty), and the three older switches."""

    security_level: TlsLevel | None = None
    use_tls: bool = False
    enforce_tls: bool = False
    enforce_peername: bool = True

    @property
    def level(self) -> TlsLevel:
        """The level where no table says otherwise."""
        if self.security_level is not None:
            return self.security_level
        if self.enforce_tls:
            return TlsLevel.VERIFY if self.enforce_peername else TlsLevel.ENCRYPT
        return TlsLevel.MAY if self.use_tls else TlsLevel.NONE

    @property
    def reason(self) -> Reason:
        """Which setting makes the global level."""
        if self.security_level is not None:
            return Reason(Rule.GLOBAL, f"main.cf: smtp_tls_security_level = {self.security_level} is the global level.")
        if self.enforce_tls:
            peername = "yes" if self.enforce_peername else "no"
            switches = f"smtp_enforce_tls = yes and smtp_tls_enforce_peername = {peername}"
            return Reason(Rule.GLOBAL, f"main.cf: {switches} make the global level {self.level}.")
        switch = f"smtp_use_tls = {'yes' if self.use_tls else 'no'} without smtp_enforce_tls"
        return Reason(Rule.GLOBAL, f"main.cf: {switch} makes the global level {self.level}.")


def global_policy(main_cf: MainCf, engine: Engine = Engine.MODERN) -> GlobalPolicy:
    """The global settings of a main.cf; raises ConfigError where Postfix would not start."""
    level = None
    word = "" if engine is not Engine.MODERN else main_cf.value("smtp_tls_security_level")
    if word:
        level = tls_level(word)
        if level is None:
            name = "smtp_tls_security_level"
            raise ConfigError(main_cf.path, main_cf.line(name), f"{name} = {shown(word)}: no such level")
    for name in NEVER_EMPTY if engine is Engine.MODERN else ():
        if knows(name, main_cf.version) and not main_cf.value(name):
            raise ConfigError(
                main_cf.path, main_cf.line(name), f"{name} is empty, and smtp(8) does not start with that"
            )
    return GlobalPolicy(
        security_level=level,
        use_tls=main_cf.flag("smtp_use_tls"),
        enforce_tls=main_cf.flag("smtp_enforce_tls"),
        enforce_peername=main_cf.flag("smtp_tls_enforce_peername"),
    )


def effective_level(
    policy: GlobalPolicy, table: TableList | None, next_hop: str, host: str, engine: Engine = Engine.MODERN
) -> Resolution:
    """The level for mail to `next_hop` (with its brackets and port, if any) over `host`, the server's name.

    `table` None stands for an empty smtp_tls_per_site.
    """
    if table is None:
        why = (
            policy.reason,
            Reason(Rule.GLOBAL_STANDS, "No table of destinations is in use, so the global level stands."),
        )
        return Resolution(policy.level, why, wanted=policy.level)
    return _Search(policy, table, engine).resolution(next_hop, host)


class _Search:
    def __init__(self, policy: GlobalPolicy, table: TableList, engine: Engine) -> None:
        self._policy = policy
        self._table = table
        self._engine = engine
        self._why: list[Reason] = [policy.reason]
        self._lookups: list[KeyLookup] = []
        self._warnings: list[str] = []
        self._values: list[Level] = []

    def resolution(self, next_hop: str, host: str) -> Resolution:
        names = [(Role.NEXT_HOP, next_hop)]
        if fold_key(next_hop, utf8=True) != fold_key(host, utf8=True):
            names.append((Role.HOST, host))
        else:
            self._say(Rule.HOST_IS_NEXT_HOP, "Host and next-hop are the same name, which is looked up once.")
        for role, key in names:
            failure = self._look_up(role, key)
            if failure:
                return self._result(TlsLevel.INVALID, failure)
        if self._engine is Engine.BEFORE_PATCH:
            return self._result(self._before_patch())
        return self._result(self._combined())

    def _result(self, level: TlsLevel, status: str = "") -> Resolution:
        return Resolution(level, tuple(self._why), tuple(self._lookups), tuple(self._warnings), status, wanted=level)

    def _say(self, rule: Rule, sentence: str) -> None:
        self._why.append(Reason(rule, sentence))

    def _look_up(self, role: Role, key: str) -> str:
        """Look up one key; the status code where that ends the resolution."""
        found = self._table.lookup(key if self._engine is Engine.MODERN else fold_key(key, utf8=False))
        self._lookups.append(KeyLookup(role, key, found))
        match found:
            case LookupFailure(reason=reason):
                self._say(Rule.LOOKUP_ERROR, f"The lookup of {key} fails ({reason}), so this host is not used.")
                return DEFERRED_LOOKUP
            case Hit(value=value, place=place):
                level = per_site_value(value)
                if level is not None:
                    self._values.append(level)
                    return ""
                return self._unknown(f'{place}: "{shown(value)}" for {key} is no TLS policy')
            case _:
                return ""

    def _unknown(self, sentence: str) -> str:
        if self._engine is Engine.MODERN:
            self._say(Rule.UNKNOWN_VALUE, f"{sentence}, so this host is not used.")
            return DEFERRED_CONFIGURATION
        self._warnings.append(f"{sentence}; Postfix {self._engine} warns and ignores it")
        return ""

    def _combined(self) -> TlsLevel:
        """The rules of 2.2.9 and of 3.x."""
        if not self._values:
            self._say(Rule.GLOBAL_STANDS, "Neither next-hop nor host is in smtp_tls_per_site: the global level stands.")
            return self._policy.level
        winner = max(self._values, key=PER_SITE_ORDER.index)
        if len(set(self._values)) == 2:
            self._say(*_conflict(winner, min(self._values, key=PER_SITE_ORDER.index)))
        level = TLS_LEVEL_OF[winner]
        if winner is Level.MAY and self._policy.level.rank > TlsLevel.MAY.rank:
            sentence = f"A value MAY gives way to a stronger global level: {self._policy.level}."
            self._say(Rule.GLOBAL_BEATS_MAY, sentence)
            return self._policy.level
        self._say(
            Rule.SITE_BEATS_GLOBAL, f"The value {winner} replaces the global level {self._policy.level}: {level}."
        )
        return level

    def _before_patch(self) -> TlsLevel:
        """The code of 2.2.8: separate answers to "enforce?", "check the name?" and "use?"."""
        values, policy = set(self._values), self._policy
        strict = Level.MUST in values or Level.MUST_NOPEERMATCH in values
        required = strict or (policy.enforce_tls and Level.NONE not in values)
        name_checked = Level.MUST in values or (policy.enforce_tls and policy.enforce_peername)
        if required:
            self._explain_required(values, name_checked)
            return TlsLevel.VERIFY if name_checked else TlsLevel.ENCRYPT
        if not name_checked and (Level.MAY in values or (policy.use_tls and Level.NONE not in values)):
            if Level.NONE in values:
                sentence = (
                    "In 2.2.8 MAY beats NONE unless smtp_enforce_tls and smtp_tls_enforce_peername are both yes: may."
                )
                self._say(Rule.OLD_NONE_AND_MAY, sentence)
            else:
                self._combined()
            return TlsLevel.MAY
        self._combined()
        return TlsLevel.NONE

    def _explain_required(self, values: set[Level], name_checked: bool) -> None:
        if name_checked and Level.MUST_NOPEERMATCH in values and Level.MUST not in values:
            sentence = "In 2.2.8 MUST_NOPEERMATCH does not switch off a global check of the peer's name: verify."
            self._say(Rule.OLD_NOPEERMATCH, sentence)
        else:
            self._combined()


def _conflict(winner: Level, loser: Level) -> tuple[Rule, str]:
    if loser is Level.MAY:
        return Rule.SPECIFIC_BEATS_MAY, f"Next-hop and host differ: the more specific {winner} beats MAY."
    return Rule.STRONGER_WINS, f"Next-hop and host differ: the stronger {winner} beats {loser}."
