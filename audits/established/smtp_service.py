"""What a server says and does in SMTP: STARTTLS, keywords before and inside TLS, mail in clear (RFC 3207)."""

from collections.abc import Iterator
from typing import Self

import msgspec

from audits.established.views import EndpointView, Inapplicable, Missing
from audits.sessions import Starttls
from audits.verdicts import State
from scanner.answers import Fact
from scanner.facts import SessionFacts, Transport
from scanner.failures import SmtpReply
from scanner.tls_facts import OTHER_CHAINS

_TLS_REQUIRED = 530
"""RFC 3207 section 4: "Must issue a STARTTLS command first"."""


class StarttlsService(msgspec.Struct, frozen=True):
    """Whether STARTTLS is announced, and whether a whole session inside TLS works where it is."""

    announced: Fact
    works: Fact
    evidence: str

    @classmethod
    def of_endpoint(cls, view: EndpointView) -> Self | Missing | Inapplicable:
        verdict = view.verdict
        if trouble := _unasked(view):
            return trouble
        if verdict.ref.endpoint.transport is Transport.IMPLICIT:
            return Inapplicable("TLS begins at once on this port")
        seen = verdict.seen
        if seen is None or not seen.answered:
            return Missing(_why(view))
        said = "; ".join(str(each) for each in (seen.starttls_trouble, seen.tls_trouble) if each)
        evidence = f"STARTTLS {seen.starttls}" + (f" ({said})" if said else "")
        match seen.starttls:
            case Starttls.NOT_OFFERED:
                return cls(Fact.NO, Fact.NOT_TESTED, "EHLO shows no STARTTLS")
            case Starttls.REFUSED | Starttls.REFUSED_AND_CLOSED:
                return cls(Fact.YES, Fact.NO, evidence)
            case Starttls.ACCEPTED:
                return cls(Fact.YES, seen.tls0, evidence)
        return cls(_announced(view), Fact.INCONCLUSIVE, evidence)


class ClearKeywords(msgspec.Struct, frozen=True):
    """The EHLO keywords that were announced before TLS, of all sessions."""

    keywords: tuple[str, ...]

    @classmethod
    def of_endpoint(cls, view: EndpointView) -> Self | Missing | Inapplicable:
        if trouble := _unasked(view):
            return trouble
        if view.verdict.ref.endpoint.transport is Transport.IMPLICIT:
            return Inapplicable("TLS begins at once on this port")
        replies = [session.ehlo for session in _sessions(view)]
        return cls(_keywords(replies)) if any(map(_accepted, replies)) else Missing(_why(view))


class InnerKeywords(msgspec.Struct, frozen=True):
    """The EHLO keywords that were announced inside TLS, of all sessions."""

    keywords: tuple[str, ...]

    @classmethod
    def of_endpoint(cls, view: EndpointView) -> Self | Missing | Inapplicable:
        if trouble := _unasked(view):
            return trouble
        replies = [session.ehlo_tls for session in _sessions(view)]
        if any(map(_accepted, replies)):
            return cls(_keywords(replies))
        return view.unanswered() or Missing("EHLO was not answered inside TLS")


class ClearMail(msgspec.Struct, frozen=True):
    """Whether mail in clear text is taken (MAIL FROM:<>, only with --envelope); "no" where TLS is demanded first."""

    taken: Fact
    evidence: str

    @classmethod
    def of_endpoint(cls, view: EndpointView) -> Self | Missing | Inapplicable:
        if trouble := _unasked(view):
            return trouble
        if view.verdict.ref.endpoint.transport is Transport.IMPLICIT:
            return Inapplicable("TLS begins at once on this port")
        replies = [session.mail_clear for session in _sessions(view) if session.mail_clear]
        if not replies:
            answered = view.verdict.seen is not None and view.verdict.seen.answered
            return Missing("nobody said MAIL in clear (--envelope does)" if answered else _why(view))
        words = "; ".join(dict.fromkeys(reply.text for reply in replies))
        demands = {reply.code == _TLS_REQUIRED for reply in replies}
        if demands == {True}:
            return cls(Fact.NO, words)
        return cls(Fact.YES if all(map(_accepted, replies)) else Fact.INCONCLUSIVE, words)


def _unasked(view: EndpointView) -> Missing | Inapplicable | None:
    """Why nothing was said at all; None where there were sessions."""
    if view.verdict.state is State.CLOSED or view.facts is None or not view.facts.sessions:
        return view.unanswered() or Missing(_why(view))
    return None


def _why(view: EndpointView) -> str:
    reason = view.verdict.reason
    if reason is not None:
        return f"{reason.cause}: {reason.detail}"
    failure = view.verdict.seen.failure if view.verdict.seen else None
    return str(failure or view.verdict.state)


def _sessions(view: EndpointView) -> Iterator[SessionFacts]:
    """Those with a hello that a sender makes, too."""
    for session in view.facts.sessions if view.facts else ():
        if session.hello not in OTHER_CHAINS:
            yield session


def _accepted(reply: SmtpReply | None) -> bool:
    return reply is not None and reply.severity == 2


def _keywords(replies: list[SmtpReply | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for reply in replies if reply and _accepted(reply) for word in reply.keywords))


def _announced(view: EndpointView) -> Fact:
    """Of what is not settled: announced where some EHLO shows it."""
    shown = any(_accepted(s.ehlo) and "STARTTLS" in (s.ehlo.keywords if s.ehlo else ()) for s in _sessions(view))
    return Fact.YES if shown else Fact.INCONCLUSIVE
