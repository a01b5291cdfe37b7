"""One host at one level: the words of the reference, section 2, on scripted servers with real certificates."""

from datetime import timedelta

import msgspec
import pytest

from audits.postfix.resolution import Attribute, Engine, Reason, Resolution, Rule
from audits.postfix.tls_levels import TlsLevel
from audits.simulate.delivery import step_at
from audits.simulate.outcomes import Step
from scanner.facts import EndpointRef
from scanner.failures import Kind as Failing
from scanner.failures import ProbeFailure, Stage
from tests.audits.session_factory import (
    BROKEN_TLS,
    DEMANDS_TLS,
    MX,
    NO_CERTIFICATE,
    NO_TLS,
    OLD_TLS,
    SILENT,
    Server,
    handshake,
    reply,
)
from tests.audits.simulate.scripted_world import (
    CA,
    SELF_SIGNED,
    UNTRUSTED,
    WEAK,
    WRONG_NAME,
    facts_at,
    meeting,
    sender,
    server,
    told,
)
from tests.certificate_factory import SEEN, leaf

LEVELS = (TlsLevel.NONE, TlsLevel.MAY, TlsLevel.ENCRYPT, TlsLevel.VERIFY)
REFUSED_IN_TLS = server(mail_tls=reply(550))


def at(level: TlsLevel, *servers: Server, text: str = "", attributes: tuple[Attribute, ...] = ()) -> Step:
    resolution = Resolution(level, (), attributes=attributes)
    return step_at(sender(text), resolution, meeting(facts_at(*servers)))


@pytest.mark.parametrize(
    ("servers", "expected"),
    [
        ([server()], ["clear", "tls Trusted", "tls Trusted", "tls Verified"]),
        ([server(UNTRUSTED)], ["clear", "tls Untrusted", "tls Untrusted", "next-mx Untrusted"]),
        ([server(SELF_SIGNED)], ["clear", "tls Untrusted", "tls Untrusted", "next-mx Untrusted"]),
        ([server(WRONG_NAME)], ["clear", "tls Trusted", "tls Trusted", "next-mx Untrusted"]),
        ([server(WEAK)], ["clear", "tls Trusted", "tls Trusted", "next-mx Untrusted"]),
        ([NO_TLS], ["clear", "clear", "next-mx", "next-mx"]),
        ([msgspec.structs.replace(server(), starttls=reply(502))], ["clear", "clear", "bounced", "bounced"]),
        ([msgspec.structs.replace(server(), starttls=reply(454))], ["clear", "clear", "unknown", "unknown"]),
        ([BROKEN_TLS], ["clear", "next-mx, later clear", "next-mx", "next-mx"]),
        ([REFUSED_IN_TLS], ["clear", "bounced Trusted", "bounced Trusted", "bounced Verified"]),
        ([server(UNTRUSTED, mail_tls=reply(550))], ["clear", *["bounced Untrusted"] * 2, "next-mx Untrusted"]),
        ([DEMANDS_TLS], ["bounced", "tls unknown", "tls unknown", "unknown unknown"]),
        ([server(mail=reply(450))], ["unknown", "tls Trusted", "tls Trusted", "tls Verified"]),
        ([SILENT], ["next-mx"] * 4),
        ([OLD_TLS], ["clear", "tls unknown", "tls unknown", "next-mx"]),
        ([NO_CERTIFICATE], ["clear", "tls unknown", "tls unknown", "next-mx"]),
    ],
)
def test_a_server_at_the_four_levels(servers: list[Server], expected: list[str]) -> None:
    assert [told(at(level, *servers)) for level in LEVELS] == expected


def test_a_certificate_that_ended_since_the_scan_proves_nothing() -> None:
    """Neither that it verifies nor that it does not: it may have been renewed."""
    brief = (leaf(CA, MX, not_after=SEEN + timedelta(days=20)).facts,)
    there = meeting(msgspec.structs.replace(facts_at(server(brief)), certificates=brief))
    for days, expected in ((19, "tls Verified"), (21, "unknown unknown")):
        later = msgspec.structs.replace(sender(), now=SEEN + timedelta(days=days))
        assert told(step_at(later, Resolution(TlsLevel.VERIFY, ()), there)) == expected
        assert told(step_at(later, Resolution(TlsLevel.ENCRYPT, ()), there)) == "tls Trusted"


def test_without_trust_anchors_nothing_is_verified() -> None:
    step = at(TlsLevel.VERIFY, server(), text="smtp_tls_CAfile =\n")
    assert told(step) == "next-mx Untrusted"
    assert step.why is not None
    assert step.why.cause == "no-trust-anchors"
    assert told(at(TlsLevel.MAY, server(), text="smtp_tls_CAfile =\n")) == "tls Untrusted"


def test_protocols_that_do_not_meet_are_a_failed_handshake() -> None:
    """Also where the server would refuse the mail inside TLS: it does not come so far."""
    only_13 = "smtp_tls_protocols = TLSv1.3\nsmtp_tls_mandatory_protocols = TLSv1.3\n"
    old = msgspec.structs.replace(OLD_TLS, mail_tls=reply(550))
    assert [told(at(level, old, text=only_13)) for level in LEVELS] == [
        *("clear", "next-mx, later clear", "next-mx", "next-mx")
    ]


def test_an_old_server_is_told_from_one_without_a_certificate() -> None:
    old = at(TlsLevel.VERIFY, msgspec.structs.replace(OLD_TLS, classic=handshake("TLSv1", ()))).why
    bare = at(TlsLevel.VERIFY, NO_CERTIFICATE).why
    assert old is not None
    assert bare is not None
    assert (old.cause, bare.cause) == ("no-common-protocol", "no-certificate")


def test_before_postfix_3_nothing_goes_in_clear_behind_broken_tls() -> None:
    step = step_at(sender(engine=Engine.PATCHED), Resolution(TlsLevel.MAY, ()), meeting(facts_at(BROKEN_TLS)))
    assert (told(step), step.later) == ("next-mx", None)


def test_a_policy_that_is_no_policy_skips_the_host() -> None:
    resolution = Resolution(TlsLevel.INVALID, (Reason(Rule.UNKNOWN_VALUE, "no such level"),))
    step = step_at(sender(), resolution, meeting(facts_at(server())))
    assert told(step) == "next-mx"
    assert str(step.why) == "policy-invalid: no such level"


def test_what_was_not_scanned_is_unknown() -> None:
    facts = facts_at(server())
    there = meeting(facts)
    nobody = step_at(sender(), Resolution(TlsLevel.MAY, ()), msgspec.structs.replace(there, facts=None))
    excluded = EndpointRef(MX, 10, facts.endpoint, failure=ProbeFailure(Stage.CONNECT, Failing.EXCLUDED))
    left_alone = step_at(sender(), Resolution(TlsLevel.MAY, ()), meeting(facts, ref=excluded))
    assert [told(nobody), told(left_alone)] == ["unknown", "unknown"]
    assert left_alone.why is not None
    assert left_alone.why.detail == "connect: excluded"


def test_a_host_that_was_silent_says_so() -> None:
    step = at(TlsLevel.MAY, SILENT)
    assert step.silent
    assert not at(TlsLevel.MAY, server()).silent


def test_a_server_name_needs_a_handshake_with_it() -> None:
    name = (Attribute("servername", "mx.example.org"),)
    assert told(at(TlsLevel.MAY, server(), attributes=name)) == "unknown"
    assert told(at(TlsLevel.MAY, NO_TLS, attributes=name)) == "clear"
    named = {"mx.example.org": facts_at(server(UNTRUSTED))}
    resolution = Resolution(TlsLevel.MAY, (), attributes=name)
    assert told(step_at(sender(), resolution, meeting(facts_at(server()), named=named))) == "tls Untrusted"


def test_the_name_of_the_host_is_sent_where_main_cf_says_so() -> None:
    """A host that shows its own certificate only to clients that ask for it by name."""
    there = meeting(facts_at(server(WRONG_NAME)), named={MX: facts_at(server())})
    words = {"": "next-mx Untrusted", "hostname": "tls Verified", "nexthop": "unknown"}
    for word, expected in words.items():
        who = sender(f"smtp_tls_servername = {word}\n")
        assert told(step_at(who, Resolution(TlsLevel.VERIFY, ()), there)) == expected


def test_tls_at_once() -> None:
    wrapped = "smtp_tls_wrappermode = yes\n"
    implicit = meeting(facts_at(server(), port=465))
    at_465 = [step_at(sender(wrapped), Resolution(level, ()), implicit) for level in LEVELS]
    assert [told(step) for step in at_465] == ["next-mx", "next-mx", "tls Trusted", "tls Verified"]
    assert told(step_at(sender(), Resolution(TlsLevel.MAY, ()), implicit)) == "next-mx"
    assert told(at(TlsLevel.ENCRYPT, server(), text=wrapped)) == "next-mx"
