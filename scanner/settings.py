"""Every limit and every choice of a scan, named, with its reason.

Sizes are bytes, times seconds. What a person may choose is a field of `ScanSettings`; the constants above it are
bounds against hostile peers, and nobody needs to turn them.
"""

from enum import StrEnum

import msgspec

# --- SMTP: bounds on what a peer may say ---------------------------------------------------------------------------

MAX_REPLY_LINE = 2048
"""RFC 5321 section 4.5.3.1.5 allows 512 octets in a reply line; Postfix reads up to 2048 (line_length_limit)."""
MAX_REPLY_LINES = 128
"""More lines than any EHLO reply has."""
MAX_REPLY_BYTES = 64 * 1024
"""All lines of one reply together."""
MAX_SESSION_BYTES = 1024 * 1024
"""Everything read on one connection: a certificate chain may be large, a flood is cut here."""
MAX_CHAIN_BYTES = 256 * 1024
"""All certificates of one handshake together."""
READ_SIZE = 16 * 1024

# --- time ----------------------------------------------------------------------------------------------------------

CONNECT_TIMEOUT_S = 30.0
"""smtp_connect_timeout of Postfix."""
SUBMISSION_CONNECT_TIMEOUT_S = 10.0
"""On 465 and 587, which many hosts drop silently: they are shown beside the grade and must not hold it up."""
GREETING_TIMEOUT_S = 30.0
"""Postfix waits 300 s (smtp_helo_timeout); postscreen speaks after 6 s. Silence beyond 30 s stays inconclusive."""
REPLY_TIMEOUT_S = 30.0
HANDSHAKE_TIMEOUT_S = 30.0
SESSION_TIMEOUT_S = 120.0
"""One connection, all in all: a peer that drips a byte a second must not hold a place for ever."""
QUIT_TIMEOUT_S = 3.0

# --- policy by HTTPS (RFC 8461) ------------------------------------------------------------------------------------

POLICY_PORT = 443
POLICY_TIMEOUT_S = 60.0
"""One minute for connection, handshake and answer together (section 3.3 suggests that much)."""
MAX_POLICY_BYTES = 64 * 1024
"""The largest policy that is read (section 3.3 suggests it)."""
MAX_POLICY_HEADER = 16 * 1024
MAX_POLICY_ADDRESSES = 4
"""Addresses of a policy host that are tried in turn."""

# --- DNS -----------------------------------------------------------------------------------------------------------

DNS_TIMEOUT_S = 5.0
DNS_ATTEMPTS = 3
DNS_MAX_SOCKETS = 512
"""Sockets in flight for queries: dnspython opens one a query, and descriptors are limited."""
MAX_ALIASES = 16
"""A longer CNAME chain is a loop or an attack."""
MAX_MX_HOSTS = 100
"""Hosts of one domain that we look at, in order of preference."""
MAX_ADDRESSES = 32
"""Addresses of one host that we look at."""
MAX_ENDPOINTS = 256
"""Endpoints of one domain that are asked, those for mail first: a zone must not send us to thousands of strangers."""
CACHE_ENTRIES = 20_000
"""Look-ups kept in memory; beyond it the name is asked again."""
ENDPOINT_CACHE_ENTRIES = 2_000
"""Endpoint facts kept in memory, some 20 kB each; beyond it the store is asked, which has them."""


SUBMISSION_PORTS = (465, 587)
"""RFC 8314 section 3.3, RFC 6409."""


class Depth(StrEnum):
    """How much is asked of a server; each depth has a budget of connections."""

    POLICY = "policy"
    """The Postfix grade alone: one connection to a healthy server."""
    STANDARD = "standard"
    """Also every version, and every class of suites that a baseline forbids."""
    FULL = "full"
    """The exact set of versions and suites, groups, preference."""


class ScanSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The choices of one run."""

    ports: tuple[int, ...] = (25, 465, 587)
    depth: Depth = Depth.POLICY
    patience_s: float = 0.0
    injection: bool = False
    vulnerabilities: bool = False
    envelope: bool = False
    ehlo: str = "localhost"
    resolvers: tuple[str, ...] = ()
    allow_private: bool = False
    ipv4: bool = True
    ipv6: bool = True
    ipv6_route: bool = True
    interval_s: float = 1.0
    jobs: int = 500
    provider_jobs: int = 10
    excluded_names: tuple[str, ...] = ()
    excluded_networks: tuple[str, ...] = ()
    published: bool = False
    """Whether published policy (DANE, MTA-STS, TLSRPT) is looked for."""
    policy_port: int = POLICY_PORT
