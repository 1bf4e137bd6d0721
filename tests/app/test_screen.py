"""Whatever was drawn before, the screen shows what one drawn anew would show."""

import numpy as np
import pytest
from PySide6.QtGui import QImage, QPainter

from app.image_layer import ImageLayer
from app.layers import MapColors, MapLayer
from app.screen import Scene, Screen
from app.viewport import Viewport
from core.panoptic import MAX_SEGMENT_ID, Rect

HEIGHT, WIDTH = 70, 90
BACKGROUND = 0xFF112233


@pytest.fixture
def scene() -> Scene:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (300, 400, 3)).astype(np.uint8)
    tables = rng.integers(0, 200, (2, MAX_SEGMENT_ID + 1)).astype(np.uint32) << 24
    ids = np.kron(rng.integers(0, 9, (30, 40)), np.ones((10, 10))).astype(np.uint16)
    return Scene(
        image=ImageLayer(image),
        map=MapLayer(ids),
        colors=MapColors(*tables, selected_id=3),
        background=BACKGROUND,
    )


def shown(screen: Screen, scene: Scene) -> np.ndarray:
    """What a widget of the screen's size would show: u32 [HEIGHT, WIDTH]."""
    pixels = np.zeros((HEIGHT, WIDTH), np.uint32)
    image = QImage(pixels.data, WIDTH, HEIGHT, 4 * WIDTH, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    screen.draw(painter, scene, with_map=True)
    painter.end()
    return pixels


def new_screen() -> Screen:
    screen = Screen()
    screen.resize(HEIGHT, WIDTH, 1.0)
    return screen


def scroll(screen: Screen, scene: Scene, x: int, y: int) -> None:
    scene.view = scene.view.moved(x, y)
    screen.scroll(x, y)


@pytest.mark.parametrize("scale", [0.11, 0.3, 1.0, 2.7, 20.0])
def test_a_scrolled_view_is_drawn_as_one_drawn_anew(scene, scale):
    rng = np.random.default_rng(1)
    scene.view = Viewport(scale, 10, 10)
    screen = new_screen()
    shown(screen, scene)
    for x, y in rng.integers(-60, 61, (40, 2)).tolist():
        scroll(screen, scene, x, y)
        np.testing.assert_array_equal(shown(screen, scene), shown(new_screen(), scene))


@pytest.mark.parametrize(("x", "y"), [(0, 0), (7, 0), (0, -7), (WIDTH, 0), (-1, 1000)])
def test_scrolling_along_one_side_or_far_away_is_exact(scene, x, y):
    screen = new_screen()
    shown(screen, scene)
    scroll(screen, scene, x, y)
    np.testing.assert_array_equal(shown(screen, scene), shown(new_screen(), scene))


def test_a_change_of_the_map_before_a_scroll_moves_with_it(scene):
    screen = new_screen()
    shown(screen, scene)
    for rect in (Rect(2, 3, 20, 30), Rect(30, 40, 66, 80), Rect(60, 60, 70, 90)):
        scene.map.ids[rect.slices] = 8
        screen.spoil_map(rect)
        scroll(screen, scene, 11, -5)
        scroll(screen, scene, -11, 5)
    scroll(screen, scene, 25, 20)
    np.testing.assert_array_equal(shown(screen, scene), shown(new_screen(), scene))


def test_many_changes_of_the_map_are_all_drawn(scene):
    screen = new_screen()
    shown(screen, scene)
    for top, left in np.random.default_rng(2).integers(0, 60, (20, 2)).tolist():
        rect = Rect(top, left, top + 4, left + 4)
        scene.map.ids[rect.slices] = 7
        screen.spoil_map(Rect(top - 2, left - 2, top + 6, left + 6))
    np.testing.assert_array_equal(shown(screen, scene), shown(new_screen(), scene))


def test_scrolling_draws_only_what_comes_into_view(scene, monkeypatch):
    screen = new_screen()
    shown(screen, scene)
    areas = []
    render = scene.image.render
    monkeypatch.setattr(
        ImageLayer,
        "render",
        lambda _, view, area, tone: areas.append(area) or render(view, area, tone),
    )
    scroll(screen, scene, -6, -4)
    shown(screen, scene)
    assert sum((area.bottom - area.top) * (area.right - area.left) for area in areas) < 1000
