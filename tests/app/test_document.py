"""The document shows what is saved, and saves before it shows."""

import sqlite3
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QRect

from app.document import Document
from app.suggestion import suggest
from app.waiting_proposals import DROPPED, MAX_WAITING, WaitingProposals
from core.edits import delete_segment
from core.errors import ProjectError
from core.panoptic import Edit, PanopticMap, Segment, Source
from core.proposals import Preview
from core.store import AnnotationStore, ImageRecord

SIZE = (48, 64)
CELL, GROUND, DEBRIS = 1, 2, 3  # category ids of the project in conftest.py


def saved_map(document):
    return document.store.load_map(document.record.id)


def test_an_opened_image_shows_its_pixels_and_its_saved_map(document, assert_same):
    assert document.image.shape == (*SIZE, 3)
    assert tuple(document.image[5, 9]) == (9, 5, 0)
    assert_same(document.map, saved_map(document))


def test_a_pushed_edit_is_saved_and_told(document, qtbot, put, assert_same):
    changed = []
    document.map_changed.connect(changed.append)
    with qtbot.waitSignals([document.segments_changed, document.history_changed]):
        put(Segment(1, CELL), slice(3, 9), slice(10, 20))
    assert changed == [QRect(10, 3, 10, 6)]
    assert document.map.segment_ids[3, 10] == 1
    assert_same(document.map, saved_map(document))


def test_an_edit_that_cannot_be_saved_is_not_shown(document, complaints):
    # SQLite is made to meet a full disk: the file may not grow by another page.
    connection: sqlite3.Connection = document.store._connection  # noqa: SLF001
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    noise = np.random.default_rng(0).integers(1, 500, SIZE).astype(np.uint16)
    segments = {i: Segment(i, CELL) for i in range(1, 500)}
    edit = Edit(0, 0, np.zeros(SIZE, np.uint16), noise, {}, segments, "noise")
    assert not document.push(edit)
    assert not document.map.segment_ids.any()
    assert not document.can_undo
    assert "disk is full" in complaints[0]


def test_signals_keep_count_of_references(document):
    # PySide6 6.12.0 does not, and on Python 3.11 a few thousand signals end the process.
    before = sys.getrefcount(True)
    for _ in range(200):
        document.history_changed.emit()
    assert sys.getrefcount(True) > before - 100


def test_undo_and_redo_go_through_every_edit(document, put, assert_same):
    states = [document.map.copy()]
    put(Segment(1, CELL), slice(0, 5), slice(0, 5))
    states.append(document.map.copy())
    put(Segment(2, CELL), slice(10, 15), slice(0, 5))
    states.append(document.map.copy())
    for state in (states[1], states[0]):
        document.undo()
        assert_same(document.map, state)
        assert_same(saved_map(document), state)
    assert not document.can_undo
    for state in states[1:]:
        document.redo()
        assert_same(document.map, state)
    assert not document.can_redo


def test_undo_outlives_the_window(document, pictures, put):
    put(Segment(1, CELL), slice(0, 5), slice(0, 5))
    path, record = document.store.path, document.record
    document.store.close()
    with AnnotationStore.open(path) as store:
        again = Document(store)
        again.open_image(record)
        assert again.map.segment_ids[0, 0] == 1
        again.undo()
        assert not again.map.segment_ids.any()


def test_a_missing_image_is_a_sentence_and_the_next_one_opens(document, pictures, complaints):
    pictures[1].unlink()
    records = document.store.images()
    document.open_image(records[1])
    assert "picture1.png does not exist" in complaints[0]
    assert not document.has_image
    assert not document.is_editable
    document.open_image(records[2])
    assert document.has_image


def test_an_image_of_another_size_than_its_map_is_refused(document, pictures, complaints):
    pictures[0].write_bytes(pictures[1].read_bytes())
    record = replace(document.record, height=SIZE[0] + 1)
    document.open_image(record)
    assert "was added to the project with 64 x 49" in complaints[0]
    assert not document.has_image


def test_painting_stuff_again_extends_its_one_segment(document, put):
    put(Segment(1, GROUND), slice(0, 5), slice(0, 5))
    document.begin_segment(GROUND)
    assert document.segment_to_paint().id == 1


def test_a_locked_segment_is_not_painted(document, complaints, put):
    put(Segment(1, CELL), slice(0, 5), slice(0, 5))
    document.select(1)
    document.toggle_lock()
    assert document.selected.is_locked
    assert document.segment_to_paint() is None
    assert complaints == [
        "cell 1 is locked; unlock it with X to paint it, or begin a new segment with M."
    ]


def test_hiding_saves_nothing(document, put):
    put(Segment(1, CELL), slice(0, 5), slice(0, 5))
    document.select(1)
    document.toggle_hidden()
    assert document.hidden == {1}
    assert document.store.history(document.record.id)[0] == ["put"]


def test_each_image_keeps_what_is_hidden_while_others_are_open(document, put):
    first, second, _ = document.store.images()
    put(Segment(1, CELL), slice(0, 5), slice(0, 5))
    document.toggle_hidden(1)
    document.open_image(second)
    put(Segment(1, CELL), slice(0, 5), slice(0, 5))
    assert not document.hidden
    document.open_image(first)
    assert document.hidden == {1}
    document.toggle_hidden(1)
    document.open_image(second)
    document.open_image(first)
    assert not document.hidden


def test_what_is_not_there_cannot_be_hidden(document, put):
    document.toggle_hidden()
    document.toggle_hidden(7)
    assert not document.hidden


def test_a_hidden_segment_is_shown_when_it_is_painted(document, put):
    put(Segment(1, CELL), slice(0, 5), slice(0, 5))
    document.select(1)
    document.toggle_hidden()
    document.segment_to_paint()
    assert not document.hidden


def test_an_accepted_proposal_is_one_edit(document, proposal):
    document.propose(proposal, {7: CELL, 8: GROUND})
    assert not document.map.segment_ids.any()
    shown = document.shown_ids.copy()
    document.accept()
    np.testing.assert_array_equal(document.map.segment_ids, shown)
    assert {s.category_id for s in document.map.segments.values()} == {CELL, GROUND}
    assert all(s.source is Source.MODEL for s in document.map.segments.values())
    assert not document.has_proposal
    document.undo()
    assert not document.map.segment_ids.any()


def test_a_rejected_proposal_leaves_no_trace(document, proposal, assert_same):
    before = document.map.copy()
    document.propose(proposal, {7: CELL, 8: GROUND})
    document.reject()
    assert_same(document.map, before)
    np.testing.assert_array_equal(document.shown_ids, before.segment_ids)
    assert not document.can_undo


def test_segments_of_categories_that_the_project_lacks_are_left_out(document, proposal):
    document.propose(proposal, {8: GROUND})
    assert not document.shown_ids[:, : SIZE[1] // 2].any()
    assert {s.category_id for s in document.shown_segments.values()} == {GROUND}


def test_locked_segments_survive_a_proposal(document, proposal, put):
    put(Segment(1, DEBRIS), slice(0, 10), slice(0, 10))
    document.select(1)
    document.toggle_lock()
    document.propose(proposal, {7: CELL, 8: GROUND})
    document.accept()
    assert (document.map.segment_ids[:10, :10] == 1).all()
    assert (document.map.segment_ids == 1).sum() == 100


def test_the_map_cannot_be_edited_behind_a_proposal(document, proposal, complaints):
    document.propose(proposal, {7: CELL, 8: GROUND})
    assert document.segment_to_paint() is None
    assert not document.can_undo
    assert complaints == [
        "Accept the proposal with Enter or reject it with Esc before you edit the map."
    ]


def test_a_preview_is_seen_in_place_of_the_map(document, complaints):
    ids = np.array([[1, 2], [3, 0]], np.uint16)
    preview = Preview(1, 4, 1.0, 0.1, ids, {1: 7, 2: 8, 3: 9})
    document.show_preview(preview, {7: CELL, 8: GROUND})
    assert document.segment_at(1, 1).category_id == CELL
    assert document.segment_at(SIZE[1] - 1, 1).category_id == GROUND
    assert document.segment_at(1, SIZE[0] - 1) is None  # a category of the model alone
    assert document.segment_to_paint() is None
    assert "Esc shows the map again" in complaints[0]
    document.show_preview(None)
    assert document.segment_at(1, 1) is None
    assert document.is_editable


def test_a_proposal_waits_with_its_image_while_another_is_open(
    document, proposal, complaints, put
):
    first, second, _ = document.store.images()
    document.propose(proposal, {7: CELL, 8: GROUND})
    document.open_image(second)
    assert not document.has_proposal
    assert complaints == [
        "The proposal for picture0.png waits there until you accept or reject it."
    ]
    put(Segment(1, DEBRIS), slice(0, 5), slice(0, 5))
    document.open_image(first)
    assert document.has_proposal
    document.accept()
    assert (document.map.segment_ids[:, :32] == document.map.segment_ids[0, 0]).all()
    document.open_image(second)
    document.open_image(first)
    assert not document.has_proposal


def test_waiting_proposals_go_with_a_word_when_the_project_changes(
    document, proposal, complaints
):
    first, second, _ = document.store.images()
    document.follow_store()
    document.propose(proposal, {7: CELL, 8: GROUND})
    document.open_image(second)
    document.follow_store()
    document.follow_store()
    assert complaints[1:] == [DROPPED]
    document.open_image(first)
    assert not document.has_proposal


def test_only_the_last_few_proposals_wait(proposal):
    waiting = WaitingProposals()
    map = PanopticMap.empty(*proposal.segment_ids.shape)
    suggestion = suggest(map, proposal, {7: CELL}, [])
    records = [
        ImageRecord(image_id, Path(f"{image_id}.png"), None, *SIZE, 0)
        for image_id in range(MAX_WAITING + 1)
    ]
    assert {waiting.keep(record, suggestion) for record in records[:-1]} == {""}
    assert waiting.keep(records[-1], suggestion) == "0.png"
    assert waiting.names == [record.path.name for record in records[1:]]
    assert waiting.take(0) is None
    assert waiting.take(1) is suggestion
    assert waiting.take(1) is None


def test_an_image_is_shown_although_nothing_can_be_written(document, complaints, monkeypatch):
    def fail(_image_id: int) -> None:
        raise ProjectError("The disk is full.")

    monkeypatch.setattr(document.store, "set_last_image", fail)
    document.open_image(document.store.images()[1])
    assert document.has_image
    assert complaints == ["The disk is full."]


def test_a_map_that_was_changed_in_the_project_is_followed_and_its_proposal_is_gone(
    document, store, complaints, put, proposal
):
    put(Segment(1, CELL), slice(0, 5), slice(0, 5))
    document.select(1)
    document.propose(proposal, {7: CELL, 8: GROUND})
    with store.open_again() as other:
        other.append_edit(1, delete_segment(other.load_map(1), 1))
    document.follow_store(has_new_map=True)
    assert complaints == ["The map was changed, so the proposal that was made for it is gone."]
    assert not document.has_proposal and not document.map.segments
    assert document.selected_id == 0
    document.undo()
    assert document.map.segments.keys() == {1}
