"""fine-tune: a model goes on for minutes, is asked through its folder, and recovers."""

import json
import subprocess
import sys
import threading
import time
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest

from core.model.checkpoint import save_checkpoint
from core.model_card import ModelCard, read_card
from core.panoptic import Category
from core.project_images import Review
from core.proposals import SamplingOptions
from core.run_folder import LogReader, Wish, ask_run, holding_run, is_running, read_process
from core.store import AnnotationStore
from tests.training.conftest import CATEGORIES
from tests.training.tiny_run import PLAIN, Pictures
from training import __main__ as command
from training import budget
from training.budget import Plan, Speed, fit_steps, plan_run
from training.fine_tune import RATE_FACTOR, start_config
from training.processes import Processes
from training.recipes import Recipe
from training.reporting import Silent
from training.run import Run, train_on
from training.run_log import read_events, read_log
from training.stepper import new_state
from training.stopping import StopSignals
from training.wishes import Wishes

LUMEN = Category(3, "lumen", False, (9, 9, 9))
BEFORE = replace(PLAIN, model=replace(PLAIN.model, n_codes=3), learning_rate=4e-3)


@pytest.fixture
def base(tmp_path):
    """A model file of nuclei and background that says how it was trained."""
    path = tmp_path / "base.safetensors"
    sampling = SamplingOptions(steps=2, min_area=1)
    record = {"config": json.loads(BEFORE.to_json())}
    card = ModelCard("cells", "Cells.", CATEGORIES, sampling, "CC0-1.0", record)
    save_checkpoint(path, new_state(BEFORE).average, card)
    return path


@pytest.fixture
def tune(base, truth, tmp_path, monkeypatch):
    """Runs the command on one picture with more arguments; returns the exit code."""
    monkeypatch.setattr(budget, "MEASURED_S", 0.05)
    out = tmp_path / "out"

    def run(*arguments, data=truth):
        fixed = ("fine-tune", base, "--data", data, "--out", out)
        return command.main([*map(str, (*fixed, *arguments))])

    run.out = out
    return run


def test_a_budget_of_minutes_becomes_steps_and_a_rated_model(tune, base, truth, tmp_path):
    project = tmp_path / "p.bitbrush"
    categories = (CATEGORIES[1], LUMEN, CATEGORIES[0])
    with AnnotationStore.create(project, categories) as store:
        (image_id,) = store.add_images([(truth.parent / "images" / "a.png", None, 32, 48)])
        store.set_review(image_id, Review.APPROVED)
    assert tune("--val", truth, "--minutes", "0.05", data=project) == 0
    measured, started, finished = read_events(tune.out)
    assert measured["event"] == "measured" and measured["minutes"] == 0.05
    assert measured["steps"] == len(read_log(tune.out)) and measured["images"] == 1
    assert started["evaluation"]["is_best"] and started["evaluation"]["images"] == 1
    assert finished["best"] == str(tune.out / "best.safetensors")
    card = read_card(tune.out / "cells-tuned.safetensors")
    assert card.categories == (CATEGORIES[0], CATEGORIES[1], LUMEN)
    assert card.licence == "CC0-1.0" and card.sampling.steps == 2
    base_hash = sha256(base.read_bytes()).hexdigest()
    assert card.training["base"] == {"name": "cells", "sha256": base_hash}
    assert card.training["config"]["learning_rate"] == 4e-3 * RATE_FACTOR
    assert (tune.out / "hold-out-0.png").exists() and not is_running(tune.out)


def test_time_is_shared_out_between_steps_and_evaluations():
    assert plan_run(10, Speed(0.5, 0.0), 9) == Plan(1200, 1200, 0)
    assert plan_run(10, Speed(0.5, 1.0), 0) == Plan(1200, 1200, 0)
    assert plan_run(10, Speed(0.5, 1.0), 18) == Plan(960, 192, 18)  # six times 20 s
    assert plan_run(10, Speed(0.5, 1.0), 500) == Plan(900, 900, 73)  # two times 75 s
    assert plan_run(0.01, Speed(9.0, 9.0), 5) == Plan(1, 1, 1)


def test_a_short_run_warms_up_and_averages_over_a_part_of_it():
    found = [fit_steps(PLAIN, n) for n in (1, 200, 1000, 100_000)]
    assert [config.warmup_steps for config in found] == [1, 10, 50, 100]
    assert [config.ema_decay for config in found] == [0.0, 0.95, 0.99, 0.999]


def test_a_model_that_does_not_say_how_it_was_trained_gets_what_is_usual(base):
    known = start_config(base, read_card(base))
    assert known.batch == BEFORE.batch and known.model == BEFORE.model
    assert known.start_weights == str(base) and known.order == "draws"
    unknown = start_config(base, replace(read_card(base), training={}))
    assert unknown.model == BEFORE.model and unknown.start_weights == str(base)


def after(out, n_steps, *then):
    """Do things in a thread, one after another, once a run has made so many steps."""

    def watch():
        reader, deadline = LogReader(out), time.monotonic() + 100
        steps: list[dict] = []
        while len(steps) < n_steps and time.monotonic() < deadline:
            steps += [line for line in reader.read() if "step" in line]
            time.sleep(0.01)
        for action in then:
            action()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def test_a_run_that_is_asked_to_stop_goes_on_with_the_same_command(tune, capsys):
    watching = after(tune.out, 2, lambda: ask_run(tune.out, Wish.STOP))
    assert tune("--steps", "100000") == 143
    watching.join()
    done = read_log(tune.out)[-1]["step"]
    sentence = f"Stopped by request after step {done} of 100000, which is saved in {tune.out}"
    assert sentence in capsys.readouterr().err
    (event,) = read_events(tune.out)
    assert event["event"] == "stopped" and event["step"] == done
    assert "fine-tune" in read_process(tune.out).command
    watching = after(tune.out, done + 2, lambda: ask_run(tune.out, Wish.FINISH))
    assert tune() == 0
    watching.join()
    steps = [line["step"] for line in read_log(tune.out)]
    assert steps == list(range(1, len(steps) + 1)) and len(steps) > done


def test_a_paused_run_waits_and_may_finish_with_the_best_it_has(tune, truth, tmp_path):
    seen = []

    def note_steps():
        deadline = time.monotonic() + 50
        while not any(e["event"] == "paused" for e in read_events(tune.out)):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        seen.append(len(read_log(tune.out)))

    watching = after(
        tune.out,
        2,
        lambda: ask_run(tune.out, Wish.PAUSE),
        note_steps,
        lambda: time.sleep(0.5),
        note_steps,
        lambda: ask_run(tune.out, Wish.FINISH),
    )
    val = tmp_path / "copy.json"
    val.write_bytes(truth.read_bytes())
    (tmp_path / "copy").symlink_to(truth.parent / "panoptic")
    (tmp_path / "images").symlink_to(truth.parent / "images")
    assert tune("--steps", "100000", "--val", val) == 0
    watching.join()
    assert seen[0] == seen[1]
    events = [event["event"] for event in read_events(tune.out)]
    assert events == ["started", "paused", "went on", "finished"]
    *_, last = read_log(tune.out)
    assert last["step"] == seen[0] + 1 and last["evaluation"]["images"] == 1
    assert (tune.out / "cells-tuned.safetensors").exists()


def test_a_second_run_in_a_folder_is_refused(tune, capsys):
    tune.out.mkdir()
    with holding_run(tune.out, []):
        assert tune("--steps", "1") == 2
    assert "is training already; stop it, or choose another folder" in capsys.readouterr().err


def test_a_run_outlives_whoever_listens_to_it(repository, base, truth, tmp_path):
    out = tmp_path / "out"
    arguments = ["fine-tune", base, "--data", truth, "--out", out, "--steps", "12"]
    run = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "training", *map(str, arguments)],
        cwd=repository,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert json.loads(run.stdout.readline())["step"] == 1
    run.stdout.close()
    with run.stderr:
        assert run.stderr.read() == ""
    assert run.wait(timeout=100) == 0
    assert len(read_log(out)) == 12 and read_events(out)[-1]["event"] == "finished"


class Flaky(Pictures):
    """Pictures of which some views, by default the sixth, are spoilt."""

    def __init__(self, bad=(6,)):
        super().__init__()
        self.n_views = 0
        self._bad = bad

    def view(self, index, config):
        self.n_views += 1
        view = super().view(index, config)
        spoilt = np.full(view.image.shape, np.nan, np.float32)
        return replace(view, image=spoilt) if self.n_views in self._bad else view


class Telling(Silent):
    """Remembers what it is told."""

    def __init__(self):
        self.told = []

    def add(self, step, evaluated):
        self.told.append(step.step)

    def note(self, event, *, is_told=True, **fields):
        self.told.append((event, fields))


def train_flaky(tmp_path, max_retries, data=None):
    recipe = Recipe("Squares.", PLAIN, SamplingOptions(), "CC0-1.0")
    run = Run("tiny", recipe, PLAIN, tmp_path, tmp_path, max_retries=max_retries)
    report = Telling()
    wishes = Wishes(tmp_path, StopSignals(is_told=False), Processes())
    return train_on(run, data or Flaky(), None, wishes, Processes(), report), report.told


def test_a_loss_that_is_no_number_takes_the_run_back_and_halves_its_rate(tmp_path):
    run, told = train_flaky(tmp_path, 3)
    assert run.config.learning_rate == PLAIN.learning_rate / 2
    assert [line for line in told if isinstance(line, int)] == [1, 2, 3, 4, 5]
    ((event, fields),) = [line for line in told if isinstance(line, tuple)]
    assert event == "went back" and (fields["step"], fields["to_step"]) == (2, 1)
    assert fields["sentence"] == (
        "The loss of step 2 was no number: the run went back to step 1, and goes on with half "
        "the learning rate, 5e-05."
    )


def test_a_checkpoint_that_comes_to_nothing_twice_is_left_for_the_beginning(tmp_path):
    _, told = train_flaky(tmp_path, 3, Flaky(bad=(6, 10)))
    events = [line for line in told if isinstance(line, tuple)]
    assert [(fields["step"], fields["to_step"]) for _, fields in events] == [(2, 1), (2, 0)]
    steps = [line for line in told if isinstance(line, int)]
    assert steps == [1, 1, 2, 3, 4, 5]  # the second begins anew


def test_a_run_that_diverges_at_any_rate_ends_with_a_sentence(tune, capsys):
    assert tune("--steps", "9", "--learning-rate", "1e30", "--warmup-steps", "0") == 2
    *back, failed = read_events(tune.out)
    assert [event["event"] for event in back] == ["went back"] * 3
    assert failed["event"] == "failed" and failed["sentence"] in capsys.readouterr().err
    assert "--learning-rate" in failed["sentence"]
    assert failed["change"] == {"learning_rate": "1.25e+28"}


def test_too_little_memory_is_a_line_of_the_log_with_the_setting_to_change(tune, capsys):
    assert tune("--steps", "1", "--noise-draws", "100000000000") == 2
    (failed,) = read_events(tune.out)
    assert failed["event"] == "failed" and failed["change"] == {"is_checkpointed": "true"}
    assert "too little memory for a step" in failed["sentence"]
    assert "Give --is-checkpointed true first." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--minutes", "0"), "A run cannot take 0 minutes; give more than 0."),
        (("--renamed", "nucleus"), "--renamed cannot be 'nucleus'; give OLD=NEW"),
        (("--renamed", "cell=nucleus"), "one of the model's categories: nucleus, background."),
        (("--batchs", "3"), "Did you mean --batch?"),
    ],
)
def test_what_cannot_be_asked_for_is_a_sentence(tune, capsys, arguments, said):
    assert tune(*arguments) == 2
    assert said in capsys.readouterr().err


def test_a_model_is_not_rated_on_what_it_is_trained_on(tune, truth, capsys):
    assert tune("--val", truth) == 2
    assert "cannot be what the model is trained and rated on" in capsys.readouterr().err


def test_a_folder_goes_on_with_the_model_that_it_began_with(tune, tmp_path, truth, capsys):
    assert tune("--steps", "1") == 0
    other = tmp_path / "other.safetensors"
    other.write_bytes((tmp_path / "base.safetensors").read_bytes())
    arguments = ("fine-tune", other, "--data", truth, "--out", tune.out)
    assert command.main([*map(str, arguments)]) == 2
    assert "base.safetensors; give that one, or another folder" in capsys.readouterr().err
