"""Which segment of a project each id of a video model stands for, frame after frame.

A model has few ids, and knows of each only as long as one of the maps that it looks back to
has it. An id that comes back later may be anything, and so it is a segment of its own.

Source: Weber et al. 2021, arXiv:2102.11859 (STEP), and the authors' evaluation of
arXiv:2210.06366, which does not look whether the id that it gives is free.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from core.giving import checked_id


class FollowedIds:
    """The segments that a run follows, and the model's ids for them.

    Args:
        n_ids: of the model, 0 included.
        memory: how many maps the model looks back to.
        next_id: the smallest segment id that no frame of the clip has used.
        rng: draws the model's ids from all there are; None counts them from 1.
    """

    def __init__(
        self, n_ids: int, memory: int, next_id: int, rng: np.random.Generator | None = None
    ) -> None:
        self.next_id = next_id
        ids = np.arange(1, n_ids)
        self._order: list[int] = (ids if rng is None else rng.permutation(ids)).tolist()
        self._segments: dict[int, int] = {}  # the model's id -> the segment's
        self._recent: deque[set[int]] = deque(maxlen=memory)  # the model's ids in each map

    @property
    def model_ids(self) -> Mapping[int, int]:
        """The model's id of each segment that is followed."""
        return {segment_id: model_id for model_id, segment_id in self._segments.items()}

    def begin(self, maps: Sequence[Sequence[int]]) -> list[int]:
        """Follow the segments of earlier maps.

        Args:
            maps: the segments of each, the most important first; the nearest map last.

        Returns:
            Those for which no id was left.
        """
        left_out = self.hold([i for segment_ids in reversed(maps) for i in segment_ids])
        ids = self.model_ids
        for segment_ids in maps:
            self._recent.append({ids[i] for i in segment_ids if i in ids})
        return left_out

    def hold(self, segment_ids: Iterable[int]) -> list[int]:
        """Give segments ids of the model, those that have none, as long as there are any.

        Args:
            segment_ids: the most important first.

        Returns:
            Those for which no id was left.
        """
        left_out, has_one = [], set(self._segments.values())
        free = iter([i for i in self._order if i not in self._segments])
        for segment_id in segment_ids:
            if segment_id in has_one:
                continue
            model_id = next(free, 0)
            if model_id:
                self._segments[model_id] = segment_id
                has_one.add(segment_id)
            elif segment_id not in left_out:
                left_out.append(segment_id)
        return left_out

    def name(self, model_ids: Iterable[int]) -> dict[int, int]:
        """The segment of each of these ids in a frame; new ones get ids that nobody has used.

        Nothing is remembered of it: a step may show ids that the last one does not.

        Raises:
            ProjectError: there is no segment id left.
        """
        found, next_id = {}, self.next_id
        for model_id in model_ids:
            if model_id in self._segments:
                found[model_id] = self._segments[model_id]
            else:
                found[model_id] = checked_id(next_id)
                next_id += 1
        return found

    def use(self, segment_ids: Iterable[int]) -> None:
        """Note that these ids are used in the clip from now on."""
        self.next_id = max([self.next_id, *(i + 1 for i in segment_ids)])

    def go_on(self, named: Mapping[int, int], seen: Iterable[int]) -> None:
        """Go to the next frame.

        Args:
            named: what `name` said of this frame.
            seen: the model's ids in the map that the model is going to be told.
        """
        self._segments |= named
        self.use(named.values())
        self._recent.append(set(seen))
        remembered = set().union(*self._recent)
        self._segments = {i: s for i, s in self._segments.items() if i in remembered}
