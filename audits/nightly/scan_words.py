"""`[scan]` and `[judge]` of a nightly configuration as the words of `tlsaudit scan`, checked by its own code."""

from pathlib import Path
from typing import Any

import click

from audits.nightly.config import Mistake, Night
from audits.nightly.places import Places

_NOT_HERE = {
    "output": 'write jsonl = "..." under [report]',
    "format": "the forms stand under [report]",
    "store": "write store = at the top",
    "resume": "a night goes on with an unfinished run by itself",
    "quiet": "a night is quiet by itself",
    "verbose": "use tlsaudit scan or trace to look closer",
    "log-file": "write log = at the top",
    "log-json": "write log-json = true at the top",
    "baseline": "write it under [judge]",
    "baseline-file": "write it under [judge]",
    "waivers": "write it under [judge]",
    "fail-on": "write it under [judge]",
}
"""Options of the scan that have another place in this file."""


def scan_parameters(night: Night, name: str, where: Places) -> tuple[dict[str, Any], list[Mistake]]:
    """What `tlsaudit scan` makes of the words under [scan], [judge] and at the top."""
    from audits.scan_command import scan, scan_settings

    known = {option.lstrip("-"): p for p in scan.params for option in p.opts if option.startswith("--")}
    words: list[str] = []
    mistakes = []
    for key, value in night.config.scan.items():
        line = where.get(("scan", key), 1)
        if key in _NOT_HERE:
            mistakes.append(Mistake(name, line, f"scan.{key}: {_NOT_HERE[key]}"))
        elif key not in known:
            mistakes.append(Mistake(name, line, f"scan.{key}: `tlsaudit scan` has no option --{key}"))
        else:
            more, wrong = _option(night, known[key], key, value)
            try:
                if not wrong:
                    scan_settings(scan.make_context("scan", [*more, "example.org"]).params)
            except click.UsageError as error:
                wrong = error.format_message()
            if wrong:
                mistakes.append(Mistake(name, line, f"scan.{key}: {wrong}"))
            else:
                words += more
    parameters, together = _whole(night, words, name, where)
    return parameters, mistakes + together


def _whole(night: Night, words: list[str], name: str, where: Places) -> tuple[dict[str, Any], list[Mistake]]:
    """All words at once: what each alone does not show, such as -4 beside -6, shows here."""
    from audits.baseline_options import chosen
    from audits.scan_command import scan, scan_settings

    lists = [str(night.path(each)) for each in night.config.lists] or ["example.org"]
    try:
        parameters = scan.make_context("scan", [*words, *_judge_words(night), *lists]).params
        scan_settings(parameters)
        chosen(parameters)
    except click.UsageError as error:
        line = where.get(("judge", "")) or where.get(("scan", "")) or 1
        return {}, [Mistake(name, line, error.format_message())]
    return parameters, []


def _option(night: Night, parameter: click.Parameter, key: str, value: object) -> tuple[list[str], str]:
    """The words of one option on a command line, and what is wrong with its value."""
    flag = isinstance(parameter, click.Option) and parameter.is_flag
    if flag:
        return ([f"--{key}"] if value else []), "" if isinstance(value, bool) else "write true or false"
    values = value if isinstance(value, list) else [value]
    if len(values) > 1 and not parameter.multiple:
        return [], "write one value"
    if not all(isinstance(each, str | int | float) and not isinstance(each, bool) for each in values):
        return [], "write text or a number"
    path = isinstance(parameter.type, click.Path)
    written = [str(night.path(str(each))) if path else str(each) for each in values]
    lost = next((each for each in written if path and not Path(each).exists()), None)
    return [word for each in written for word in (f"--{key}", each)], f"there is no file {lost}" if lost else ""


def _judge_words(night: Night) -> list[str]:
    judge = night.config.judge
    words = [word for id in judge.baseline for word in ("--baseline", id)]
    words += [word for file in judge.baseline_file for word in ("--baseline-file", str(night.path(file)))]
    words += ["--waivers", str(night.path(judge.waivers))] if judge.waivers else []
    return words + [word for each in judge.fail_on for word in ("--fail-on", each)]
