"""Less knowledge never says something else: what a judgement decides of part of the facts stands when all are known."""

from functools import cache

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.baseline import Baseline, shipped, shipped_baseline
from audits.evaluate import Evaluator
from audits.findings import SEVERITY, Verdict
from scanner.answers import Fact
from scanner.facts import EndpointFacts
from scanner.wire.registry import suite_code
from scanner.wire_facts import ClassFacts, DhFacts, Preference, TlsFacts, VersionFacts
from tests.audits.session_factory import GOOD, asked
from tests.audits.views_factory import domain_view, with_tls

ABOUT_TLS = ("audits.rules.tls_",)
SUITES12 = (
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_EXPORT_WITH_RC4_40_MD5",
)
SUITES13 = ("TLS_AES_256_GCM_SHA384", "TLS_AES_128_CCM_8_SHA256")
GROUPS = ("X25519MLKEM768", "x25519", "secp256r1", "secp192r1", "ffdhe2048")
SINGLES = (
    "extended_master_secret", "secure_renegotiation", "encrypt_then_mac", "compression", "truncated_hmac", "heartbeat",
    "client_certificate", "downgrade_sentinel", "fallback_scsv", "sha1_signatures", "large_hello",
)  # fmt: skip
SETTLED = st.sampled_from([Fact.YES, Fact.NO])
OPEN = st.sampled_from([Fact.INCONCLUSIVE, Fact.NOT_TESTED])


@cache
def baselines() -> tuple[Baseline, ...]:
    """The shipped baselines with their questions about TLS."""
    found = []
    for id in shipped():
        whole = shipped_baseline(id)
        questions = tuple(q for q in whole.questions if q.rule.module.startswith(ABOUT_TLS))
        found.append(msgspec.structs.replace(whole, questions=questions))
    return tuple(found)


@st.composite
def version_facts(draw, name: str) -> VersionFacts:
    """A version of which everything is known."""
    suites, groups = (SUITES13, GROUPS) if name == "TLSv1.3" else (SUITES12, GROUPS[1:])
    accepted = draw(st.lists(st.sampled_from(suites), unique=True, max_size=4))
    if not accepted:
        return VersionFacts(version=name, offered=Fact.NO)
    return VersionFacts(
        version=name,
        offered=Fact.YES,
        suites=tuple(accepted),
        complete=True,
        preference=draw(st.sampled_from([Preference.SERVER, Preference.CLIENT]))
        if accepted[1:]
        else Preference.UNKNOWN,
        groups=tuple(draw(st.lists(st.sampled_from(groups), unique=True, min_size=1))),
        groups_complete=True,
    )


@st.composite
def everything_known(draw) -> TlsFacts:
    versions = tuple(draw(version_facts(name)) for name in ("TLSv1.3", "TLSv1.2", "TLSv1.0"))
    accepted = {suite for version in versions for suite in version.suites}
    export = Fact.YES if any("_EXPORT_" in name for name in accepted) else Fact.NO
    bits = draw(st.sampled_from([512, 1024, 2048, 4096]))
    prime = DhFacts(bits, "", "ab" * 32, 2, True, ("TLSv1.2",), SUITES12[3])
    old = [VersionFacts(version=name, offered=draw(SETTLED)) for name in ("TLSv1.1", "SSLv3", "SSLv2")]
    return TlsFacts(
        versions=(*versions[:2], *old[:1], versions[2], *old[1:]),
        classes=(ClassFacts("export", export),),
        dh=(prime,) if any("_DHE_" in name for name in accepted) else (),
        complete=True,
        **{name: draw(SETTLED) for name in SINGLES},
    )


@st.composite
def with_less(draw, whole: TlsFacts) -> TlsFacts:
    """The same server, asked less of."""
    versions = tuple(draw(_less_of_version(version)) for version in whole.versions)
    singles = {name: draw(OPEN) if draw(st.booleans()) else getattr(whole, name) for name in SINGLES}
    lost = any(len(part.suites) < len(all_.suites) for part, all_ in zip(versions, whole.versions, strict=True))
    classes = () if lost or draw(st.booleans()) else whole.classes
    return msgspec.structs.replace(
        whole, versions=versions, classes=classes, dh=() if lost else whole.dh, complete=False, **singles
    )


@st.composite
def _less_of_version(draw, whole: VersionFacts) -> VersionFacts:
    if draw(st.integers(0, 3)) == 0:
        return VersionFacts(version=whole.version, offered=draw(OPEN))
    if whole.offered is not Fact.YES or not whole.suites:
        return whole
    suites = SUITES13 if whole.version == "TLSv1.3" else SUITES12
    forgotten = set(draw(st.lists(st.sampled_from(suites), unique=True, max_size=3))) - {whole.suites[0]}
    groups = tuple(draw(st.lists(st.sampled_from(whole.groups), unique=True)))
    left = tuple(name for name in whole.suites if name not in forgotten)
    return msgspec.structs.replace(
        whole,
        suites=left,
        unsettled=tuple(code for code in map(suite_code, sorted(forgotten)) if code is not None),
        complete=not forgotten,
        preference=whole.preference if left[1:] and draw(st.booleans()) else Preference.UNKNOWN,
        groups=groups if draw(st.booleans()) else whole.groups,
        groups_complete=False,
    )


def judged(seen: EndpointFacts) -> dict[tuple[str, str], Verdict]:
    findings = Evaluator(baselines()).judge(domain_view(seen)).findings
    return {(finding.baseline, finding.requirement): finding.verdict for finding in findings}


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_what_is_decided_of_less_stands_when_all_is_known(data):
    whole = data.draw(everything_known())
    # The handshakes of the grade are left out, so that the hellos alone speak.
    seen = msgspec.structs.replace(asked(GOOD), tls=whole)
    session = msgspec.structs.replace(seen.sessions[0], handshake=None)
    seen = msgspec.structs.replace(seen, sessions=(session,))
    all_known = judged(seen)
    for id, verdict in judged(with_tls(seen, data.draw(with_less(whole)))).items():
        if verdict in SEVERITY:
            assert all_known[id] in (verdict, Verdict.NOT_APPLICABLE), id


def test_the_law_speaks_of_many_requirements():
    assert sum(len(baseline.questions) for baseline in baselines()) > 100
