"""All commands."""

from __future__ import annotations

import click

from core.commands.attach import attach
from core.commands.diagnose import diagnose_one
from core.commands.doctor import doctor
from core.commands.export import export
from core.commands.migrate import migrate
from core.commands.prune import prune
from core.commands.recount import recount
from core.commands.rescue import rescue
from core.commands.status import status
from core.commands.sweep import sweep
from core.commands.sync import sync
from core.commands.verify import verify


@click.group()
def cli() -> None:
    """Look after a running service, from the folder of its .env.

    Exit codes: 0 well, 1 what was found is not well, 2 a setting, the database or an argument is
    wrong and nothing was done.
    """


for each in (
    attach,
    diagnose_one,
    doctor,
    export,
    migrate,
    prune,
    recount,
    rescue,
    status,
    sweep,
    sync,
    verify,
):
    cli.add_command(each)
