"""Retraining: what it is asked for lies in folders, and its log says how far it is."""

from pathlib import Path

import pytest

from core.errors import TrainingError
from core.retraining import (
    PLAN_NAME,
    Outcome,
    RetrainPlan,
    close_run,
    find_open_run,
    models_folder,
    name_version,
    new_run,
    read_plan,
    say_obstacle,
    write_plan,
)
from core.training_progress import Phase, Score, TrainingProgress, say_time


def test_a_project_with_too_few_images_hears_how_many_are_needed():
    assert "No images are approved" in say_obstacle(0, 0, 20)
    assert say_obstacle(1, 4, 20).endswith("at least 3 are needed: approve 2 more.")
    assert "one in 5 will be held out" in say_obstacle(3, 0, 20)
    assert "raise the share" in say_obstacle(3, 0, 0)
    assert say_obstacle(3, 1, 20) == ""


def test_versions_of_a_model_are_numbered():
    assert name_version("nuclei", ()) == "nuclei-v1"
    assert name_version("nuclei-v1", {"nuclei-v1", "nuclei-v2"}) == "nuclei-v3"
    assert name_version("my/own cells", ()) == "my-own-cells-v1"


def test_a_run_is_open_until_somebody_decides(tmp_path):
    project = tmp_path / "cells.bitbrush"
    assert find_open_run(project) is None
    folder = new_run(project)
    assert folder == models_folder(project) / "run-1"
    plan = RetrainPlan("nuclei", "nuclei-v1", 2.5, 1, "cpu", 8, 2, {"batch": "2"})
    folder.mkdir(parents=True)
    assert find_open_run(project) is None
    write_plan(folder, plan)
    assert find_open_run(project) == folder and read_plan(folder) == plan
    close_run(folder, Outcome.KEPT)
    assert find_open_run(project) is None
    assert new_run(project).name == "run-2"


def test_a_damaged_plan_is_a_sentence(tmp_path):
    (tmp_path / PLAN_NAME).write_text("{")
    with pytest.raises(TrainingError, match="begin a new one"):
        read_plan(tmp_path)


def test_the_command_names_all_that_was_asked_for(tmp_path):
    plan = RetrainPlan(
        "/m.safetensors",
        "m-v1",
        3,
        2,
        "cpu",
        changes={"noise_draws": "1"},
        renamed={"a": "b c"},
    )
    command = " ".join(plan.arguments(tmp_path))
    assert command.startswith("fine-tune")
    assert "--minutes 3 --name m-v1 --device cpu --threads 2 --nice 10" in command
    assert "--renamed a=b c --json" in command
    assert command.endswith("--noise-draws 1")


def step(number, **more):
    return {"step": number, "loss": 1 / number, "learning_rate": 0.1, "seconds": 2.0, **more}


def rating(pq):
    return {"all": {"pq": pq, "sq": 0.8, "rq": pq / 0.8}, "seconds": 5.0}


def test_progress_follows_the_log():
    progress = TrainingProgress()
    assert progress.seconds_left is None and progress.phase is Phase.BEGINNING
    progress.add([{"event": "measured", "steps": 10, "every": 5, "images": 2}])
    progress.add([{"event": "started", "evaluation": rating(0.4)}, step(1), step(2)])
    assert progress.seconds_left == 8 * 2 + 2 * 5
    progress.add([{"event": "paused", "step": 2}])
    assert progress.phase is Phase.PAUSED
    progress.add([step(3, evaluation=rating(0.6)), {"event": "finished", "best": "b"}])
    assert progress.phase is Phase.FINISHED and progress.model == Path("b")
    assert progress.scores[-1] == Score(3, 0.6, 0.8, 0.6 / 0.8)
    assert progress.best_pq == 0.6 and progress.step == 3


def test_steps_that_are_made_again_count_once():
    progress = TrainingProgress()
    progress.add([step(1), step(2), step(3, evaluation=rating(0.5))])
    progress.add([{"event": "went back", "sentence": "Back to 1."}, step(2)])
    assert [number for number, _ in progress.losses] == [1, 2]
    assert progress.sentences == ["Back to 1."]


def test_too_little_memory_comes_with_what_to_change():
    progress = TrainingProgress()
    progress.add([{"event": "failed", "sentence": "Too little.", "change": {"batch": "2"}}])
    assert progress.phase is Phase.FAILED and progress.change == {"batch": "2"}
    progress.add([{"event": "finished", "model": "m", "best": None}])
    assert progress.change == {} and progress.model == Path("m")


def test_what_was_wrong_is_not_said_any_more_once_the_run_goes_on():
    progress = TrainingProgress()
    progress.add([step(1), {"event": "failed", "sentence": "The disk is full."}])
    assert progress.sentences == ["The disk is full."]
    progress.add([step(2)])
    assert progress.sentences == []


def test_times_are_said_shortly():
    assert [say_time(s) for s in (0.2, 42, 240, 3900)] == ["1 s", "42 s", "4 min", "1 h 5 min"]
