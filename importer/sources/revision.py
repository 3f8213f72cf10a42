"""A folder -> its git commit, for plans, and its path within the repository, for links to a code host."""

from __future__ import annotations

import subprocess
from pathlib import Path


def git_revision(folder: Path) -> str | None:
    """Return the commit checked out in a folder; None outside a repository or without git."""
    return _rev_parse(folder, "--verify", "--quiet", "HEAD")


def git_prefix(folder: Path) -> str:
    """Return the path of a folder within its repository, with a trailing slash; empty at the top, outside a
    repository or without git."""
    return _rev_parse(folder, "--show-prefix") or ""


def _rev_parse(folder: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(folder), "rev-parse", *arguments]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None
