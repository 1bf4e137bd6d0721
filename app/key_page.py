"""The page of keys in the settings: every action with its keys, and fields to record one."""

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QBrush, QColor, QKeySequence
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.actions import ACTIONS
from app.keys import (
    PRESETS,
    Keys,
    KeyTable,
    carry_over,
    changes_from,
    combine,
    describe_conflicts,
    describe_lost,
    each_once,
    find_conflicts,
    find_fault,
    native_list,
)
from app.theme import current_tones

ACTION, KEYS = range(2)
NAME_ROLE: Final = Qt.ItemDataRole.UserRole
N_FIELDS: Final = 2  # no action of the table has more keys


class KeyPage(QWidget):
    """A draft of the keys; nothing is in force before somebody asks for `preset` and `changes`.

    Signals:
        edited(): the draft is another one, with or without conflicts.
    """

    edited = Signal()

    def __init__(self, keys: Keys, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._table = combine(keys.preset, keys.changes)
        self._fault = ""
        self._based_on = keys.preset  # what the table is, but for the changes
        self._unused: KeyTable = {}  # changes that this preset cannot have or has
        self._preset = QComboBox(self)
        self._preset.addItems(list(PRESETS))
        self._preset.setCurrentText(keys.preset)
        self._search = QLineEdit(self)
        self._search.setPlaceholderText("Search by name or key")
        self._search.setAccessibleName("Search actions")
        self._search.setClearButtonEnabled(True)
        self._list = self._build_list()
        self._fields = [self._build_field(place) for place in range(N_FIELDS)]
        self._remove = QPushButton("Re&move", self)
        self._reset = QPushButton("&Reset this one", self)
        self._reset_all = QPushButton("Reset &all", self)
        self._complaint = QLabel(self)
        self._complaint.setWordWrap(True)
        self._complaint.setProperty("ink", "error")
        self._complaint.setAccessibleName("Conflicts")
        self._lay_out()
        self._connect()
        self._list.setCurrentItem(self._items()[0])
        self._show()

    @property
    def preset(self) -> str:
        """The preset that is chosen."""
        return self._preset.currentText()

    @property
    def changes(self) -> KeyTable:
        """What differs from the preset."""
        return changes_from(self.preset, self._table)

    @property
    def has_conflict(self) -> bool:
        """Whether two actions share a key."""
        return bool(find_conflicts(self._table))

    def _build_list(self) -> QTreeWidget:
        rows = QTreeWidget(self)
        rows.setHeaderLabels(["Action", "Keys"])
        rows.setRootIsDecorated(False)
        rows.setUniformRowHeights(True)
        rows.setAccessibleName("Actions and their keys")
        rows.header().setStretchLastSection(False)
        rows.header().setSectionResizeMode(ACTION, QHeaderView.ResizeMode.Stretch)
        rows.header().setSectionResizeMode(KEYS, QHeaderView.ResizeMode.ResizeToContents)
        for spec in ACTIONS:
            item = QTreeWidgetItem([f"{spec.menu}: {spec.text}", ""])
            item.setData(ACTION, NAME_ROLE, spec.name)
            item.setToolTip(ACTION, spec.tip)
            rows.addTopLevelItem(item)
        return rows

    def _build_field(self, place: int) -> QKeySequenceEdit:
        field = QKeySequenceEdit(self)
        field.setMaximumSequenceLength(1)
        field.setAccessibleName("Key" if place == 0 else "Other key")
        field.setToolTip("Press the key, with Ctrl, Shift or Alt held or without.")
        field.editingFinished.connect(self._on_recorded)
        return field

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        for text, widget in (("&Preset", self._preset), ("&Search", self._search)):
            label = QLabel(text, self)
            label.setBuddy(widget)
            top.addWidget(label)
            top.addWidget(widget, stretch=int(widget is self._search))
        below = QHBoxLayout()
        for text, field in zip(("&Key", "&Other key"), self._fields, strict=True):
            label = QLabel(text, self)
            label.setBuddy(field)
            below.addWidget(label)
            below.addWidget(field)
        below.addWidget(self._remove)
        below.addStretch()
        below.addWidget(self._reset)
        below.addWidget(self._reset_all)
        for button in (self._remove, self._reset, self._reset_all):
            button.setAutoDefault(False)
        whole = QVBoxLayout(self)
        whole.addLayout(top)
        whole.addWidget(self._list)
        whole.addLayout(below)
        whole.addWidget(self._complaint)

    def _connect(self) -> None:
        self._preset.currentTextChanged.connect(self._on_preset_chosen)
        self._search.textChanged.connect(self._filter)
        self._list.currentItemChanged.connect(self._on_row_chosen)
        self._list.itemActivated.connect(self._begin_recording)
        self._remove.clicked.connect(self._on_removed)
        self._reset.clicked.connect(self._on_reset)
        self._reset_all.clicked.connect(self._on_reset_all)

    def _current(self) -> str:
        item = self._list.currentItem()
        return "" if item is None else item.data(ACTION, NAME_ROLE)

    # What the user does.

    @Slot(str)
    def _on_preset_chosen(self, preset: str) -> None:
        """Keep what the user changed as far as it fits, also what did not fit before."""
        wanted = {**self._unused, **changes_from(self._based_on, self._table)}
        changes, lost = carry_over(preset, wanted)
        self._based_on = preset
        self._unused = {name: wanted[name] for name in wanted if name not in changes}
        self._use(combine(preset, changes), describe_lost(lost, preset))

    @Slot()
    def _on_reset_all(self) -> None:
        self._unused = {}
        self._use(combine(self.preset, {}))

    @Slot()
    def _on_reset(self) -> None:
        name = self._current()
        if name:
            self._unused = {other: k for other, k in self._unused.items() if other != name}
            self._use(self._table | {name: combine(self.preset, {})[name]})

    @Slot()
    def _on_removed(self) -> None:
        name = self._current()
        if name:
            self._use(self._table | {name: ()})

    @Slot()
    def _begin_recording(self) -> None:
        self._fields[0].setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _on_recorded(self) -> None:
        name = self._current()
        texts = [field.keySequence().toString() for field in self._fields]
        fault = next(filter(None, (find_fault(text) for text in texts if text)), "")
        if not fault and name:
            rest = self._table[name][N_FIELDS:]
            keys = each_once([*filter(None, texts), *rest])
            self._use(self._table | {name: keys})
        else:
            self._use(self._table, fault)

    def _use(self, table: Mapping[str, tuple[str, ...]], fault: str = "") -> None:
        self._table, self._fault = dict(table), fault
        self._show()
        self.edited.emit()

    # What the user sees.

    @Slot()
    def _on_row_chosen(self) -> None:
        self._fault = ""
        self._show()

    def _show(self) -> None:
        """Bring rows, fields and complaint in line with the draft."""
        plain = combine(self.preset, {})
        shared = {name for names in find_conflicts(self._table).values() for name in names}
        for item in self._items():
            name = item.data(ACTION, NAME_ROLE)
            item.setText(KEYS, native_list(self._table[name]))
            font = item.font(KEYS)
            font.setBold(self._table[name] != plain[name])
            item.setFont(KEYS, font)
            ink = QColor(current_tones().error)
            item.setForeground(KEYS, QBrush(ink) if name in shared else QBrush())
        self._complaint.setText(self._fault or describe_conflicts(self._table))
        name = self._current()
        keys = self._table[name] if name else ()
        for place, field in enumerate(self._fields):
            field.blockSignals(True)
            field.setKeySequence(QKeySequence(keys[place]) if place < len(keys) else "")
            field.setEnabled(bool(name))
            field.blockSignals(False)
        self._remove.setEnabled(bool(keys))
        self._reset.setEnabled(bool(name) and self._table[name] != plain[name])
        self._reset_all.setEnabled(self._table != plain)

    @Slot(str)
    def _filter(self, text: str) -> None:
        words = text.casefold().split()
        for item in self._items():
            row = f"{item.text(ACTION)} {item.text(KEYS)}".casefold()
            item.setHidden(not all(word in row for word in words))

    def _items(self) -> list[QTreeWidgetItem]:
        rows = (self._list.topLevelItem(row) for row in range(self._list.topLevelItemCount()))
        return [item for item in rows if item is not None]
