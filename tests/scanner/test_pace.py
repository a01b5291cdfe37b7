"""Manners on the virtual clock: turns, rests, places and the brake."""

from collections import Counter
from collections.abc import Callable

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from scanner import pace
from scanner.failures import Kind, ProbeFailure, SmtpReply, Stage
from scanner.pace import BACKOFF, JITTER, MAX_INTERVAL_S, RECOVERY, REFUSED_INTERVAL_S, TRIP, Pace, is_refusal

HOST = "192.0.2.1"
PROVIDERS = ("example.org", "192.0.2.0/24")


ANSWER = None
BUSY = ProbeFailure(Stage.GREETING, Kind.TEMPORARY, reply=SmtpReply(421, ("too many",)))
SILENT = ProbeFailure(Stage.CONNECT, Kind.TIMEOUT)


async def rest_after(manners: Pace, noted: ProbeFailure | None, address: str = HOST) -> float:
    """One turn in which a session is noted; gives how long the next turn had to wait."""
    async with manners.turn(address, PROVIDERS):
        manners.note(address, PROVIDERS, noted)
    start = trio.current_time()
    async with manners.turn(address, ()):
        return trio.current_time() - start


@pytest.mark.parametrize(
    ("stage", "kind", "refused"),
    [
        (Stage.GREETING, Kind.TEMPORARY, True),
        (Stage.GREETING, Kind.PERMANENT, True),
        (Stage.GREETING, Kind.RESET, True),
        (Stage.GREETING, Kind.CLOSED, True),
        (Stage.GREETING, Kind.TIMEOUT, True),
        (Stage.CONNECT, Kind.RESET, True),
        (Stage.EHLO, Kind.TEMPORARY, True),
        (Stage.EHLO, Kind.RESET, True),
        (Stage.EHLO, Kind.TIMEOUT, True),
        (Stage.STARTTLS, Kind.CLOSED, True),
        (Stage.HANDSHAKE, Kind.CLOSED, False),
        (Stage.EHLO_TLS, Kind.TIMEOUT, False),
        (Stage.EHLO_TLS, Kind.TEMPORARY, True),
        (Stage.CONNECT, Kind.REFUSED, False),
        (Stage.CONNECT, Kind.TIMEOUT, False),
        (Stage.CONNECT, Kind.UNREACHABLE, False),
        (Stage.CONNECT, Kind.PROVIDER_PAUSED, False),
        (Stage.HANDSHAKE, Kind.TLS, False),
        (Stage.EHLO, Kind.PERMANENT, False),
    ],
)
def test_what_counts_as_a_refusal(stage, kind, refused):
    assert is_refusal(ProbeFailure(stage, kind)) is refused


def test_a_session_that_went_well_is_no_refusal():
    assert not is_refusal(ANSWER)


async def test_the_first_turn_comes_at_once_and_the_next_after_the_interval(autojump_clock):
    manners = Pace(1.0, 10)
    start = trio.current_time()
    async with manners.turn(HOST, PROVIDERS):
        assert trio.current_time() == start
        await trio.sleep(5)
    async with manners.turn(HOST, PROVIDERS):
        rest = trio.current_time() - start - 5
    assert 1.0 <= rest <= 1.0 + JITTER


async def test_rests_vary_so_that_probes_do_not_fall_into_step(autojump_clock):
    manners = Pace(1.0, 10)
    rests = {await rest_after(manners, ANSWER, f"192.0.2.{i}") for i in range(20)}
    assert len(rests) > 10


async def test_one_at_a_time_for_an_address_whatever_the_providers(autojump_clock):
    manners, here, most = Pace(1.0, 10), 0, 0

    async def probe(provider: str) -> None:
        nonlocal here, most
        async with manners.turn(HOST, (provider,)):
            here += 1
            most = max(most, here)
            await trio.sleep(3)
            here -= 1

    start = trio.current_time()
    async with trio.open_nursery() as nursery:
        for number in range(5):
            nursery.start_soon(probe, f"example{number}.org")
    assert most == 1
    assert trio.current_time() - start >= 5 * 3 + 4 * 1.0


async def test_a_provider_has_so_many_places_and_addresses_share_them(autojump_clock):
    manners, here, most = Pace(1.0, 3), 0, 0

    async def probe(address: str) -> None:
        nonlocal here, most
        async with manners.turn(address, PROVIDERS):
            here += 1
            most = max(most, here)
            await trio.sleep(1)
            here -= 1

    start = trio.current_time()
    async with trio.open_nursery() as nursery:
        for number in range(12):
            nursery.start_soon(probe, f"192.0.2.{number}")
    assert most == 3
    assert trio.current_time() - start == pytest.approx(4)


async def test_a_place_is_not_held_while_an_address_rests(autojump_clock):
    manners = Pace(100.0, 1)
    async with manners.turn(HOST, PROVIDERS):
        pass
    async with trio.open_nursery() as nursery:

        async def resting() -> None:
            async with manners.turn(HOST, PROVIDERS):
                pass

        nursery.start_soon(resting)
        await trio.testing.wait_all_tasks_blocked()
        start = trio.current_time()
        async with manners.turn("192.0.2.2", PROVIDERS):
            assert trio.current_time() == start


async def test_a_refusal_slows_the_very_next_connection_and_an_answer_forgives(autojump_clock):
    manners = Pace(1.0, 10)
    assert 2.0 <= await rest_after(manners, BUSY) <= 2.0 * (1 + JITTER)
    assert 4.0 <= await rest_after(manners, BUSY) <= 4.0 * (1 + JITTER)
    eased = 4.0 * RECOVERY
    assert eased <= await rest_after(manners, ANSWER) <= eased * (1 + JITTER)
    for _ in range(20):
        rest = await rest_after(manners, ANSWER)
    assert 1.0 <= rest <= 1.0 + JITTER


async def test_refusals_slow_the_other_addresses_of_the_provider(autojump_clock):
    manners = Pace(1.0, 10)
    for number in range(2, 4):
        manners.note(f"192.0.2.{number}", PROVIDERS, BUSY)
    assert await rest_after(manners, SILENT) >= 2.0


async def test_a_rest_has_an_upper_bound(autojump_clock):
    manners = Pace(1.0, 10)
    for _ in range(5000):
        manners.note(HOST, PROVIDERS, BUSY)
    assert MAX_INTERVAL_S <= await rest_after(manners, SILENT) <= MAX_INTERVAL_S * (1 + JITTER)


async def test_an_interval_above_the_bound_is_kept(autojump_clock):
    assert await rest_after(Pace(60.0, 10), ANSWER) >= 60.0
    assert await rest_after(Pace(60.0, 10), BUSY) >= 60.0


async def test_without_an_interval_nobody_waits(autojump_clock):
    assert await rest_after(Pace(0.0, 10), ANSWER) == 0


async def test_a_refusal_is_waited_out_even_without_an_interval(autojump_clock):
    assert await rest_after(Pace(0.0, 10), BUSY) >= BACKOFF * REFUSED_INTERVAL_S


async def test_the_brake_after_refusals_in_a_row(autojump_clock):
    manners = Pace(1.0, 10)
    for number in range(TRIP):
        assert not manners.is_paused(PROVIDERS)
        manners.note(f"192.0.2.{number}", PROVIDERS, BUSY)
    assert manners.is_paused(PROVIDERS)
    assert manners.is_paused(("other.example", "192.0.2.0/24"))
    assert not manners.is_paused(("other.example", "198.51.100.0/24"))
    assert not manners.is_paused(())


async def test_an_answer_in_between_clears_the_provider(autojump_clock):
    manners = Pace(1.0, 10)
    for number, noted in enumerate([BUSY] * (TRIP - 1) + [ANSWER] + [BUSY] * (TRIP - 1)):
        manners.note(f"192.0.2.{number}", PROVIDERS, noted)
    assert not manners.is_paused(PROVIDERS)


@pytest.mark.parametrize("nothing", [SILENT, ProbeFailure(Stage.HANDSHAKE, Kind.CLOSED)])
async def test_what_is_no_greeting_neither_trips_nor_clears_the_brake(autojump_clock, nothing):
    manners = Pace(1.0, 10)
    for number in range(TRIP - 1):
        manners.note(f"192.0.2.{number}", PROVIDERS, BUSY)
        manners.note(f"192.0.2.{number}", PROVIDERS, nothing)
    assert not manners.is_paused(PROVIDERS)
    manners.note("192.0.2.99", PROVIDERS, BUSY)
    assert manners.is_paused(PROVIDERS)


async def test_one_address_alone_does_not_trip_the_brake(autojump_clock):
    manners = Pace(1.0, 10)
    for _ in range(10 * TRIP):
        manners.note(HOST, PROVIDERS, BUSY)
    assert not manners.is_paused(PROVIDERS)


@pytest.mark.parametrize("ends", [trio.Cancelled, KeyError])
async def test_whatever_ends_a_turn_it_is_given_back(autojump_clock, ends):
    manners = Pace(1.0, 1)
    if ends is KeyError:
        with pytest.raises(KeyError):
            async with manners.turn(HOST, PROVIDERS):
                raise KeyError
    else:
        with trio.move_on_after(1):
            async with manners.turn(HOST, PROVIDERS):
                await trio.sleep_forever()
    with trio.fail_after(5):
        async with manners.turn(HOST, PROVIDERS):
            pass


@given(
    st.lists(
        st.tuples(
            st.sampled_from([f"192.0.2.{n}" for n in range(4)]),
            st.lists(st.sampled_from(["a.example", "b.example", "c.example"]), unique=True),
            st.floats(0, 3),
            st.one_of(st.none(), st.floats(0, 6)),
        ),
        max_size=25,
    ),
    st.integers(1, 3),
)
@settings(deadline=None, max_examples=60)
def test_any_crowd_with_any_cancellations_keeps_the_manners_and_comes_to_its_end(crowd, jobs):
    here: Counter[str] = Counter()
    free_from: dict[str, float] = {}

    async def probe(manners: Pace, address: str, providers: list[str], seconds: float, patience: float | None) -> None:
        with trio.move_on_after(float("inf") if patience is None else patience):
            async with manners.turn(address, tuple(providers)):
                names = [address, *providers]
                assert trio.current_time() >= free_from.get(address, 0)
                here.update(names)
                assert here[address] == 1
                assert all(here[name] <= jobs for name in providers)
                try:
                    await trio.sleep(seconds)
                finally:
                    here.subtract(names)
                    free_from[address] = trio.current_time() + 1.0

    async def main() -> None:
        manners = Pace(1.0, jobs)
        with trio.fail_after(1000):
            async with trio.open_nursery() as nursery:
                for one in crowd:
                    nursery.start_soon(probe, manners, *one)

    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert not any(here.values())


async def visit(manners: Pace, count: int, name: Callable[[int], str], noted: ProbeFailure | None) -> None:
    for number in range(count):
        async with manners.turn(f"2001:db8::{number:x}", (name(number),)):
            manners.note(f"2001:db8::{number:x}", (name(number),), noted)


async def test_memory_is_bounded_for_endless_addresses_and_providers(autojump_clock, monkeypatch):
    monkeypatch.setattr(pace, "REMEMBERED", 200)
    manners = Pace(0.0, 10)
    await visit(manners, 2000, lambda n: f"{n}.example", ANSWER)
    assert len(manners._addresses) <= 201
    assert len(manners._providers) <= 201


async def test_paused_providers_stay_paused_and_do_not_keep_others_in_memory(autojump_clock, monkeypatch):
    monkeypatch.setattr(pace, "REMEMBERED", 300)
    manners = Pace(0.0, 10)
    for number in range(150):
        for address in range(TRIP):
            manners.note(f"192.0.2.{address}", (f"refusing{number}.example",), BUSY)
    await visit(manners, 2000, lambda n: f"{n}.example", ANSWER)
    assert len(manners._providers) <= 301
    assert all(manners.is_paused((f"refusing{number}.example",)) for number in range(150))


async def test_an_address_that_is_in_use_is_never_forgotten(autojump_clock, monkeypatch):
    monkeypatch.setattr(pace, "REMEMBERED", 10)
    manners, entered = Pace(1.0, 10), trio.Event()

    async def second() -> None:
        async with manners.turn(HOST, PROVIDERS):
            entered.set()

    async with trio.open_nursery() as nursery, manners.turn(HOST, PROVIDERS):
        await visit(manners, 500, lambda n: f"{n}.example", ANSWER)
        nursery.start_soon(second)
        await trio.sleep(100)
        assert not entered.is_set()
    assert entered.is_set()
