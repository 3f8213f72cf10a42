"""A language -> its month names, as exports write them: in full and abbreviated."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache

_NAMES = {
    "en": "january february march april may june july august september october november december",
    "de": "januar februar märz april mai juni juli august september oktober november dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "sv": "januari februari mars april maj juni juli augusti september oktober november december",
    "da": "januar februar marts april maj juni juli august september oktober november december",
    "nb": "januar februar mars april mai juni juli august september oktober november desember",
    "pl": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada "
    "grudnia",
}
_SHORT = {
    "de": "jän=1 mrz=3 sept=9",
    "en": "sept=9",
    "es": "set=9 sept=9",
    "fr": "févr=2 avr=4 juil=7 sept=9",
    "nl": "mrt=3",
    "pl": "paź=10 sie=8 wrz=9",
}
"""Short forms that are not the first three letters."""

LANGUAGES = tuple(sorted(_NAMES))
_WORD = re.compile(r"[^\W\d_]{3,}\.?")


def month_numbers(language: str) -> Mapping[str, int]:
    """Return a language's months by folded name: in full, and by every unique prefix of three letters or
    more."""
    names = {fold_month(name): number for number, name in enumerate(_NAMES[language].split(), 1)}
    begun: dict[str, set[int]] = {}
    for name, number in names.items():
        for length in range(3, len(name)):
            begun.setdefault(name[:length], set()).add(number)
    short = (each.split("=") for each in _SHORT.get(language, "").split())
    return (
        {start: min(numbers) for start, numbers in begun.items() if len(numbers) == 1}
        | names
        | {fold_month(name): int(number) for name, number in short}
    )


def languages_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the languages with a month name in one of the texts."""
    words = {fold_month(word) for each in texts for word in _WORD.findall(each)}
    return tuple(each for each in LANGUAGES if not words.isdisjoint(month_numbers(each)))


@lru_cache(256)
def fold_month(name: str) -> str:
    """Return a month's name without case and without the dot of an abbreviation."""
    return unicodedata.normalize("NFC", name).casefold().rstrip(".")
