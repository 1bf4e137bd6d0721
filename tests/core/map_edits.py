"""Small maps, what holds for every map, and every edit of one: for the tests of edits."""

import numpy as np
from hypothesis import strategies as st

from core.borders import fill_holes, grow, remove_islands, shrink, smooth_border
from core.edits import (
    brush_stroke,
    clear,
    delete_segment,
    erase_area,
    erase_stroke,
    new_segment,
    paint_area,
    set_segment,
)
from core.panoptic import Category, PanopticMap, Segment, Source
from core.proposals import Proposal, SamplingOptions
from core.segment_edits import (
    cut_segment,
    flood_area,
    give_to_neighbours,
    merge_segments,
    split_by_line,
    split_components,
)
from core.shapes import cover_polygon
from core.snapping import snap_border
from core.strokes import Tip
from core.superpixels import Superpixels
from core.wand import wand_area
from core.whole_maps import accept_proposal, copy_segments, import_map

CELL = Category(5, "cell", is_thing=True, color=(255, 0, 0))
DISH = Category(9, "dish", is_thing=False, color=(0, 0, 255))
GLASS = Category(11, "glass", is_thing=False, color=(0, 255, 0))
CATEGORIES = (CELL, DISH, GLASS)
STUFF = {DISH.id, GLASS.id}
DOT = 0.5  # radius of a brush that paints one pixel


def ids(*rows):
    return np.array(rows, np.uint16)


def cells(*rows, but=None):
    """A map of cells that the model drew, but for one segment given whole."""
    array = ids(*rows)
    segments = {int(i): Segment(int(i), CELL.id, Source.MODEL) for i in np.unique(array) if i}
    segments |= {but.id: but} if but else {}
    return PanopticMap(array, segments, int(array.max()) + 1)


def proposal_of(array, categories):
    return Proposal(array, categories, SamplingOptions(), "tiny", 0.1)


def row(n, y=0):
    """A stroke along the first n pixels of a row."""
    return [(0.5, y + 0.5), (n - 0.5, y + 0.5)]


def assert_is_partition(panoptic):
    counted = PanopticMap(panoptic.segment_ids).areas()
    assert panoptic.areas() == counted
    assert panoptic.segments.keys() == counted.keys()
    assert all(i == segment.id for i, segment in panoptic.segments.items())
    assert max(counted, default=0) < panoptic.next_id
    stuff = [
        s.category_id
        for s in panoptic.segments.values()
        if s.category_id in STUFF and not s.is_crowd
    ]
    assert len(stuff) == len(set(stuff))


def same_map(one, other):
    return np.array_equal(one.segment_ids, other.segment_ids) and one.segments == other.segments


def assert_locked_pixels_stay(before, after):
    for segment in before.segments.values():
        if segment.is_locked:
            owned = before.segment_ids == segment.id
            assert (after.segment_ids[owned] == segment.id).all()
            assert segment.id in after.segments


HEIGHT, WIDTH = 9, 11
IMAGE = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
point = st.tuples(st.floats(-3, WIDTH + 3, width=32), st.floats(-3, HEIGHT + 3, width=32))
points = st.lists(point, min_size=1, max_size=3)
radii = st.sampled_from([0.5, 1.0, 2.2, 6.0])
whole_maps = st.binary(min_size=HEIGHT * WIDTH, max_size=HEIGHT * WIDTH).map(
    lambda data: np.frombuffer(data, np.uint8).reshape(HEIGHT, WIDTH).astype(np.uint16) % 7
)


images = st.integers(0, 99).map(
    lambda seed: (
        np.random.default_rng(seed).integers(0, 4, (HEIGHT, WIDTH, 3), np.uint8) * np.uint8(80)
    )
)
places = st.tuples(st.integers(0, WIDTH - 1), st.integers(0, HEIGHT - 1))
sizes = st.integers(1, 5)


@st.composite
def edits_of(draw, panoptic):
    """Any edit of a map."""
    kinds = [strokes_on, areas_on, takeovers_of]
    if panoptic.segments:
        kinds += [changes_of, partings_of, border_edits_of]
    return draw(draw(st.sampled_from(kinds))(panoptic))


@st.composite
def painted_segments(draw, panoptic):
    """One of the map's, or a new one."""
    segment_id = draw(st.sampled_from([0, *sorted(panoptic.segments)]))
    category = draw(st.sampled_from(CATEGORIES))
    return panoptic.segments.get(segment_id) or new_segment(panoptic, category)


@st.composite
def erased_ids(draw, panoptic):
    return draw(st.sampled_from([None, *sorted(panoptic.segments)]))


@st.composite
def strokes_on(draw, panoptic):
    stroke, radius, tip = draw(points), draw(radii), draw(st.sampled_from(Tip))
    if draw(st.booleans()):
        return erase_stroke(panoptic, stroke, radius, draw(erased_ids(panoptic)), tip=tip)
    return brush_stroke(panoptic, stroke, radius, draw(painted_segments(panoptic)), tip=tip)


@st.composite
def areas_on(draw, panoptic):
    """What a polygon, a wand or a fill cover; superpixels are an area as good as any."""
    kind = draw(st.integers(0, 3))
    if kind == 0:
        area = cover_polygon(draw(st.lists(point, min_size=3, max_size=6)), HEIGHT, WIDTH)
    elif kind == 1:
        area = flood_area(panoptic, *draw(places))
    elif kind == 2:
        area = wand_area(IMAGE, *draw(places), 60, is_contiguous=draw(st.booleans()))
    else:
        area = Superpixels(IMAGE, 4).area_under(draw(points))
    if draw(st.booleans()):
        return erase_area(panoptic, *area, draw(erased_ids(panoptic)), "erase")
    return paint_area(panoptic, *area, draw(painted_segments(panoptic)), "paint")


@st.composite
def changes_of(draw, panoptic):
    """What is done to whole segments."""
    segment_ids = st.sampled_from(sorted(panoptic.segments))
    segment_id = draw(segment_ids)
    kind = draw(st.integers(0, 5))
    if kind == 0:
        return clear(panoptic)
    if kind == 1:
        return delete_segment(panoptic, segment_id)
    if kind == 2:
        return merge_segments(panoptic, draw(st.lists(segment_ids)), segment_id)
    if kind == 3:
        return give_to_neighbours(panoptic, segment_id)
    is_locked = draw(st.sampled_from([None, True, False]))
    category = draw(st.sampled_from([None, *CATEGORIES]))
    if is_locked is False and panoptic.segments[segment_id].is_locked:
        category = None  # whoever unlocks it lets it join others in the same edit
    return set_segment(panoptic, segment_id, is_locked=is_locked, category=category)


@st.composite
def partings_of(draw, panoptic):
    segment_id, kind = draw(st.sampled_from(sorted(panoptic.segments))), draw(st.integers(0, 2))
    if kind == 0:
        return split_components(panoptic, segment_id, STUFF)
    if kind == 1:
        return cut_segment(panoptic, segment_id, draw(point), draw(point), STUFF)
    return split_by_line(panoptic, segment_id, draw(points), STUFF)


@st.composite
def border_edits_of(draw, panoptic):
    segment_id, size = draw(st.sampled_from(sorted(panoptic.segments))), draw(sizes)
    return draw(
        st.sampled_from(
            [
                lambda: fill_holes(panoptic, segment_id),
                lambda: remove_islands(panoptic, size, segment_id),
                lambda: remove_islands(panoptic, size),
                lambda: smooth_border(panoptic, segment_id, size),
                lambda: grow(panoptic, segment_id, size),
                lambda: shrink(panoptic, segment_id, size),
                lambda: snap_border(panoptic, draw(images), segment_id, size),
                lambda: snap_border(panoptic, IMAGE, segment_id, size),
            ]
        )
    )()


@st.composite
def takeovers_of(draw, panoptic):
    """What comes as a whole map: a proposal, an import, a copy of another image."""
    array, kind = draw(whole_maps), draw(st.integers(0, 2))
    if kind == 0:
        to_project = {1: CELL.id, 2: DISH.id, 3: GLASS.id}
        proposal = proposal_of(array, {1: 1, 2: 1, 3: 2, 4: 2, 5: 3})
        return accept_proposal(panoptic, proposal, to_project, STUFF)
    known = {i: Segment(i, CATEGORIES[i % 3].id, is_crowd=i == 4) for i in range(1, 7)}
    present = {int(i): known[int(i)] for i in np.unique(array) if i}
    other = PanopticMap(array, present)
    if kind == 1:
        return import_map(panoptic, other, STUFF)
    copied = draw(st.none() | st.sets(st.integers(1, 6)))
    return copy_segments(panoptic, other, copied, STUFF)
