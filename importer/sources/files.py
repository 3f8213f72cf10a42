"""Paths -> bytes, with the SHA-256 of every file that was read: the inputs of a plan."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from importer.formats.text_file import decode_text
from importer.formats.tree import Malformed
from importer.model import Input, Location, normalise
from importer.model.diagnostics import Diagnostics
from importer.sources.discovery import display_path


@dataclass(slots=True)
class Files:
    """Reads files and records them in `inputs`, by display path."""

    root: Path
    diagnostics: Diagnostics
    inputs: dict[str, Input] = field(default_factory=dict)

    def read(self, path: Path) -> bytes | None:
        """Return a file's bytes, or None after reporting why it cannot be read."""
        name = display_path(path, self.root)
        try:
            data = path.read_bytes()
        except OSError as error:
            self._unreadable(name, error)
            return None
        self.inputs[name] = Input(name, hashlib.sha256(data).hexdigest())
        return data

    def note(self, path: Path) -> bool:
        """Record a file that other code reads in pieces; False after reporting why it cannot be read."""
        name = display_path(path, self.root)
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256")
        except OSError as error:
            self._unreadable(name, error)
            return False
        self.inputs[name] = Input(name, digest.hexdigest())
        return True

    def document(self, folder: Path, name: str, place: Location) -> str | None:
        """Return the text of the post-mortem `name` that an incident in `folder` refers to at `place`.

        It must be below the incident's own folder or the root: incident files may come from others, and the
        files that they name are uploaded.
        """
        path = (folder / name).resolve()
        error = partial(self.diagnostics.error, at=place, detail=f"`{name}`")
        if not any(path.is_relative_to(allowed.resolve()) for allowed in (folder, self.root)):
            summary = "a post-mortem's file is outside the folder of the incidents"
            error("postmortem-outside", summary, hint="move it below the folder of importer.yaml")
            return None
        if not path.is_file():
            hint = "the path is relative to the incident file"
            error("postmortem-file-missing", "a post-mortem's file does not exist", hint=hint)
            return None
        data = self.read(path)
        return None if data is None else self._text(data, name, place)

    def _unreadable(self, name: str, error: OSError) -> None:
        self.diagnostics.error(
            "unreadable", "a file cannot be read", Location(name, 1), detail=f"{name}: {error.strerror}"
        )

    def _text(self, data: bytes, name: str, place: Location) -> str | None:
        try:
            content = normalise.text(decode_text(data))
        except Malformed as problem:
            detail = f"`{name}`, line {problem.line}: {problem.detail}"
            self.diagnostics.error(problem.code, problem.summary, place, detail=detail, hint=problem.hint)
            return None
        if content is None:
            summary = "a post-mortem's file is empty"
            self.diagnostics.error("postmortem-empty", summary, place, detail=f"`{name}`")
        return content
