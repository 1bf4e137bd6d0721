"""Settings on the command line: every field of a TrainConfig, by its name and of its type."""

import difflib
import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

from core.errors import TrainingError
from training.config import TrainConfig

YES = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def split_changes(config: TrainConfig, arguments: Sequence[str]) -> dict[str, str]:
    """What `--learning-rate 1e-3 --model.b=0.2 --is-compiled` says, by name.

    Raises:
        TrainingError: an argument is no setting, or has no value.
    """
    changes: dict[str, str] = {}
    left = list(arguments)
    while left:
        argument = left.pop(0)
        if not argument.startswith("--"):
            raise TrainingError(f"'{argument}' is not understood; settings begin with --.")
        name, has_value, value = argument[2:].partition("=")
        name = name.replace("-", "_")
        kind, _ = find_setting(config, name)
        if not has_value:
            is_alone = not left or left[0].startswith("--")
            if is_alone and kind is not bool:
                raise TrainingError(f"{flag(name)} has no value; give {describe(kind)}.")
            value = "true" if is_alone else left.pop(0)
        changes[name] = value
    return changes


def change(config: TrainConfig, changes: Mapping[str, str]) -> TrainConfig:
    """The same configuration with some of its settings changed, all at once.

    Args:
        changes: texts by name; dots lead into the configurations inside, as in `model.b`.

    Raises:
        TrainingError: there is no such setting, or its value is impossible.
    """
    values = json.loads(config.to_json())
    for name, text in changes.items():
        kind, _ = find_setting(config, name)
        *outer, last = name.split(".")
        place = values
        for part in outer:
            place = place[part]
        place[last] = _read(name, text, kind)
    try:
        return TrainConfig.from_json(json.dumps(values))
    except ValueError as error:
        raise TrainingError(f"These settings cannot be: {error}.") from error


def find_setting(config: TrainConfig, name: str) -> tuple[Any, Any]:
    """Type and value of a setting.

    Raises:
        TrainingError: there is none of that name; lists those that there are.
    """
    kind: Any = TrainConfig
    value: Any = config
    above = ""
    for part in name.split("."):
        names = [field.name for field in fields(value)] if is_dataclass(value) else []
        if part not in names:
            raise TrainingError(_say_names(above, part, names))
        kind = get_type_hints(type(value))[part]
        value = getattr(value, part)
        above += f"{part}."
    return kind, value


def _say_names(above: str, part: str, names: list[str]) -> str:
    if not names:
        return f"{flag(above[:-1])} is one value, and has no setting '{part}' inside."
    near = difflib.get_close_matches(part, names, 1)
    hint = f" Did you mean {flag(above + near[0])}?" if near else ""
    listed = ", ".join(flag(above + name) for name in names)
    return f"There is no setting {flag(above + part)}.{hint} There are: {listed}."


def flag(name: str) -> str:
    """A setting as it is written on the command line."""
    return "--" + name.replace("_", "-")


def _read(name: str, text: str, kind: Any) -> Any:
    """A plain value of a text.

    Raises:
        TrainingError: the text is none of that type; says what would be.
    """
    if get_origin(kind) is Literal and text in get_args(kind):
        return text
    if kind is str:
        return text
    if kind is bool and text.lower() in YES:
        return YES[text.lower()]
    try:
        if get_origin(kind) is tuple and not text.startswith("["):
            text = f"[{text}]"
        value = float(text) if kind is float else json.loads(text)
    except ValueError as error:
        raise _wrong(name, text, kind) from error
    if get_origin(kind) is Literal or kind is bool or (kind is int and type(value) is not int):
        raise _wrong(name, text, kind)
    return value


def _wrong(name: str, text: str, kind: Any) -> TrainingError:
    return TrainingError(f"{flag(name)} cannot be '{text}'; give {describe(kind)}.")


def describe(kind: Any) -> str:
    """What a value of a type looks like."""
    if get_origin(kind) is Literal:
        return " or ".join(get_args(kind))
    if get_origin(kind) is tuple:
        return "values with commas between, as 1,2,2 or []"
    names = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
    return names.get(kind, "a value as JSON has it, or null")


def list_settings(config: Any, above: str = "") -> Iterator[str]:
    """Every setting with its value, one a line, in the form in which it can be given."""
    for field in fields(config):
        value = getattr(config, field.name)
        if is_dataclass(value):
            yield from list_settings(value, f"{above}{field.name}.")
        else:
            yield f"  {flag(above + field.name)} {_write(value)}"


def _write(value: Any) -> str:
    """A value as it is written on the command line of a shell."""
    if isinstance(value, str):
        return shlex.quote(value)
    if isinstance(value, tuple) and value and not is_dataclass(value[0]):
        return ",".join(map(str, value))
    return shlex.quote(json.dumps(value, default=asdict))
