"""A plan -> the outputs of a GitHub Actions step: has_changes, errored, the counts, plan_file.

The counts and plan_file of a failed plan are empty.
"""

from __future__ import annotations

import os
from pathlib import Path

from importer.model import Plan
from importer.model.errors import UsageError
from importer.plan.summary import summarise

_VARIABLE = "GITHUB_OUTPUT"
"""Names the file to which a step appends its outputs, one `name=value` per line; unset elsewhere."""


def write_step_outputs(plan: Plan, plan_file: Path | None) -> None:
    """Append the outputs, if GitHub Actions runs the command.

    Raises UsageError if they cannot be written.
    """
    target = os.environ.get(_VARIABLE)
    if not target:
        return
    summary = summarise(plan)
    values = {
        "has_changes": _boolean(summary.has_changes and not plan.errored),
        "errored": _boolean(plan.errored),
        **{name: "" if plan.errored else str(number) for name, number in summary.as_dict().items()},
        "plan_file": "" if plan_file is None or plan.errored else str(plan_file),
    }
    if "\n" in values["plan_file"]:
        raise UsageError(
            "the name of the plan file contains a line break", hint="choose another file with --out"
        )
    try:
        with Path(target).open("a", encoding="utf-8") as stream:
            stream.writelines(f"{name}={value}\n" for name, value in values.items())
    except OSError as error:
        raise UsageError(
            f"cannot write the step's outputs to {target}: {error.strerror}", hint=f"unset {_VARIABLE}"
        ) from None


def _boolean(value: bool) -> str:
    return "true" if value else "false"
