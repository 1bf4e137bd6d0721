"""Configurations as plain values: out of JSON, and one field changed by its name."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def from_plain(kind: type[T], values: Any) -> T:
    """Make a dataclass of the dict that `asdict` made of one; absent fields get defaults.

    Raises:
        ValueError: a field is unknown, missing, or its value is impossible.
    """
    hints = get_type_hints(kind)
    if not isinstance(values, Mapping) or not values.keys() <= hints.keys():
        raise ValueError(f"{kind.__name__} has no fields {sorted(set(values) - set(hints))}")
    try:
        return kind(**{name: _value(hints[name], value) for name, value in values.items()})
    except TypeError as error:
        raise ValueError(f"{kind.__name__} cannot be read: {error}") from error


def with_field(config: T, name: str, text: str) -> T:
    """The same configuration with one field changed.

    Args:
        name: of the field; dots lead into the configurations inside, as in `model.b`.
        text: its value as JSON; what is no JSON is taken as the text that it is.

    Raises:
        ValueError: there is no such field, or its value is impossible.
    """
    first, _, rest = name.partition(".")
    names = [field.name for field in fields(config)]  # type: ignore[arg-type]
    if first not in names:
        raise ValueError(f"{type(config).__name__} has no field {first}; it has {names}")
    inner = getattr(config, first)
    if rest and is_dataclass(inner):
        return replace(config, **{first: with_field(inner, rest, text)})  # type: ignore[type-var]
    if rest:
        raise ValueError(f"{first} is {inner!r}, which has no field {rest}")
    try:
        plain = json.loads(text)
    except ValueError:
        plain = text
    value = _value(get_type_hints(type(config))[first], plain)
    return replace(config, **{first: value})  # type: ignore[type-var]


def _value(kind: Any, value: Any) -> Any:
    """What a plain value stands for, by the annotation of its field."""
    parts = get_args(kind)
    if isinstance(value, Mapping):
        choices = [part for part in parts or (kind,) if is_dataclass(part)]
        fitting = [part for part in choices if value.keys() <= get_type_hints(part).keys()]
        if not fitting:
            raise ValueError(f"no configuration has the fields {sorted(value)}")
        return from_plain(fitting[0], value)  # type: ignore[arg-type]
    if isinstance(value, list):
        if get_origin(kind) in {Union, UnionType}:
            return tuple(value)
        inner = parts[0] if parts else Any
        return tuple(_value(inner, entry) for entry in value)
    if type(value) is int and float in {kind, *parts}:
        return float(value)
    return value
