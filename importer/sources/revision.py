"""A folder -> what git says of it: the commit for a plan to name, the path by which a code host knows it."""

from __future__ import annotations

import subprocess
from pathlib import Path


def git_revision(folder: Path) -> str | None:
    """Return the commit checked out in a folder; None outside a repository or without git."""
    return _answer(folder, "--verify", "--quiet", "HEAD")


def git_prefix(folder: Path) -> str:
    """Return the path of a folder from the top of its checkout, with a slash at its end; empty at the top,
    outside a repository and without git."""
    return _answer(folder, "--show-prefix") or ""


def _answer(folder: Path, *question: str) -> str | None:
    command = ["git", "-C", str(folder), "rev-parse", *question]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None
