"""A clip is the frames of one video, or the numbered files of one folder, in their order."""

import pytest

from core.clips import Clip, FrameState, clip_of
from core.store import AnnotationStore, Review


@pytest.fixture
def store(tmp_path):
    with AnnotationStore.create(tmp_path / "a.bitbrush", []) as store:
        yield store


def add(store, *names, frame=None, size=(4, 5)):
    return store.add_images((store.path.parent / name, frame, *size) for name in names)


def test_the_frames_of_one_video_are_a_clip_in_their_order(store, tmp_path):
    late, early, middle, other = store.add_images(
        (tmp_path / name, number, 4, 5)
        for name, number in [("a.mp4", 9), ("a.mp4", 0), ("a.mp4", 3), ("b.mp4", 1)]
    )
    assert clip_of(store, middle) == Clip((early, middle, late))
    assert clip_of(store, other) is None


def test_files_are_ordered_by_the_number_at_their_end_and_not_by_their_name(store):
    ten, two, one = add(store, "walk/f10.png", "walk/f2.png", "walk/f01.png")
    assert clip_of(store, ten) == Clip((one, two, ten))


def test_names_may_be_numbers_alone(store):
    ids = add(store, "0.jp2", "1.jp2", "2.jp2")
    assert clip_of(store, ids[1]) == Clip(tuple(ids))


@pytest.mark.parametrize(
    "other", ["b_2.png", "sub/a_2.png", "a_2.jpg", "a_2", "a_2b.png", "A_2.png", "a_2_1.png"]
)
def test_a_file_of_another_name_folder_or_suffix_is_of_no_clip_with_it(store, other):
    first, _ = add(store, "a_1.png", other)
    assert clip_of(store, first) is None


def test_a_file_of_another_size_is_of_no_clip_with_it(store):
    (first,), (_,) = add(store, "a_1.png"), add(store, "a_2.png", size=(5, 4))
    assert clip_of(store, first) is None


def test_a_file_without_a_number_is_alone(store):
    (first, *_) = add(store, "a.png", "b.png")
    assert clip_of(store, first) is None


def test_a_numbered_frame_of_a_video_is_no_numbered_file(store):
    (file,), _ = add(store, "a_1.mp4"), add(store, "a_2.mp4", frame=0)
    assert clip_of(store, file) is None


def test_a_clip_knows_where_in_it_an_image_is(store):
    clip = Clip((7, 3, 5))
    assert [clip.index_of(image_id) for image_id in (7, 5, 4)] == [0, 2, None]
    assert len(clip) == 3


def test_an_image_that_is_not_there_is_a_mistake(store):
    with pytest.raises(ValueError, match="has no image 77"):
        clip_of(store, 77)


def test_the_state_of_each_frame_is_that_of_its_image(store):
    first, second = add(store, "a_1.png", "a_2.png")
    store.set_review(second, Review.APPROVED)
    store.set_expected_work(second, 0.5)
    states = store.frame_states([first, second])
    assert states[first] == FrameState()
    assert states[first].is_void
    assert states[second] == FrameState(store.mark(second), Review.APPROVED, 0.5)
