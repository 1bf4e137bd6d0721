"""evaluate --video: clips are found, things are followed, and what is missing is named."""

import json
import shutil

import cv2
import numpy as np
import pytest

from core.__main__ import main
from core.coco_json import CocoImage
from core.errors import CocoError
from core.video_evaluation import evaluate_clips, group_frames

CATEGORIES = [
    {"id": 5, "name": "cell", "isthing": 1, "supercategory": "", "color": [9, 9, 9]},
    {"id": 7, "name": "ground", "isthing": 0, "supercategory": "", "color": [1, 1, 1]},
]


def write(folder, frames, videos=None):
    """A COCO panoptic JSON of maps whose id 1 is ground and whose others are cells."""
    (folder / "panoptic").mkdir(parents=True)
    images, annotations = [], []
    for k, (name, ids) in enumerate(frames):
        rgb = np.stack([ids % 256, ids // 256 % 256, ids // 65536], -1).astype(np.uint8)
        cv2.imwrite(str(folder / "panoptic" / f"{name}.png"), rgb[..., ::-1])
        infos = [
            {"id": int(i), "category_id": 7 if i == 1 else 5, "iscrowd": 0, "area": 1}
            for i in np.unique(ids)
            if i
        ]
        entry = {"id": k + 1, "file_name": f"{name}.jpg", "width": 24, "height": 16}
        images.append(entry | (videos[k] if videos else {}))
        annotations.append(
            {"image_id": k + 1, "file_name": f"{name}.png", "segments_info": infos}
        )
    path = folder / "panoptic.json"
    content = {"images": images, "annotations": annotations, "categories": CATEGORIES}
    path.write_text(json.dumps(content))
    return path


def cells(left: int, first: int = 2, second: int = 3) -> np.ndarray:
    ids = np.ones((16, 24), np.int64)
    ids[2:8, left : left + 6] = first
    ids[9:15, left : left + 6] = second
    return ids


TRUTH = [(f"a_{k}", cells(2 + k)) for k in range(6)]


def test_the_truth_is_perfect(tmp_path) -> None:
    report = evaluate_clips(write(tmp_path / "p", TRUTH), write(tmp_path / "t", TRUTH))
    assert report.objects.jf == report.same_ids.jf == report.tracking.stq == 1
    assert report.objects.n_objects == 2 and list(report.clips) == ["a"]


def test_other_ids_are_assigned_but_not_the_same(tmp_path) -> None:
    frames = [(f"a_{k}", cells(2 + k, 900, 300)) for k in range(6)]
    report = evaluate_clips(write(tmp_path / "p", frames), write(tmp_path / "t", TRUTH))
    assert report.objects.jf == 1 and report.tracking.stq == 1
    assert report.same_ids.jf == 0


def test_ids_that_are_exchanged_on_the_way_cost_half(tmp_path) -> None:
    frames = [(f"a_{k}", cells(2 + k, *((2, 3) if k < 3 else (3, 2)))) for k in range(6)]
    report = evaluate_clips(write(tmp_path / "p", frames), write(tmp_path / "t", TRUTH))
    assert report.objects.j.mean == pytest.approx(0.5)
    assert report.tracking.association < 0.6 and report.tracking.iou == 1


def test_frames_are_in_the_order_that_the_json_says(tmp_path) -> None:
    videos = [{"video_id": 1 + k % 2, "frame_index": 5 - k // 2} for k in range(6)]
    path = write(tmp_path / "t", [(f"x{k}y", ids) for k, (_, ids) in enumerate(TRUTH)], videos)
    images = [CocoImage(k + 1, f"x{k}y.jpg", 16, 24) for k in range(6)]
    assert group_frames(path, images) == {"1": [4, 2, 0], "2": [5, 3, 1]}


def test_a_frame_of_no_clip_and_one_that_is_twice_are_refused(tmp_path) -> None:
    lone = write(tmp_path / "lone", [("frame", cells(2))])
    with pytest.raises(CocoError, match=r"which clip frame\.jpg is of"):
        evaluate_clips(lone, lone)
    videos = [{"video_id": 1, "frame_index": 0}] * 2
    twice = write(tmp_path / "twice", TRUTH[:2], videos)
    with pytest.raises(CocoError, match="frame 0 of the clip 1 twice"):
        evaluate_clips(twice, twice)


def test_a_frame_without_a_prediction_is_named(tmp_path) -> None:
    truth = write(tmp_path / "t", TRUTH)
    with pytest.raises(CocoError, match=r"no map for a_5\.jpg"):
        evaluate_clips(write(tmp_path / "p", TRUTH[:5]), truth)


def test_the_command_prints_both_tables_of_real_clips(shared_dir, tmp_path, capsys) -> None:
    source = shared_dir / "data/davis/val"
    document = json.loads((source / "panoptic_val.json").read_text())
    for name in ("images", "annotations"):
        document[name] = document[name][:4]
    shutil.copytree(source / "panoptic", tmp_path / "panoptic")
    path = tmp_path / "panoptic.json"
    path.write_text(json.dumps(document))
    assert main(["evaluate", "--video", str(path), str(path)]) == 0
    shown = capsys.readouterr().out
    assert "schoolgirls" in shown and "own ids" in shown and "STQ" in shown
    assert main(["evaluate", "--video", "--json", str(path), str(path)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["unsupervised"]["jf"] == report["stq"] == 1
    assert report["unsupervised"]["n_objects"] == 7
