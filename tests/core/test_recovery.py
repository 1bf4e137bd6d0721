"""A damaged project is noticed and kept aside; what can be read of it is there again."""

import os
import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from core.authors import A_PERSON, ANOTHER_PROGRAM, Author, AuthorKind
from core.edits import brush_stroke, erase_stroke, new_segment
from core.errors import AnnotateError, DamagedProjectError, ProjectError
from core.panoptic import Category, PanopticMap
from core.recovery import recover_project
from core.set_aside import recovered_path
from core.store import AnnotationStore, ImageQuery, Review

CELL = Category(1, "Zelle ø", is_thing=True, color=(255, 0, 0), hotkey="c")
DISH = Category(2, "dish", is_thing=False, color=(0, 0, 255))
AUTHORS = (Author(AuthorKind.MODEL, "nuclei", 3, 20), A_PERSON, ANOTHER_PROGRAM)
N_IMAGES, N_EDITS = 6, 40
N_DAMAGES = 100
KILLED_AT_RENAMING = """
import os, sys
from pathlib import Path
from core.recovery import recover_project

left = int(sys.argv[2])

def die(event, _arguments):
    global left
    if event == "os.rename":
        left -= 1
        if left == 0:
            os._exit(9)

sys.addaudithook(die)
recover_project(Path(sys.argv[1]))
"""


def make_project(path):
    """Six images with forty edits each, of which the last few are taken back; some compacted.

    Returns:
        All that the project may ever show: per image, each map of its history.
    """
    dice = random.Random(4)  # noqa: S311 - no secrets here
    states = {}
    with AnnotationStore.create(path, [CELL, DISH], "nuclei") as store:
        names = (path.with_name(f"ä{n}.png") for n in range(N_IMAGES))
        for image in store.add_images((name, None, 90, 120) for name in names):
            map = store.load_map(image)
            states[image] = [state(map)]
            for number in range(N_EDITS):
                edit = any_edit(map, dice)
                store.append_edit(image, edit, AUTHORS[number % len(AUTHORS)])
                map.apply(edit)
                states[image].append(state(map))
                if number % 15 == 14 and image != 2:
                    store.take_snapshot(image)
            for _ in range(image % 4):
                store.undo(image)
        store.set_review(3, Review.APPROVED)
        store.compact(30)
        store.set_last_image(3)
    return states


def any_edit(map, dice):
    while True:
        points = [(dice.uniform(0, 120), dice.uniform(0, 90)) for _ in range(4)]
        edit = brush_stroke(map, points, dice.uniform(2, 9), new_segment(map, CELL))
        if dice.random() < 0.2:
            edit = erase_stroke(map, points, 5)
        if not edit.is_empty:
            return edit


def state(map: PanopticMap):
    return map.segment_ids.tobytes(), tuple(sorted(map.segments.items()))


def shown(store):
    """All that a project shows: images and their maps, categories and settings."""
    images = store.images()
    maps = [(state(store.load_map(image.id)), store.history(image.id)) for image in images]
    return images, maps, store.categories, store.model, store.last_image, store.undo_limit


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """A project file, what it shows, and every map that it ever had."""
    path = tmp_path_factory.mktemp("example") / "a.bitbrush"
    states = make_project(path)
    with AnnotationStore.open(path) as store:
        return path.read_bytes(), shown(store)[1:], states


@pytest.fixture
def path(tmp_path, example):
    path = tmp_path / "mein Projekt ß" / "a.bitbrush"
    path.parent.mkdir()
    path.write_bytes(example[0])
    return path


def execute(path, statement):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def test_a_sound_project_comes_back_whole(path, example):
    before = path.read_bytes()
    report = recover_project(path)
    with AnnotationStore.open(path) as store:
        assert shown(store)[1:] == example[1]
        assert store.image_record(3).review is Review.APPROVED
    assert report.kept_aside == path.with_name("a.damaged-1.bitbrush")
    assert report.kept_aside.read_bytes() == before
    assert f"{N_IMAGES} images with" in str(report) and "all could be read" in str(report)


def test_edits_up_to_the_damaged_one_are_kept_and_a_snapshot_takes_the_map_on(path, example):
    execute(path, "UPDATE edit SET payload = x'00' WHERE image_id = 1 AND seq = 20")
    with AnnotationStore.open(path) as store:
        before = store.load_map(1)
        with pytest.raises(DamagedProjectError, match="Edit 20 of image 1"):
            list(store.edits(1))
    report = recover_project(path)
    with AnnotationStore.open(path) as store:
        assert state(store.load_map(1)) == state(before)
        labels, position = store.history(1)
        assert labels[:12].count("recovered") == 1 and position == len(labels) - 1
        assert state(store.base_map(1)) == example[2][1][9]
    assert (report.hurt, report.n_lost_steps) == (["ä0.png"], 11)
    assert "11 steps in 1 of the images could not be read" in str(report)
    assert "Review again: ä0.png." in str(report)


def test_an_image_that_lost_steps_is_to_be_reviewed_again(path):
    execute(path, "UPDATE edit SET payload = x'00' WHERE image_id = 3 AND seq = 20")
    recover_project(path)
    with AnnotationStore.open(path) as store:
        assert store.image_record(3).review is Review.IN_WORK


def test_without_a_later_snapshot_the_map_is_the_last_before_the_damage(path, example):
    execute(path, "UPDATE edit SET payload = x'00' WHERE image_id = 2 AND seq = 20")
    recover_project(path)
    with AnnotationStore.open(path) as store:
        assert state(store.load_map(2)) == example[2][2][19]


def test_edits_in_the_write_ahead_log_are_recovered(path):
    with AnnotationStore.open(path) as store:
        map = store.load_map(1)
        edit = brush_stroke(map, [(9, 9)], 5, new_segment(map, CELL))
        store.append_edit(1, edit)
        map.apply(edit)
        copy = path.with_name("killed.bitbrush")
        for end in ("", "-wal"):
            copy.with_name(copy.name + end).write_bytes(
                path.with_name(path.name + end).read_bytes()
            )
    copy.write_bytes(b"\xff" * 4096 + copy.read_bytes()[4096:])
    recover_project(copy)
    with AnnotationStore.open(copy) as store:
        assert state(store.load_map(1)) == state(map)
    names = {file.name for file in copy.parent.iterdir()}
    assert {"killed.damaged-1.bitbrush", "killed.damaged-1.bitbrush-wal"} <= names


def test_a_lost_beginning_costs_only_what_was_in_it(path, example):
    path.write_bytes(bytes(4096) + path.read_bytes()[4096:])
    with pytest.raises(ProjectError, match="left as it is"):
        AnnotationStore.open(path)
    recover_project(path)
    with AnnotationStore.open(path) as store:
        assert shown(store)[1:] == example[1]


def test_categories_that_are_lost_get_a_name(path):
    execute(path, "DELETE FROM category WHERE id = 1")
    report = recover_project(path)
    with AnnotationStore.open(path) as store:
        assert [category.name for category in store.categories] == ["dish", "recovered 1"]
    assert "1 names of categories" in str(report)


def test_every_damaged_file_is_kept(path):
    for number in (1, 2, 3):
        assert recover_project(path).kept_aside.name == f"a.damaged-{number}.bitbrush"


def test_nothing_to_recover_leaves_the_file(path):
    path.write_bytes(b"not a project" * 999)
    before = path.read_bytes()
    with pytest.raises(ProjectError, match=r"Nothing can be read in .*left as it is"):
        recover_project(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_project_that_is_open_is_not_recovered(path):
    with AnnotationStore.open(path), pytest.raises(ProjectError, match="already open"):
        recover_project(path)


def test_a_recovery_that_was_killed_is_finished_when_the_project_is_opened(path, example):
    recovered_path(path).write_bytes(example[0])
    aside = path.rename(path.with_name("a.damaged-1.bitbrush"))
    path.with_name(f"{path.name}-wal").write_bytes(b"the log of the damaged one")
    with AnnotationStore.open(path) as store:
        assert shown(store)[1:] == example[1]
    log = aside.with_name(f"{aside.name}-wal")
    assert log.read_bytes() == b"the log of the damaged one"


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_recovery_killed_at_any_renaming_leaves_the_project(path, example, number):
    before = path.read_bytes()
    path.with_name(f"{path.name}-wal").write_bytes(b"")
    killed = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", KILLED_AT_RENAMING, path, str(number)],
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert killed.returncode == 9
    with AnnotationStore.open(path) as store:
        assert shown(store)[1:] == example[1]
    kept = [file for file in path.parent.glob("*.bitbrush") if file.read_bytes() == before]
    assert len(kept) == 1
    recover_project(path)


@pytest.mark.parametrize("seed", range(N_DAMAGES))
def test_any_damage_is_a_sentence_and_never_a_pixel(tmp_path, example, seed):
    content, intact, states = example
    path = tmp_path / "a.bitbrush"
    path.write_bytes(damaged(content, random.Random(seed)))  # noqa: S311 - no secrets here
    try:
        with AnnotationStore.open(path) as store:
            assert shown(store)[1:] == intact
            assert store.image_ids(ImageQuery()) == list(states)
    except AnnotateError:
        pass  # a sentence; tests/core/test_store_failures.py reads them
    damaged_content = path.read_bytes()
    try:
        report = recover_project(path)
    except AnnotateError:
        assert path.read_bytes() == damaged_content
        return
    assert report.kept_aside.read_bytes() == damaged_content
    with AnnotationStore.open(path) as store:
        for image in store.images():
            assert state(store.load_map(image.id)) in states[image.id]
            assert walk(store, image.id) <= set(states[image.id])
            assert set(store.provenance(image.id).authors[1:]) <= set(AUTHORS)
        assert {c.model for c in store.corrections()} <= {"nuclei"}


def walk(store, image_id):
    """Every map of an image's history."""
    store.travel(image_id, len(store.history(image_id)[0]))
    map = store.base_map(image_id)
    found = {state(map)}
    for edit in store.edits(image_id):
        map.apply(edit)
        found.add(state(map))
    return found


def damaged(content, dice):
    """Single bits, bytes, a stretch or the end of a file are not what they were."""
    data = np.frombuffer(content, np.uint8).copy()
    kind = dice.choice(["bit", "bytes", "bytes", "header", "stretch", "page", "cut"])
    match kind:
        case "bit":
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        case "bytes":
            for _ in range(dice.choice([2, 20, 200])):
                data[dice.randrange(len(data))] = dice.randrange(256)
        case "header":
            data[dice.randrange(100)] = dice.randrange(256)
        case "stretch":
            start = dice.randrange(len(data))
            data[start : start + dice.randrange(9000)] = dice.choice([0, 255])
        case "page":
            page = dice.randrange(len(data) // 4096) * 4096
            other = dice.randrange(len(data) // 4096) * 4096
            data[page : page + 4096] = data[other : other + 4096]
        case "cut":
            data = data[: dice.randrange(len(data))]
    return data.tobytes()
