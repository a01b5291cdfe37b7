"""Servers that throttle, one for each way of asking, because what they count they count for each of their addresses;
and their twins that do not.

Times are scaled down: what a limit of 10 connections a minute does, one of 10 in four seconds does as well.
"""

from .enumeration_states import plus
from .postfix_states import tls
from .states import Kind, State

WAYS = {
    "policy": ("--depth", "policy"),
    "standard": ("--depth", "standard"),
    "full": ("--depth", "full"),
    "patient-standard": ("--depth", "standard", "--patience", "10m"),
    "patient-full": ("--depth", "full", "--patience", "10m"),
}
MAIN = {"anvil_rate_time_unit": "4s"}
NARROW = {
    "tls_medium_cipherlist": "ECDHE+AESGCM:DHE-RSA-AES128-SHA:AES128-SHA",
    "tls_eecdh_auto_curves": "X25519 prime256v1",
    "smtpd_tls_protocols": ">=TLSv1.2",
}
"""Few suites, so that the paced audits of these servers end in a minute."""
LIMITED = {
    "smtpd_client_connection_rate_limit": "10",
    "smtpd_client_connection_count_limit": "2",
    "smtpd_client_event_limit_exceptions": "",
}
LATE_TEASER = {
    "postscreen_greet_wait": "2s",
    "postscreen_greet_action": "enforce",
    "postscreen_access_list": "",
    "postscreen_cache_map": "",
}
LATE_GREETING = {"smtpd_delay_reject": "no", "smtpd_client_restrictions": "sleep 2"}


def _postscreen(name: str) -> State:
    return State(name=name, kind=Kind.POSTSCREEN, chains=("good-rsa",), options={**NARROW, **LATE_TEASER})


def _exim(name: str, **options: str) -> State:
    """Each stock Exim is a daemon of its own, because its 20 places are for all of its addresses."""
    return State(name=name, kind=Kind.EXIM, chains=("good-rsa",), options=options)


TWINS = {"anvil": "narrow", "postscreen": "narrow", "late": "narrow", "exim-stock": "exim-roomy"}
THROTTLED = [
    *(plus(tls(f"anvil-{way}"), **NARROW, **LIMITED) for way in WAYS),
    *(_postscreen(f"postscreen-{way}") for way in WAYS),
    *(plus(tls(f"late-{way}"), **NARROW, **LATE_GREETING) for way in WAYS),
    *(_exim(f"exim-stock-{way}", stock=way) for way in WAYS),
    plus(tls("narrow"), **NARROW),
    _exim("exim-roomy"),
]
