"""What people do in incident.io between two applies: edits of incidents and children of their own.

What they did is remembered, and must still be there at the end.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tests.chaos import verdict
from tests.chaos.account import COLLEAGUE, KEY, Account, Wire
from tests.chaos.declared import Declared, word
from tests.chaos.verdict import Expected

_FEW = 3


@dataclass(slots=True)
class People:
    """The people of an account. `made` are their children by ID, `links` the call links that they set in
    incidents whose files declare none."""

    is_state_kept: bool
    edits: int = 0
    made: dict[str, Wire] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def work(self, account: Account, declared: Mapping[str, Declared], dice: random.Random) -> None:
        """Edit a few declared incidents, and add children to them. `declared` is by the first word of the
        summaries."""
        live = {key: found[0] for key, found in verdict.by_key(account).items() if key in declared}
        for key in dice.sample(sorted(live), min(_FEW, len(live))):
            self._edit(account, key, declared[key], live[key])
            self._add_children(account, declared[key], live[key], dice)

    def _edit(self, account: Account, key: str, incident: Declared, live: Wire) -> None:
        fields = {"summary": f"{key} as somebody saw it", "severity_id": live["severity"]["id"]}
        if "call_url" not in incident:
            fields["call_url"] = self.links[live["id"]] = "https://zoom.example.com/war-room"
        account.edit(live["id"], fields)
        self.edits += 1

    def _add_children(self, account: Account, incident: Declared, live: Wire, dice: random.Random) -> None:
        """Add children with the titles of declared ones. Before the importer's own ones exist, only a state
        that was never lost shows that they are not the importer's: the API shows an API key as their creator."""
        children = [each for each in account.follow_ups() if each["incident_id"] == live["id"]]
        if titles := self._free_titles(incident.get("follow_ups", []), children):
            self._keep(account.follow_up(live["id"], dice.choice(titles), token=self._token(live, dice)))
        children = account.timeline(live["id"])
        if titles := self._free_titles(incident.get("timeline", []), children):
            # Later than all others, as a timeline is in the order of its moments.
            at, token = "2020-02-02T20:20:20Z", self._token(live, dice)
            self._keep(account.timeline_item(live["id"], dice.choice(titles), at, token=token))
        self._keep(account.attachment(live["id"], f"https://people.example.com/{word(incident)}"))

    def _free_titles(self, declared: list[Declared], held: list[Wire]) -> list[str]:
        """Return the titles of declared children that people may use."""
        ours = [each for each in held if each["id"] not in self.made and not each.get("activity_log_id")]
        may_use = len(ours) >= len(declared) or self.is_state_kept
        return [each["title"] for each in declared] if may_use else []

    def _token(self, live: Wire, dice: random.Random) -> str:
        """Return the key of somebody who can see the incident."""
        return dice.choice([KEY, COLLEAGUE]) if live["visibility"] == "public" else KEY

    def _keep(self, made: Wire) -> None:
        self.made[made["id"]] = made

    def undone(self, account: Account, expected: Expected) -> Iterator[str]:
        """Yield what is no longer as people left it. A title may be stored in another form than it was sent."""
        live = {each["id"]: each for each in account.incidents()}
        held = {each["id"]: each for each in account.follow_ups()}
        for incident_id in {each["incident_id"] for each in self.made.values()}:
            held |= {each["id"]: each for each in account.timeline(incident_id)}
            held |= {each["id"]: each for each in account.attachments(incident_id)}
        for identity, made in self.made.items():
            now = held.get(identity, {})
            if _comparable(expected, now) != _comparable(expected, made):
                yield f"foreign touched: {made} -> {now}"
        for incident_id, link in self.links.items():
            if live[incident_id].get("call_url") != link:
                reference = live[incident_id]["reference"]
                yield f"foreign touched: the call link of {reference} is {live[incident_id].get('call_url')}"


def _comparable(expected: Expected, child: Wire) -> Wire:
    return {**child, "title": expected.text(child.get("title"))}
