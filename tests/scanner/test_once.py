"""Questions that many tasks ask at the same time, on the virtual clock."""

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import wait_all_tasks_blocked

from scanner.once import OnceEach


class Oracle:
    """Answers "<key>!" after a while, and remembers every question."""

    def __init__(self, delay_s: float = 1.0) -> None:
        self.asked: list[str] = []
        self.delay_s = delay_s

    async def ask(self, key: str) -> str:
        self.asked.append(key)
        await trio.sleep(self.delay_s)
        return f"{key}!"


async def test_a_thousand_tasks_share_one_act_of_asking(autojump_clock):
    oracle, once, answers = Oracle(), OnceEach[str, str](10), []

    async def want() -> None:
        answers.append(await once.get("a", lambda: oracle.ask("a")))

    async with trio.open_nursery() as nursery:
        for _ in range(1000):
            nursery.start_soon(want)
    assert answers == ["a!"] * 1000
    assert oracle.asked == ["a"]
    assert trio.current_time() < 2


async def test_different_questions_are_asked_side_by_side(autojump_clock):
    oracle, once = Oracle(), OnceEach[str, str](10)
    start = trio.current_time()
    async with trio.open_nursery() as nursery:
        for key in "abcde":
            nursery.start_soon(once.get, key, lambda key=key: oracle.ask(key))
    assert trio.current_time() - start == pytest.approx(1.0)
    assert sorted(oracle.asked) == list("abcde")


async def test_a_known_answer_is_not_asked_for_again(autojump_clock):
    oracle, once = Oracle(), OnceEach[str, str](10)
    for _ in range(3):
        assert await once.get("a", lambda: oracle.ask("a")) == "a!"
    assert oracle.asked == ["a"]


async def test_an_answer_that_is_false_counts_as_an_answer():
    asked = []

    async def ask() -> tuple[()]:
        asked.append(1)
        return ()

    once = OnceEach[str, tuple[()]](10)
    assert await once.get("a", ask) == ()
    assert await once.get("a", ask) == ()
    assert len(asked) == 1


async def test_a_cancelled_task_leaves_the_question_to_the_next(autojump_clock):
    oracle, once, answers = Oracle(), OnceEach[str, str](10), []

    async def want() -> None:
        answers.append(await once.get("a", lambda: oracle.ask("a")))

    async with trio.open_nursery() as nursery:
        with trio.move_on_after(0.5) as scope:
            async with trio.open_nursery() as first:
                first.start_soon(want)
                await wait_all_tasks_blocked()
                nursery.start_soon(want)
                nursery.start_soon(want)
        assert scope.cancelled_caught
    assert answers == ["a!", "a!"]
    assert oracle.asked == ["a", "a"]
    assert await once.get("a", lambda: oracle.ask("a")) == "a!"
    assert len(oracle.asked) == 2


async def test_a_waiting_task_can_be_cancelled_without_harm(autojump_clock):
    oracle, once, answers = Oracle(), OnceEach[str, str](10), []

    async def want() -> None:
        answers.append(await once.get("a", lambda: oracle.ask("a")))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(want)
        await wait_all_tasks_blocked()
        with trio.move_on_after(0.1):
            await want()
    assert answers == ["a!"]
    assert oracle.asked == ["a"]


async def test_a_failure_reaches_the_one_who_asked_and_poisons_nothing():
    once = OnceEach[str, str](10)

    async def fail() -> str:
        raise KeyError("broken")

    async def answer() -> str:
        return "well"

    with pytest.raises(KeyError):
        await once.get("a", fail)
    assert await once.get("a", answer) == "well"


@given(st.lists(st.sampled_from("abcdef")), st.integers(1, 6))
def test_memory_is_bounded_and_the_answer_is_always_the_keys_own(keys, limit):
    async def main() -> None:
        oracle, once = Oracle(0), OnceEach[str, str](limit)
        for key in keys:
            assert await once.get(key, lambda key=key: oracle.ask(key)) == f"{key}!"
            assert len(once._known) <= limit
            assert not once._asking

    trio.run(main)


async def test_the_answer_unused_for_longest_is_forgotten_first():
    oracle, once = Oracle(0), OnceEach[str, str](2)
    for key in "abaca":
        await once.get(key, lambda key=key: oracle.ask(key))
    assert oracle.asked == ["a", "b", "c"]
    await once.get("b", lambda: oracle.ask("b"))
    assert oracle.asked == ["a", "b", "c", "b"]
