"""The step panel asks, shows each step, and lets it be looked at again."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from app.step_panel import StepPanel
from app.step_strip import fit_thumb, paint_map
from core.jobs import Device
from core.panoptic import Category
from core.proposals import Preview, SamplingOptions

CATEGORIES = {
    1: Category(10, "nucleus", is_thing=True, color=(230, 120, 60)),
    2: Category(20, "background", is_thing=False, color=(40, 60, 90)),
}
IDS = np.array([[0, 1], [2, 2]], np.uint16)


def preview(step: int, steps: int = 4) -> Preview:
    return Preview(step, steps, 1 - step / steps, 0.5 * step, IDS, {1: 1, 2: 2})


@pytest.fixture
def panel(qtbot) -> StepPanel:
    panel = StepPanel()
    qtbot.addWidget(panel)
    panel.set_categories(CATEGORIES)
    panel.set_image(np.full((60, 80, 3), 200, np.uint8))
    panel.show()
    return panel


@pytest.fixture
def shown(panel) -> list:
    """What the panel has asked the canvas to show, in order."""
    selected: list = []
    panel.preview_selected.connect(selected.append)
    return selected


def button(panel: StepPanel, text: str) -> QPushButton:
    return next(b for b in panel.findChildren(QPushButton) if b.text() == text)


def visible_buttons(panel: StepPanel) -> set[str]:
    return {b.text() for b in panel.findChildren(QPushButton) if b.isVisible()}


def run(panel: StepPanel, steps: int = 4) -> None:
    panel.begin(steps)
    for step in range(1, steps + 1):
        panel.add_preview(preview(step, steps))


def test_settings_come_from_the_model_and_go_into_the_run(panel) -> None:
    best = SamplingOptions(steps=10, time_delta=5.5, seed=7, min_area=60, split_parts=True)
    panel.set_options(best)
    assert panel.options() == best


def test_a_new_seed_changes_the_seed_alone(qtbot, panel) -> None:
    before = panel.options()
    panel._seed_button.click()  # noqa: SLF001
    after = panel.options()
    assert after.seed != before.seed
    assert (after.steps, after.time_delta) == (before.steps, before.time_delta)


def test_tooltips_use_the_names_of_the_paper(panel) -> None:
    tips = {widget.toolTip() for widget in panel.children() if hasattr(widget, "toolTip")}
    for name in ("DDIM steps N", "Asymmetric time interval td", "x_T ~ N(0, 1)"):
        assert any(name in tip for tip in tips)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Segment image", "segment_requested"),
        ("Cancel", "cancel_requested"),
        ("Accept", "accept_requested"),
        ("Reject", "reject_requested"),
    ],
)
def test_each_button_asks_for_one_thing(qtbot, panel, name, wanted) -> None:
    with qtbot.waitSignal(getattr(panel, wanted)):
        button(panel, name).click()


def test_only_the_buttons_that_make_sense_are_seen(panel) -> None:
    assert visible_buttons(panel) == {"Segment image"}
    run(panel)
    assert visible_buttons(panel) == {"Cancel"}
    panel.end_with_proposal()
    assert visible_buttons(panel) == {"Segment image", "Accept", "Reject"}
    panel.settle()
    assert visible_buttons(panel) == {"Segment image"}


def test_no_run_can_start_while_something_is_in_the_way(panel) -> None:
    panel.set_obstacle("No model is chosen.")
    assert not button(panel, "Segment image").isEnabled()
    assert button(panel, "Segment image").toolTip() == "No model is chosen."
    panel.set_obstacle("")
    assert button(panel, "Segment image").isEnabled()


def test_every_step_of_a_run_is_shown_and_then_the_proposal(panel, shown) -> None:
    run(panel)
    panel.end_with_proposal()
    assert [None if p is None else p.step for p in shown] == [1, 2, 3, 4, None]


def test_steps_can_be_looked_at_again_by_slider_and_by_keys(qtbot, panel, shown) -> None:
    run(panel)
    panel.end_with_proposal()
    shown.clear()
    panel._slider.setValue(2)  # noqa: SLF001
    qtbot.keyClick(panel._strip, Qt.Key.Key_Left)  # noqa: SLF001
    qtbot.keyClick(panel._strip, Qt.Key.Key_End)  # noqa: SLF001
    assert [None if p is None else p.step for p in shown] == [2, 1, None]
    assert panel._slider.value() == 4  # noqa: SLF001


def test_who_looks_at_an_earlier_step_is_not_torn_away_by_the_next(panel, shown) -> None:
    panel.begin(4)
    panel.add_preview(preview(1))
    panel.add_preview(preview(2))
    panel._slider.setValue(1)  # noqa: SLF001
    panel.add_preview(preview(3))
    assert [p.step for p in shown] == [1, 2, 1]


def test_step_count_time_and_device_are_said(panel) -> None:
    panel.set_device(Device("cpu", "No GPU was found: running on the CPU, which is slower."))
    run(panel, steps=3)
    assert panel._progress.text().startswith("step 3 of 3 · ")  # noqa: SLF001
    panel.end_without()
    assert panel._progress.text() == "step 3 of 3 · t = 0.00 · 1.5 s"  # noqa: SLF001
    assert panel._device.text() == "on cpu"  # noqa: SLF001
    assert "No GPU" in panel._device.toolTip()  # noqa: SLF001


def test_a_new_run_and_a_new_image_forget_the_steps_before(panel, shown) -> None:
    run(panel)
    panel.begin(4)
    assert panel._steps.rowCount() == 0  # noqa: SLF001
    panel.add_preview(preview(1))
    panel.set_image(np.zeros((10, 300, 3), np.uint8))
    assert panel._steps.rowCount() == 0  # noqa: SLF001
    assert visible_buttons(panel) == {"Segment image"}


def test_a_thumbnail_shows_segments_in_colour_and_void_as_the_dimmed_image() -> None:
    background = np.full((4, 4, 3), 100, np.uint8)
    painted = paint_map(IDS, {1: 1, 2: 2}, CATEGORIES, background)
    assert (painted[:2, :2] == 30).all()
    red, _, blue = painted[0, 3].tolist()
    assert red > blue
    assert (painted[2:] == painted[3, 0]).all()


def test_segments_of_categories_the_project_lacks_are_left_out() -> None:
    background = np.full((4, 4, 3), 100, np.uint8)
    painted = paint_map(IDS, {1: 1, 2: 99}, CATEGORIES, background)
    assert (painted[2:] == 30).all()


@pytest.mark.parametrize("size", [(1, 10_000), (10_000, 1), (480, 640)])
def test_thumbnails_of_odd_shapes_stay_of_a_useful_size(size) -> None:
    height, width = fit_thumb(*size)
    assert height == 72
    assert 40 <= width <= 144
