"""`importer check`: an API key and an endpoint in, everything that would not work out."""

from __future__ import annotations

from importer.cli.context import open_context
from importer.cli.options import FormatOptions, OutputFormat
from importer.cli.parameters import ACCOUNT_VARIABLES, define_command
from importer.cli.rendering import diagnostics_json
from importer.cli.session import open_read_session
from importer.model.errors import ExitCode
from importer.workflow import preflight


@define_command(
    "check",
    FormatOptions,
    examples=("importer check", "importer check --json"),
    environment=ACCOUNT_VARIABLES,
)
def command(options: FormatOptions) -> int:
    """Check the account before the first plan. Never writes.

    Checks the API key and its roles, the endpoint, the namespace, the marker field, and workflows that would
    run on imported incidents.
    """
    context = open_context(options.common)
    with open_read_session(context, max_wait=60) as session:
        account, diagnostics = session.account, preflight(session)
    context.console.report(diagnostics)
    problems = diagnostics_json(diagnostics)
    if options.format is OutputFormat.JSON:
        context.console.document(
            {
                "account": {"endpoint": account.endpoint, "dashboard_url": account.dashboard_url},
                "key": {"name": account.key_name, "roles": list(account.roles)},
                **problems,
            }
        )
    else:
        context.console.table(
            [
                f"account   {account.dashboard_url}",
                f"endpoint  {account.endpoint}",
                f"key       {account.key_name}",
                f"roles     {', '.join(account.roles) or 'not reported'}",
                "Fix the errors above first." if problems["errored"] else "Ready.",
            ]
        )
    return ExitCode.ERROR if problems["errored"] else ExitCode.DONE
