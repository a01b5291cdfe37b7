"""Durations as people write them on the command line and in configuration files: 90s, 30m, 2h, 7d."""

import click

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
LONGEST_S = 7 * 86400


def duration_s(text: str, option: str) -> float:
    """Seconds of a duration such as 90, 90s, 30m, 2h; a usage error that names the option for anything else."""
    number, unit = (text[:-1], text[-1]) if text[-1:] in _UNITS else (text, "s")
    try:
        seconds = float(number) * _UNITS[unit]
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_S:
        raise click.BadParameter(f"{text!r}: write seconds, or 90s, 30m, 2h", param_hint=option)
    return seconds
