"""What can be typed to find images: `category:nucleus state:proposed segments>50`.

A query is words that must all hold. A word alone is a part of the path; `field:value` asks for
one thing, commas between values for any of them, and a hyphen before a word for the opposite.
Values with blanks or commas are written in quotes: `category:"dead cell"`.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NoReturn

from core.errors import QueryError
from core.image_query import Condition
from core.review import Review

_QUOTE: Final = '"'
_FIELD: Final = re.compile(r"(-?)([^\W\d_]+)(>=|<=|[:=<>])")
_UNITS: Final = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}  # seconds
_AGE: Final = re.compile(r"(\d+(?:\.\d+)?)([mhdw])")
_ANSWERS: Final = {"yes": True, "no": False}
_STATES: Final = ", ".join(review.value.replace(" ", "-") for review in Review)


@dataclass(frozen=True, slots=True)
class _Word:
    """One word of a query.

    Attributes:
        text: as it was typed, with its quotes.
        place: of its first character, from 1.
        is_negated: whether the opposite is wanted.
        field: what is asked; empty for a part of the path.
        sign: between field and values.
        values: any of them.
    """

    text: str
    place: int
    is_negated: bool
    field: str
    sign: str
    values: tuple[str, ...]

    def refuse(self, reason: str) -> NoReturn:
        raise QueryError(f"'{self.text}' at character {self.place} {reason}.")


def parse_query(text: str) -> tuple[Condition, ...]:
    """The conditions that a typed query stands for; none for an empty one.

    Raises:
        QueryError: a sentence on which word means nothing, and what could be meant.
    """
    return tuple(_condition(word) for word in _words(text))


def _words(text: str) -> Iterator[_Word]:
    start = 0
    while start < len(text):
        if text[start].isspace():
            start += 1
            continue
        end, is_quoted = start, False
        while end < len(text) and (is_quoted or not text[end].isspace()):
            is_quoted ^= text[end] == _QUOTE
            end += 1
        word = text[start:end]
        if is_quoted:
            place = start + word.rindex(_QUOTE) + 1
            raise QueryError(f"The quote at character {place} has no end; add another one.")
        yield _read_word(word, start + 1)
        start = end


def _read_word(word: str, place: int) -> _Word:
    found = _FIELD.match(word)
    if found is None:
        is_negated = len(word) > 1 and word.startswith("-")
        values = _split(word[is_negated:])
        return _Word(word, place, is_negated, "", ":", values)
    minus, field, sign = found.groups()
    values = _split(word[found.end() :])
    return _Word(word, place, bool(minus), field.casefold(), sign, values)


def _split(text: str) -> tuple[str, ...]:
    """The values between commas, without quotes; those in quotes may have commas."""
    parts = re.findall(r'((?:"[^"]*"|[^",])*)(?:,|$)', text)
    return tuple(part.replace(_QUOTE, "") for part in parts if part)


def _condition(word: _Word) -> Condition:
    if word.field not in _FIELDS:
        named = ", ".join(field for field in _FIELDS if field)
        word.refuse(f"asks for no field that there is; there are {named}")
    if not word.values:
        word.refuse("has no value after it")
    make, signs = _FIELDS[word.field]
    if word.sign not in signs:
        word.refuse(f"cannot be compared with {word.sign}; write {word.field}{signs[0]}…")
    parts = [make(word, value) for value in word.values]
    sql = " OR ".join(part.sql for part in parts)
    values = tuple(value for part in parts for value in part.values)
    # An image of which it is not known does not have it.
    return Condition(f"{'NOT ' * word.is_negated}coalesce(({sql}), 0)", values)


def _contains(column: str) -> Callable[[_Word, str], Condition]:
    def make(_: _Word, value: str) -> Condition:
        return Condition(f"contains({column}, ?)", (value,))

    return make


def _state(word: _Word, value: str) -> Condition:
    name = re.sub("[-_]", " ", value).casefold()
    found = [review for review in Review if review.value.startswith(name)]
    if len(found) != 1:
        word.refuse(f"names no state; there are {_STATES}")
    return Condition("review = ?", (found[0].value,))


def _category(_: _Word, value: str) -> Condition:
    return Condition(
        "id IN (SELECT image_id FROM content WHERE category_id IN "
        "(SELECT id FROM category WHERE contains(name, ?)))",
        (value,),
    )


def _model(_: _Word, value: str) -> Condition:
    if value.casefold() == "none":
        return Condition("model = ''")
    return Condition("(model <> '' AND contains(model, ?))", (value,))


def _number(column: str) -> Callable[[_Word, str], Condition]:
    def make(word: _Word, value: str) -> Condition:
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            word.refuse("asks for a number")
        return Condition(f"({column} {_sql_sign(word)} ? AND {column} >= 0)", (number,))

    return make


def _age(word: _Word, value: str) -> Condition:
    found = _AGE.fullmatch(value.casefold())
    if found is None:
        word.refuse("asks for a time such as 30m, 12h, 7d or 2w")
    seconds = float(found[1]) * _UNITS[found[2]]
    return Condition(f"unixepoch() - changed_at {word.sign} ?", (seconds,))


def _hold_out(word: _Word, value: str) -> Condition:
    if value.casefold() not in _ANSWERS:
        word.refuse("can be yes or no")
    return Condition("coalesce(held_out, 0) = ?", (_ANSWERS[value.casefold()],))


def _sql_sign(word: _Word) -> str:
    return "=" if word.sign == ":" else word.sign


_IS: Final = (":", "=")
_LIKE: Final = (">", "<", ">=", "<=")
_COMPARED: Final = (*_LIKE, *_IS)

# What is asked for by each field, and the signs that may follow it; the first is suggested.
_FIELDS: Final[Mapping[str, tuple[Callable[[_Word, str], Condition], tuple[str, ...]]]] = {
    "": (_contains("path"), _IS),
    "name": (_contains("path"), _IS),
    "state": (_state, _IS),
    "category": (_category, _IS),
    "segments": (_number("n_segments"), _COMPARED),
    "edits": (_number("position"), _COMPARED),
    "model": (_model, _IS),
    "age": (_age, _LIKE),
    "work": (_number("expected_work"), _LIKE),
    "holdout": (_hold_out, _IS),
    "reason": (_contains("iif(review = 'rejected', reason, '')"), _IS),
}
