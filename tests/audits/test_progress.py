"""Progress on stderr: plain lines for a log, a bar on a terminal, nothing when asked to be quiet."""

import os
import pty
import sys

import trio

from audits.progress import PLAIN_EVERY_S, Meter, shown_progress


async def working(meter, quiet=False, seconds=2 * PLAIN_EVERY_S + 1, count=10):
    """Some work under the eyes of a reader: so many domains, evenly."""
    async with trio.open_nursery() as nursery:
        with shown_progress(nursery, meter, quiet):
            for _ in range(count):
                await trio.sleep(seconds / count)
                meter.add(1)
        nursery.cancel_scope.cancel()


async def test_a_line_says_how_many_how_fast_and_how_long_still(autojump_clock):
    meter = Meter(0, 100)
    await trio.sleep(10)
    assert meter.line() == "0 of 100 domains, 0.0 a second"
    meter.add(20)
    assert meter.line() == "20 of 100 domains, 2.0 a second, 40 s left"


async def test_what_an_earlier_sitting_did_is_no_speed(autojump_clock):
    meter = Meter(900, 1000)
    await trio.sleep(10)
    meter.add(10)
    assert (meter.rate, meter.elapsed_s) == (1.0, 10.0)
    assert meter.line() == "910 of 1000 domains, 1.0 a second, 1 min 30 s left"


async def test_at_the_first_moment_nothing_is_divided_by_nothing(autojump_clock):
    assert Meter(0, 0).line() == "0 of 0 domains, 0.0 a second"


async def test_a_log_gets_a_plain_line_now_and_then(autojump_clock, capsys):
    await working(Meter(0, 10))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.isascii()
    lines = shown.err.splitlines()
    assert [line.split(" domains")[0] for line in lines] == ["4 of 10", "9 of 10"]


async def test_quiet_is_quiet(autojump_clock, capsys):
    await working(Meter(0, 10), quiet=True)
    assert capsys.readouterr() == ("", "")


async def drawn_on_terminal(monkeypatch, meter: Meter) -> str:
    """What a terminal in the place of stderr gets."""
    master, slave = pty.openpty()
    with monkeypatch.context() as patched, os.fdopen(slave, "w") as stream, os.fdopen(master, "rb", 0) as screen:
        patched.setenv("TERM", "xterm")
        patched.setenv("COLUMNS", "100")
        patched.setattr(sys, "stderr", stream)
        await working(meter, seconds=5)
        stream.flush()
        os.set_blocking(master, False)
        return b"".join(iter(lambda: screen.read(4096) or b"", b"")).decode()


async def test_a_terminal_gets_a_bar_with_rate_and_time_left(autojump_clock, monkeypatch):
    drawn = await drawn_on_terminal(monkeypatch, Meter(0, 10))
    assert "domains" in drawn
    assert "/10" in drawn
    assert "/s" in drawn
    assert drawn.rstrip().endswith(("\x1b[?25h", "\x1b[2K")), "the bar is taken away and the cursor shown"


async def test_the_bar_goes_on_where_an_earlier_sitting_ended(autojump_clock, monkeypatch):
    assert "12/13" in await drawn_on_terminal(monkeypatch, Meter(3, 13))
