"""Configurations out of plain values, as JSON has them."""

from collections.abc import Mapping
from dataclasses import is_dataclass
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
