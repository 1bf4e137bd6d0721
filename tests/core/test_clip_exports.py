"""Clips leave a project as other programs read them; Pillow and av read them back here."""

import json
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from core.__main__ import main
from core.clip_pngs import PngLayout, export_pngs
from core.coco import read_coco
from core.edits import paint_area
from core.errors import ImageError, ProjectError
from core.export import export_project
from core.overlay_video import draw_overlay, export_overlays
from core.panoptic import Category, Rect, Segment
from core.store import AnnotationStore
from core.video import Video

ROAD = Category(7, "road", is_thing=False, color=(120, 120, 120))
CAR = Category(3, "car", is_thing=True, color=(230, 30, 30))
DOG = Category(9, "dog", is_thing=True, color=(30, 30, 230))
H, W = 33, 47


def write_clip(path, n_frames=4):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", 12, options={"qp": "10"})
        stream.width, stream.height, stream.pix_fmt = W, H, "yuv444p"
        for k in range(n_frames):
            picture = np.full((H, W, 3), 60 + 20 * k, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture).reformat(format="yuv444p")
            frame.pts, frame.time_base = k, Fraction(1, 12)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def paint(store, image_id, category, segment_id, left):
    rect = Rect(2, left, 12, left + 9)
    edit = paint_area(
        store.load_map(image_id),
        rect,
        np.ones((10, 9), bool),
        Segment(segment_id, category.id),
        "x",
    )
    store.append_edit(image_id, edit)


@pytest.fixture
def store(tmp_path):
    """A video of four frames, of which the last has no map, two numbered files, and a photo."""
    folder = tmp_path / "project"
    (folder / "shots").mkdir(parents=True)
    write_clip(folder / "street.mp4")
    for number in (1, 2):
        cv2.imwrite(str(folder / f"shots/b_{number}.png"), np.zeros((H, W, 3), np.uint8))
    sources = [(folder / "street.mp4", k, H, W) for k in range(4)]
    sources += [(folder / f"shots/b_{number}.png", None, H, W) for number in (1, 2)]
    sources.append((folder / "photo.png", None, H, W))
    with AnnotationStore.create(folder / "p.bitbrush", [CAR, ROAD, DOG]) as store:
        store.add_images(sources)
        ids = store.image_ids()
        for image_id in ids[:3]:
            paint(store, image_id, ROAD, 1, 2)
            paint(store, image_id, CAR, 300, 14)
        paint(store, ids[1], DOG, 301, 26)
        paint(store, ids[5], DOG, 2, 5)
        paint(store, ids[6], CAR, 1, 5)
        yield store


def read_png(path):
    with Image.open(path) as image:
        return np.asarray(image), image.mode


def files_of(out):
    return sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file())


def test_coco_says_of_which_clip_an_image_is_and_where_in_it(store, tmp_path):
    path = tmp_path / "out" / "panoptic.json"
    list(export_project(store, path))
    document = json.loads(path.read_text())
    assert document["videos"] == [
        {
            "id": 1,
            "name": "street",
            "file_name": "street.mp4",
            "width": W,
            "height": H,
            "length": 4,
            "fps": 12.0,
        },
        {
            "id": 2,
            "name": "b",
            "file_name": "shots",
            "width": W,
            "height": H,
            "length": 2,
            "fps": 10.0,
        },
    ]
    places = [(i.get("video_id"), i.get("frame_index")) for i in document["images"]]
    assert places == [(1, 0), (1, 1), (1, 2), (2, 1), (None, None)]
    *of_clips, of_photo = document["annotations"]
    assert all(s["track_id"] == s["id"] for a in of_clips for s in a["segments_info"])
    assert "track_id" not in of_photo["segments_info"][0]
    dataset = read_coco(path)
    for index, image_id in enumerate((1, 2, 3, 6, 7)):
        expected = store.load_map(image_id).segment_ids
        assert np.array_equal(dataset.load_map(index).segment_ids, expected)


def test_kitti_step_has_the_category_in_red_and_the_track_in_green_and_blue(store, tmp_path):
    assert list(export_pngs(store, tmp_path / "out", PngLayout.STEP)) == [1, 2, 3, 4]
    assert files_of(tmp_path / "out") == [
        "categories.json",
        "panoptic_maps/b/000001.png",
        "panoptic_maps/street/000000.png",
        "panoptic_maps/street/000001.png",
        "panoptic_maps/street/000002.png",
    ]
    pixels, mode = read_png(tmp_path / "out/panoptic_maps/street/000001.png")
    assert (mode, pixels.shape) == ("RGB", (H, W, 3))
    assert pixels[5, 5].tolist() == [1, 0, 0]  # road
    assert pixels[5, 16].tolist() == [0, 300 // 256, 300 % 256]
    assert pixels[5, 28].tolist() == [2, 301 // 256, 301 % 256]
    assert pixels[30, 40].tolist() == [255, 0, 0]
    listed = json.loads((tmp_path / "out/categories.json").read_text())
    named = [(c["id"], c["name"], c["isthing"]) for c in listed]
    assert named == [(0, "car", 1), (1, "road", 0), (2, "dog", 1)]


def test_vipseg_has_numbers_that_its_own_script_takes_apart(store, tmp_path):
    list(export_pngs(store, tmp_path / "out", PngLayout.VIPSEG))
    listed = json.loads((tmp_path / "out/panoVIPSeg_categories.json").read_text())
    by_id = {entry["id"]: entry for entry in listed}

    def take_apart(value):
        return by_id[(value if value < 125 else value // 100) - 1]["name"], value % 100

    values = [
        read_png(tmp_path / f"out/panomasks/street/{k:08d}.png")[0].astype(int) for k in (0, 1)
    ]
    assert take_apart(values[0][5, 5])[0] == "road"
    assert take_apart(values[0][5, 16]) == take_apart(values[1][5, 16]) == ("car", 0)
    assert take_apart(values[1][5, 28]) == ("dog", 0)
    assert values[1][30, 40] == 0


def test_without_stuff_no_thing_of_vipseg_is_read_as_stuff(store, tmp_path):
    with AnnotationStore.create(tmp_path / "things.bitbrush", [CAR]) as things:
        things.add_images([(tmp_path / "v.mp4", k, H, W) for k in range(2)])
        paint(things, 1, CAR, 1, 5)
        list(export_pngs(things, tmp_path / "out", PngLayout.VIPSEG))
    values, _ = read_png(tmp_path / "out/panomasks/v/00000000.png")
    assert sorted(np.unique(values)) == [0, 200]


def test_davis_has_a_palette_and_numbers_objects_from_one(store, tmp_path):
    list(export_pngs(store, tmp_path / "out", PngLayout.DAVIS))
    numbers = []
    for k in (0, 1):
        path = tmp_path / f"out/Annotations/street/{k:05d}.png"
        with Image.open(path) as image:
            assert image.mode == "P"
            assert image.getpalette()[:12] == [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0]
            numbers.append(np.asarray(image))
        shown = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        assert shown[5, 16].tolist() == [128, 0, 0]
    assert [n[5, 16] for n in numbers] == [1, 1]
    assert numbers[1][5, 28] == 2
    assert numbers[0][5, 5] == numbers[0][30, 40] == 0  # stuff is background there


def test_the_overlay_is_a_video_that_plays_everywhere(store, tmp_path):
    (tmp_path / "project/shots/b_2.png").unlink()
    with pytest.raises(ImageError, match=r"b_2\.png"):
        list(export_overlays(store, tmp_path / "out"))
    assert files_of(tmp_path / "out") == ["street.mp4"]
    with av.open(str(tmp_path / "out/street.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec.name, stream.pix_fmt, stream.average_rate) == (
            "h264",
            "yuv420p",
            12,
        )
    with Video(tmp_path / "out/street.mp4") as video:
        assert (video.n_frames, video.height, video.width) == (4, H + 1, W + 1)
        tinted, plain = video.read_frame(1).astype(int), video.read_frame(3).astype(int)
    assert tinted[7, 18, 0] > tinted[7, 18, 2] + 30  # a red car
    assert np.ptp(plain, axis=(0, 1, 2)) < 12


def test_an_overlay_has_outlines_of_full_colour_and_leaves_void_as_it_is(store):
    image = np.full((H, W, 3), 100, np.uint8)
    drawn = draw_overlay(image, store.load_map(1), {c.id: c for c in (CAR, ROAD, DOG)})
    assert drawn[30, 40].tolist() == [100, 100, 100]
    assert drawn[2, 5].tolist() == list(ROAD.color)
    assert drawn[6, 5].tolist() == pytest.approx([109, 109, 109], abs=1)


@pytest.mark.parametrize("layout", PngLayout)
def test_a_project_without_clips_is_one_sentence(layout, tmp_path):
    with AnnotationStore.create(tmp_path / "p.bitbrush", [CAR]) as store:
        store.add_images([(tmp_path / "a.png", None, H, W)])
        paint(store, 1, CAR, 1, 5)
        for steps in (
            export_pngs(store, tmp_path / "out", layout),
            export_overlays(store, tmp_path / "out"),
        ):
            with pytest.raises(ProjectError, match="has no map of a video or of numbered"):
                list(steps)
    assert not (tmp_path / "out").exists()


def test_closing_an_export_leaves_what_was_there(store, tmp_path):
    out = tmp_path / "out"
    for make in (
        lambda: export_pngs(store, out, PngLayout.DAVIS),
        lambda: export_overlays(store, out),
    ):
        steps = make()
        assert next(steps) == 1
        steps.close()
        assert files_of(out) == []


def test_more_objects_than_a_layout_holds_are_one_sentence(tmp_path):
    with AnnotationStore.create(tmp_path / "p.bitbrush", [CAR]) as store:
        store.add_images([(tmp_path / "v.mp4", k, H, W) for k in range(2)])
        for segment_id in range(1, 102):
            row, column = segment_id % 30, segment_id // 30
            rect, car = Rect(row, column, row + 1, column + 1), Segment(segment_id, CAR.id)
            edit = paint_area(store.load_map(1), rect, np.ones((1, 1), bool), car, "x")
            store.append_edit(1, edit)
        with pytest.raises(ProjectError, match="v has more than 100 segments of one category"):
            list(export_pngs(store, tmp_path / "out", PngLayout.VIPSEG))
        assert list(export_pngs(store, tmp_path / "out", PngLayout.DAVIS)) == [1]


def test_the_command_writes_a_format_by_its_name(store, tmp_path, capsys):
    project = str(store.path)
    assert main(["export", project, str(tmp_path / "d"), "--format", "davis"]) == 0
    assert "holds 4 frames" in capsys.readouterr().out.replace("\n", " ")
    assert len(files_of(tmp_path / "d")) == 4
    assert main(["export", project, str(tmp_path / "o"), "--format", "overlay-mp4"]) == 0
    assert files_of(tmp_path / "o") == ["b.mp4", "street.mp4"]
