"""What it took to correct a proposal is what differs from it, and who worked on it how long."""

import csv
import io

import numpy as np
import pytest

from core.__main__ import main
from core.authors import ANOTHER_PROGRAM, Author, AuthorKind, author_of_proposal
from core.corrections import COLUMNS, ActiveTime, Correction, measure_change, to_csv
from core.edits import brush_stroke, delete_segment, erase_stroke, new_segment, set_segment
from core.panoptic import Category, PanopticMap
from core.proposals import Proposal, SamplingOptions
from core.recovery import recover_project
from core.segment_edits import merge_segments
from core.store import AnnotationStore, Review
from core.whole_maps import accept_proposal

CELL = Category(1, "cell", is_thing=True, color=(255, 0, 0))
DEBRIS = Category(2, "debris", is_thing=True, color=(0, 255, 0))
MODEL = Author(AuthorKind.MODEL, "nuclei v3", 7, 20, 2.0)
NEWER = Author(AuthorKind.MODEL, "nuclei v4", 0, 20, 2.0)


class Worker:
    """Somebody who edits an image and notes how many pixels differ from a map."""

    def __init__(self, store):
        self.store = store
        self.map = store.load_map(1)
        self.n_proposed = 0

    def push(self, edit, author=None, **options):
        assert not edit.is_empty
        self.store.append_edit(1, edit, *([author] if author else []), **options)
        self.map.apply(edit)

    def propose(self, author=MODEL):
        """Three cells, 4 pixels further to the right than the last time."""
        ids = np.zeros((60, 80), np.uint16)
        for number in (1, 2, 3):
            left = 20 * number - 14 + 4 * self.n_proposed
            ids[5 : 5 + 4 * number, left : left + 9] = number
        self.n_proposed += 1
        options = SamplingOptions(author.steps, author.time_delta, author.seed)
        proposal = Proposal(ids, {1: 1, 2: 1, 3: 1}, options, author.model, elapsed_s=1.0)
        edit = accept_proposal(self.map, proposal, {1: 1}, ())
        assert author_of_proposal(proposal) == author
        self.push(edit, author)

    def approve(self):
        self.store.set_review(1, Review.APPROVED)
        return self.store.corrections()[-1]


@pytest.fixture
def store(tmp_path):
    with AnnotationStore.create(tmp_path / "a.bitbrush", [CELL, DEBRIS]) as store:
        store.add_images([(tmp_path / "ä.png", None, 60, 80), (tmp_path / "v.mp4", 3, 60, 80)])
        yield store


@pytest.fixture
def worker(store):
    return Worker(store)


def test_nothing_is_measured_of_an_image_that_nobody_proposed(store, worker):
    worker.push(brush_stroke(worker.map, [(9, 9)], 4, new_segment(worker.map, CELL)))
    store.add_active_ms(1, 5000)
    store.set_review(1, Review.APPROVED)
    assert store.corrections() == []


def test_a_proposal_that_is_approved_as_it_is_took_nothing(store, worker):
    worker.propose()
    assert store.corrections() == []
    correction = worker.approve()
    assert correction.approved_at > 0
    assert correction == Correction(
        "ä.png", None, "nuclei v3", 7, 20, 0, 0, 0, 0.0, correction.approved_at
    )


def test_pixels_segments_and_gestures_are_counted_from_the_last_proposal(store, worker):
    worker.propose()
    proposed = worker.map.copy()
    worker.push(erase_stroke(worker.map, [(10, 11)], 3))
    worker.push(set_segment(worker.map, 3, category=DEBRIS))
    worker.push(brush_stroke(worker.map, [(70, 50)], 5, new_segment(worker.map, CELL)))
    store.undo(1)
    store.redo(1)
    correction = worker.approve()
    n_pixels = int((proposed.segment_ids != worker.map.segment_ids).sum())
    assert (correction.n_pixels, correction.n_segments) == (n_pixels, 3)
    assert correction.n_gestures == 5


def test_what_is_taken_back_does_not_count_as_changed(store, worker):
    worker.propose()
    before = worker.map.copy()
    worker.push(brush_stroke(worker.map, [(70, 50)], 5, new_segment(worker.map, CELL)))
    worker.push(delete_segment(worker.map, worker.map.next_id - 1))
    assert (before.segment_ids == worker.map.segment_ids).all()
    correction = worker.approve()
    assert (correction.n_pixels, correction.n_segments, correction.n_gestures) == (0, 0, 2)


def test_imports_and_changes_of_the_whole_project_are_no_gestures(store, worker):
    worker.propose()
    worker.push(set_segment(worker.map, 1, category=DEBRIS), keeps_review=True)
    worker.push(set_segment(worker.map, 2, category=DEBRIS), ANOTHER_PROGRAM)
    assert worker.approve().n_gestures == 0


def test_each_model_version_has_its_own_row(store, worker):
    worker.propose()
    store.add_active_ms(1, 1500)
    worker.push(erase_stroke(worker.map, [(10, 11)], 3))
    worker.approve()
    worker.propose(NEWER)
    store.add_active_ms(1, 2250)
    worker.approve()
    first, second = store.corrections()[-2:]
    assert [c.model for c in store.corrections()] == ["nuclei v3", "nuclei v4"]
    assert (first.n_gestures, first.active_s) == (1, 1.5)
    assert (second.n_gestures, second.active_s, second.n_pixels) == (0, 2.25, 0)


def test_to_ask_the_same_model_again_is_a_gesture(store, worker):
    worker.propose()
    worker.push(erase_stroke(worker.map, [(12, 6)], 3))
    worker.propose()
    correction = worker.approve()
    assert len(store.corrections()) == 1
    assert correction.n_gestures == 2 and correction.n_pixels > 0


def test_a_proposal_that_was_taken_back_for_good_has_no_row(store, worker):
    worker.propose()
    store.travel(1, 0)
    other = Worker(store)
    other.push(brush_stroke(other.map, [(9, 9)], 4, new_segment(other.map, CELL)))
    store.set_review(1, Review.APPROVED)
    assert store.corrections() == []


def test_steps_that_were_dropped_leave_pixels_unknown(store, worker):
    worker.propose()
    worker.push(erase_stroke(worker.map, [(10, 11)], 3))
    worker.push(erase_stroke(worker.map, [(30, 12)], 3))
    store.compact(1)
    correction = worker.approve()
    assert (correction.n_pixels, correction.n_segments, correction.n_gestures) == (
        None,
        None,
        2,
    )


def test_an_approval_later_is_measured_anew(store, worker):
    worker.propose()
    worker.approve()
    worker.push(erase_stroke(worker.map, [(10, 11)], 3))
    assert store.corrections()[-1].n_pixels == 0
    assert worker.approve().n_pixels > 0


def test_merged_segments_are_touched_both():
    map = PanopticMap.empty(20, 60)
    for x in (10, 40):
        map.apply(brush_stroke(map, [(x, 10)], 5, new_segment(map, CELL)))
    area = map.areas()[2]
    assert measure_change([merge_segments(map, [1, 2], 1)]) == (area, 2)
    assert measure_change([]) == (0, 0)


def test_long_pauses_are_no_work():
    time = ActiveTime()
    for now_s in (100.0, 101.5, 131.5, 200.0, 200.25):
        time.touch(now_s)
    assert time.take_ms() == 31_750
    assert time.take_ms() == 0
    time.stop()
    time.touch(201.0)
    assert time.take_ms() == 0


def test_the_table_is_read_back_from_csv():
    rows = [
        Correction("a, b.png", None, "nuclei", 0, 20, 12, 3, 4, 5.25, 1_700_000_000),
        Correction("v.mp4", 3, "nuclei", None, None, None, None, 0, 0.0, 1_700_000_060),
    ]
    first, second = csv.DictReader(io.StringIO(to_csv(rows)))
    assert tuple(first) == COLUMNS
    assert list(first.values()) == [
        *("a, b.png", "", "nuclei", "0", "20", "12", "3", "4", "5.2"),
        "2023-11-14T22:13:20+00:00",
    ]
    assert (second["frame"], second["pixels"], second["seed"]) == ("3", "", "")


def test_a_command_writes_the_table(store, worker, tmp_path, capsys):
    worker.propose()
    worker.approve()
    out = tmp_path / "corrections.csv"
    assert main(["corrections", str(store.path), str(out)]) == 0
    assert capsys.readouterr().out == f"{out} holds 1 correction.\n"
    assert main(["corrections", str(store.path)]) == 0
    assert capsys.readouterr().out == out.read_text() == to_csv(store.corrections())
    assert main(["corrections", str(store.path), str(tmp_path / "no" / "a.csv")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_recovery_keeps_what_was_measured(store, worker):
    worker.propose()
    worker.push(erase_stroke(worker.map, [(10, 11)], 3))
    worker.approve()
    before = store.corrections()
    store.close()
    recover_project(store.path)
    with AnnotationStore.open(store.path) as again:
        assert again.corrections() == before
