"""The templates -> the files of a folder that CI plans on a pull request and applies on a merge."""

from __future__ import annotations

import re
from pathlib import Path

from importer import __version__

_TEMPLATES = {
    "importer.yaml": "importer.yaml",
    "incidents/example.yaml": "example.yaml",
    ".gitignore": "gitignore",
    ".github/workflows/importer.yml": "workflow.yml",
}
"""The name of each template, by the path in the folder."""


def files(namespace: str) -> dict[str, str]:
    """Return the text of each file by its path in the folder."""
    folder = Path(__file__).parent / "templates"
    texts = {path: (folder / name).read_text(encoding="utf-8") for path, name in _TEMPLATES.items()}
    values = {"@vVERSION": f"@v{__version__}", "namespace: NAMESPACE": f"namespace: {namespace}"}
    for placeholder, value in values.items():
        texts = {path: text.replace(placeholder, value) for path, text in texts.items()}
    return texts


def own_namespace(folder_name: str, suffix: str) -> str:
    """Return a namespace for a folder, of a-z, 0-9 and hyphens. The random `suffix` distinguishes folders of
    the same name."""
    words = re.findall(r"[a-z0-9]+", folder_name.lower())
    return "-".join([*(words or ["incidents"]), suffix])
