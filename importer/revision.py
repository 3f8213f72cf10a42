"""A folder -> the git revision that it stands at, for the plan to say what it was made from."""

from __future__ import annotations

import subprocess
from pathlib import Path


def git_revision(folder: Path) -> str | None:
    """Return the commit checked out in a folder; None outside a repository or without git."""
    command = ["git", "-C", str(folder), "rev-parse", "--verify", "--quiet", "HEAD"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None
