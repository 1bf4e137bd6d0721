"""The dashboard of the correction meter, opened from the menu."""

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLabel, QPushButton

from app.correction_dashboard import CorrectionDashboard
from app.correction_plot import ModelPlot, TimePlot
from app.theme import current_tones
from core.corrections import Correction, to_csv
from core.review import Review

SOME = [
    Correction(f"{k}.png", None, model, 0, 8, 1000 * n, n, n, 4.0 * n, 1_700_000_000 + k)
    for k, (model, n) in enumerate([("v1", 30), ("v1", 10), ("v2", 5)])
]


@pytest.fixture
def dashboard(qtbot, tmp_path) -> CorrectionDashboard:
    dialog = CorrectionDashboard(SOME, tmp_path / "a.bitbrush")
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_what_was_corrected_in_the_window_is_shown(window, document, proposal):
    window.commands["corrections"].trigger()
    (dialog,) = window.findChildren(CorrectionDashboard)
    assert "Nothing is measured yet" in dialog.findChild(QLabel).text()
    assert not dialog.findChild(ModelPlot)
    dialog.reject()
    document.propose(proposal, {7: 1, 8: 2})
    document.accept()
    document.store.set_review(document.record.id, Review.APPROVED)
    window.commands["corrections"].trigger()
    dialog = window.findChildren(CorrectionDashboard)[-1]
    first = dialog.findChild(ModelPlot)
    assert first.accessibleName() == "Pixels changed an image, by model: tiny 0.0"


def test_each_measure_is_plotted_by_model_and_in_time(dashboard):
    said = [plot.accessibleName() for plot in dashboard.findChildren(ModelPlot)]
    assert said[0] == "Pixels changed an image, by model: v1 20,000, v2 5,000"
    assert said[3] == "Active seconds an image, by model: v1 80, v2 20"
    said = [plot.accessibleName() for plot in dashboard.findChildren(TimePlot)]
    assert said[2] == "Gestures, image by image: 15 at last"


def test_the_bars_are_as_high_as_the_means(dashboard):
    plot = dashboard.findChild(ModelPlot)
    picture = plot.grab().toImage()
    ratio = picture.devicePixelRatio()
    inks = {QColor(current_tones().muted).rgb(): 0, QColor(current_tones().accent).rgb(): 0}
    for place, ink in zip((0.25, 0.75), inks, strict=True):
        x = round(plot.width() * place * ratio)
        inks[ink] = sum(picture.pixel(x, y) == ink for y in range(picture.height()))
    first, second = inks.values()
    assert first > 20 and first == pytest.approx(4 * second, abs=4)


def test_the_table_is_exported(dashboard, tmp_path):
    assert dashboard.findChild(QPushButton).isEnabled()
    dashboard.export(str(tmp_path / "out.csv"))
    assert (tmp_path / "out.csv").read_text() == to_csv(SOME)
    dashboard.export(str(tmp_path / "nowhere" / "out.csv"))
    assert "choose another place" in dashboard.findChild(QLabel).text()
