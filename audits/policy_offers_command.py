"""`tlsaudit policy offers`: hosts whose STARTTLS a Postfix configuration leaves unused, in the words of its log."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from audits.show_command import STORE_OPTION

if TYPE_CHECKING:
    from audits.policy_table.offers import Offers
    from audits.postfix.main_cf import MainCf
    from audits.postfix.resolve import Configuration

_ELSEWHERE = ("relayhost", "transport_maps", "default_transport", "sender_dependent_relayhost_maps")
"""Settings that send mail to other next-hops than the recipient's domain."""


@click.command()
@click.argument("domains", nargs=-1, metavar="[DOMAIN]...")
@click.option("--main-cf", "main_cf_path", required=True, metavar="FILE", help="main.cf, or postconf -n's output.")
@STORE_OPTION
@click.option(
    "--run", "run_name", default="latest", show_default=True, help="The run's name; `tlsaudit runs` lists them."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people, or for programs with the domains behind each host.",
)
def offers(domains: tuple[str, ...], main_cf_path: str, store: str, run_name: str, form: str) -> None:
    """List the hosts that offered STARTTLS while the effective level for them is none, as smtp(8) would log them.

    The facts are those of a run: all of its domains, or those that are named. See smtp_tls_note_starttls_offer.
    """
    from audits.policy_cli import BadInput
    from audits.postfix.errors import ConfigError
    from audits.store import NoSuchRunError, StoreError

    try:
        found = _found(domains, _configuration(main_cf_path), store, run_name)
    except ConfigError as error:
        raise BadInput(str(error)) from None
    except NoSuchRunError as error:
        raise click.UsageError(str(error)) from None
    except StoreError as error:
        from audits.cli import CommandFailed

        raise CommandFailed(str(error)) from None
    _show(found, form)


def _configuration(path: str) -> "Configuration":
    from audits.postfix.main_cf import read_main_cf
    from audits.postfix.resolve import configuration

    main_cf = read_main_cf(path)
    for name in _ELSEWHERE:
        if _set(main_cf, name):
            click.echo(f"{path}: {name} may send mail elsewhere; here each domain is its own next-hop", err=True)
    return configuration(main_cf)


def _set(main_cf: "MainCf", name: str) -> bool:
    setting = main_cf.setting(name)
    return setting is not None and setting.value not in ("", "smtp", "smtp:")


def _found(domains: tuple[str, ...], config: "Configuration", where: str, run_name: str) -> "Offers":
    from audits.policy_table.history import looks_at
    from audits.policy_table.offers import unused_offers
    from audits.policy_table.run_age import run_notes
    from audits.policy_write_command import entries_of
    from audits.store import Store

    entries = entries_of(domains)
    with Store.open(where) as store:
        run = store.run(run_name)
        for note in run_notes(run, datetime.now(UTC)):
            click.echo(f"note: {note}", err=True)
        results: Any = store.domains(run.id)
        if entries:
            found = {entry: store.domain(run.id, entry) for entry in entries}
            if unseen := [entry for entry, result in found.items() if result is None]:
                raise click.UsageError(f"run {run.name} has no result for {', '.join(unseen[:5])}")
            results = found.values()
        return unused_offers(looks_at(results, run), config)


def _show(found: "Offers", form: str) -> None:
    if form == "json":
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(found.unused), indent=2))
    else:
        for offer in found.unused:
            click.echo(offer.line)
    words = f"hosts: {len(found.unused)} with an unused offer, {found.used} whose offer is used"
    click.echo(f"{words}, {found.without} without one, {found.silent} silent", err=True)
