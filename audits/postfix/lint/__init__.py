"""The linter: a main.cf with all its tables to messages with file and line; for one table see `lint_table`.

It judges what stands in the files. What depends on the servers of the world (whether MUST delivers today) is judged in
`facts`, beside the facts of a scan.
"""

from audits.postfix.lint import facts as facts
from audits.postfix.lint import settings as setting_checks
from audits.postfix.lint import whole as whole_checks
from audits.postfix.lint.files import dh_parameter_messages
from audits.postfix.lint.tables import ListedTables, lint_table
from audits.postfix.lint.whole import Whole, safe_policy
from audits.postfix.lint.words import CHECKS, Check, Kind, LintMessage, Severity, declare
from audits.postfix.main_cf import MainCf, Setting, parsed_lines
from audits.postfix.open_tables import Reader
from audits.postfix.parameters import DEFAULT_VERSION, Version, machine_names
from audits.postfix.resolve import PER_SITE, POLICY_MAPS
from audits.postfix.source_text import logical_lines

__all__ = ["CHECKS", "Kind", "LintMessage", "Severity", "lint_main_cf", "lint_table"]

SYNTAX = declare(
    Check(
        id="cf-syntax",
        severity=Severity.ERROR,
        page='Each logical line of main.cf reads "name = value"; the first other line stops every Postfix program.',
        remedy='Write "name = value", or begin the line with "#" or, to continue the line before, with white space.',
        fails="smtp_use_tls yes\n",
        passes="smtp_tls_security_level = may\n",
        kinds=(Kind.MAIN_CF,),
    )
)
ORPHAN = declare(
    Check(
        id="cf-orphan",
        severity=Severity.ERROR,
        page="A first line that begins with white space continues nothing and is ignored.",
        remedy="Remove the white space.",
        fails=" smtp_tls_security_level = may\n",
        passes="smtp_tls_security_level = may\n",
        kinds=(Kind.MAIN_CF,),
    )
)


def lint_main_cf(
    text: str, path: str, version: Version = DEFAULT_VERSION, reader: Reader | None = None
) -> tuple[LintMessage, ...]:
    """The messages about a main.cf and, where a reader is given, about the files that it names, by file and line."""
    settings: list[Setting] = []
    messages: list[LintMessage] = [
        ORPHAN.at(path, line.number, "the line begins with white space but continues nothing, and is ignored")
        for line in logical_lines(text)
        if line.orphan
    ]
    for line, parsed in parsed_lines(text):
        if isinstance(parsed, Setting):
            settings.append(parsed)
        else:
            messages.append(SYNTAX.at(path, line.number, parsed))
    main_cf = on_some_host(MainCf(path, tuple(settings), version))
    for setting in settings:
        messages += setting_checks.RULES.messages(path, setting_checks.line_of(setting, main_cf))
    per_site, policy_maps = (ListedTables(main_cf, name, reader) for name in (PER_SITE, POLICY_MAPS))
    messages += per_site.messages + policy_maps.messages
    whole = Whole(main_cf, tuple(per_site.tables), tuple(policy_maps.tables), safe_policy(main_cf))
    messages += whole_checks.RULES.messages(path, whole)
    if reader is not None:
        messages += dh_parameter_messages(main_cf, reader)
    return tuple(sorted(set(messages)))


def on_some_host(main_cf: MainCf) -> MainCf:
    """The configuration with a stand-in for each value that only the host knows: its name, its networks, its build."""
    set_here = {setting.name for setting in main_cf.settings}
    unset = machine_names() - set_here - {"config_directory"}
    if "myhostname" in set_here:
        unset -= {"mydomain"}
    return main_cf.with_settings({name: f"{name}.invalid" for name in sorted(unset)})
