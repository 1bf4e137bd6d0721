"""kill -9 of the window in the middle of a batch costs the image in hand at most.

Run as a program, this file is the victim: a window that pre-annotates all images of a project,
asked for by the dialog. It prints the number of images that wait, then the id of each that was
saved.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.batch_dialog import BatchDialog
from app.child_process import child_environment
from app.window import MainWindow
from core.panoptic import Category
from core.store import AnnotationStore, Review

N_IMAGES = 6
SIZE = (48, 64)
PATIENCE_MS = 60_000
POLL_MS = 10
CATEGORIES = (
    Category(1, "nucleus", is_thing=True, color=(80, 160, 220)),
    Category(2, "background", is_thing=False, color=(90, 90, 100)),
)


def tell(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def wait_for(condition) -> bool:
    """Let the window work until something holds, or for long enough."""
    for _ in range(PATIENCE_MS // POLL_MS):
        if condition():
            return True
        QTest.qWait(POLL_MS)
    return False


def annotate(project: Path) -> None:
    """Pre-annotate what is left, and end with it."""
    QApplication([])
    window = MainWindow(AnnotationStore.open(project))
    window.show()
    window.start_model()
    assert wait_for(lambda: window.model_run.can_begin)
    run = window.batch.run
    run.saved.connect(tell)
    window.commands["pre_annotate"].trigger()
    dialog = window.findChild(BatchDialog)
    tell(len(dialog.plan.waiting))
    dialog.accept()
    wait_for(lambda: not run.is_active)
    window.close()


@pytest.fixture
def project(tmp_path, tiny_model) -> Path:
    dice = np.random.default_rng(0)
    path = tmp_path / "a.bitbrush"
    with AnnotationStore.create(path, CATEGORIES, str(tiny_model)) as store:
        for number in range(N_IMAGES):
            picture = tmp_path / f"{number}.png"
            Image.fromarray(dice.integers(0, 256, (*SIZE, 3), np.uint8)).save(picture)
            store.add_images([(picture, None, *SIZE)])
    return path


def lines_of(project: Path, *, n_before_kill: int | None) -> list[int]:
    """What the victim prints until it ends, or was killed."""
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, __file__, str(project)],
        stdout=subprocess.PIPE,
        text=True,
        env=child_environment(),
    ) as victim:
        assert victim.stdout is not None
        lines = []
        for line in victim.stdout:
            lines.append(int(line))
            if len(lines) == n_before_kill:
                victim.kill()
    return lines


def test_a_killed_batch_goes_on_with_the_images_that_are_left(project) -> None:
    n_waiting, *saved = lines_of(project, n_before_kill=3)
    assert n_waiting == N_IMAGES
    assert len(saved) >= 2
    with AnnotationStore.open(project) as store:
        done = [r.id for r in store.images() if r.review is Review.PROPOSED]
    assert done[: len(saved)] == saved
    assert len(saved) <= len(done) <= len(saved) + 1 < N_IMAGES
    n_waiting, *rest = lines_of(project, n_before_kill=None)
    assert n_waiting == N_IMAGES - len(done)
    assert done + rest == list(range(1, N_IMAGES + 1))
    with AnnotationStore.open(project) as store:
        for record in store.images():
            assert store.history(record.id) == (["pre-annotate"], 1)
            assert store.load_map(record.id).segment_ids.any()


if __name__ == "__main__":
    annotate(Path(sys.argv[1]))
