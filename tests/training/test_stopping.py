"""Ctrl-C and SIGTERM: the step in hand is saved, and a sentence says how to go on."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors import safe_open

from tests.training.test_processes import start_two, steps_of
from tests.training.tiny_run import CONFIGS, Pictures
from training import __main__ as command
from training.run_log import read_log
from training.stopping import RunStopped, StopSignals, Terminated, exit_code, raising_terminated
from training.train import train

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")
WAITING = """
import sys, time
from training.stopping import StopSignals
with StopSignals() as signals:
    print("ready", flush=True)
    while True:
        time.sleep(0.01)
"""


def last_step(out):
    with safe_open(out / "state.safetensors", framework="pt") as file:
        return int(file.metadata()["step"])


def wait_for(holds, process):
    deadline = time.monotonic() + 200
    while not holds():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)


def start(repository, *arguments, **options):
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, *arguments],
        cwd=repository,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.mark.parametrize(
    ("number", "name", "code"),
    [(signal.SIGINT, "Ctrl-C", 130), (signal.SIGTERM, "SIGTERM", 143)],
)
def test_a_stopped_run_saves_its_step_and_says_how_to_go_on(
    repository, truth, tmp_path, number, name, code
):
    out = tmp_path / "out"
    run = start(
        repository,
        *("-m", "app", "train", "nano", "--data", str(truth), "--out", str(out)),
        *("--batch", "2", "--noise-draws", "1", "--val", str(truth), "--workers", "1"),
        start_new_session=True,
    )
    wait_for(lambda: len(read_log(out)) >= 2, run)
    send = os.killpg if number == signal.SIGINT else os.kill  # a terminal tells all
    send(run.pid, number)
    told, said = run.communicate(timeout=100)
    assert run.returncode == code
    step = last_step(out)
    assert said == (
        "Stopping after this step; Ctrl-C again ends at once.\n"
        f"Stopped by {name} after step {step} of 4000, which is saved in {out}; the same "
        "command goes on from there.\n"
    )
    assert json.loads(told.splitlines()[-1])["step"] == step == read_log(out)[-1]["step"]
    assert not (out / "nano.safetensors").exists()


def test_a_second_interruption_ends_a_process_at_once(repository):
    waiting = start(repository, "-c", WAITING)
    assert waiting.stdout.readline() == "ready\n"
    waiting.send_signal(signal.SIGINT)
    assert waiting.stderr.readline() == "Stopping after this step; Ctrl-C again ends at once.\n"
    waiting.send_signal(signal.SIGTERM)  # as torchrun does after a Ctrl-C: the same wish
    time.sleep(0.2)
    assert waiting.poll() is None
    waiting.send_signal(signal.SIGINT)
    assert waiting.communicate(timeout=20)[1] == "" and waiting.returncode == -signal.SIGINT


def test_signals_mean_what_they_did_after_a_run():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with StopSignals(is_told=False) as signals:
        assert not signals.has_come()
        signal.raise_signal(signal.SIGTERM)
        assert signals.has_come() and signals.number == signal.SIGTERM
    after = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert after == before
    with pytest.raises(Terminated), raising_terminated():
        signal.raise_signal(signal.SIGTERM)


def test_a_run_that_is_stopped_in_all_its_processes_ends_at_one_step(repository, tmp_path):
    out = tmp_path / "endless"
    both = start_two(repository, "endless", tmp_path)
    wait_for(lambda: len(steps_of(out, 1)) >= 3, both)
    both.send_signal(signal.SIGTERM)
    both.communicate(timeout=100)
    first, second = (max(steps_of(out, rank)) for rank in (0, 1))
    assert first == second == last_step(out)


def test_a_run_that_is_stopped_goes_on_as_if_it_had_not_been(tmp_path):
    config, asked = CONFIGS["plain"], iter([False, True])
    slow = tmp_path / "stopped"
    first = list(train(config, Pictures(), slow, should_stop=lambda: next(asked)))
    assert [step.is_saved for step in first] == [True, True]
    rest = list(train(config, Pictures(), slow))
    whole = [step.loss for step in train(config, Pictures(), tmp_path / "whole")]
    assert [step.loss for step in (*first, *rest)] == whole


@pytest.mark.parametrize(
    ("has_checkpoint", "sentence"),
    [
        (False, "Stopped before the first step; give the same command again.\n"),
        (True, "Stopped; the same command goes on from the checkpoint in {out}.\n"),
    ],
)
def test_what_is_stopped_before_its_first_step_promises_no_checkpoint(
    truth, tmp_path, monkeypatch, capsys, has_checkpoint, sentence
):
    def interrupt(*_):
        raise KeyboardInterrupt  # which a signal makes, but not where a shell has it ignored

    if has_checkpoint:
        (tmp_path / "state.safetensors").touch()
    monkeypatch.setattr(command, "run_recipe", interrupt)
    arguments = ["nano", "--data", str(truth), "--out", str(tmp_path)]
    assert command.main(arguments) == 130
    assert capsys.readouterr().err == sentence.format(out=tmp_path)


def test_exit_codes_are_those_of_a_shell():
    by = [
        RunStopped(Path(), 1, 2, "request", number)
        for number in (signal.SIGINT, signal.SIGTERM, None)
    ]
    assert [exit_code(s) for s in (*by, KeyboardInterrupt(), Terminated())] == [
        *(130, 143, 143, 130, 143)
    ]
