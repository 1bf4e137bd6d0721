"""Scaled displays: every image pixel is where it should be, and what is drawn is crisp."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.child_process import child_environment
from app.thumbnails import THUMB_HEIGHT

CHILD = Path(__file__).with_name("scaled_window.py")
CLICKED = ((0, 0), (159, 119), (31, 17), (80, 61), (129, 97))  # as in the child


@pytest.fixture(scope="module", params=[1.0, 1.5, 2.0])
def report(request, tmp_path_factory):
    """What a window in a process of its own saw, on a display of that scaling."""
    folder = tmp_path_factory.mktemp("scaled")
    environment = child_environment() | {
        "QT_SCALE_FACTOR": str(request.param),
        "HOME": str(folder),
        **{f"XDG_{name}_HOME": str(folder / name) for name in ("CONFIG", "STATE", "DATA")},
    }
    child = subprocess.run(  # noqa: S603 - ours
        [sys.executable, CHILD, folder],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    found = json.loads(child.stdout)
    assert found["ratio"] == request.param
    return found


def test_the_canvas_has_every_pixel_of_the_display(report):
    wanted = [round(side * report["ratio"]) for side in report["canvas"]]
    assert report["canvas_pixels"] == pytest.approx(wanted, abs=1)


def test_at_full_size_every_image_pixel_is_one_pixel_of_the_display(report):
    assert report["wrong_on_canvas"] == 0
    assert report["wrong_in_window"] == 0


def test_a_click_meets_the_image_pixel_that_is_shown_there(report):
    assert report["taken"] == [[list(pixel)] for pixel in CLICKED]


def test_thumbnails_are_as_large_on_every_display_and_have_its_pixels(report):
    pixels, height, ratio = report["thumbnail"]
    assert ratio == report["ratio"]
    assert height == pytest.approx(THUMB_HEIGHT, abs=1)
    assert pixels == round(height * ratio)


def test_icons_have_the_pixels_of_the_display(report):
    assert report["icons"]["tool"] == round(report["icon"] * report["ratio"])
    assert report["icons"]["swatch"] == round(16 * report["ratio"])
