"""Which cipher suites a server accepts."""

from audits.established.tls_abilities import AcceptedSuites
from audits.rules.tls_suites import SuiteLabels, SuitesAtLeast, excluded_classes, recommended_suite
from tests.audits.rules.examples import Examples

GOOD = "TLS_AES_256_GCM_SHA384"
CHACHA = "TLS_CHACHA20_POLY1305_SHA256"
BAD = "TLS_RSA_WITH_RC4_128_SHA"
NONE: frozenset[str] = frozenset()


def accepting(*names: str, unsettled: frozenset[str] = NONE, only_handshakes: bool = False) -> AcceptedSuites:
    versions: dict[str, tuple[str, ...]] = {}
    for name in names:
        version = "TLSv1.2" if "_WITH_" in name else "TLSv1.3"
        versions[version] = (*versions.get(version, ()), name)
    return AcceptedSuites(versions, unsettled, only_handshakes)


EXAMPLES = {
    "CIPHER-001": Examples(
        expects={"patterns": ["*_RC4_*", "TLS_RSA_*"], "unless": ["TLS_RSA_PSK_*"]},
        passes=(accepting(GOOD), accepting("TLS_RSA_PSK_WITH_AES_128_CCM")),
        fails=(accepting(BAD), accepting(BAD, only_handshakes=True), accepting(BAD, unsettled=frozenset({BAD}))),
        opens=(accepting(GOOD, unsettled=frozenset({BAD})), accepting(GOOD, only_handshakes=True)),
    ),
    "CIPHER-002": Examples(
        expects={"patterns": ["TLS_AES_*"], "unless": ["*_CCM_*"]},
        passes=(accepting(GOOD), accepting(GOOD, unsettled=frozenset({"TLS_AES_128_GCM_SHA256"}))),
        fails=(accepting(GOOD, CHACHA), accepting("TLS_AES_128_CCM_8_SHA256"), accepting(BAD, only_handshakes=True)),
        opens=(accepting(GOOD, unsettled=frozenset({CHACHA})), accepting(GOOD, only_handshakes=True)),
    ),
    "CIPHER-003": Examples(
        expects={"any_of": [CHACHA, "*_RC4_*"], "versions": ["TLSv1.3"]},
        passes=(accepting(GOOD, CHACHA), accepting(CHACHA, only_handshakes=True)),
        fails=(accepting(GOOD), accepting(GOOD, BAD)),
        opens=(accepting(GOOD, unsettled=frozenset({CHACHA})), accepting(GOOD, only_handshakes=True)),
    ),
    "CIPHER-004": Examples(
        expects={"classes": {"RC4": ["*_RC4_*"], "aNULL": ["*_anon_*"]}},
        passes=(accepting(GOOD),),
        fails=(accepting(GOOD, BAD), accepting(BAD, only_handshakes=True)),
        opens=(accepting(GOOD, unsettled=frozenset({BAD})), accepting(GOOD, only_handshakes=True)),
    ),
}


def test_a_version_that_is_not_spoken_asks_for_no_suite():
    assert not [*recommended_suite.ask(accepting(BAD), SuitesAtLeast((CHACHA,), ("TLSv1.3",)))]


def test_each_excluded_class_is_told_by_itself():
    wants = SuiteLabels({"RC4": ("*_RC4_*",), "aNULL": ("*_anon_*",), "EXPORT": ("*_EXPORT*",)})
    seen = accepting(BAD, unsettled=frozenset({"TLS_DH_anon_WITH_AES_128_CBC_SHA"}))
    told = [(item.met.value, item.evidence) for item in excluded_classes.ask(seen, wants)]
    assert told == [("no", f"RC4: {BAD}"), ("inconclusive", "aNULL: not known"), ("yes", "EXPORT: none")]
