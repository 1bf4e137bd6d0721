"""The window's side of the inference process, with a real process and a tiny model."""

import os
import signal
from pathlib import Path

import pytest

from app.segmenter import Segmenter
from core.bundled import SAMPLES
from core.jobs import SegmentJob
from core.proposals import SamplingOptions

PICTURE = SAMPLES / "fluorescence_crowded.jpg"
FEW = SegmentJob(PICTURE, SamplingOptions(steps=3, min_area=0))
ENDLESS = SegmentJob(PICTURE, SamplingOptions(steps=100_000, min_area=0))
PATIENT = {"timeout": 60_000}  # the first answer waits for torch


@pytest.fixture
def segmenter(qtbot) -> Segmenter:
    segmenter = Segmenter()
    yield segmenter
    segmenter.stop()


@pytest.fixture
def log(segmenter):
    """Everything that the segmenter says, in order."""
    entries: list[tuple] = []
    for name in ("stepped", "finished", "cancelled", "failed"):
        signal_of_job = getattr(segmenter, name)
        signal_of_job.connect(lambda *rest, name=name: entries.append((name, *rest)))
    return entries


def test_the_process_says_what_it_runs_on(qtbot, segmenter) -> None:
    with qtbot.waitSignal(segmenter.ready, **PATIENT) as ready:
        segmenter.start()
    assert ready.args[0] == segmenter.device
    assert segmenter.device.note


def test_each_step_arrives_and_then_the_proposal(qtbot, segmenter, log, tiny_model) -> None:
    segmenter.load(tiny_model, "cpu")
    with qtbot.waitSignal(segmenter.finished, **PATIENT):
        ticket = segmenter.submit(FEW)
    assert [entry[:2] for entry in log] == [("stepped", ticket)] * 3 + [("finished", ticket)]
    assert [entry[2].step for entry in log[:3]] == [1, 2, 3]
    assert log[3][2].segment_ids.shape == (256, 256)


def test_a_cancelled_job_is_heard_of_once_more_and_no_later(
    qtbot, segmenter, log, tiny_model
) -> None:
    segmenter.load(tiny_model, "cpu")
    ticket = segmenter.submit(ENDLESS)
    qtbot.waitUntil(lambda: len(log) >= 2, **PATIENT)
    log.clear()
    with qtbot.waitSignal(segmenter.cancelled, **PATIENT):
        segmenter.cancel(ticket)
    segmenter.cancel(ticket)
    with qtbot.waitSignal(segmenter.finished, **PATIENT):
        segmenter.submit(FEW)
    assert [entry for entry in log if entry[1] == ticket] == [("cancelled", ticket)]


def test_a_killed_process_fails_its_job_and_the_next_run_works(
    qtbot, segmenter, log, tiny_model
) -> None:
    segmenter.load(tiny_model, "cpu")
    ticket = segmenter.submit(ENDLESS)
    qtbot.waitUntil(lambda: len(log) >= 2, **PATIENT)
    with qtbot.waitSignal(segmenter.restarted, **PATIENT) as restarted:
        os.kill(segmenter.process_id, signal.SIGKILL)
    assert log[-1] == (
        "failed",
        ticket,
        "The inference process ended (signal 9) before the map was done; run again.",
    )
    assert "all edits are safe" in restarted.args[0]
    with qtbot.waitSignal(segmenter.finished, **PATIENT) as finished:
        segmenter.submit(FEW)
    assert finished.args[1].model == "tiny"


def test_a_killed_process_comes_back_with_the_model_in_use_and_not_the_one_refused(
    qtbot, segmenter, tiny_model, tmp_path
) -> None:
    wrong = tmp_path / "wrong.safetensors"
    wrong.write_text("no model")
    segmenter.load(tiny_model, "cpu")
    with qtbot.waitSignal(segmenter.load_failed, **PATIENT) as refused:
        segmenter.load(wrong, "cpu")
    assert str(wrong) in refused.args[0]
    with qtbot.waitSignal(segmenter.loaded, **PATIENT) as loaded:
        os.kill(segmenter.process_id, signal.SIGKILL)
    assert loaded.args[0].name == "tiny"


def test_a_process_that_cannot_start_is_given_up_with_its_reason(
    qtbot, segmenter, monkeypatch, tmp_path
) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('libtorch is not what it was')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    sentences: list[str] = []
    segmenter.restarted.connect(sentences.append)
    with qtbot.waitSignal(segmenter.failed, **PATIENT):
        segmenter.submit(FEW)
    qtbot.waitUntil(lambda: len(sentences) == 3, **PATIENT)
    assert "libtorch is not what it was" in sentences[-1]
    assert "bitbrush doctor" in sentences[-1]
    assert segmenter.process_id == 0
    monkeypatch.delenv("PYTHONPATH")
    with qtbot.waitSignal(segmenter.ready, **PATIENT):
        segmenter.start()


def test_stopping_ends_the_process_and_every_open_job(
    qtbot, segmenter, log, tiny_model
) -> None:
    segmenter.load(tiny_model, "cpu")
    ticket = segmenter.submit(ENDLESS)
    qtbot.waitUntil(lambda: len(log) >= 1, **PATIENT)
    process_id = segmenter.process_id
    segmenter.stop()
    assert log[-1][:2] == ("failed", ticket)
    assert not Path(f"/proc/{process_id}").exists()
