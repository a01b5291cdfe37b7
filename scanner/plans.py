"""Which connections to make: generators that ask for the next one from the answers so far.

A plan yields a `SessionRequest` and is sent the `SessionFacts` it led to. It knows nothing of pacing or time; its
driver may stop it at any point, and what was seen so far stands.

The policy plan costs one connection to a healthy server. Up to two more follow only where the first left a question
that decides a grade: was STARTTLS really missing (a "no" needs two sessions), is the handshake broken for everyone or
only for a large hello, and does security level 1 allow what the small hello got? The small hello names one curve: where
TLS itself refuses it, and the first session failed in some other way, the first is held once more.
"""

from collections.abc import Generator

import msgspec

from scanner.facts import SessionFacts, Transport
from scanner.failures import Kind, Stage
from scanner.settings import Depth
from scanner.smtp import SessionRequest
from scanner.tls_facts import LEVEL1_VERSIONS, HelloStyle
from scanner.wire.tls_plans import Plan as TlsPlan
from scanner.wire.tls_plans import full_plan, standard_plan

Plan = Generator[SessionRequest, SessionFacts, None]

POLICY_BUDGET = 3
"""Connections to one endpoint at depth policy, at the most; a healthy server gets one."""

_BROKEN = frozenset({Stage.HANDSHAKE, Stage.EHLO_TLS, Stage.MAIL_TLS})


def policy_plan(request: SessionRequest) -> Plan:
    """The connections that decide the Postfix levels of an endpoint with STARTTLS. `request` is the first one.

    A session that ends at MAIL in clear never came to STARTTLS: the next one leaves that question out.
    """
    left = POLICY_BUDGET - 1
    first = yield request
    if first.failure is not None and first.failure.stage is Stage.MAIL:
        request = msgspec.structs.replace(request, mail_in_clear=False)
        left -= 1
        first = yield request
    if _must_be_confirmed(first):
        yield request
        return
    if not _is_broken_behind_starttls(first):
        return
    second = yield msgspec.structs.replace(request, hello=HelloStyle.CLASSIC)
    if left > 1 and _leaves_level1_open(first, second):
        yield msgspec.structs.replace(request, hello=HelloStyle.CLASSIC_LEVEL1)
    elif left > 1 and second.is_refused_by_tls and not first.is_refused_by_tls:
        yield request


def _leaves_level1_open(first: SessionFacts, second: SessionFacts) -> bool:
    """Whether the small hello worked in a way that level 1 may allow too.

    An anonymous suite is chosen by servers that have a certificate as well, where it is offered; it explains a failure
    at level 1 only where TLS itself failed there.
    """
    handshake = second.handshake
    if second.failure is not None or handshake is None or handshake.version not in LEVEL1_VERSIONS:
        return False
    lost = first.failure is not None and first.failure.kind is not Kind.TLS
    return bool(handshake.chain) or lost


def plan_of(request: SessionRequest) -> Plan:
    """The plan for an endpoint. Where TLS begins at once (465) there is nothing to confirm: one connection.

    With a server name, by which published policy is judged, a second connection looks for a second chain.
    """
    if request.sni:
        yield from named_plan(request)
    elif request.transport is Transport.IMPLICIT:
        yield request
    else:
        yield from policy_plan(request)


def named_plan(request: SessionRequest) -> Plan:
    """The usual session, or what its failure makes necessary; then one for a certificate with the other kind of key."""
    plan = plan_of(msgspec.structs.replace(request, sni=""))
    wanted = next(plan)
    chain_seen = False
    while True:
        seen = yield msgspec.structs.replace(wanted, sni=request.sni)
        chain_seen |= seen.handshake is not None and seen.failure is None
        try:
            wanted = plan.send(seen)
        except StopIteration:
            break
    if chain_seen:
        other = HelloStyle.RSA_CHAIN if _is_ecdsa(seen) else HelloStyle.ECDSA_CHAIN
        yield msgspec.structs.replace(request, hello=other)


def _is_ecdsa(session: SessionFacts) -> bool:
    return session.handshake is not None and session.handshake.leaf_key == "EC"


def tls_plan_of(depth: Depth) -> TlsPlan:
    """The plan for what the TLS of an endpoint is able to do, at a depth beyond the grade."""
    return full_plan() if depth is Depth.FULL else standard_plan()


def _must_be_confirmed(session: SessionFacts) -> bool:
    """STARTTLS not offered, or refused: a "no" that counts only when a second session says the same."""
    accepted_hello = any(r is not None and r.severity == 2 for r in (session.ehlo, session.helo))
    if session.starttls is None:
        return session.failure is None and accepted_hello
    if session.failure is None or session.failure.stage is not Stage.STARTTLS:
        return False
    return session.failure.reply is not None or session.starttls.severity == 5


def _is_broken_behind_starttls(session: SessionFacts) -> bool:
    """TLS was started and did not work. A 4xx inside TLS is the server's mood and no reason to come again."""
    failure = session.failure
    if failure is None:
        return session.mail_tls is not None and session.mail_tls.severity == 5
    return failure.stage in _BROKEN and failure.kind is not Kind.TEMPORARY
