"""Asked for a region, the network draws the cells around it and no others."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.model.config import NUCLEI
from core.model.crop import MARGIN, cells_to_draw
from core.model.pix2seq_d import Pix2SeqD
from core.model.postprocess import to_segments
from core.model.prepare import frame_for
from core.model.segment import encode_image, known_bits, segment_image
from core.model_card import ModelCard
from core.panoptic import Category, PanopticMap, Rect, Segment, Source
from core.proposals import Known, SamplingOptions
from core.region import accept_in_region

CATEGORIES = (
    Category(1, "nucleus", True, (220, 20, 60)),
    Category(2, "background", False, (60, 60, 60)),
)
CARD = ModelCard("test", "", CATEGORIES)
TINY = replace(
    NUCLEI, decoder_width=16, transformer_layers=1, transformer_width=64, encoder_layers=1
)
OPTIONS = SamplingOptions(steps=2, min_area=0)
HEIGHT, WIDTH = 48, 500
REGIONS = [Rect(0, 0, 9, 9), Rect(10, 220, 30, 260), Rect(40, 490, 48, 500)]


@pytest.fixture(scope="module")
def model() -> Pix2SeqD:
    torch.manual_seed(3)
    model = Pix2SeqD(TINY).init_weights().eval()
    with torch.no_grad():
        model.decoder.conv_out.weight.mul_(1e5)
    return model


def picture(height: int, width: int):
    return np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)


def halves(height: int, width: int) -> PanopticMap:
    """A nucleus at the left, background at the right."""
    ids = np.ones((height, width), np.uint16)
    ids[:, width // 2 :] = 2
    return PanopticMap(ids, {1: Segment(1, 1), 2: Segment(2, 2)}, 3)


@pytest.mark.parametrize(
    "region", [Rect(0, 0, 9, 9), Rect(7, 200, 31, 260), Rect(40, 490, 48, 500)]
)
def test_a_region_is_drawn_with_a_margin_on_cells_that_the_network_takes(region):
    frame = frame_for(TINY, HEIGHT, WIDTH)
    cells = cells_to_draw(TINY, frame, region)
    assert cells == cells.clipped(*frame.mask)
    assert {side % 8 for side in (cells.top, cells.left, cells.bottom, cells.right)} == {0}
    wanted = Rect(
        *(side // 2 for side in (region.top, region.left, region.bottom, region.right))
    )
    wanted = wanted.grown(MARGIN).clipped(*frame.mask)
    assert cells == Rect(
        min(cells.top, wanted.top),
        min(cells.left, wanted.left),
        max(cells.bottom, wanted.bottom),
        max(cells.right, wanted.right),
    )
    assert cells.right - cells.left < frame.mask[1] / 2


def test_the_cells_of_a_picture_that_is_scaled_down_lie_where_its_region_does():
    config = replace(TINY, max_side=1024)
    frame = frame_for(config, 2048, 4096)  # 4 pixels an input pixel, 8 a cell
    cells = cells_to_draw(config, frame, Rect(800, 2400, 960, 2560))
    assert cells == Rect(64, 264, 152, 352)


def test_all_cells_are_drawn_without_a_region_and_by_a_network_of_one_size():
    frame = frame_for(TINY, HEIGHT, WIDTH)
    assert cells_to_draw(TINY, frame, None) == Rect(0, 0, *frame.mask)
    fit = replace(TINY, resize="fit", image_size=(512, 512), mask_size=(256, 256))
    frame = frame_for(fit, HEIGHT, WIDTH)
    assert cells_to_draw(fit, frame, Rect(0, 0, 9, 9)) == Rect(0, 0, 256, 256)


def test_the_network_sees_no_more_than_the_cells_around_the_region(model):
    known = Known(halves(HEIGHT, WIDTH), CATEGORIES, Rect(10, 220, 30, 260))
    shapes = []
    hook = model.decoder.conv_in.register_forward_hook(
        lambda _, given, __: shapes.append(tuple(given[0].shape[-2:]))
    )
    list(segment_image(model, CARD, picture(HEIGHT, WIDTH), OPTIONS, known))
    hook.remove()
    cells = cells_to_draw(TINY, frame_for(TINY, HEIGHT, WIDTH), known.region)
    assert shapes == [(cells.bottom - cells.top, cells.right - cells.left)] * 2


def test_where_the_cells_are_all_there_are_the_map_is_that_of_the_whole_picture(
    model, monkeypatch
):
    monkeypatch.setattr(model, "config", replace(TINY, map_decoding="fine"))  # the last step's
    image, known = picture(50, 70), Known(halves(50, 70), CATEGORIES, Rect(20, 20, 40, 60))
    encoding, frame = encode_image(model, image)
    assert cells_to_draw(TINY, frame, known.region) == Rect(0, 0, *frame.mask)
    generator = torch.Generator().manual_seed(OPTIONS.seed)
    noise = torch.randn(1, TINY.n_bits, *frame.mask, generator=generator)
    whole = Rect(0, 0, *frame.mask)
    fixed = known_bits(TINY, CARD, known, frame, model.device, whole)
    *_, last = model.sample(encoding, noise, 2, time_delta=OPTIONS.time_delta, known=fixed)
    semantic, ids = model.to_labels(last.x0)[0, :, :25, :35].numpy()
    expected = to_segments(semantic, ids, CATEGORIES, has_stuff_ids=False, is_code_kept=True)
    *_, preview, _ = segment_image(model, CARD, image, OPTIONS, known)
    np.testing.assert_array_equal(preview.segment_ids, expected[0])
    assert preview.category_ids == expected[1]


@pytest.mark.parametrize("region", REGIONS)
def test_pixels_outside_of_the_region_never_change(model, region):
    ids = halves(HEIGHT, WIDTH).segment_ids
    ids[region.slices] = 3  # all of a segment, which nobody drew
    segments = {1: Segment(1, 1), 2: Segment(2, 2), 3: Segment(3, 1, Source.MODEL)}
    map = PanopticMap(ids, segments, 4)
    before = map.copy()
    known = Known(map.copy(), CATEGORIES, region)
    *_, proposal = segment_image(model, CARD, picture(HEIGHT, WIDTH), OPTIONS, known)
    map.apply(accept_in_region(map, proposal, {1: 1, 2: 2}, {2}, region))
    is_inside = np.zeros((HEIGHT, WIDTH), bool)
    is_inside[region.slices] = True
    np.testing.assert_array_equal(map.segment_ids[~is_inside], before.segment_ids[~is_inside])
    assert 3 not in map.segments
