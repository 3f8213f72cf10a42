"""The incident schema, an account and importer.yaml -> a schema for editors that knows the names of both.

An editor offers the values of an `enum` below `anyOf`, and lists them if nothing matches. It does not look
into an `if`. So the preferred names are an `enum`, and whatever else a plan accepts is hidden in an `if`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from importer.account.catalogue import find_custom_field, marker
from importer.account.editor_words import Json, choice, hidden, pattern
from importer.account.naming import WORDS, Names, names_of
from importer.account.rules import LIVE
from importer.model import Account, Catalogue, CustomField, Entity, Kind, NewOption, Reference
from importer.model.normalise import folded, line
from importer.model.settings import Settings

Meaning = Entity | NewOption | None
"""What a name resolves to in a plan; None if it is left out."""

MAX_WORDS = 1000
"""A field with more options or entries than this accepts any text: too many for an editor to offer."""

NARROWED = "Narrowed by `importer schema incident --account`; importer does not overwrite it."
"""The comment that identifies a narrowed schema."""

_SELECTS = {"single_select": "Takes one value.", "multi_select": "Takes one value or a list of them."}
_TAKES = _SELECTS | {"text": "Takes text.", "link": "Takes a URL.", "numeric": "Takes a number."}
_GENERIC = {"$ref": "#/$defs/custom_field_value"}
_CLEARED = {"$ref": "#/$defs/cleared"}
_IDENTIFIED = {"$ref": "#/$defs/identified"}
_DEFINITIONS: Json = {
    "identified": {
        "title": "{id: ...}",
        "type": "object",
        "properties": {"id": {"description": "The ID in the account.", "$ref": "#/$defs/words"}},
        "required": ["id"],
        "additionalProperties": False,
    },
    "cleared": {
        "title": "null, [] or blank text, to clear the field",
        "type": ["null", "string", "array"],
        "pattern": "^[ \\t\\r\\n]*$",
        "maxItems": 0,
    },
    "any_word": {
        "title": "text that is not blank",
        "not": {"type": ["null", "array", "object"]},
        "pattern": "[^ \\t\\r\\n]",
    },
    "link": {
        "title": "a URL with http:// or https://",
        "type": "string",
        "pattern": "^\\s*[Hh][Tt][Tt][Pp][Ss]?://[^\\s/?#]",
    },
    "number": {
        "title": "a number such as 1200.5",
        "anyOf": [{"type": "number"}, hidden({"type": "string", "pattern": "^[-+0-9._eE \\t]*$(?!\\n)"})],
    },
    "id_as_word": {
        "title": "an ID",
        **hidden({"type": "string", "pattern": "^[0-9A-HJKMNP-TV-Z]{26}$(?!\\n)"}),
    },
}


def narrowed(generic: Json, catalogue: Catalogue, settings: Settings, account: Account) -> Json:
    """Return the incident schema narrowed to the names of an account and the aliases of importer.yaml.

    It accepts whatever the generic schema and a plan accept, including names that differ in case and spaces.
    The catalogue must have the options and entries of all custom fields.
    """
    names, _ = names_of(catalogue, settings)
    narrowing = _Narrowing(generic["$defs"]["incident"]["properties"], names)
    incident = generic["$defs"]["incident"]
    needs_severity = "severity" not in settings.defaults
    return {
        **generic,
        "title": f"An incident file for {account.dashboard_url}",
        "$comment": NARROWED,
        "$defs": {
            **generic["$defs"],
            "incident": {
                **incident,
                "required": [*incident["required"], *(["severity"] if needs_severity else [])],
                "properties": {**incident["properties"], **narrowing.properties()},
            },
            **_DEFINITIONS,
            **narrowing.definitions(),
        },
    }


@dataclass(frozen=True, slots=True)
class _KnownWords:
    """The words that a plan can resolve, sorted, with their meaning: exact `words`, and folded `forms` for
    spellings that differ in case and spaces."""

    words: Mapping[str, Meaning]
    forms: Mapping[str, Meaning]


@dataclass(frozen=True, slots=True)
class _Narrowing:
    """The properties of an incident in the generic schema, and the names to narrow them to."""

    generic: Mapping[str, Json]
    names: Names

    def properties(self) -> Json:
        """Return the schema of each property that names something."""
        known = self.names.catalogue
        statuses = [each.entity for each in known.statuses if each.category not in LIVE]
        types = [each.entity for each in known.incident_types]
        moment, person = {"$ref": "#/$defs/moment"}, {"$ref": "#/$defs/nullable_user"}
        return {
            "severity": self.one_of(Kind.SEVERITY, known.severities),
            "status": self.one_of(Kind.STATUS, statuses),
            "incident_type": self.one_of(Kind.INCIDENT_TYPE, types),
            "timestamps": self.by_name(Kind.TIMESTAMP, known.timestamps, lambda _: moment),
            "roles": self.by_name(Kind.ROLE, known.roles, lambda _: person),
            "custom_fields": self.by_name(
                Kind.CUSTOM_FIELD, [each.entity for each in known.custom_fields], _of_field
            ),
        }

    def definitions(self) -> Json:
        """Return the schema of each custom field's value, and of a single value of each select field."""
        schemas: Json = {}
        for field in sorted(self.names.catalogue.custom_fields, key=lambda each: each.entity.id):
            schemas[f"field_{field.entity.id}"] = self.field(field)
            if field.type in _SELECTS:
                schemas[f"value_{field.entity.id}"] = self.value(field)
        return schemas

    def one_of(self, kind: Kind, entities: Iterable[Entity]) -> Json:
        """Return the schema of a name. Only these entities are accepted, also as targets of aliases."""
        allowed: set[Meaning] = {None, *entities}
        words = [*(each.name for each in allowed if each), *self.names.alias_words(kind)]
        known = self.known_words(kind, words)
        offered = [word for word, meant in known.words.items() if meant in allowed]
        forms = [form for form, meant in known.forms.items() if meant in allowed]
        default = self.names.settings.defaults.get(WORDS[kind])
        notes = f" If it is left out, importer.yaml sets it to {default}." if default else ""
        return {
            "title": "a name from the account, or {id: ...}",
            "description": f"{self.generic[WORDS[kind]]['description']}{notes}",
            "anyOf": [*choice(offered, (), forms), _IDENTIFIED],
        }

    def by_name(self, kind: Kind, entities: Iterable[Entity], value: Callable[[Meaning], Json]) -> Json:
        """Return the schema of a mapping whose keys are names."""
        words = [*(each.name for each in entities), *self.names.alias_words(kind)]
        known = self.known_words(kind, words)
        generic = self.generic[WORDS[kind]]
        return {
            "title": generic["title"],
            "description": generic["description"],
            "type": "object",
            "properties": {
                word: {**value(meant), **self.described(word, meant)} for word, meant in known.words.items()
            },
            "patternProperties": {pattern([form]): value(meant) for form, meant in known.forms.items()},
            "additionalProperties": False,
        }

    def known_words(self, kind: Kind, words: Iterable[str], within: Entity | None = None) -> _KnownWords:
        """Resolve words as a plan does. A word with a leading tab never matches exactly, and so shows how a
        plan resolves other spellings."""
        known: dict[str, Meaning] = {}
        forms: dict[str, Meaning] = {}
        for word in sorted({line(each) for each in words} - {""}):
            exact = self.names.verdict(Reference(kind, word), within)
            loose = self.names.verdict(Reference(kind, f"\t{word}"), within)
            if exact.problem is None:
                known[word] = exact.entity
            if loose.problem is None:
                # Folding changes some letters, so the original spelling needs a form too: `ß` becomes `ss`.
                forms |= dict.fromkeys((folded(word), "".join(word.lower().split())), loose.entity)
        return _KnownWords(known, forms)

    def described(self, word: str, meant: Meaning) -> Json:
        """Return the description that an editor shows for a key."""
        if meant is None:
            return {"description": "Left out by the aliases in importer.yaml."}
        notes = [] if line(meant.name) == word else [f"{meant.name}."]
        field = find_custom_field(self.names.catalogue, meant.id) if isinstance(meant, Entity) else None
        if field is not None and field.type in _TAKES:
            notes.append(_TAKES[field.type])
        carrier = marker(self.names.catalogue, self.names.settings)
        if field is not None and carrier and carrier.attribute.key == meant:
            notes.append("It holds the key: leave it out, importer sets it.")
        return {"description": " ".join(notes)} if notes else {}

    def field(self, field: CustomField) -> Json:
        """Return the schema of a custom field's value."""
        value: Json = {"$ref": f"#/$defs/value_{field.entity.id}"}
        match field.type:
            case "multi_select":
                return {"anyOf": [value, {"type": "array", "items": value}, _CLEARED]}
            case "single_select":
                return {"anyOf": [value, {"type": "array", "items": value, "maxItems": 1}, _CLEARED]}
            case "text":
                return {"anyOf": [{"$ref": "#/$defs/text"}, _CLEARED]}
            case "link":
                return {"anyOf": [{"$ref": "#/$defs/link"}, _CLEARED]}
            case "numeric":
                return {"anyOf": [{"$ref": "#/$defs/number"}, _CLEARED]}
            case _:
                return _GENERIC

    def value(self, field: CustomField) -> Json:
        """Return the schema of one value of a select field: an option or a catalog entry."""
        names, others = self.value_names(field)
        is_listed = len(names) + len(others) <= MAX_WORDS
        offered = self.known_words(Kind.OPTION, names if is_listed else (), field.entity)
        ways: list[Json] = [{"enum": list(offered.words)}] if offered.words else []
        if not is_listed or self.creates_options(field):
            ways.append({"$ref": "#/$defs/any_word"})
        else:
            accepted = self.known_words(Kind.OPTION, others, field.entity)
            ways = choice(offered.words, accepted.words, {**accepted.forms, **offered.forms})
            ways.append({"$ref": "#/$defs/id_as_word"})
        return {"title": "a value of the field, or {id: ...}", "anyOf": [*ways, _IDENTIFIED]}

    def value_names(self, field: CustomField) -> tuple[list[str], list[str]]:
        """Return the names of a select field's values, and the other words that a plan finds them by."""
        aliases = self.names.alias_words(Kind.OPTION, field.entity)
        known = self.names.catalogue
        if field.catalog_type_id is None:
            return [*(each.name for each in known.options.get(field.entity.id, ())), *aliases], []
        entries = known.catalog_entries.get(field.catalog_type_id, ())
        others = [word for each in entries for word in (each.external_id, *each.aliases) if word]
        return [*(each.entity.name for each in entries), *aliases], others

    def creates_options(self, field: CustomField) -> bool:
        """Whether apply creates missing options; it never creates catalog entries."""
        return field.catalog_type_id is None and WORDS[Kind.OPTION] in self.names.settings.create_missing


def _of_field(meant: Meaning) -> Json:
    return {"$ref": f"#/$defs/field_{meant.id}"} if isinstance(meant, Entity) else _GENERIC
