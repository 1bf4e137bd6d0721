"""The edits that were saved or taken back last, as they were before they became bytes.

Nearly every undo is of one of them, and to read a large one back from its bytes takes longer
than to commit and to carry it out. Nothing is believed that the project file does not say: an
edit is found again only for the very bytes that are in the file.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from core.panoptic import Edit

MAX_BYTES: Final = 1 << 28  # of ids; two fills of a whole map of 8000 x 4000 pixels


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    payload: bytes
    edit: Edit
    n_bytes: int


class RecentEdits:
    """Edits by image and number, the latest that fit in some memory.

    Args:
        max_bytes: that ids and payloads may take together.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._n_bytes = 0
        self._kept: OrderedDict[tuple[int, int], _Kept] = OrderedDict()

    def keep(self, image_id: int, seq: int, payload: bytes, edit: Edit) -> None:
        """Remember an edit and the bytes that it was written as or read from.

        Its ids are locked against writing: whoever did would change what undo brings back.
        """
        self._drop(image_id, seq)
        n_bytes = edit.before.nbytes + edit.after.nbytes + len(payload)
        if n_bytes > self._max_bytes:
            return
        edit.before.flags.writeable = edit.after.flags.writeable = False
        self._kept[image_id, seq] = _Kept(payload, edit, n_bytes)
        self._n_bytes += n_bytes
        while self._n_bytes > self._max_bytes:
            self._drop(*next(iter(self._kept)))

    def find(self, image_id: int, seq: int, label: str, payload: bytes) -> Edit | None:
        """The edit of these bytes, if it is remembered."""
        kept = self._kept.get((image_id, seq))
        if kept is None or kept.payload != payload or kept.edit.label != label:
            return None
        self._kept.move_to_end((image_id, seq))
        return kept.edit

    def _drop(self, image_id: int, seq: int) -> None:
        kept = self._kept.pop((image_id, seq), None)
        if kept is not None:
            self._n_bytes -= kept.n_bytes
