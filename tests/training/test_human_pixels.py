"""Pixels that a person made weigh more than those that were approved as a model made them."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from core.authors import Author, AuthorKind
from core.edits import brush_stroke, paint_area
from core.panoptic import Rect, Segment
from core.review import Review
from core.store import AnnotationStore
from core.training_snapshot import snapshot_project
from tests.training.conftest import CATEGORIES
from tests.training.tiny_run import MODEL, PLAIN, Pictures
from training.augment import Augmentation, View
from training.batches import make_batch
from training.copy_paste import paste_things
from training.data import PanopticDataset
from training.labels import mark_pixels
from training.loss import favour_human
from training.sources import open_data
from training.stepper import BatchLoss, draw_noise, new_state

NUCLEUS, BACKGROUND = CATEGORIES
HEIGHT, WIDTH = 32, 48
MARKED = replace(PLAIN, human_weight=3.0)


@pytest.fixture
def project(tmp_path):
    """An approved image: all of it by a model, and then a stroke of a person."""
    path = tmp_path / "p.bitbrush"
    picture = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    assert cv2.imwrite(str(tmp_path / "a.png"), picture)
    with AnnotationStore.create(path, CATEGORIES) as store:
        (image_id,) = store.add_images([(tmp_path / "a.png", None, HEIGHT, WIDTH)])
        whole = Rect(0, 0, HEIGHT, WIDTH), np.ones((HEIGHT, WIDTH), bool)
        background = Segment(1, BACKGROUND.id)
        edit = paint_area(store.load_map(image_id), *whole, background, "accept proposal")
        store.append_edit(image_id, edit, Author(AuthorKind.MODEL, "m"))
        points = np.array([[20.0, 12.0]], np.float32)
        nucleus = Segment(2, NUCLEUS.id)
        edit = brush_stroke(store.load_map(image_id), points, 5.0, nucleus)
        store.append_edit(image_id, edit)
        store.set_review(image_id, Review.APPROVED)
    return path


def test_a_copy_to_train_on_still_tells_which_pixels_a_person_made(project, tmp_path):
    copy = snapshot_project(project, tmp_path / "run", [1]).training
    for path in (project, copy):
        labels = open_data(path, MARKED).view(0, MARKED.model).labels
        assert labels.shape == (HEIGHT, WIDTH, 3)
        assert 50 < labels[..., 2].sum() < 120
        assert np.array_equal(labels[..., 2] == 1, labels[..., 0] == 1)  # the stroke


def test_authors_are_not_looked_up_where_all_pixels_count_alike(project):
    assert open_data(project, PLAIN).view(0, PLAIN.model).labels.shape == (HEIGHT, WIDTH, 2)


def test_marks_stay_with_codes_that_are_changed(project):
    order = tuple(reversed(CATEGORIES))
    labels = open_data(project, MARKED, lambda _: order).view(0, MARKED.model).labels
    assert np.array_equal(labels[..., 2] == 1, labels[..., 0] == 2)


def test_marks_follow_their_pixels_into_the_views_of_a_batch():
    dice = np.random.default_rng(0)
    image = dice.integers(0, 255, (96, 96, 3), np.uint8)
    labels = np.ones((96, 96, 2), np.int32)
    labels[20:50, 30:60] = 2
    data = PanopticDataset(
        CATEGORIES, ["a"], [image], [mark_pixels(labels, labels[..., 0] == 2)]
    )
    batch = data.draw_batch(MODEL, Augmentation(), 64, 6, np.random.default_rng(1))
    assert batch.labels.shape[1] == 3
    marked, codes = batch.labels[:, 2], batch.labels[:, 0]
    assert marked.any() and torch.equal(marked == 1, codes == 2)


def test_marks_are_pasted_with_their_things():
    view, other = (
        View(np.zeros((4, 6, 3), np.float32), np.zeros((4, 6, 3), int)) for _ in "ab"
    )
    view.labels[:] = 2, 5, 0
    other.labels[1:3, 2:4] = 1, 1, 1
    is_thing = np.array([False, True, False])
    pasted = paste_things(view, other, is_thing, 1.0, np.random.default_rng(0)).labels
    assert pasted[1, 2].tolist() == [1, 6, 1] and pasted[0, 0].tolist() == [2, 5, 0]
    assert other.labels[1, 2].tolist() == [1, 1, 1]


def test_a_human_pixel_weighs_as_many_times_as_much_and_the_mean_stays():
    weights = torch.rand(2, 4, 4) + 0.5, torch.rand(2, 4, 4) + 0.5
    is_human = torch.zeros(2, 4, 4, dtype=torch.long)
    is_human[0, :2] = 1
    for before, after in zip(weights, favour_human(weights, is_human, 3.0), strict=True):
        assert torch.allclose(before.mean((1, 2)), after.mean((1, 2)))
        share = after / before
        assert torch.allclose(share[0, :2], 3 * share[0, 2:])
        assert torch.allclose(share[1], torch.ones(4, 4))  # nobody drew there


def test_the_loss_of_a_batch_is_drawn_to_marked_pixels():
    batch = make_batch(PLAIN, Pictures(), 0)
    marks = torch.zeros_like(batch.labels[:, :1])
    marks[..., :4] = 1
    t, eps = draw_noise(PLAIN, 0, torch.arange(4), 4, batch.labels.shape[-2:])
    model = new_state(PLAIN).model

    def loss(config, labels):
        return BatchLoss(config, model)(batch.images, labels, None, t, eps).item()

    marked = torch.cat([batch.labels, marks], 1)
    plain = loss(PLAIN, batch.labels)
    assert loss(PLAIN, marked) == pytest.approx(plain, rel=1e-6)
    assert loss(MARKED, torch.cat([batch.labels, marks * 0 + 1], 1)) == pytest.approx(plain)
    model.decoder.conv_out.bias.data.normal_()
    assert loss(MARKED, marked) != pytest.approx(loss(PLAIN, marked), rel=1e-4)
