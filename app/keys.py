"""Which keys do what: presets, what the user changed of them, and no key for two things."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence

from app.actions import ACTIONS, RESERVED

KeyTable = Mapping[str, tuple[str, ...]]  # portable texts of the keys of each action

BITBRUSH: Final = "Bitbrush"
CVAT: Final = "CVAT"
PRESETS: Final[Mapping[str, KeyTable]] = {  # what differs from the table of actions
    BITBRUSH: {},
    # CVAT's own keys for what both programs do; what had those keys gets the ones set free.
    # Source: "Shortcuts" in CVAT's user guide.
    CVAT: {
        "next": ("F", "PgDown"),
        "previous": ("D", "PgUp"),
        "fit": ("A",),
        "new_segment": ("N",),
        "merge": ("M",),
        "next_uncertain": ("J",),
        "lock": ("L",),
        "lasso": ("X",),
        "settings": ("Ctrl+,", "F2"),
    },
}
TAKEN: Final = {
    "Space": "held, it moves the image",
    "Tab": "goes to the next control",
    "Shift+Tab": "goes to the previous control",
    "Backtab": "goes to the previous control",
}
_SHIFTED: Final = dict(zip("`1234567890-=[]\\;',./", '~!@#$%^&*()_+{}|:"<>?', strict=True))
_SPECS: Final = {spec.name: spec for spec in ACTIONS}


class Keys(QObject):
    """The keys in force.

    Attributes:
        preset: one of `PRESETS`.
        changes: the keys that differ from the preset's.

    Signals:
        changed(): other keys are in force.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.preset = BITBRUSH
        self.changes: KeyTable = MappingProxyType({})
        self._keys = combine(BITBRUSH, {})

    def __getitem__(self, name: str) -> tuple[str, ...]:
        """The keys of an action."""
        return self._keys[name]

    def use(self, preset: str, changes: KeyTable) -> None:
        """Put keys into force; changes that cannot be, such as of a removed action, are not."""
        self.preset = preset if preset in PRESETS else BITBRUSH
        self.changes = MappingProxyType(sound_changes(self.preset, changes))
        self._keys = combine(self.preset, self.changes)
        self.changed.emit()

    def hint(self, name: str) -> str:
        """How an action is done: by its first key, or where it is when it has none."""
        spec = _SPECS[name]
        keys = self._keys[name]
        return native(keys[0]) if keys else f"{spec.menu} > {spec.text}"

    def title(self, name: str, text: str = "") -> str:
        """An action's text, or another, with its first key in brackets."""
        keys = self._keys[name]
        text = text or _SPECS[name].text
        return f"{text} ({native(keys[0])})" if keys else text

    def list_of(self, name: str) -> str:
        """An action's keys as the system writes them."""
        return native_list(self._keys[name])

    def is_released(self, name: str, event: QKeyEvent) -> bool:
        """Whether a key of an action was let go, whatever was held with it."""
        held = {QKeySequence(key)[0].key() for key in self._keys[name]}  # type: ignore[index]
        return Qt.Key(event.key()) in held


def combine(preset: str, changes: KeyTable) -> dict[str, tuple[str, ...]]:
    """The keys of every action and of what is to come, under a preset with changes."""
    keys = {spec.name: spec.keys for spec in ACTIONS}
    keys = {**RESERVED, **keys}
    known = {**PRESETS[preset], **changes}
    return keys | {name: tuple(known[name]) for name in known if name in keys}


def each_once(keys: Iterable[str]) -> tuple[str, ...]:
    """Keys without those that are one of them written otherwise.

    Qt calls a key ambiguous, and does nothing, even if it is twice the same action's.
    """
    first: dict[str, str] = {}
    for key in keys:
        first.setdefault(same_key(key), key)
    return tuple(first.values())


def find_conflicts(keys: KeyTable) -> dict[str, tuple[str, ...]]:
    """Keys that more than one action has, as portable texts, each with the actions' names."""
    owners: dict[str, list[str]] = {}
    for name, texts in keys.items():
        for key in {same_key(text) for text in texts}:
            owners.setdefault(key, []).append(name)
    return {key: tuple(names) for key, names in owners.items() if len(names) > 1}


def find_fault(key: str) -> str:
    """Say why a key can be no action's; empty when it can."""
    sequence = QKeySequence(key)
    if sequence.isEmpty() or "" in {sequence.toString(), key}:
        return f"'{key}' is no key."
    if sequence.count() > 1:
        return f"'{native(key)}' is more than one key; give one, with modifiers or without."
    if key in TAKEN:
        return f"{native(key)} is taken: {TAKEN[key]}."
    if key.startswith("Alt+") and key.count("+") == 1 and key[-1].isalpha():
        return f"{native(key)} is taken: Alt with a letter opens menus."
    return ""


def sound_changes(preset: str, changes: KeyTable) -> dict[str, tuple[str, ...]]:
    """The changes that can be in force together; all that share a key are left out."""
    known = combine(preset, {})
    sound = {
        name: each_once(keys)
        for name, keys in changes.items()
        if name in known and not any(find_fault(key) for key in keys)
    }
    while shared := find_conflicts(combine(preset, sound)):
        names = {name for group in shared.values() for name in group}
        sound = {name: keys for name, keys in sound.items() if name not in names}
    return sound


def carry_over(preset: str, changes: KeyTable) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """Bring a user's changes under another preset.

    Returns:
        Those that can be in force there, and the names of the actions whose cannot.
    """
    own = combine(preset, {})
    wanted = {name: keys for name, keys in changes.items() if own.get(name) != keys}
    sound = sound_changes(preset, wanted)
    return sound, [name for name in wanted if name not in sound]


def describe_lost(names: Iterable[str], preset: str) -> str:
    """A sentence on the actions whose own keys a preset gives to others; empty for none."""
    texts = ", ".join(f"'{_SPECS[name].text}'" for name in names if name in _SPECS)
    return f"{preset} needs the keys that you gave {texts}; save drops them." if texts else ""


def changes_from(preset: str, keys: KeyTable) -> dict[str, tuple[str, ...]]:
    """What of a whole table differs from a preset."""
    own = combine(preset, {})
    return {name: keys[name] for name in keys if keys[name] != own[name]}


def same_key(key: str) -> str:
    """One text for all that are the same key, as Shift+[ and { are on most keyboards."""
    text = QKeySequence(key).toString(QKeySequence.SequenceFormat.PortableText)
    shifted = _SHIFTED.get(text[-1:])
    if text.endswith(f"Shift+{text[-1:]}") and shifted is not None:
        return f"{text.removesuffix(f'Shift+{text[-1]}')}{shifted}"
    return text


def describe_conflicts(keys: KeyTable) -> str:
    """A sentence on every key that two actions share; empty when none is."""
    return " ".join(
        f"{native(key)} is the key of {_names(names)}."
        for key, names in find_conflicts(keys).items()
    )


def native(key: str) -> str:
    """A key as the system writes it; most keyboards have Enter on both of Qt's two."""
    text = QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
    return text.replace("Return", "Enter")


def native_list(keys: Iterable[str]) -> str:
    """Keys as the system writes them, each once."""
    return ", ".join(dict.fromkeys(native(key) for key in keys))


def _names(names: Iterable[str]) -> str:
    texts = [_SPECS[name].text if name in _SPECS else name.replace("_", " ") for name in names]
    return " and of ".join(f"'{text}'" for text in texts)
