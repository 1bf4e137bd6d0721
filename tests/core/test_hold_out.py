"""Some approved images are held out for good, together with all that is like them."""

from collections import defaultdict

import pytest

from core.authors import Author, AuthorKind
from core.edits import brush_stroke, new_segment
from core.groups import folder_of, origin_of
from core.hold_out import is_held_out
from core.panoptic import Category
from core.recovery import recover_project
from core.store import AnnotationStore, ImageQuery, Review
from training.project_index import index_project

CELL = Category(1, "cell", is_thing=True, color=(255, 0, 0))
SIZE = (8, 9)


@pytest.fixture
def make(tmp_path):
    """A function that makes a project of images with these names; frames are (name, frame)."""
    made = []

    def make(names):
        store = AnnotationStore.create(tmp_path / "a.bitbrush", [CELL])
        made.append(store)
        add(store, names)
        return store

    yield make
    for store in made:
        store.close()


def add(store, names):
    split = [name if isinstance(name, tuple) else (name, None) for name in names]
    return store.add_images((store.path.parent / name, frame, *SIZE) for name, frame in split)


def approve(store, image_ids):
    for image_id in image_ids:
        store.set_review(image_id, Review.APPROVED)


def held_out(store):
    return store.image_ids(ImageQuery(is_held_out=True))


@pytest.mark.parametrize(
    ("name", "origin"),
    [
        ("slide_1_x0_y512.png", "slide_1"),
        ("Slide_1_crop3.tif", "slide_1"),
        ("slide_1_tile_2.png", "slide_1"),
        ("slide1-tile-2.png", "slide1"),
        ("img_001_aug7.png", "img_001"),
        ("patient7_2.png", "patient7"),
        ("scan_2_0001.png", "scan_2"),
        ("scan_2_0001_003.png", "scan_2"),
        ("3_17.png", "3"),
        ("IMG_0012.JPG", "img_from 10"),
        ("frame19.png", "frame_from 10"),
        ("0020.png", "_from 20"),
        ("TCGA-AB-01Z.png", "tcga-ab-01z"),
        ("a.png", "a"),
        ("größe.png", "grösse"),
        ("x1.png", "x_from 0"),
    ],
)
def test_names_tell_what_an_image_was_taken_from(name, origin):
    assert origin_of(f"some/folder/{name}", None) == origin


def test_frames_are_of_their_video_and_of_fifty_in_a_row():
    assert folder_of("a/clip.mp4", 3) == "a/clip.mp4" and folder_of("a/b.png", None) == "a"
    assert origin_of("clip.mp4", 0) == origin_of("clip.mp4", 49) != origin_of("clip.mp4", 50)


def test_the_share_is_kept_as_the_project_grows(make):
    store = make([f"{name}.png" for name in "abcdefghijklmnopqrstuvwxyz"])
    for image_id in store.image_ids():
        approve(store, [image_id])
        n_held = len(store.hold_out_images())
        assert abs(n_held - 0.2 * image_id) <= 1
    assert not store.image_record(1).is_held_out
    n_training = len(store.training_images())
    assert (n_training + n_held, n_held) == (26, pytest.approx(5.2, abs=1))


def test_a_member_stays_whatever_is_done_later(make):
    store = make([f"{name}.png" for name in "abcdefghij"])
    approve(store, store.image_ids())
    before = held_out(store)
    assert before
    for image_id in store.image_ids():
        store.reopen(image_id)
    assert held_out(store) == before and store.hold_out_images() == []
    store.set_hold_out_share(0)
    approve(store, reversed(store.image_ids()))
    assert held_out(store) == before
    approve(store, add(store, ["k.png", "l.png"]))
    assert held_out(store) == before


def test_a_project_of_one_folder_of_unrelated_images_has_a_hold_out(make):
    store = make([f"all/{name}.png" for name in ("fox", "cat", "dog", "cow", "emu", "ant")])
    approve(store, store.image_ids())
    assert 1 <= len(held_out(store)) <= 2


def test_a_project_of_one_numbered_sequence_has_a_hold_out(make):
    store = make([f"all/IMG_{number:04}.png" for number in range(100)])
    approve(store, store.image_ids())
    runs = {image_id // 10 for image_id in (i - 1 for i in held_out(store))}
    assert 1 <= len(runs) <= 3 and len(held_out(store)) == 10 * len(runs)


@pytest.mark.parametrize(
    "names",
    [
        [f"{folder}/{name}.png" for name in "vwxyz" for folder in "abcdefgh"],
        [(f"{clip}.mp4", frame) for frame in range(5) for clip in "abcdefgh"],
        [f"one/slide{n}_x{x}_y{y}.png" for y in range(3) for x in range(2) for n in range(9)],
    ],
)
def test_what_is_alike_is_never_on_both_sides(make, names):
    store = make(names)
    records = {record.id: record for record in store.images()}
    sides = defaultdict(set)
    for image_id in store.image_ids():
        approve(store, [image_id])
        record = store.image_record(image_id)
        is_file = record.frame is None and record.path.parent.name != "one"
        group = record.path.parent if is_file else record.path.stem.split("_")[0]
        sides[group].add(record.is_held_out)
    assert len(records) == len(names)
    assert all(len(side) == 1 for side in sides.values())
    assert {True, False} == set.union(*sides.values())


def test_images_that_come_later_join_the_side_of_what_they_are_like(make):
    store = make([f"{folder}/a.png" for folder in "abcdef"])
    approve(store, store.image_ids())
    (first, *_) = held_out(store)
    folder = store.image_record(first).path.parent.name
    late, other = add(store, [f"{folder}/b.png", "a/b.png"])
    approve(store, [other, late])
    assert store.image_record(late).is_held_out
    assert not store.image_record(other).is_held_out


def test_the_salt_decides_and_not_the_names():
    sides = {
        tuple(is_held_out(name, salt, 0, 3, 20) for name in "abcdefgh") for salt in "123456"
    }
    assert len(sides) > 3
    assert is_held_out("a", "1", 0, 5, 20) and not is_held_out("a", "1", 1, 5, 20)


def test_a_share_that_cannot_be_is_a_mistake(make):
    store = make([])
    assert store.hold_out_share == 20
    with pytest.raises(ValueError, match="91 % of the images"):
        store.set_hold_out_share(91)


def test_no_training_reads_what_is_held_out(make):
    store = make([f"{name}.png" for name in "abcdefghij"])
    for image_id in store.image_ids():
        edit = brush_stroke(store.load_map(image_id), [(3, 3)], 2, new_segment_of(store))
        store.append_edit(image_id, edit, Author(AuthorKind.HUMAN))
    approve(store, store.image_ids())
    names = {record.path.name for record in store.hold_out_images()}
    for which in ("approved", "edited", "all"):
        files = index_project(store.path, has_stuff_ids=False, which=which)
        assert len(files) == 10 - len(names)


def test_no_training_reads_what_was_rejected(make):
    store = make(["a.png", "b.png"])
    for image_id in (1, 2):
        edit = brush_stroke(store.load_map(image_id), [(3, 3)], 2, new_segment_of(store))
        store.append_edit(image_id, edit)
    store.set_review(2, Review.REJECTED, "too dark")
    assert len(index_project(store.path, has_stuff_ids=False, which="edited")) == 1


def new_segment_of(store):
    return new_segment(store.load_map(store.image_ids()[-1]), CELL)


def test_the_hold_out_is_the_same_after_a_recovery(make):
    store = make([f"{name}.png" for name in "abcdefghij"])
    approve(store, store.image_ids())
    before = held_out(store)
    store.close()
    recover_project(store.path)
    with AnnotationStore.open(store.path) as again:
        assert held_out(again) == before
        assert [r.review for r in again.images()] == [Review.APPROVED] * 10
