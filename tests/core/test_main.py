"""The command line does what it says, in one sentence where it cannot."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from core.__main__ import main
from core.coco import CocoItem, read_coco, write_coco
from core.edits import brush_stroke
from core.model_card import read_card
from core.panoptic import Category, PanopticMap, Segment
from core.store import AnnotationStore

CATEGORIES = (
    Category(1, "nucleus", is_thing=True, color=(220, 20, 60)),
    Category(2, "background", is_thing=False, color=(60, 60, 60)),
)


@pytest.fixture
def images(tmp_path):
    """A folder of three noisy images."""
    folder = tmp_path / "images"
    folder.mkdir()
    add_images(folder, 3)
    return folder


def add_images(folder, n):
    noise = np.random.default_rng(0)
    for number in range(n):
        pixels = noise.integers(0, 256, (40, 50, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"image{number}.png")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def segment(path, out, model, *options):
    return main(["segment", str(path), "--out", str(out), "--model", str(model), *options])


def load_maps(out):
    dataset = read_coco(out / "panoptic.json")
    return {image.file_name: dataset.load(i)[0] for i, image in enumerate(dataset.images)}


# segment


def test_segment_writes_a_map_of_every_image_in_a_folder(images, out, tiny_model, capsys):
    assert segment(images, out, tiny_model) == 0
    maps = load_maps(out)
    assert sorted(maps) == ["image0.png", "image1.png", "image2.png"]
    assert all(ids.shape == (40, 50) for ids in maps.values())
    assert read_coco(out / "panoptic.json").categories == read_card(tiny_model).categories
    assert capsys.readouterr().out == f"{out / 'panoptic.json'} holds 3 maps.\n"


def test_segment_takes_one_image(images, out, tiny_model):
    assert segment(images / "image1.png", out, tiny_model) == 0
    assert list(load_maps(out)) == ["image1.png"]


def test_the_same_seed_gives_the_same_maps(images, out, tiny_model, tmp_path):
    assert segment(images, out, tiny_model, "--seed", "5") == 0
    assert segment(images, tmp_path / "again", tiny_model, "--seed", "5") == 0
    assert segment(images, tmp_path / "other", tiny_model, "--seed", "6") == 0
    first, again, other = map(load_maps, (out, tmp_path / "again", tmp_path / "other"))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert any(not np.array_equal(first[name], other[name]) for name in first)


def test_an_unreadable_image_is_named_at_the_end_and_the_others_are_done(
    images, out, tiny_model, capsys
):
    data = (images / "image1.png").read_bytes()
    (images / "image1.png").write_bytes(data[: len(data) // 2])
    assert segment(images, out, tiny_model) == 1
    assert sorted(load_maps(out)) == ["image0.png", "image2.png"]
    *_, summary, reason = capsys.readouterr().err.splitlines()
    assert summary == "1 of 3 images could not be segmented:"
    assert "image1.png is damaged or cut short; copy or download it again." in reason


def test_images_that_have_their_map_are_not_segmented_again(images, out, tiny_model, capsys):
    segment(images / "image0.png", out, tiny_model)
    png = out / "panoptic" / "image0.png"
    written_ns = png.stat().st_mtime_ns
    assert segment(images, out, tiny_model) == 0
    assert len(load_maps(out)) == 3
    assert png.stat().st_mtime_ns == written_ns
    assert "Already there: the maps of 1 of 3 images." in capsys.readouterr().err


def test_other_options_make_all_maps_again_and_are_named(images, out, tiny_model, capsys):
    segment(images, out, tiny_model, "--steps", "2")
    written_ns = (out / "panoptic" / "image0.png").stat().st_mtime_ns
    assert segment(images, out, tiny_model, "--steps", "3", "--td", "0.5") == 0
    assert (out / "panoptic" / "image0.png").stat().st_mtime_ns > written_ns
    error = capsys.readouterr().err
    assert f"All maps in {out} are made again: steps 2 -> 3, time_delta 2.0 -> 0.5." in error


def test_several_samples_add_a_note_to_the_map_of_the_first(images, out, tiny_model, tmp_path):
    assert segment(images, out, tiny_model, "--seed", "5", "--samples", "2") == 0
    assert segment(images, tmp_path / "one", tiny_model, "--seed", "5") == 0
    several, one = load_maps(out), load_maps(tmp_path / "one")
    assert all(np.array_equal(several[name], one[name]) for name in one)
    entries = json.loads((out / "panoptic.json").read_text())["images"]
    assert all(entry["expected_seconds"] >= 0 <= entry["doubt"] for entry in entries)


def test_maps_with_notes_will_do_when_none_are_asked_for(images, out, tiny_model, capsys):
    segment(images, out, tiny_model, "--samples", "2")
    assert segment(images, out, tiny_model) == 0
    assert "Already there: the maps of 3 of 3 images." in capsys.readouterr().err
    segment(images, out, tiny_model, "--samples", "3")
    assert "samples None -> 3" in capsys.readouterr().err


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_stopped_goes_on_where_it_was(images, out, tiny_model, repository, how):
    add_images(images, 12)
    arguments = [images, "--out", out, "--model", tiny_model, "--steps", "60"]
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "core", "segment", *map(str, arguments)],
        cwd=repository,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=listen_to_interrupts,  # noqa: PLW1509 - nothing runs beside it
    )
    wait_for_lines(out / "segment.jsonl", 4)
    process.send_signal(how)
    error = process.communicate(timeout=60)[1]
    if how == signal.SIGKILL:
        assert not (out / "panoptic.json").exists()
    else:
        assert process.returncode == 130
        assert (
            f"holds {len(load_maps(out))} maps. Run the same command again to go on." in error
        )
    done = {path: path.stat().st_mtime_ns for path in (out / "panoptic").glob("[!.]*.png")}
    finished = len((out / "segment.jsonl").read_text().splitlines()) - 1
    assert 3 <= finished < 12
    assert segment(images, out, tiny_model, "--steps", "60") == 0
    assert len(load_maps(out)) == 12
    kept = [path for path, written_ns in done.items() if path.stat().st_mtime_ns == written_ns]
    assert len(kept) == finished


def listen_to_interrupts():
    """Undo what a shell does to a job in the background, whose children ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_for_lines(path, n, timeout_s=60):
    end = time.monotonic() + timeout_s
    while not path.exists() or len(path.read_text().splitlines()) < n:
        assert time.monotonic() < end, f"{path.name} has no {n} lines after {timeout_s} s"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["segment", "nowhere.png", "--out", "out"],
            "nowhere.png does not exist; check its name.",
        ),
        (["segment", ".", "--out", "out"], "The folder . holds no images; choose another one."),
        (["evaluate", "a.json", "b.json"], "b.json cannot be read (No such file or directory)"),
        (["export", "none.bitbrush", "out"], "none.bitbrush"),
        (["recover", "none.bitbrush"], "none.bitbrush"),
        (["import-weights", "none.safetensors", "out.safetensors"], "none.safetensors"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    arguments, sentence, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert len(captured.err.splitlines()) == 1
    assert captured.out == ""


def test_a_model_that_is_missing_is_named(images, out, tmp_path, capsys):
    assert segment(images, out, tmp_path / "none.safetensors") == 2
    assert "none.safetensors cannot be read" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        (["--steps", "0"], "argument --steps: '0' is not a whole number from 1 on"),
        (["--steps", "few"], "argument --steps: 'few' is not a whole number from 1 on"),
        (["--td", "nan"], "argument --td: 'nan' is not a number from 0 on"),
        (["--seed", "-1"], "argument --seed: '-1' is not a whole number from 0 on"),
    ],
)
def test_an_impossible_option_is_refused(option, sentence, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["segment", "images", "--out", "out", *option])
    assert sentence in capsys.readouterr().err


# evaluate


@pytest.fixture
def truth(tmp_path):
    """Two nuclei on a background."""
    ids = np.full((10, 10), 3, np.uint16)
    ids[:4, :4], ids[6:, 6:] = 1, 2
    return write_map(tmp_path / "truth.json", ids, {1: 1, 2: 1, 3: 2})


@pytest.fixture
def prediction(tmp_path):
    """One nucleus of two, half of it too small."""
    ids = np.full((10, 10), 3, np.uint16)
    ids[:4, :3] = 1
    return write_map(tmp_path / "prediction.json", ids, {1: 1, 3: 2})


def write_map(path, ids, category_ids):
    segments = {i: Segment(i, category_id) for i, category_id in category_ids.items()}
    item = CocoItem(1, "a.png", PanopticMap(ids, segments, next_id=4))
    write_coco(path, [item], CATEGORIES)
    return path


def test_evaluate_prints_a_table_in_percent(prediction, truth, capsys):
    assert main(["evaluate", str(prediction), str(truth)]) == 0
    rows = [
        [cell.strip() for cell in line.split("│")[1:-1]]
        for line in capsys.readouterr().out.splitlines()
        if line.startswith("│")
    ]
    assert ["Things", "50.0", "75.0", "66.7", "1", "", "", ""] in rows
    assert ["nucleus", "50.0", "75.0", "66.7", "", "1", "0", "1"] in rows


def test_evaluate_gives_fractions_as_json(prediction, truth, capsys):
    assert main(["evaluate", str(prediction), str(truth), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["things"] == {"pq": 0.5, "sq": 0.75, "rq": pytest.approx(2 / 3), "n": 1}


# export


def test_export_writes_what_was_worked_on(tmp_path, capsys):
    with AnnotationStore.create(tmp_path / "project.bitbrush", CATEGORIES) as store:
        first, _ = store.add_images([(tmp_path / f"{i}.png", None, 20, 30) for i in range(2)])
        points = np.array([[10, 10]], np.float32)
        store.append_edit(
            first, brush_stroke(store.load_map(first), points, 4.0, Segment(1, 1))
        )
        expected = store.load_map(first).segment_ids
    out = tmp_path / "out"
    assert main(["export", str(tmp_path / "project.bitbrush"), str(out)]) == 0
    assert np.array_equal(load_maps(out)["0.png"], expected)
    said = capsys.readouterr().out
    assert (
        said == f"{out / 'panoptic.json'} holds 1 map; without an edit or rejected: 1 image.\n"
    )


# import-weights


def test_import_weights_refuses_another_suffix(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["import-weights", "model.ckpt", "model.pt"])
    assert "model.pt does not end in .safetensors" in capsys.readouterr().err


def test_import_weights_names_the_presets_when_it_knows_no_such_configuration(tmp_path, capsys):
    out = tmp_path / "out.safetensors"
    assert main(["import-weights", "x", str(out), "--config", "huge"]) == 2
    error = capsys.readouterr().err
    assert "'huge' is neither a preset (coco, " in error


def test_evaluating_does_not_import_torch(truth, repository):
    code = (
        "import sys; from core.__main__ import main\n"
        f"main(['evaluate', {str(truth)!r}, {str(truth)!r}])\n"
        "sys.exit('torch' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=repository, check=False)  # noqa: S603 - our own program
    assert result.returncode == 0
