"""What a look at the account shows of a creation in doubt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from importer.apply.rediscovery import Certain, Rediscovery, Uncertain, newest_carrier
from importer.apply.sent_creation import Rivals, SentCreation, sent_creation
from importer.model import Attribute, Entity, Field, Kind, LiveIncident, Unanswered
from importer.model.identity import Marker
from importer.plan.steps import creation
from importer.wire.requests import request
from tests.plans import NAME, SEVERITY, SHORT, create, live

SENT_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
MARKER = Marker(Attribute(Field.CUSTOM_FIELD, Entity(Kind.CUSTOM_FIELD, "01F", "Legacy ID")), "default")
DOUBT = Unanswered("importer-A", "{}", SENT_AT)


@dataclass
class Account:
    """An account whose incidents are in the order of creation."""

    incidents: tuple[LiveIncident, ...]
    lists: int = 0
    pages: list[str] = field(default_factory=list)

    def newest_incidents(self) -> Iterator[LiveIncident]:
        self.lists += 1
        for each in self.incidents[::-1]:
            self.pages.append(each.id)
            yield each

    def incident(self, id_or_number: str) -> LiveIncident | None:
        return next((each for each in self.incidents if str(each.number) == id_or_number), None)


def sent(key: str = "A") -> SentCreation:
    return sent_creation(key, request(creation(create(key, SHORT))).body)


def made(number: int = 1, *, seconds: float = 1.0) -> LiveIncident:
    attributes = creation(create("A", SHORT)).attributes
    return replace(live(number, attributes), created_at=SENT_AT + timedelta(seconds=seconds))


def look(account: Account, doubt: Unanswered = DOUBT, rivals: Rivals | None = None) -> object:
    found = Rediscovery(account, lambda _: None, MARKER, rivals.of if rivals else lambda _: ())
    return found.look(sent(), doubt)


def rivals(*unanswered: tuple[str, str | None], bound: bool = False) -> Rivals:
    known = {key: Unanswered(f"importer-{key}", content) for key, content in unanswered}
    return Rivals((), known, lambda _: bound)


def test_what_alone_has_everything_and_is_new_is_certain() -> None:
    assert look(Account((live(7, {NAME: "Another"}), made()))) == Certain(made())


@pytest.mark.parametrize("seconds", [-3.0, -500.0])
def test_what_is_older_than_the_first_sending_is_not_certain(seconds: float) -> None:
    assert look(Account((made(seconds=seconds),))) == Uncertain((made(seconds=seconds),))


def test_what_is_much_older_than_the_first_sending_is_not_meant() -> None:
    account = Account((made(seconds=-86400), made(2, seconds=-86000)))
    assert look(account) is None
    assert len(account.pages) == 1


def test_what_has_only_the_name_and_the_timestamps_is_not_certain() -> None:
    other = replace(made(), attributes={**made().attributes, SEVERITY: Entity(Kind.SEVERITY, "01X", "X")})
    assert look(Account((other,))) == Uncertain((other,))


def test_a_creation_whose_content_is_unknown_may_have_made_anything() -> None:
    assert look(Account((made(),)), rivals=rivals(("B", None))) == Uncertain((made(),))
    assert look(Account((made(),)), rivals=rivals(("B", None), bound=True)) == Certain(made())


def test_a_creation_with_the_same_content_may_have_made_it() -> None:
    content = request(creation(create("B", SHORT))).content
    assert look(Account((made(),)), rivals=rivals(("B", content))) == Uncertain((made(),))


def test_without_the_time_of_the_first_sending_only_the_marker_is_certain() -> None:
    unknown = replace(DOUBT, first_sent=None)
    assert look(Account((made(),)), unknown) == Uncertain((made(),))
    marked = replace(made(), attributes={**made().attributes, MARKER.attribute: "A"})
    assert look(Account((marked, made(2))), unknown) == Certain(marked)
    theirs = replace(made(), attributes={**made().attributes, MARKER.attribute: "B"})
    assert look(Account((theirs,)), unknown) is None


def test_the_whole_account_is_listed_once_for_all_creations() -> None:
    account = Account((made(),))
    found = Rediscovery(account, lambda _: None, None, lambda _: ())
    for _ in range(3):
        assert found.look_everywhere(sent(), DOUBT) == Certain(made())
    assert account.lists == 1


def test_a_new_carrier_is_looked_for_among_new_incidents_only() -> None:
    marked = replace(made(seconds=-86400), attributes={MARKER.attribute: "A"})
    account = Account((marked, made(2, seconds=-86000)))
    assert newest_carrier(account, MARKER, {"A"}, now=SENT_AT) is None
    assert newest_carrier(account, MARKER, {"A"}, now=None) == marked
    assert newest_carrier(account, MARKER, {"B"}, now=None) is None


def test_a_carrier_in_the_accounts_form_is_certain_and_in_another_case_only_possible() -> None:
    def carrying(mark: str) -> LiveIncident:
        return replace(made(), attributes={**made().attributes, MARKER.attribute: mark})

    assert look(Account((carrying(" A "),))) == Certain(carrying(" A "))
    assert look(Account((carrying("a"),))) == Uncertain((carrying("a"),))
    assert look(Account((carrying("B"),))) is None


def test_a_new_carrier_is_found_in_the_accounts_form_too() -> None:
    carrier = replace(made(), attributes={MARKER.attribute: r"A\_1"})
    assert newest_carrier(Account((carrier,)), MARKER, {"A_1"}, now=None) == carrier
    assert newest_carrier(Account((carrier,)), MARKER, {"A_2"}, now=None) is None
