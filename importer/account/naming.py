"""A name in a file -> an entity, nothing or a problem, according to aliases, account and policy."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from importer.account.catalogue import Ambiguous, Found, Index, Missing, find_custom_field
from importer.model import Catalogue, Diagnostic, Entity, Kind, NewOption, Reference, Severity
from importer.model.normalise import folded, text
from importer.model.settings import DEFAULT_ON_UNRESOLVED, OnUnresolved, Settings

WORDS: Mapping[Kind, str] = {
    Kind.SEVERITY: "severity",
    Kind.STATUS: "status",
    Kind.INCIDENT_TYPE: "incident_type",
    Kind.ROLE: "roles",
    Kind.TIMESTAMP: "timestamps",
    Kind.CUSTOM_FIELD: "custom_fields",
    Kind.OPTION: "custom_field_options",
    Kind.USER: "users",
}
"""The name of each kind in importer.yaml: in `on_unresolved` (next to "default"), `create_missing` and
`aliases`. In `aliases`, options have a section per custom field instead: `custom_fields.Root cause`. Status
pages and their components have no name there, so they have no aliases and use the default policy."""

_FIELD_SECTION = "custom_fields."
_WAYS = {"id": "ID ", "email": "email ", "slack_user_id": "Slack ID "}
_PLAIN_YAML = re.compile(r"[^\W\d_][\w.@/-]*(?: [\w.@/-]+)*")
_YAML_KEYWORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result for a name. Without an entity the name is left out; if `skips_incident`, so is every
    incident that uses it. The problem has no location: it is reported wherever the name is used."""

    entity: Entity | NewOption | None
    problem: Diagnostic | None = None
    skips_incident: bool = False


class Aliases:
    """The aliases of one section of importer.yaml. They match as names do: exactly, then folded."""

    __slots__ = ("_exact", "_loose")

    def __init__(self, pairs: Iterable[tuple[str, str | None]]) -> None:
        self._exact: dict[str, dict[str | None, None]] = {}
        self._loose: dict[str, dict[str | None, None]] = {}
        for name, target in pairs:
            self._exact.setdefault(name, {})[target] = None
            self._loose.setdefault(folded(name), {})[target] = None

    @property
    def words(self) -> tuple[str, ...]:
        """Return the aliases as importer.yaml spells them."""
        return tuple(self._exact)

    def targets(self, name: str) -> tuple[str | None, ...]:
        """Return the targets of a name: none if it is not an alias, several if equal aliases disagree.

        The target None means that the name is left out.
        """
        return tuple(self._exact.get(name) or self._loose.get(folded(name)) or ())


_NO_ALIASES = Aliases(())


@dataclass(slots=True)
class Names:
    """Resolves each distinct name once. Aliases are keyed by section, or by custom field ID for options."""

    catalogue: Catalogue
    settings: Settings
    index: Index
    inactive: frozenset[str]
    aliases: dict[str, Aliases]
    _verdicts: dict[tuple[Reference, Entity | None], Verdict] = field(default_factory=dict)

    def verdict(self, reference: Reference, within: Entity | None = None) -> Verdict:
        """Resolve a reference. `within` is the field of an option, or the status page of a component."""
        name = (reference, within)
        known = self._verdicts.get(name)
        if known is None:
            known = self._verdicts[name] = self._resolve(reference, within)
        return known

    def strict(self) -> Names:
        """Return the same names, of which `on_unresolved` leaves out none."""
        return replace(self, settings=replace(self.settings, on_unresolved={}), _verdicts={})

    def alias_words(self, kind: Kind, within: Entity | None = None) -> tuple[str, ...]:
        """Return the aliases for a kind as importer.yaml spells them, including those to null."""
        return self._aliases(kind, within).words

    def _aliases(self, kind: Kind, within: Entity | None) -> Aliases:
        section = within.id if within and kind is Kind.OPTION else section_of(kind, within)
        return self.aliases.get(section, _NO_ALIASES)

    def _resolve(self, reference: Reference, within: Entity | None) -> Verdict:
        section = section_of(reference.kind, within)
        aliases = self._aliases(reference.kind, within)
        targets = aliases.targets(reference.name) if reference.by != "id" else ()
        what = _described(reference, within)
        match targets:
            case ():
                return self._in_account(reference, within, what)
            case (str(name),):
                return self._aliased(reference, Reference(reference.kind, name), within)
            case (None,) if reference.kind is not Kind.SEVERITY:
                return Verdict(None)
            case (None,):
                summary = f"importer.yaml leaves out {what}, but every incident needs a severity"
                return _refused("missing-severity", summary, "set a severity for it in aliases.severity")
            case _:
                ways = ", ".join("null" if each is None else repr(each) for each in targets)
                summary = f"{what} has several different aliases in importer.yaml: {ways}"
                return _refused("ambiguous-alias", summary, f"keep one of them in aliases.{section}")

    def _aliased(self, reference: Reference, target: Reference, within: Entity | None) -> Verdict:
        """Resolve the target of an alias. Aliases are not chained; a missing target is always an error."""
        section = section_of(reference.kind, within)
        what = f"{_described(target, within)} (aliases.{section} in importer.yaml, for {reference.name!r})"
        answer = self.index.find(target, within)
        if isinstance(answer, Missing) and not self._creates(target, within):
            hint = _lines(_suggestion(answer), f"correct aliases.{section} in importer.yaml")
            return _refused("unknown-alias-target", f"{what} is not in the account", hint)
        return self._in_account(target, within, what)

    def _in_account(self, reference: Reference, within: Entity | None, what: str) -> Verdict:
        answer = self.index.find(reference, within)
        match answer:
            case Found(entity, passed_over) if passed_over:
                others = ", ".join(each.id for each in passed_over)
                shared = f"{what} is shared: the active user {entity.id} is used, not {others}"
                return _warning(entity, "shared-email", shared)
            case Found(entity) if entity.id in self.inactive:
                return _warning(entity, "inactive-user", f"{what} is no longer active in the account")
            case Found(entity):
                return Verdict(entity)
            case Ambiguous(candidates):
                several = ", ".join(f"{each.name!r} ({each.id})" for each in candidates)
                hint = f"write the exact name, or {{id: {candidates[0].id}}}, or rename one in incident.io"
                return _refused("ambiguous-name", f"{what} is ambiguous: it matches {several}", hint)
            case Missing():
                if within is not None and self._creates(reference, within):
                    return _new_option(reference.name, within, what)
                return self._missing(reference, within, answer)
            case _:
                assert_never(answer)

    def _creates(self, reference: Reference, owner: Entity | None) -> bool:
        return WORDS[Kind.OPTION] in self.settings.create_missing and self._creatable(reference, owner)

    def _creatable(self, reference: Reference, owner: Entity | None) -> bool:
        """Whether it is an option that apply could create; it never creates catalog entries."""
        if reference.kind is not Kind.OPTION or reference.by == "id" or owner is None:
            return False
        known = find_custom_field(self.catalogue, owner.id)
        return known is not None and known.catalog_type_id is None

    def _missing(self, reference: Reference, within: Entity | None, missing: Missing) -> Verdict:
        summary = f"{_described(reference, within)} is not in the account"
        hint = _hint(reference, within, missing)
        if self._creatable(reference, within):
            hint += f"\nor let apply create it:\ncreate_missing: [{WORDS[Kind.OPTION]}]"
        code = f"unknown-{reference.kind.value.replace('_', '-')}"
        match self._policy(reference.kind):
            case OnUnresolved.SKIP:
                skipped = f"{summary}: incidents that use it are left out"
                return Verdict(
                    None, Diagnostic(Severity.WARNING, code, skipped, hint=hint), skips_incident=True
                )
            case OnUnresolved.DROP if reference.kind is not Kind.SEVERITY:
                dropped = f"{summary}: it is left out of the incidents that use it"
                return Verdict(None, Diagnostic(Severity.WARNING, code, dropped, hint=hint))
            case _:
                return _refused(code, summary, hint)

    def _policy(self, kind: Kind) -> OnUnresolved:
        policies = self.settings.on_unresolved
        return policies.get(WORDS.get(kind, "")) or policies.get(DEFAULT_ON_UNRESOLVED, OnUnresolved.ERROR)


def names_of(catalogue: Catalogue, settings: Settings) -> tuple[Names, tuple[Diagnostic, ...]]:
    """Return the names of an account, with warnings about aliases of custom fields that it lacks."""
    names = Names(
        catalogue,
        settings,
        Index(catalogue),
        frozenset(each.entity.id for each in catalogue.users if not each.is_active),
        {section: Aliases(table.items()) for section, table in settings.aliases.items()},
    )
    problems = []
    pairs: dict[str, list[tuple[str, str | None]]] = {}
    for section in sorted(each for each in settings.aliases if each.startswith(_FIELD_SECTION)):
        verdict = names.verdict(Reference(Kind.CUSTOM_FIELD, section.removeprefix(_FIELD_SECTION)))
        if isinstance(verdict.entity, Entity):
            pairs.setdefault(verdict.entity.id, []).extend(settings.aliases[section].items())
        elif verdict.problem is not None:
            summary = f"aliases.{section} in importer.yaml has no effect: it does not name one custom field"
            problems.append(Diagnostic(Severity.WARNING, "unused-aliases", summary))
    names.aliases.update((owner, Aliases(found)) for owner, found in pairs.items())
    return names, tuple(problems)


def section_of(kind: Kind, within: Entity | None) -> str:
    """Return the aliases section of a kind, or "" if it has none; `within` is the field of an option."""
    return f"{_FIELD_SECTION}{within.name}" if within and kind is Kind.OPTION else WORDS.get(kind, "")


def alias_lines(section: str, name: str, target: str | None) -> str:
    """Return the lines of importer.yaml for an alias; with the target None, it leaves the name out."""
    meant = "null" if target is None else _yaml(target)
    return f"aliases:\n  {_yaml(section)}: {{{_yaml(name)}: {meant}}}"


def _refused(code: str, summary: str, hint: str) -> Verdict:
    return Verdict(None, Diagnostic(Severity.ERROR, code, summary, hint=hint))


def _warning(user: Entity, code: str, summary: str) -> Verdict:
    hint = "the API may refuse the assignment; set another user in aliases.users, or null to leave it out"
    return Verdict(user, Diagnostic(Severity.WARNING, code, summary, hint=hint))


def _new_option(name: str, owner: Entity, what: str) -> Verdict:
    """Check the name of an option to be created (API page: Custom Field Options, Create)."""
    composed = text(name)
    if composed is None or name != name.strip() or re.search(r"[\t\r\n]", name):
        summary = f"{what} cannot be created: it has a tab, a line break, or white space at the start or end"
        return _refused("invalid-option", summary, "correct the name in the file or in the alias")
    return Verdict(NewOption(owner, composed))


def _described(reference: Reference, within: Entity | None) -> str:
    noun = reference.kind.value.replace("_", " ")
    phrase = f"{noun} {_WAYS.get(reference.by, '')}{reference.name!r}"
    if within is None:
        return phrase
    return f"{phrase} of {within.kind.value.replace('_', ' ')} {within.name!r}"


def _hint(reference: Reference, within: Entity | None, missing: Missing) -> str:
    """Return the next step for an unknown name. Without a similar one, the alias is to NAME (user: null)."""
    if reference.by == "id":
        return "check the ID, or use the name"
    section = section_of(reference.kind, within)
    if not section:
        return _suggestion(missing)
    placeholder = None if reference.kind is Kind.USER else "NAME"
    target = missing.nearest[0] if missing.nearest else placeholder
    lines = alias_lines(section, reference.name, target)
    return _lines(_suggestion(missing), f"to keep the name in your files, add to importer.yaml:\n{lines}")


def _suggestion(missing: Missing) -> str:
    if missing.nearest:
        return f"did you mean {' or '.join(map(repr, missing.nearest))}?"
    return f"the account has {', '.join(map(repr, missing.known))}" if missing.known else ""


def _lines(*parts: str) -> str:
    return "\n".join(part for part in parts if part)


def _yaml(word: str) -> str:
    if _PLAIN_YAML.fullmatch(word) and word.casefold() not in _YAML_KEYWORDS:
        return word
    return json.dumps(word, ensure_ascii=False)
