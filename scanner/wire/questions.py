"""The hellos that plans are made of: what a version is offered, and which extensions ask for facts on the way.

Groups and schemes stand in the order of a common client, the groups that nobody should use any more last; an
enumeration puts those it has seen behind the others.
"""

import msgspec

from scanner.wire.code_points import (
    EXPLICIT_CURVES,
    FFDHE_GROUPS,
    GROUP_NAMES,
    HYBRID_GROUPS,
    KEM_GROUPS,
    LEGACY_SCHEMES,
    SCHEME_NAMES,
    SHA1_SCHEMES,
    SSL2,
    SSL2_CIPHER_NAMES,
    SSL3,
    TLS12,
    TLS13,
)
from scanner.wire.hello import Hello
from scanner.wire.ledger import all_offers

_COMMON_GROUPS = (29, 23, 30, 25, 24)
_TLS13_ONLY_GROUPS = (31, 32, 33)
_LAST_GROUPS = tuple(
    code
    for code in GROUP_NAMES
    if code not in {*_COMMON_GROUPS, *_TLS13_ONLY_GROUPS, *FFDHE_GROUPS, *HYBRID_GROUPS, *KEM_GROUPS, *EXPLICIT_CURVES}
)
_OBSOLETE = frozenset({*range(1, 0x17), 0x1A, 0x1B, 0x1C})
"""Curves that no hello of TLS 1.3 may name (RFC 8446 section 4.2.7, RFC 8734): strict servers refuse all of it."""
GROUPS_TLS13 = (
    *HYBRID_GROUPS,
    *_COMMON_GROUPS,
    *FFDHE_GROUPS,
    *_TLS13_ONLY_GROUPS,
    *KEM_GROUPS,
    *(code for code in _LAST_GROUPS if code not in _OBSOLETE),
)
GROUPS_TLS12 = (*_COMMON_GROUPS, *_LAST_GROUPS, *FFDHE_GROUPS)
"""Up to TLS 1.2 the hybrids, the pure KEMs and the second code points of brainpool do not exist."""
SCHEMES = (*(code for code in SCHEME_NAMES if code not in SHA1_SCHEMES), *SHA1_SCHEMES, *LEGACY_SCHEMES)

CLASSIC_SUITES = (
    0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0x009E, 0x009F, 0xC009, 0xC013, 0xC00A, 0xC014, 0xC023, 0xC027,
    0xC024, 0xC028, 0x0033, 0x0039, 0x009C, 0x009D, 0x002F, 0x0035, 0x003C, 0x003D, 0x000A, 0x0005, 0x0004,
)  # fmt: skip
"""What every client of the last twenty years had some of: the first offer to a server that chokes on more."""
CLASSIC_GROUPS = (*_COMMON_GROUPS, 26, 27, 28, 22, 21, 19)
CLASSIC_SCHEMES = (0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0201, 0x0203)
LARGE_HELLO = 2048
"""Bytes of a hello that needs two TCP segments, as one with a post-quantum share does."""


def all_groups(version: int) -> tuple[int, ...]:
    """Every group that a hello of this version may name."""
    return GROUPS_TLS13 if version == TLS13 else GROUPS_TLS12


def hello_for(version: int, suites: tuple[int, ...] | None = None, groups: tuple[int, ...] | None = None) -> Hello:
    """Offer one version (and, as the protocol has it, those below) with all suites and groups, or with these."""
    if version == SSL2:
        return Hello(versions=(SSL2,), suites=tuple(SSL2_CIPHER_NAMES))
    offered = all_offers(version) if suites is None else suites
    if version == SSL3:
        return Hello(versions=(SSL3,), suites=offered, renegotiation_info=True, compressions=(1, 0))
    if version == TLS13:
        return Hello(
            versions=(TLS13,),
            suites=offered,
            groups=all_groups(version) if groups is None else groups,
            schemes=SCHEMES,
            middlebox_session_id=True,
        )
    return Hello(
        versions=(version,),
        suites=offered,
        groups=all_groups(version) if groups is None else groups,
        schemes=SCHEMES if version == TLS12 else (),
        session_ticket=b"",
        compressions=(1, 0),
        extended_master_secret=True,
        renegotiation_info=True,
        encrypt_then_mac=True,
        truncated_hmac=True,
        status_request=True,
        heartbeat=True,
    )


def small_hello(hello: Hello) -> Hello:
    """The same question in the words of an old client: few groups and schemes, no unusual extension."""
    groups = tuple(group for group in hello.groups if group in CLASSIC_GROUPS) or hello.groups[:3]
    return msgspec.structs.replace(
        hello,
        groups=groups,
        schemes=tuple(scheme for scheme in CLASSIC_SCHEMES if scheme in hello.schemes),
        compressions=(0,),
        truncated_hmac=False,
        heartbeat=False,
        encrypt_then_mac=False,
    )
