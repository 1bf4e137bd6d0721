"""The frozen hold-out: approved images that no training ever sees, to tell whether it helped.

Images that are likely to show the same thing (`core.groups`) are held out together, or not at
all. A group is asked when its first image is approved, and what it was told holds for good: for
its other images, for those that come later, and whatever becomes of the share. So the hold-out
grows with the project and never swaps a member, and two scores of it can be compared.
"""

import hashlib
import secrets
from collections import Counter
from typing import Final

from core.database import ProjectDatabase

USUAL_SHARE: Final = 20  # per cent
MAX_SHARE: Final = 90
N_FOLDERS: Final = 4  # from that many folders and videos on, each of them is a group

_SHARE, _SALT, _GROUPS = "hold_out_share", "hold_out_salt", "hold_out_groups"
_BY_FOLDER, _BY_ORIGIN = "folder", "origin"
_ROLE: Final = "SELECT held_out FROM image WHERE held_out IS NOT NULL AND "
_DECIDE: Final = "UPDATE image SET held_out = ? WHERE held_out IS NULL AND "
_MEMBERS: Final = {_BY_FOLDER: "folder = ?", _BY_ORIGIN: "folder = ? AND origin = ?"}


def is_held_out(name: str, salt: str, n_held_out: int, n_approved: int, share: int) -> bool:
    """Whether a group that comes now is held out.

    The first group never is: without it, nothing could be trained. Later ones are if the share
    lacks a whole image, and else, where it lacks less, by chance, which the project's salt
    decides and not the order of the names.

    Args:
        name: of the group.
        salt: of the project.
        n_held_out: approved images that are held out so far.
        n_approved: approved images, those of the group included; 0 others before the first.
        share: of all approved images that is wanted, in per cent.
    """
    lacking = share * n_approved - 100 * n_held_out  # in hundredths of an image
    if lacking >= 100:
        return True
    digest = hashlib.sha256(f"{salt}\n{name}".encode()).digest()
    chance = int.from_bytes(digest[:8]) / 2**64
    return lacking > 0 and chance < 2 * share / 100


class ProjectHoldOut(ProjectDatabase):
    """The part of `AnnotationStore` about what no training may see."""

    @property
    def hold_out_share(self) -> int:
        """How many of a hundred approved images are to be held out."""
        return int(self._setting(_SHARE) or USUAL_SHARE)

    def set_hold_out_share(self, share: int) -> None:
        """Hold out more or fewer of the images that are approved from now on.

        Raises:
            ValueError: the share is below 0 or above `MAX_SHARE`.
        """
        if not 0 <= share <= MAX_SHARE:
            raise ValueError(f"{share} % of the images cannot be held out")
        self._set_setting(_SHARE, str(share))

    def decide_hold_out(self) -> None:
        """Ask the groups of approved images that were never asked, as of earlier versions."""
        with self._writing():
            self._decide_hold_out()

    def _decide_hold_out(self) -> None:
        rows = self._execute(
            "SELECT folder, origin FROM image WHERE review = 'approved' AND held_out IS NULL "
            "ORDER BY id"
        )
        if not rows:
            return
        grouping, salt = self._find_grouping(), self._find_salt()
        n_parts = len(_MEMBERS[grouping].split(" AND "))
        ((n_approved, n_held_out),) = self._execute(
            "SELECT count(*), coalesce(sum(held_out), 0) FROM image "
            "WHERE review = 'approved' AND held_out IS NOT NULL"
        )
        for group, n_images in Counter(row[:n_parts] for row in rows).items():
            told = self._execute(f"{_ROLE}{_MEMBERS[grouping]} LIMIT 1", *group)
            n_approved += n_images
            if told or n_approved == n_images:
                is_held = bool(told and told[0][0])
            else:
                name, share = "/".join(group), self.hold_out_share
                is_held = is_held_out(name, salt, n_held_out, n_approved, share)
            n_held_out += n_images * is_held
            self._execute(_DECIDE + _MEMBERS[grouping], is_held, *group)

    def _find_grouping(self) -> str:
        """What a group is in this project, found out once."""
        grouping = self._setting(_GROUPS)
        if grouping is None:
            ((n_folders,),) = self._execute("SELECT count(DISTINCT folder) FROM image")
            grouping = _BY_FOLDER if n_folders >= N_FOLDERS else _BY_ORIGIN
            self._put_setting(_GROUPS, grouping)
        return grouping

    def _find_salt(self) -> str:
        salt = self._setting(_SALT)
        if salt is None:
            salt = secrets.token_hex(8)
            self._put_setting(_SALT, salt)
        return salt
