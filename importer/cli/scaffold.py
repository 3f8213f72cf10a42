"""The templates -> the files of a folder that CI plans on a pull request and applies on a merge."""

from __future__ import annotations

from pathlib import Path

from importer import __version__

_TEMPLATES = {
    "importer.yaml": "importer.yaml",
    "incidents/example.yaml": "example.yaml",
    ".gitignore": "gitignore",
    ".github/workflows/importer.yml": "workflow.yml",
}
"""The name of each template, by the path in the folder."""


def files() -> dict[str, str]:
    """Return the text of each file by its path in the folder."""
    folder = Path(__file__).parent / "templates"
    texts = {path: (folder / name).read_text(encoding="utf-8") for path, name in _TEMPLATES.items()}
    return {path: text.replace("@vVERSION", f"@v{__version__}") for path, text in texts.items()}
