"""The command line of training: a recipe makes a model file, and scores go into its card."""

import contextlib
import importlib
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import cv2
import pytest

from core.model_card import read_card
from tests.training.conftest import CATEGORIES
from training import __main__ as command
from training.config import Crops
from training.recipes import RECIPES
from training.run_log import read_log


@pytest.fixture
def recipe(monkeypatch):
    """The nuclei recipe with a network of a few thousand weights."""
    recipe = RECIPES["nuclei"]
    model = replace(
        recipe.config.model,
        decoder_width=16,
        transformer_width=64,
        transformer_layers=1,
        encoder_layers=1,
    )
    config = replace(recipe.config, model=model, crops=(Crops(32, 2),))
    monkeypatch.setitem(RECIPES, "nuclei", replace(recipe, config=config))


def test_a_recipe_makes_a_model_file_and_says_every_step(recipe, truth, tmp_path, capsys):
    out = tmp_path / "out"
    assert (
        command.main(["nuclei", "--data", str(truth), "--out", str(out), "--steps", "3"]) == 0
    )
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["step"] for line in lines[:-1]] == [1, 2, 3]
    card = read_card(out / "nuclei.safetensors")
    assert card.categories == CATEGORIES
    assert card.training["images"] == 1 and len(card.training["data_sha256"]) == 64
    assert card.training["config"]["steps"] == 3


def test_a_small_recipe_takes_on_the_categories_of_any_data(truth, tmp_path, capsys):
    arguments = ["nano", "--data", str(truth.parent), "--out", str(tmp_path / "out")]
    assert command.main([*arguments, "--steps", "1", "--batch", "2"]) == 0
    card = read_card(tmp_path / "out" / "nano.safetensors")
    assert card.categories == CATEGORIES and card.training["config"]["model"]["n_codes"] == 3
    assert "nano.safetensors" in capsys.readouterr().out


def test_recorded_scores_set_the_options_that_the_program_uses(recipe, truth, tmp_path, capsys):
    out = tmp_path / "out"
    command.main(["nuclei", "--data", str(truth), "--out", str(out), "--steps", "2"])
    capsys.readouterr()
    path = out / "nuclei.safetensors"
    arguments = ["score", str(path), str(truth), "--steps", "1", "2", "--td", "0", "--record"]
    assert command.main(arguments) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["options"]["steps"] for row in rows] == [1, 2]
    card = read_card(path)
    best = max(rows, key=lambda row: row["things"]["pq"])
    assert card.sampling.steps == best["options"]["steps"]
    assert card.training["scores"]["rows"] == rows


def test_a_missing_data_file_is_a_sentence(tmp_path, capsys):
    missing = tmp_path / "none.json"
    assert command.main(["nuclei", "--data", str(missing), "--out", str(tmp_path)]) == 2
    assert "none.json" in capsys.readouterr().err


def test_a_file_in_place_of_the_folder_is_a_sentence(recipe, truth, capsys):
    assert command.main(["nuclei", "--data", str(truth), "--out", str(truth)]) == 2
    said = capsys.readouterr().err
    assert said == f"{truth} cannot be the folder of a run (File exists); choose another.\n"


def test_settings_on_the_command_line_reach_run_and_card(recipe, truth, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["nuclei", "--data", str(truth), "--out", str(out), "--val", str(truth)]
    arguments += ["--steps=2", "--learning-rate", "1e-4", "--crops", '{"size": 32, "batch": 3}']
    arguments += ["--evaluation.every", "1", "--evaluation.steps", "1"]
    assert command.main(arguments) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["images"] for line in lines[:2]] == [3, 3]
    assert [line["evaluation"]["images"] for line in lines[:2]] == [1, 1]
    assert lines[2] == {"model": str(out / "nuclei.safetensors")}
    assert read_card(out / "nuclei.safetensors").training["config"]["learning_rate"] == 1e-4
    assert read_card(out / "best.safetensors").training["scores"]["step"] in {1, 2}
    assert [line["step"] for line in read_log(out)] == [1, 2]
    assert len(list(out.glob("events.out.tfevents.*"))) == 1


def test_a_resume_with_other_settings_says_which_and_may_be_allowed(
    recipe, truth, tmp_path, capsys
):
    arguments = ["nuclei", "--data", str(truth), "--out", str(tmp_path / "out"), "--steps", "2"]
    assert command.main(arguments) == 0
    changed = [*arguments[:-1], "3", "--learning-rate", "1e-4"]
    capsys.readouterr()
    assert command.main(changed) == 2
    said = capsys.readouterr().err
    assert "steps is 3 instead of 2; learning_rate is 0.0001 instead of 0.002" in said
    assert "--allow-changes goes on with the new ones." in said
    assert command.main([*changed, "--allow-changes"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0])["step"] == 3


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_a_person_sees_a_bar_with_loss_speed_and_pq(truth, tmp_path):
    pty = importlib.import_module("pty")
    terminal, screen = pty.openpty()
    arguments = ["nuclei", "--data", str(truth), "--out", str(tmp_path / "out")]
    arguments += ["--val", str(truth), "--steps", "2", "--crops", '{"size": 32, "batch": 1}']
    arguments += ["--evaluation.steps", "1"]
    child = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "training", *arguments],
        stdout=screen,
        stderr=screen,
        env={**os.environ, "COLUMNS": "80", "TERM": "xterm"},
        cwd=Path(__file__).parents[2],
    )
    os.close(screen)
    shown = b""
    with contextlib.suppress(OSError):  # so Linux says that the other side is closed
        while part := os.read(terminal, 65536):
            shown += part
    os.close(terminal)
    assert child.wait() == 0, shown
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode())
    for word in ("Training nuclei for 2 steps", "images/s", "loss", "PQ", "2/2", "nucleus"):
        assert word in text
    assert re.search(r"2/2 loss \d\.\d{4} lr \S+ \S+ images/s PQ \S+ \d:\d\d:\d\d", text)


def test_a_run_is_plotted_as_a_picture_of_its_curves(recipe, truth, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["nuclei", "--data", str(truth), "--out", str(out), "--val", str(truth)]
    command.main([*arguments, "--steps", "3", "--evaluation.steps", "1"])
    capsys.readouterr()
    assert command.main(["--plot", str(out)]) == 0
    svg, png = map(Path, capsys.readouterr().out.split())
    assert (svg, png) == (out / "curves.svg", out / "curves.png")
    drawing = ET.parse(svg).getroot()  # noqa: S314 - our own file
    texts = [node.text for node in drawing.iter("{http://www.w3.org/2000/svg}text")]
    for title in ("loss", "learning rate", "images a second", "PQ of the averaged weights"):
        assert title in texts
    image = cv2.imread(str(png))
    assert image.shape == (int(drawing.get("height")), int(drawing.get("width")), 3)
    assert 1 < image.std() < 100


def test_a_folder_without_a_run_cannot_be_plotted(tmp_path, capsys):
    assert command.main(["--plot", str(tmp_path)]) == 2
    assert "has no steps to draw; choose a run's folder" in capsys.readouterr().err
