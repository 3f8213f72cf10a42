"""`importer check`: a key and an endpoint in, what will and will not work."""

from __future__ import annotations

import json

import click

from importer.cli import options
from importer.cli.options import Common, chosen_format, taken
from importer.cli.session import open_desk, reading
from importer.model import Severity
from importer.model.errors import ExitCode
from importer.plan.file import diagnostic_json
from importer.workflow import preflight


@click.command("check")
@options.output_format("text", "json")
@options.common
@click.pass_context
def command(context: click.Context) -> int:
    """Check the account before anything is planned: the key, its roles, the endpoint, the marker field, and
    workflows that would run on imported incidents. Never writes."""
    desk = open_desk(taken(Common, context))
    with reading(desk, max_wait=60) as session:
        account, diagnostics = session.account, preflight(session)
    desk.console.complain(diagnostics)
    errored = any(each.severity is Severity.ERROR for each in diagnostics)
    if chosen_format(context) == "json":
        document = {
            "format_version": "1.0",
            "account": {"endpoint": account.endpoint, "dashboard_url": account.dashboard_url},
            "key": {"name": account.key_name, "roles": list(account.roles)},
            "errored": errored,
            "diagnostics": [diagnostic_json(each) for each in diagnostics],
        }
        desk.console.result(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        desk.console.table(
            [
                f"account   {account.dashboard_url}",
                f"endpoint  {account.endpoint}",
                f"key       {account.key_name}",
                f"roles     {', '.join(account.roles) or 'not told'}",
                "Something must be put right first." if errored else "Ready.",
            ]
        )
    return ExitCode.ERROR if errored else ExitCode.DONE
