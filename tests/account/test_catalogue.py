"""The account's entities are found by the names that people use, and nothing is guessed."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.account.catalogue import Ambiguous, Answer, Found, Index, Missing, default_status, marker
from importer.model import (
    CatalogEntry,
    Catalogue,
    CustomField,
    Entity,
    IncidentType,
    Kind,
    Reference,
    Status,
    StatusPage,
    User,
)
from importer.model.normalise import folded
from importer.model.settings import Settings

CAUSE = Entity(Kind.CUSTOM_FIELD, "F1", "Root cause")
TEAMS = Entity(Kind.CUSTOM_FIELD, "F2", "Affected teams")
PAGE = Entity(Kind.STATUS_PAGE, "P1", "Acme status")


def severity(identity: str, name: str) -> Entity:
    return Entity(Kind.SEVERITY, identity, name)


def severities(*names: str) -> Catalogue:
    return Catalogue(severities=tuple(severity(f"S{at}", name) for at, name in enumerate(names)))


def user(
    identity: str, name: str, email: str | None = None, *, slack: str | None = None, active: bool = True
) -> User:
    return User(Entity(Kind.USER, identity, name), email, slack, active)


def find(
    catalogue: Catalogue, kind: Kind, name: str, by: str = "name", within: Entity | None = None
) -> Answer:
    return Index(catalogue).find(Reference(kind, name, by), within)


def found_id(answer: Answer) -> str:
    assert isinstance(answer, Found), answer
    return answer.entity.id


def test_an_exact_name_beats_one_in_another_case() -> None:
    assert found_id(find(severities("MAJOR", "Major", "major"), Kind.SEVERITY, "Major")) == "S1"


@pytest.mark.parametrize("word", ["minor issue", "MINOR ISSUE", " Minor  Issue", "MinorIssue"])
def test_case_and_spacing_do_not_matter(word: str) -> None:
    assert found_id(find(severities("Major", "Minor issue"), Kind.SEVERITY, word)) == "S1"


def test_the_unicode_form_does_not_matter() -> None:
    catalogue = severities(unicodedata.normalize("NFC", "Störung"))
    assert found_id(find(catalogue, Kind.SEVERITY, unicodedata.normalize("NFD", "störung"))) == "S0"


def test_two_names_that_fold_to_the_same_are_ambiguous() -> None:
    answer = find(severities("Major", "MAJOR"), Kind.SEVERITY, "major")
    assert answer == Ambiguous((severity("S0", ""), severity("S1", "")))


def test_two_entities_with_the_same_exact_name_are_ambiguous() -> None:
    assert isinstance(find(severities("Major", "Major"), Kind.SEVERITY, "Major"), Ambiguous)


def test_an_id_is_found_only_by_id() -> None:
    catalogue = severities("Major", "S0")
    assert found_id(find(catalogue, Kind.SEVERITY, "S0", "id")) == "S0"
    assert found_id(find(catalogue, Kind.SEVERITY, "S0")) == "S1"
    assert isinstance(find(catalogue, Kind.SEVERITY, "s0", "id"), Missing)


def test_the_nearest_names_come_best_first_and_are_at_most_three() -> None:
    answer = find(severities("Major 1", "Major 2", "Majors", "Major", "Low"), Kind.SEVERITY, "Mayor")
    assert isinstance(answer, Missing)
    assert answer.nearest[0] == "Major"
    assert len(answer.nearest) == 3


def test_few_names_are_all_listed_and_many_are_not() -> None:
    few = find(severities("Minor", "Critical"), Kind.SEVERITY, "P1")
    assert few == Missing((), ("Critical", "Minor"))
    many = find(severities(*(f"Level {at}" for at in range(11))), Kind.SEVERITY, "Q")
    assert many == Missing((), ())


def test_a_name_in_an_empty_account_is_missing() -> None:
    assert find(Catalogue(), Kind.SEVERITY, "Q") == Missing((), ())


@pytest.mark.parametrize(
    ("kind", "identity"),
    [
        (Kind.STATUS, "ST"),
        (Kind.INCIDENT_TYPE, "IT"),
        (Kind.ROLE, "RO"),
        (Kind.REPORTER, "RO"),
        (Kind.TIMESTAMP, "TI"),
        (Kind.CUSTOM_FIELD, "CF"),
        (Kind.STATUS_PAGE, "SP"),
    ],
)
def test_each_kind_is_searched_separately(kind: Kind, identity: str) -> None:
    catalogue = Catalogue(
        severities=(severity("SE", "Same"),),
        statuses=(Status(Entity(Kind.STATUS, "ST", "Same"), "closed", 1),),
        incident_types=(IncidentType(Entity(Kind.INCIDENT_TYPE, "IT", "Same"), False, True),),
        roles=(Entity(Kind.REPORTER, "RO", "Same"),),
        timestamps=(Entity(Kind.TIMESTAMP, "TI", "Same"),),
        custom_fields=(CustomField(Entity(Kind.CUSTOM_FIELD, "CF", "Same"), "text"),),
        status_pages=(StatusPage(Entity(Kind.STATUS_PAGE, "SP", "Same"), ()),),
    )
    assert found_id(find(catalogue, kind, "same")) == identity


def test_options_are_found_only_in_their_field_and_also_by_id() -> None:
    catalogue = Catalogue(
        custom_fields=(CustomField(CAUSE, "single_select"), CustomField(TEAMS, "multi_select")),
        options={
            "F1": (Entity(Kind.OPTION, "O1", "Capacity"),),
            "F2": (Entity(Kind.OPTION, "O2", "Capacity"),),
        },
    )
    assert found_id(find(catalogue, Kind.OPTION, "capacity", within=CAUSE)) == "O1"
    assert found_id(find(catalogue, Kind.OPTION, "capacity", within=TEAMS)) == "O2"
    assert found_id(find(catalogue, Kind.OPTION, "O2", within=TEAMS)) == "O2"
    assert found_id(find(catalogue, Kind.OPTION, "O2", "id", TEAMS)) == "O2"
    assert isinstance(find(catalogue, Kind.OPTION, "O2", "id", CAUSE), Missing)
    assert isinstance(find(catalogue, Kind.OPTION, "Capacity", within=PAGE), Missing)


def entry(identity: str, name: str, external_id: str | None = None, *aliases: str) -> CatalogEntry:
    return CatalogEntry(Entity(Kind.CATALOG_ENTRY, identity, name), external_id, aliases)


def entries(*given: CatalogEntry) -> Catalogue:
    return Catalogue(custom_fields=(CustomField(TEAMS, "multi_select", "T1"),), catalog_entries={"T1": given})


def test_catalog_entries_are_found_by_id_then_external_id_then_alias_then_name() -> None:
    one, two, three, four = entry("x", "a"), entry("2", "b", "x"), entry("3", "c", None, "x"), entry("4", "x")
    for first in ([one, two, three, four], [two, three, four], [three, four], [four]):
        answer = find(entries(*first[::-1]), Kind.OPTION, "x", within=TEAMS)
        assert found_id(answer) == first[0].entity.id


def test_an_exact_entry_name_beats_an_alias_in_another_case() -> None:
    catalogue = entries(entry("1", "Payments"), entry("2", "Billing", None, "payments"))
    assert found_id(find(catalogue, Kind.OPTION, "Payments", within=TEAMS)) == "1"
    assert found_id(find(catalogue, Kind.OPTION, "PAYMENTS", within=TEAMS)) == "2"


def test_an_alias_of_two_entries_is_ambiguous() -> None:
    catalogue = entries(entry("1", "Payments", None, "pay"), entry("2", "Billing", None, "pay"))
    assert isinstance(find(catalogue, Kind.OPTION, "pay", within=TEAMS), Ambiguous)


def test_components_are_found_only_on_their_page() -> None:
    other = Entity(Kind.STATUS_PAGE, "P2", "Other")
    catalogue = Catalogue(
        status_pages=(
            StatusPage(PAGE, (Entity(Kind.COMPONENT, "C1", "API"),)),
            StatusPage(other, (Entity(Kind.COMPONENT, "C2", "API"),)),
        )
    )
    assert found_id(find(catalogue, Kind.COMPONENT, "api", within=PAGE)) == "C1"
    assert found_id(find(catalogue, Kind.COMPONENT, "api", within=other)) == "C2"


PEOPLE = Catalogue(
    users=(
        user("U1", "Lisa Karlin", "Lisa@Example.com", slack="UL1SA"),
        user("U2", "Bob", "bob@example.com"),
        user("U3", "Bob", "bob2@example.com", active=False),
        user("U4", "Gone", None, active=False),
    )
)


@pytest.mark.parametrize(
    "word", ["lisa@example.com", "LISA@example.com", "UL1SA", "U1", "Lisa Karlin", "lisa karlin"]
)
def test_a_user_is_found_by_email_slack_id_id_or_name(word: str) -> None:
    assert found_id(find(PEOPLE, Kind.USER, word)) == "U1"


@pytest.mark.parametrize(
    ("word", "by"), [("lisa@EXAMPLE.com", "email"), ("UL1SA", "slack_user_id"), ("U1", "id")]
)
def test_a_user_is_found_by_the_kind_of_name_in_the_file(word: str, by: str) -> None:
    assert found_id(find(PEOPLE, Kind.USER, word, by)) == "U1"


@pytest.mark.parametrize(
    ("word", "by"), [("Bob", "email"), ("ul1sa", "slack_user_id"), ("bob@example.com", "id"), ("U1", "x")]
)
def test_a_user_is_not_found_by_another_kind_of_name(word: str, by: str) -> None:
    assert isinstance(find(PEOPLE, Kind.USER, word, by), Missing)


def test_a_name_of_two_users_is_ambiguous_even_if_one_is_inactive() -> None:
    assert isinstance(find(PEOPLE, Kind.USER, "Bob"), Ambiguous)


def test_an_inactive_user_is_found() -> None:
    assert found_id(find(PEOPLE, Kind.USER, "Gone")) == "U4"


def test_the_only_active_user_with_a_shared_email_is_found() -> None:
    old, now = user("U1", "Ann", "ann@x", active=False), user("U2", "Ann", "ANN@x")
    assert find(Catalogue(users=(old, now)), Kind.USER, "ann@x") == Found(now.entity, (old.entity,))


@pytest.mark.parametrize("active", [True, False])
def test_an_email_of_several_active_or_several_inactive_users_is_ambiguous(active: bool) -> None:
    users = (user("U1", "Ann", "ann@x", active=active), user("U2", "Ann", "ann@x", active=active))
    assert isinstance(find(Catalogue(users=users), Kind.USER, "ann@x"), Ambiguous)


def test_a_wrong_email_suggests_only_emails() -> None:
    answer = find(PEOPLE, Kind.USER, "bob@exmaple.com", "email")
    assert isinstance(answer, Missing)
    assert answer.nearest[:1] == ("bob@example.com",)
    assert "Bob" not in answer.known


def test_a_shared_domain_does_not_make_two_people_similar() -> None:
    answer = find(PEOPLE, Kind.USER, "nobody@example.com", "email")
    assert isinstance(answer, Missing)
    assert answer.nearest == ()


def status(identity: str, category: str, rank: int) -> Status:
    return Status(Entity(Kind.STATUS, identity, identity), category, rank)


def test_the_default_status_is_the_closed_one_with_the_lowest_rank() -> None:
    statuses = (
        status("L", "live", 0),
        status("B", "closed", 9),
        status("C", "closed", 4),
        status("D", "declined", 1),
    )
    assert default_status(Catalogue(statuses=statuses)) == statuses[2].entity
    assert default_status(Catalogue(statuses=statuses[:1])) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [("legacy id", "F1"), ("Legacy Id", "F1"), ("Twin", None), ("Nothing", None), (None, None)],
)
def test_the_marker_is_the_only_field_with_that_name(name: str | None, expected: str | None) -> None:
    names = {"F1": "Legacy ID", "F2": "Twin", "F3": "Twin"}
    fields = tuple(CustomField(Entity(Kind.CUSTOM_FIELD, each, names[each]), "text") for each in names)
    answer = marker(Catalogue(custom_fields=fields), Settings(root=Path(), marker_field=name))
    key = answer.attribute.key if answer else None
    assert (key.id if isinstance(key, Entity) else None) == expected


names = st.lists(st.text("aA bB\u00e9E", min_size=1, max_size=4), min_size=1, max_size=8)


@given(names, st.data())
def test_exact_beats_folded_and_order_does_not_matter(given_names: list[str], data: st.DataObject) -> None:
    things = [severity(f"S{at}", name) for at, name in enumerate(given_names)]
    word = data.draw(
        st.sampled_from(given_names).flatmap(lambda name: st.sampled_from([name, name.swapcase()]))
    )
    shuffled = data.draw(st.permutations(things))
    answer = find(Catalogue(severities=tuple(things)), Kind.SEVERITY, word)
    assert answer == find(Catalogue(severities=tuple(shuffled)), Kind.SEVERITY, word)
    exact = {each.id for each in things if each.name == word}
    loose = {each.id for each in things if folded(each.name) == folded(word)}
    expected = exact or loose
    match answer:
        case Found(entity):
            assert {entity.id} == expected
        case Ambiguous(candidates):
            assert {each.id for each in candidates} == expected
            assert len(expected) > 1
        case Missing():
            assert not expected
