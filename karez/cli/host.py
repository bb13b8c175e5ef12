"""Commands about the installation: init, role, password, demo, serve, upgrade, backup, restore."""

import contextlib
from datetime import date
from pathlib import Path

import click

from karez.cli.program import DAY, YEAR, karez, working
from karez.system import clock


@karez.command()
@click.option("--code", prompt="Administrative code of the region (for example 64)", help="Code of the region.")
@click.option(
    "--places", type=click.Path(exists=True, path_type=Path), help="CSV of the region's places; 64 and 65 come along."
)
@click.option("--first-year", type=YEAR, default=lambda: date.today().year, show_default="this year")
@click.option("--currency", default="CNY", show_default=True)
@click.option(
    "--time-zone",
    default=None,
    help="The office's time zone, kept in the database from then on [default: KAREZ_TIME_ZONE, or Asia/Shanghai].",
)
@click.option("--controller", prompt="Who is controller of the data (office and address)")
@click.option("--legal-basis", prompt="On what legal basis are the data kept")
@click.option("--complaint-body", prompt="Where may people complain")
@click.option("--admin", prompt="Sign-in name of the first administrator")
@click.option("--admin-name", prompt="Full name of the first administrator")
@click.password_option("--password", help="Password of the first administrator (12 characters at least).")
def init(*, time_zone: str | None, **given: object) -> None:
    """Founds a region without demo data: places, first administrator, controller and legal basis."""
    if time_zone is not None:
        clock.require_known(time_zone, said_by="--time-zone")
        clock.keep(time_zone)
    with working(migrate=True):
        from karez.cli.founding import found

        found(**given)  # type: ignore[arg-type]


class _RoleCommand(click.Command):
    """Its help ends with the roles there are, read from where they are declared."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        import django

        django.setup()
        from karez.access.roles import Role

        with formatter.section("Roles"):
            formatter.write_dl([(role.value, str(role.label)) for role in Role])
        with formatter.section("Codes"):
            formatter.write_text(
                "--over names an area by its code, such as 640000 (a region), 640422 (a county), 640422100207 (a "
                "village)."
            )
        super().format_epilog(ctx, formatter)


@karez.command(cls=_RoleCommand)
@click.argument("username")
@click.argument("role")
@click.option("--over", "code", required=True, help="Code of the area it is given over; all below it is meant too.")
@click.option(
    "--by", default="", metavar="USER", help="Sign-in name of the administrator who gives, proposes or ends it."
)
@click.option(
    "--operator",
    "note",
    default="",
    metavar="REASON",
    help=(
        "Gives it as the local operator instead, with this reason: the first people, or where nobody is left to "
        "confirm."
    ),
)
@click.option(
    "--full-name",
    default="",
    help="Makes the user, if there is none of this name; the password is asked for. With --by it is good for the first"
    " sign-in alone, within seven days; with --operator it is their own: let them type it.",
)
@click.option("--password", default="", help="Password of a user made here; asked for where not given.")
@click.option("--since", type=DAY, help="First day [default: today].")
@click.option(
    "--end", "reason", default="", metavar="REASON", help="Ends the role instead, from --since on, with this reason."
)
def role(
    *,
    username: str,
    role: str,
    code: str,
    by: str,
    note: str,
    full_name: str,
    password: str,
    since: date | None,
    reason: str,
) -> None:
    """Gives USERNAME a ROLE over an area, or ends it. Most roles wait until another person confirms them. Roles:
    docs/roles.md.
    """
    with working():
        from karez.access.models import GrantProposal
        from karez.access.queries import user_named
        from karez.access.roles import Role
        from karez.cli import founding

        first_day = since or date.today()
        if role not in Role.values:
            raise click.BadParameter(f"one of {', '.join(Role.values)}", param_hint="ROLE")
        if bool(by) == bool(note.strip()) or (reason and note):
            raise click.UsageError("Say who does it: --by USER, or --operator REASON to give it as the local operator.")
        actor = user_named(by) if by else None
        if reason and actor:
            founding.end_role(actor, username=username, role=role, code=code, ends_before=first_day, reason=reason)
            return
        if full_name and not password:
            password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        made = founding.give_role(
            actor,
            username=username,
            full_name=full_name,
            password=password,
            role=role,
            code=code,
            since=first_day,
            note=note,
        )
        if isinstance(made, GrantProposal):
            click.echo("Proposed. It holds once another person confirms it on the page Roles to confirm.", err=True)


@karez.command()
@click.argument("username")
@click.option(
    "--operator", "note", required=True, metavar="REASON", help="Why; it is shown on the person's page under Users."
)
def password(*, username: str, note: str) -> None:
    """Gives USERNAME, who lost their password, another for one sign-in; printed this once, good for seven days."""
    with working():
        from karez.access.queries import user_named
        from karez.access.services import give_password

        click.echo(give_password(user_named(username), note=note))
        click.echo("Hand it over in person. The next sign-in asks for a password of their own.", err=True)


@karez.command()
@click.option("--no-serve", is_flag=True, help="Stop when the chapter is published.")
@click.option("--port", default=8000, show_default=True)
def demo(*, no_serve: bool, port: int) -> None:
    """Runs the main job on Ningxia's synthetic year 2009, publishes its chapter, and serves the site."""
    from karez.host.serving import alone
    from karez.host.serving import serve as run_server

    with contextlib.ExitStack() as stack:
        lock = None if no_serve else stack.enter_context(alone())
        stack.enter_context(working(migrate=True))
        from karez.cli import demo as the_demo

        the_demo.run()
        if lock is not None:
            run_server(port=port, lock=lock)


@karez.command()
@click.option("--port", default=8000, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
def serve(*, port: int, host: str) -> None:
    """Serves the site and runs the jobs. Outside the demo a tested backup target must be set first (`karez backup`)."""
    from karez.host.serving import alone
    from karez.host.serving import serve as run_server

    with alone() as lock, working(migrate=True):
        from karez.host.backup import require_tested_target
        from karez.host.recovery import take_up

        require_tested_target()
        take_up(lambda line: click.echo(line, err=True))
        run_server(port=port, host=host, lock=lock)


@karez.command()
def upgrade() -> None:
    """Brings the database to this version's shape. Take a backup first; running it again changes nothing."""
    with working(migrate=True):
        click.echo("The database has this version's shape.", err=True)


@karez.command()
@click.option(
    "--to", "target", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder of the backups."
)
@click.option(
    "--keys-to",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Another place, for the key that opens identities; keep the two apart.",
)
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    help="Afterwards remove this installation's oldest backups there until so many tested ones are left.",
)
def backup(*, target: Path, keys_to: Path, keep: int | None) -> None:
    """Writes a backup: database, files, snapshots; the sealing key apart. Then tests it by restoring it."""
    with working():
        from karez.host.backup import alone_in, back_up, drill, prune

        with alone_in(target):
            made = back_up(target, keys_to)
            click.echo(f"Written: {made}", err=True)
            tested = drill(made, keys_to)
            click.echo(
                f"Restored beside the installation: digests and trial balance agree. Backup {tested} counts as tested.",
                err=True,
            )
            for gone in prune(target, keep) if keep else []:
                click.echo(f"Removed {gone.name}", err=True)


@karez.command()
@click.argument("source", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--keys", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
def restore(*, source: Path, keys: Path) -> None:
    """Restores a backup into an empty installation (set KAREZ_VAR or DATABASE_URL to one) and verifies it.

    One of an earlier version is brought to this one's shape before.
    """
    from karez.host.backup import restore as run_restore

    run_restore(source, keys)
    with working(migrate=True):
        from karez.host.backup import verify_restored
        from karez.periods import guard

        guard.install()  # a dump does not carry the rights on the database itself
        for line in verify_restored():
            click.echo(line, err=True)
