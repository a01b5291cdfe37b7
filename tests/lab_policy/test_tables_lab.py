"""Tables, policy maps and settings of every kind against the real smtp(8): the level, and what it warns about."""

import re
from collections.abc import Iterator, Mapping

import pytest
from msgspec import Struct

from audits.postfix.lint import Kind, lint_table
from audits.postfix.main_cf import parse_main_cf
from audits.postfix.resolution import Resolution
from audits.postfix.resolve import configuration, resolve
from audits.postfix.tls_levels import TlsLevel

from .world import OFFERS, PLAIN, RECEIVERS, Delivery, level_of, names_of, send, world

pytestmark = pytest.mark.lab

FOLDER = "/tables"
ENTRIES = [
    "none", "may", "encrypt", "verify", "secure", "MAY", "dane", "dane-only", "fingerprint",
    "fingerprint match=AA:BB|CC:DD", "secure match=example.net:nexthop", "verify match=hostname",
    "may ciphers=high exclude=aNULL:MD5", "encrypt, protocols=>=TLSv1.2", "encrypt servername=mx.example.org",
    "encrypt connection_reuse=no", "none ciphers=high", "encrypt exclude=EDH-RSA-DES-CDC3-SHA",
    ",", "MUST", "half-dane", "encrypt # comment", "encrypt ciphers", "encrypt ciphers = high", "encrypt cipher=high",
    "encrypt {ciphers = high}", "encrypt ciphers=", "secure match=", "secure tafile=", "encrypt match=example.org",
    "dane match=example.org", "encrypt tafile=/a.pem", "encrypt ciphers=high ciphers=high",
    "encrypt protocols=TLSv1.2 protocols=TLSv1.2", "encrypt exclude=MD5 exclude=MD5",
    "encrypt servername=a.example servername=a.example", "encrypt servername=", "encrypt servername=[a]",
    "encrypt servername=192.0.2.1", "encrypt connection_reuse=maybe", "encrypt policy_type=sts",
    "encrypt enable_rpk=yes", "fingerprint match=zz", "fingerprint match=|", "fingerprint match=AA:BB:",
]  # fmt: skip
SITE_VALUES = ["MUST extra", "encrypt", "OK", "MUST # why", "must", "None"]
ENTRY_LABELS = {f"p{number}": value for number, value in enumerate(ENTRIES)}
SITE_LABELS = {f"v{number}": value for number, value in enumerate(SITE_VALUES)}
WORDS = ("none", "may", "must", "must-nopeermatch")
LABELS = [*ENTRY_LABELS, *SITE_LABELS, *WORDS, "sub.parent", "parent"]


def lines(labels: Mapping[str, str], which: int = 0) -> str:
    """A table: the domains (0) or the MX hosts (1) of the labels, with their values."""
    rows = [(names_of(label, placed)[which], value) for label, value in labels.items() for placed in RECEIVERS]
    return "".join(f"{key} {value}\n" for key, value in rows)


FILES = {
    "policy": lines(ENTRY_LABELS),
    "parents": ".offers.test none\n.parent.offers.test encrypt\n.parent.plain.test encrypt\n.test may\n",
    "site": lines(SITE_LABELS) + lines({"must": "NONE"}, 1),
    "site-host": lines(SITE_LABELS, 1),
    "twice": "unrelated.example MUST\nUNRELATED.example MAY\n",
    "words.pcre": r"/^(?:mx-)?(none|may|must)\.[a-z]+\.test$/ $1"
    + "\n"
    + r"/^mx-must-nopeermatch\./ MUST_NOPEERMATCH"
    + "\n",
    "words.regexp": "if /test$/\n!/^(mx-)?(may|p[0-9]+)[.]/ MUST\nendif\n/^P[0-9]\\./ must_nopeermatch\n",
}
SENDERS = {
    "policy": {"smtp_tls_policy_maps": "texthash:{folder}/policy"},
    "parents": {"smtp_tls_policy_maps": "texthash:{folder}/parents", "smtp_tls_security_level": "verify"},
    "site": {"smtp_tls_per_site": "texthash:{folder}/site", "smtp_tls_security_level": "may"},
    "sitehost": {"smtp_tls_per_site": "texthash:{folder}/site-host", "smtp_use_tls": "yes"},
    "twice": {"smtp_tls_per_site": "texthash:{folder}/twice", "smtp_tls_security_level": "may"},
    "twicepolicy": {"smtp_tls_policy_maps": "texthash:{folder}/twice", "smtp_tls_security_level": "may"},
    "pcre": {"smtp_tls_per_site": "pcre:{folder}/words.pcre", "smtp_tls_security_level": "encrypt"},
    "regexp": {"smtp_tls_per_site": "regexp:{folder}/words.regexp", "smtp_use_tls": "yes"},
    "hidden": {"smtp_tls_policy_maps": "inline:{example.org=may}", "smtp_tls_per_site": "static:MUST"},
    "comma": {"smtp_tls_policy_maps": ",", "smtp_tls_per_site": "static:MUST", "smtp_tls_security_level": "encrypt"},
    "static": {"smtp_tls_per_site": "static:MAY", "smtp_tls_security_level": "encrypt"},
    "emptyvalue": {"smtp_tls_per_site": "inline:{{may.offers.test=} {may.plain.test=}}", "smtp_use_tls": "yes"},
    "dane": {"smtp_tls_security_level": "dane"},
    "daneonly": {"smtp_tls_security_level": "dane-only"},
    "fingerprint": {"smtp_tls_security_level": "fingerprint"},
    "servername": {"smtp_tls_security_level": "may", "smtp_tls_servername": "[mx]"},
    "lowers": {"smtp_tls_security_level": "secure", "smtp_tls_per_site": "static:MUST_NOPEERMATCH"},
    "second": {"smtp_tls_per_site": "inline:{may.offers.test=NONE} static:MUST", "smtp_tls_security_level": "may"},
}  # fmt: skip
SHOWN_AS = {TlsLevel.SECURE: TlsLevel.VERIFY, TlsLevel.FINGERPRINT: TlsLevel.VERIFY}
"""Levels that two unverifiable receivers cannot tell apart."""


class Observed(Struct, frozen=True):
    """The deliveries by sender and label, offers first; and the sender's log."""

    deliveries: dict[tuple[str, str], tuple[Delivery, Delivery]]
    log: tuple[str, ...]


@pytest.fixture(scope="module")
def observed() -> Iterator[Observed]:
    with world(LABELS, SENDERS, FILES) as running:
        domains = [names_of(label, placed)[0] for label in LABELS for placed in RECEIVERS]
        found = send(running, dict.fromkeys(SENDERS, domains))
        deliveries = {
            (sender, label): (found[sender, names_of(label, OFFERS)[0]], found[sender, names_of(label, PLAIN)[0]])
            for sender in SENDERS
            for label in LABELS
        }
        yield Observed(deliveries, tuple(running.log_lines()))


def resolved(sender: str, label: str) -> list[Resolution]:
    """Our resolutions for the two domains of a label, as the sender is configured."""
    settings = {name: value.replace("{folder}", FOLDER) for name, value in SENDERS[sender].items()}
    main_cf = parse_main_cf("compatibility_level = 3.6\n", "main.cf").with_settings(settings)
    config = configuration(main_cf, reader=lambda path: FILES[path.removeprefix(f"{FOLDER}/")])
    return [resolve(config, *names_of(label, placed)) for placed in RECEIVERS]


def predicted(sender: str, label: str) -> str:
    """What the two deliveries will look like, by our resolution."""
    shown = set()
    for resolution in resolved(sender, label):
        level = SHOWN_AS.get(resolution.level, resolution.level)
        shown.add(f"invalid {resolution.status}" if level is TlsLevel.INVALID else str(level))
    return shown.pop() if len(shown) == 1 else f"differs: {sorted(shown)}"


ONE_SIDED = {("parents", label) for label in LABELS} | {("second", "may")}
"""Cases in which the two receivers have different levels; told by the deliveries one by one."""


def test_every_table_gives_the_level_that_we_resolve(observed: Observed) -> None:
    both = {key: value for key, value in observed.deliveries.items() if key not in ONE_SIDED}
    theirs = {key: level_of(*deliveries) for key, deliveries in both.items()}
    ours = {key: predicted(*key) for key in both}
    assert {key: (theirs[key], ours[key]) for key in both if theirs[key] != ours[key]} == {}
    assert {"none", "may", "encrypt", "verify", "invalid 4.7.5", "invalid 4.3.0"} == set(theirs.values())


def test_cases_with_two_levels(observed: Observed) -> None:
    for sender, label in ONE_SIDED:
        for delivery, resolution, placed in zip(
            observed.deliveries[sender, label], resolved(sender, label), RECEIVERS, strict=True
        ):
            offered = placed is OFFERS
            expected = {
                TlsLevel.NONE: ("sent", "clear"),
                TlsLevel.MAY: ("sent", "tls" if offered else "clear"),
                TlsLevel.ENCRYPT: ("sent", "tls") if offered else ("deferred", ""),
                TlsLevel.VERIFY: ("deferred", ""),
            }[resolution.level]
            assert ((sender, label, placed.state.name), (delivery.status, delivery.arrived)) == (
                (sender, label, placed.state.name),
                expected,
            )


WARNING = re.compile(r'warning: smtp_tls_(?:policy_maps|per_site)[,:] .*?(?:destination|hostname) "?([^\s":]+)"?')
SITE_WARNING = re.compile(
    r"warning: smtp_tls_per_site: unknown TLS policy '.*' for (?:next-hop destination|server hostname) (\S+)"
)


def test_every_entry_that_smtp_warns_about_is_named_by_the_linter(observed: Observed) -> None:
    """And no entry is an error for the linter alone, but for what the documents of the checks say."""
    warned = {match[1] for line in observed.log if "lab/policy/" in line and (match := WARNING.search(line))}
    keys = FILES["policy"].splitlines()
    messages = lint_table(FILES["policy"], "policy", Kind.POLICY_MAPS)
    named = {keys[message.line - 1].partition(" ")[0] for message in messages}
    assert len(warned) > 40
    assert warned <= named
    errors = {message.id for message in messages if keys[message.line - 1].partition(" ")[0] not in warned}
    assert errors <= {"policy-exclude", "policy-no-fingerprint", "policy-fingerprint", "policy-match-hostname"}


def test_every_per_site_value_that_smtp_warns_about_is_named_by_the_linter(observed: Observed) -> None:
    warned = {match[1] for line in observed.log if "lab/site/" in line and (match := SITE_WARNING.search(line))}
    keys = FILES["site"].splitlines()
    messages = lint_table(FILES["site"], "site", Kind.PER_SITE)
    assert warned == {keys[message.line - 1].partition(" ")[0] for message in messages}
    assert len(warned) == 8


def test_a_texthash_table_with_a_duplicate_fails_for_every_key(observed: Observed) -> None:
    assert any("duplicate entry" in line for line in observed.log if "lab/twice" in line)
    assert {observed.deliveries["twice", label][0].dsn for label in LABELS} == {"4.3.0"}
    assert [message.id for message in lint_table(FILES["twice"], "twice", Kind.PER_SITE, type="texthash")] == [
        "table-duplicate"
    ]
