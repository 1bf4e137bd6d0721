"""A project and runs beside it, for tests of retraining from the window."""

import json

import numpy as np
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton

from app.retrain_sheet import RetrainSheet
from core.edits import paint_area
from core.panoptic import Category, Rect, Segment
from core.retraining import RetrainPlan, models_folder, write_plan
from core.review import Review
from core.store import AnnotationStore

NUCLEUS = Category(1, "nucleus", is_thing=True, color=(80, 160, 220))
SIZE = (48, 64)
PATIENT = {"timeout": 100_000}  # the first answer waits for torch
RATING = {"all": {"pq": 0.5, "sq": 0.8, "rq": 0.6}, "seconds": 1.0}


def make_project(folder, model, n_images) -> AnnotationStore:
    """A project with images of noise, each with one nucleus."""
    random = np.random.default_rng(0)
    store = AnnotationStore.create(folder / "a.bitbrush", (NUCLEUS,), str(model))
    for name in "abcdefghijklmnopqrstuvwxyz"[:n_images]:
        path = folder / f"{name}.png"
        Image.fromarray(random.integers(0, 255, (*SIZE, 3), np.uint8)).save(path)
        (image_id,) = store.add_images([(path, None, *SIZE)])
        square, covered = Rect(8, 8, 30, 30), np.ones((22, 22), bool)
        edit = paint_area(store.load_map(image_id), square, covered, Segment(1, 1), "paint")
        store.append_edit(image_id, edit)
    return store


def approve_all(store) -> None:
    for record in store.images():
        store.set_review(record.id, Review.APPROVED)


def begin_run(store):
    """The folder of a run whose process has measured itself, made a step and is gone."""
    folder = models_folder(store.path) / "run-1"
    folder.mkdir(parents=True)
    n_images = len(store.training_images()), len(store.hold_out_images())
    write_plan(folder, RetrainPlan(store.model, "tiny-v1", 1, 1, "cpu", *n_images))
    log(folder, {"event": "measured", "steps": 40, "every": 20, "images": 1})
    log(folder, {"event": "started", "evaluation": RATING})
    log(folder, {"step": 1, "loss": 2.0, "learning_rate": 0.1, "seconds": 3.0})
    return folder


def log(folder, line) -> None:
    with (folder / "log.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


def open_sheet(window) -> RetrainSheet:
    window.commands["retrain"].trigger()
    (sheet,) = window.findChildren(RetrainSheet)
    return sheet


def says(widget, text) -> bool:
    return any(text in label.text() for label in widget.findChildren(QLabel))


def find(widget, text) -> QPushButton:
    return next(
        b for b in widget.findChildren(QPushButton) if b.text() == text and b.isVisible()
    )


def click(qtbot, widget, text) -> None:
    qtbot.waitUntil(find(widget, text).isEnabled, **PATIENT)
    qtbot.mouseClick(find(widget, text), Qt.MouseButton.LeftButton)
