"""The walk over several MX hosts, clause by clause as Postfix 3.7 walks (its limits at their defaults)."""

from functools import cache
from itertools import accumulate, chain, pairwise, permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.grade import endpoint_verdict
from audits.levels import LEVELS, LevelAnswer
from audits.reasons import Cause, Reason
from audits.some_mx import ADDRESS_LIMIT, SESSION_LIMIT, some_mx_grade
from audits.verdicts import EndpointVerdict, Grade, State
from scanner.facts import Endpoint, EndpointRef, Fact
from scanner.failures import Kind
from tests.audits.session_factory import (
    BROKEN_TLS,
    DEMANDS_TLS,
    GOOD,
    NO_TLS,
    OLD_TLS,
    OTHER,
    Server,
    asked,
    handshake,
    reference,
    reply,
    trusting,
)

LETTERS = {
    "+": (Fact.YES, False, False),
    "-": (Fact.NO, False, False),
    "b": (Fact.NO, True, False),
    "l": (Fact.NO, False, True),
    "?": (Fact.INCONCLUSIVE, False, False),
    "B": (Fact.INCONCLUSIVE, True, False),
    "L": (Fact.INCONCLUSIVE, False, True),
}
"""For one level: sustained; not, and Postfix goes on to the next host; bounces; fails late, so that the session counts;
open, open though a 5xx was seen, open and late."""


def host(letters: str, preference: int) -> EndpointVerdict:
    """A host by its letters for the four levels; none where it did not answer."""
    ref = EndpointRef("mx.example.org", preference, Endpoint(f"192.0.2.{preference}", 25))
    answers = []
    for level, letter in zip(LEVELS, letters, strict=False):
        sustained, bounces, late = LETTERS[letter]
        reason = None if letter == "+" else Reason(Cause.UNANSWERED)
        answers.append(LevelAnswer(level, sustained, reason, bounces, late))
    return EndpointVerdict(ref, State.OK if answers else State.UNREACHABLE, tuple(answers))


def walk(hosts: str) -> Grade:
    """The grade over hosts in order of preference; "=" before one gives it the preference of the one before."""
    verdicts: list[EndpointVerdict] = []
    for word in hosts.split():
        preference = verdicts[-1].ref.preference if word.startswith("=") else 10 * len(verdicts) + 10
        verdicts.append(host("" if "." in word else word.removeprefix("="), preference))
    return some_mx_grade(verdicts)


WALKS = {
    # --- one host, several levels ----------------------------------------------------------------------------------
    "++++": "MUST",
    "+++-": "MUST_NOPEERMATCH",
    "++bb": "MAY",
    "+---": "NONE",
    "-+++": "MUST",
    "bbbb": "NO_MAIL",
    "????": "INCONCLUSIVE",
    "+++?": "INCONCLUSIVE",
    # --- the first host that sustains the level ----------------------------------------------------------------------
    "++++ ++--": "MUST",
    "++-- ++++": "MUST",
    "++-- +++-": "MUST_NOPEERMATCH",
    "+--- -+--": "MAY",
    "---- ---- ++++": "MUST",
    # --- a bounce ends the walk --------------------------------------------------------------------------------------
    "++bb ++++": "MAY",
    "+++- ++bb ++++": "MUST_NOPEERMATCH",
    "++++ bbbb": "MUST",
    "bbbb ++++": "NO_MAIL",
    "+bbb ++++": "NONE",
    # --- two sessions that fail late, none that fails at the handshake or the certificate ----------------------------
    "+++- +++- ++++": "MUST",
    "---- ---- ---- ++++": "MUST",
    "llll llll ++++": "NO_MAIL",
    "llll ++++": "MUST",
    "llll ---- llll ++++": "NO_MAIL",
    "llll ---- ---- ++++": "MUST",
    # --- five addresses, those that do not answer among them ---------------------------------------------------------
    "---- ---- ---- ---- ++++": "MUST",
    "---- ---- ---- ---- ---- ++++": "NO_MAIL",
    ". . . . ++++": "MUST",
    ". . . . . ++++": "INCONCLUSIVE",
    ". ---- ---- ---- ---- ++++": "INCONCLUSIVE",
    ". ++-- ++-- ++-- ++-- ++--": "MAY",
    ". . . . ++-- ++++": "INCONCLUSIVE",
    ". . bbbb . . . ++++": "NO_MAIL",
    ". .": "INCONCLUSIVE",
    "": "INCONCLUSIVE",
    # --- hosts that did not answer count for nothing else ------------------------------------------------------------
    ". ++++": "MUST",
    "++-- .": "MAY",
    "++-- . +++-": "MUST_NOPEERMATCH",
    # --- what is open ------------------------------------------------------------------------------------------------
    "++?? ++++": "MUST",
    "++++ ++??": "MUST",
    "++?? ++--": "INCONCLUSIVE",
    "++?? ++bb": "INCONCLUSIVE",
    "++BB ++++": "INCONCLUSIVE",
    "++LL ++++": "MUST",
    "++LL ++LL ++++": "INCONCLUSIVE",
    "++LL ++ll ++++": "INCONCLUSIVE",
    "++-- ++?? ++bb": "INCONCLUSIVE",
    # --- equal preferences in the worst order ------------------------------------------------------------------------
    "++++ =++bb": "MAY",
    "++bb =++++": "MAY",
    "++++ =++--": "MUST",
    "++++ =+++-": "MUST",
    "+++- =++++": "MUST",
    "++++ =llll =llll": "NO_MAIL",
    "llll =++++ =----": "MUST",
    "++++ =---- =---- =---- =---- =----": "NO_MAIL",
    "++++ =---- =---- =---- =----": "MUST",
    "++++ =++BB": "INCONCLUSIVE",
    "++?? =++bb": "MAY",
    "++?? =++-- =++-- =++-- =++-- =++--": "MAY",
    "++?? =++-- =++-- =++-- =++--": "INCONCLUSIVE",
    "++++ =. =++-- =++-- =++-- =++--": "INCONCLUSIVE",
    "++?? =. =. =. =. =++bb": "MAY",
    "++++ =.": "MUST",
    "++-- ++++ =++bb": "MAY",
    "++++ ++++ =++bb": "MUST",
}
"""NO_MAIL: no level delivers. In a row of dots nobody answers."""


@pytest.mark.parametrize("hosts", WALKS)
def test_a_walk(hosts):
    assert walk(hosts) == Grade(WALKS[hosts])


def test_the_limits_are_those_of_postfix():
    assert (ADDRESS_LIMIT, SESSION_LIMIT) == (5, 2)


# --- the same by brute force: every order that chance can give, every way in which an open question can turn out ----


@cache
def delivers(letters: str) -> bool:
    """Postfix with the hosts in this order, as many as it tries."""
    sessions = 0
    for letter in letters:
        if letter in "+b":
            return letter == "+"
        sessions += letter == "l"
        if sessions == SESSION_LIMIT:
            return False
    return False


WORLDS = {"?": "+-", "B": "+b", "L": "+l"}


def outcomes(groups: list[str]) -> set[bool]:
    """What comes out in the worst order, over all that the open questions may turn out to be."""
    worlds = product(*(WORLDS.get(letter, letter) for letter in "".join(groups)))
    edges = [0, *accumulate(map(len, groups))]
    found = set()
    for world in worlds:
        parts = [set(permutations(world[start:end])) for start, end in pairwise(edges)]
        found.add(all(delivers("".join(chain.from_iterable(order))[:ADDRESS_LIMIT]) for order in product(*parts)))
    return found


GROUPS = st.lists(st.text("+-bl?BL", min_size=1, max_size=3), min_size=1, max_size=4).filter(
    lambda groups: sum("".join(groups).count(letter) for letter in WORLDS) <= 5
)


@settings(deadline=None)
@given(GROUPS)
def test_the_grade_is_what_every_order_and_every_turn_of_an_open_question_has_in_common(groups):
    hosts = [host("---" + letter, preference) for preference, group in enumerate(groups) for letter in group]
    common = {(True,): Grade.MUST, (False,): Grade.NO_MAIL}.get(tuple(outcomes(groups)), Grade.INCONCLUSIVE)
    assert some_mx_grade(hosts) is common


@settings(deadline=None)
@given(GROUPS, st.randoms(use_true_random=False))
def test_the_order_of_endpoints_does_not_matter(groups, random):
    hosts = [host("".join(group * 4)[:4], number % 3) for number, group in enumerate(groups)]
    hosts += [host("", 1), host("", 2)]
    expected = some_mx_grade(hosts)
    random.shuffle(hosts)
    assert some_mx_grade(hosts) is expected


@settings(deadline=None)
@given(GROUPS, st.integers(0, 4))
def test_hosts_that_do_not_answer_never_change_a_level_into_another(groups, preference):
    """They may use up the addresses; then the grade is open, not lower."""
    hosts = [host("---" + letter, number) for number, group in enumerate(groups) for letter in group]
    with_silent = some_mx_grade([*hosts, host("", preference), host("", preference)])
    if with_silent is not Grade.INCONCLUSIVE:
        assert with_silent is some_mx_grade(hosts)


# --- with real states ----------------------------------------------------------------------------------------------

WRONG_NAME = Server(shake=handshake(chain=(OTHER,)))
REAL = {
    "no-tls-good": ((NO_TLS, GOOD), "MUST"),
    "good-no-tls": ((GOOD, NO_TLS), "MUST"),
    "421-good": ((Server(greeting=reply(421)), GOOD), "MUST"),
    "421-554": ((Server(greeting=reply(421)), Server(greeting=reply(554))), "INCONCLUSIVE"),
    "502-good": ((Server(starttls=reply(502)), GOOD), "MAY"),
    "good-502": ((GOOD, Server(starttls=reply(502))), "MUST"),
    "wrong-name-502-good": ((WRONG_NAME, Server(starttls=reply(502)), GOOD), "MUST_NOPEERMATCH"),
    "454-good": ((Server(starttls=reply(454)), GOOD), "MUST"),
    "starttls-421-close-good": ((Server(starttls=reply(421), reset_refused=Kind.CLOSED), GOOD), "MUST"),
    "broken-good": ((BROKEN_TLS, GOOD), "MUST"),
    "broken-no-tls": ((BROKEN_TLS, NO_TLS), "MAY"),
    "wrong-name-twice-good": ((WRONG_NAME, WRONG_NAME, GOOD), "MUST"),
    "old-twice-good": ((OLD_TLS, OLD_TLS, GOOD), "MUST"),
    "demanded-no-tls": ((DEMANDS_TLS, NO_TLS), "MUST"),
    "no-tls-demanded": ((NO_TLS, DEMANDS_TLS), "MUST"),
    "client-certificate-good": ((Server(ehlo_tls=Kind.TLS), GOOD), "MUST"),
    "inside-550-good": ((Server(mail_tls=reply(550)), GOOD), "NONE"),
    "inside-450-good": ((Server(mail_tls=reply(450)), GOOD), "MUST"),
    "inside-450-twice-good": ((Server(mail_tls=reply(450)), Server(mail_tls=reply(450)), GOOD), "INCONCLUSIVE"),
    "inside-close-good": ((Server(ehlo_tls=Kind.CLOSED), GOOD), "MUST"),
    "mail-550-good": ((Server(mail=reply(550), mail_tls=reply(550)), GOOD), "NO_MAIL"),
    "mail-450-good": ((Server(mail=reply(450), mail_tls=reply(450)), GOOD), "MUST"),
    "ehlo-550-good": ((Server(ehlo=reply(550), helo=reply(550)), GOOD), "INCONCLUSIVE"),
}
"""Names as in the lab of real servers, where a real Postfix delivered at the same level (or none, where open)."""


@pytest.mark.parametrize("name", REAL)
def test_a_walk_over_server_states(name):
    servers, grade = REAL[name]
    verdicts = [
        endpoint_verdict(reference(facts, preference), facts, trusting)
        for preference, facts in enumerate(map(asked, servers))
    ]
    assert some_mx_grade(verdicts) == Grade(grade)
