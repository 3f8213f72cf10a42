"""`importer check`: an API key and an endpoint in, everything that would not work out."""

from __future__ import annotations

from collections.abc import Sequence

from importer.cli.context import open_context
from importer.cli.options import FormatOptions, OutputFormat
from importer.cli.parameters import ACCOUNT_VARIABLES, define_command
from importer.cli.rendering import diagnostics_json
from importer.cli.session import open_read_session
from importer.model.errors import ExitCode
from importer.plan.preflight import Readiness, readiness
from importer.workflow import preflight

_DONE = {"plan": "read the account and plan", "create": "create incidents", "edit": "edit incidents"}


@define_command(
    "check",
    FormatOptions,
    examples=("importer check", "importer check --json"),
    environment=ACCOUNT_VARIABLES,
)
def command(options: FormatOptions) -> int:
    """Check the account before the first plan. Never writes.

    Checks the API key and its roles, the endpoint, the namespace, the marker field, and workflows that would
    run on imported incidents. Says what the key is ready for, and exits with 0 if nothing stops planning.
    """
    context = open_context(options.common)
    with open_read_session(context, max_wait=60) as session:
        account, diagnostics = session.account, preflight(session)
    context.console.report(diagnostics)
    problems, ready = diagnostics_json(diagnostics), readiness(account, diagnostics)
    next_command = options.common.command_line("check" if problems["errored"] else "plan")
    if options.format is OutputFormat.JSON:
        context.console.document(
            {
                "account": {"endpoint": account.endpoint, "dashboard_url": account.dashboard_url},
                "key": {"name": account.key_name, "roles": list(account.roles)},
                "ready": {each.work: each.is_ready for each in ready},
                "missing_roles": [each.missing_role for each in ready if each.missing_role],
                "next_command": next_command,
                **problems,
            }
        )
    else:
        fixed = "fix the errors above first, then run: " if problems["errored"] else ""
        context.console.table(
            [
                f"account   {account.dashboard_url}",
                f"endpoint  {account.endpoint}",
                f"key       {account.key_name}",
                f"roles     {', '.join(account.roles) or 'not reported'}",
                *_verdict(ready),
                f"Next: {fixed}{next_command}",
            ]
        )
    return ExitCode.ERROR if problems["errored"] else ExitCode.DONE


def _verdict(ready: Sequence[Readiness]) -> list[str]:
    """Return what the key is ready for, and for what it is not, with the role that it lacks."""
    works = _listed([_DONE[each.work] for each in ready if each.is_ready])
    if all(each.is_ready for each in ready):
        return [f"Ready. The key can {works}."]
    first = [f"Ready to {works}."] if works else []
    return [*first, *(_shortcoming(each) for each in ready if not each.is_ready)]


def _shortcoming(found: Readiness) -> str:
    work, role = _DONE[found.work], found.missing_role
    if found.is_ready is None:
        return f"Unknown: may {work}, if one of the key's roles includes {role}."
    return f"Not ready to {work}{f': the key lacks the role {role}' if role else ''}."


def _listed(items: Sequence[str]) -> str:
    return " and ".join([*filter(None, [", ".join(items[:-1])]), *items[-1:]])
