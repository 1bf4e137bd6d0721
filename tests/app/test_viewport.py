"""Image and device coordinates are each other's inverse, and zooming keeps its centre."""

import pytest

from app.viewport import MAX_SCALE, MIN_SCALE, Viewport
from core.panoptic import Rect


@pytest.mark.parametrize("scale", [1 / 64, 0.37, 1.0, 64.0])
def test_device_and_image_positions_are_inverse(scale):
    view = Viewport(scale, -17, 23)
    assert view.to_device(*view.to_image(101.5, 7.25)) == pytest.approx((101.5, 7.25))


@pytest.mark.parametrize("factor", [0.1, 0.8, 1.3, 9.0])
def test_zooming_keeps_the_image_under_the_cursor(factor):
    view = Viewport(2.0, 31, -5)
    zoomed = view.zoomed(factor, 200, 120)
    x, y = zoomed.to_device(*view.to_image(200, 120))
    assert abs(x - 200) <= 0.5
    assert abs(y - 120) <= 0.5


def test_zoom_ends_at_its_limits():
    assert Viewport().zoomed(1e9, 0, 0).scale == MAX_SCALE
    assert Viewport().zoomed(1e-9, 0, 0).scale == MIN_SCALE


def test_a_fitted_image_lies_whole_in_the_middle():
    view = Viewport.fitted((100, 300), (600, 600))
    box = view.to_device_rect(Rect(0, 0, 100, 300))
    assert box.clipped(600, 600) == box
    assert abs(box.left + box.right - 600) <= 1
    assert abs(box.top + box.bottom - 600) <= 1


def test_a_device_rectangle_holds_every_pixel_it_touches():
    assert Viewport(0.5, 1, 0).to_device_rect(Rect(1, 1, 2, 2)) == Rect(0, 1, 1, 2)


@pytest.mark.parametrize("way", [-10_000, 10_000])
def test_an_image_cannot_be_moved_out_of_sight(way):
    view = Viewport(1.0).moved(way, way).kept_in((50, 80), (400, 600))
    seen = view.to_device_rect(Rect(0, 0, 50, 80)).clipped(400, 600)
    assert not seen.is_empty
