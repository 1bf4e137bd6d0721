"""The inference process, driven through its pipes as the window drives it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.jobs import (
    SegmentJob,
    load_message,
    read_finished,
    read_loaded,
    read_stepped,
    segment_message,
)
from core.messages import Message, MessageReader, encode_message
from core.model_card import read_card
from core.proposals import SamplingOptions

FEW = SamplingOptions(steps=3, min_area=0)
ENDLESS = SamplingOptions(steps=100_000, min_area=0)
LOUD_TORCH = """
import builtins, os
real = builtins.__import__
def shout(name, *rest, **more):
    if name == "torch":
        os.write(1, b"loud")
        print("louder")
    return real(name, *rest, **more)
builtins.__import__ = shout
"""
PARENT = """
import subprocess, sys, time
server = [sys.executable, "-m", "core.model.server"]
child = subprocess.Popen(server, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.read(4)
print(child.pid, flush=True)
time.sleep(60)
"""


class Conversation:
    """Both ends of the pipes to a running inference process."""

    def __init__(self, repository: Path, log: Path) -> None:
        self.log = log
        with log.open("w") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "core.model.server"],
                cwd=repository,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
            )
        self._received = self._messages()

    def _messages(self) -> Iterator[Message]:
        reader = MessageReader()
        while data := os.read(self.process.stdout.fileno(), 65_536):
            yield from reader.feed(data)

    def say(self, message: Message) -> None:
        self.process.stdin.write(encode_message(message))
        self.process.stdin.flush()

    def hear(self) -> Message:
        return next(self._received)

    def hear_until(self, kind: str) -> list[Message]:
        """Messages up to and with the first of a kind."""
        heard = [self.hear()]
        while heard[-1].kind != kind:
            heard.append(self.hear())
        return heard

    def close(self) -> int:
        self.process.stdin.close()
        code = self.process.wait(30)
        self.process.stdout.close()
        return code


@pytest.fixture
def server(repository, tmp_path) -> Iterator[Conversation]:
    conversation = Conversation(repository, tmp_path / "log.txt")
    yield conversation
    conversation.process.kill()
    conversation.process.wait()
    conversation.process.stdin.close()
    conversation.process.stdout.close()


@pytest.fixture
def picture(tmp_path) -> Path:
    path = tmp_path / "picture.png"
    pixels = np.random.default_rng(0).integers(0, 256, (50, 70, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def test_it_says_what_it_runs_on_and_ends_when_its_input_ends(server) -> None:
    ready = server.hear()
    assert ready.kind == "ready"
    assert ready.fields["name"]
    assert ready.fields["note"].endswith(".")
    assert server.close() == 0
    assert server.log.read_text() == ""


def test_a_job_yields_every_step_and_then_the_proposal(server, tiny_model, picture) -> None:
    server.say(load_message(tiny_model, "cpu"))
    server.say(segment_message(5, SegmentJob(picture, FEW)))
    card, device = read_loaded(server.hear_until("loaded")[-1])
    assert (card, device.name) == (read_card(tiny_model), "cpu")
    *steps, finished = server.hear_until("finished")
    previews = [read_stepped(message) for message in steps]
    assert [preview.step for preview in previews] == [1, 2, 3]
    assert [message.fields["ticket"] for message in (*steps, finished)] == [5] * 4
    proposal = read_finished(finished)
    assert proposal.segment_ids.shape == (50, 70)
    assert (proposal.model, proposal.options) == ("tiny", FEW)
    times = [preview.elapsed_s for preview in previews] + [proposal.elapsed_s]
    assert times == sorted(times)


def test_the_same_seed_gives_the_same_map_and_another_seed_another(
    server, tiny_model, picture
) -> None:
    server.say(load_message(tiny_model, "cpu"))
    maps = []
    for ticket, seed in enumerate((1, 2, 1)):
        options = SamplingOptions(steps=1, seed=seed, min_area=0)
        server.say(segment_message(ticket, SegmentJob(picture, options)))
        maps.append(read_finished(server.hear_until("finished")[-1]).segment_ids)
    assert np.array_equal(maps[0], maps[2])
    assert not np.array_equal(maps[0], maps[1])


def test_an_image_that_was_written_anew_is_read_again(server, tiny_model, picture) -> None:
    server.say(load_message(tiny_model, "cpu"))
    server.say(segment_message(1, SegmentJob(picture, FEW)))
    server.hear_until("finished")
    Image.new("RGB", (20, 30)).save(picture)
    server.say(segment_message(2, SegmentJob(picture, FEW)))
    proposal = read_finished(server.hear_until("finished")[-1])
    assert proposal.segment_ids.shape == (30, 20)


def test_a_cancel_stops_the_job_within_a_step_and_the_next_job_runs(
    server, tiny_model, picture
) -> None:
    server.say(load_message(tiny_model, "cpu"))
    server.say(segment_message(1, SegmentJob(picture, ENDLESS)))
    server.hear_until("stepped")
    server.say(Message("cancel", {"ticket": 1}))
    server.hear_until("cancelled")
    server.say(segment_message(2, SegmentJob(picture, FEW)))
    tickets = {message.fields["ticket"] for message in server.hear_until("finished")}
    assert tickets == {2}


def test_a_job_cancelled_while_it_waits_never_begins(server, tiny_model, picture) -> None:
    server.say(load_message(tiny_model, "cpu"))
    server.say(segment_message(1, SegmentJob(picture, ENDLESS)))
    server.hear_until("stepped")
    server.say(segment_message(2, SegmentJob(picture, ENDLESS)))
    server.say(Message("cancel", {"ticket": 2}))
    server.say(Message("cancel", {"ticket": 1}))
    server.hear_until("cancelled")
    assert server.hear().fields == {"ticket": 2}


def test_without_a_model_a_job_fails_with_a_sentence(server, picture) -> None:
    server.say(segment_message(1, SegmentJob(picture, FEW)))
    failed = server.hear_until("failed")[-1]
    assert failed.fields == {
        "ticket": 1,
        "sentence": "No model is loaded; choose one for the project.",
    }


def test_a_model_that_cannot_be_loaded_leaves_the_one_before(
    server, tiny_model, picture, tmp_path
) -> None:
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(tiny_model.read_bytes()[:-100])
    server.say(load_message(tiny_model, "cpu"))
    server.say(load_message(damaged, "cpu"))
    server.say(load_message(tiny_model, "abacus"))
    assert str(damaged) in server.hear_until("load_failed")[-1].fields["sentence"]
    assert "'abacus'" in server.hear().fields["sentence"]
    server.say(segment_message(1, SegmentJob(picture, FEW)))
    assert server.hear_until("finished")[-1].fields["model"] == "tiny"


def test_an_unreadable_image_fails_its_job_alone(server, tiny_model, picture, tmp_path) -> None:
    server.say(load_message(tiny_model, "cpu"))
    server.say(segment_message(1, SegmentJob(tmp_path / "none.png", FEW)))
    server.say(segment_message(2, SegmentJob(picture, FEW)))
    assert "none.png does not exist" in server.hear_until("failed")[-1].fields["sentence"]
    server.hear_until("finished")


def test_a_fault_inside_a_job_is_a_sentence_and_leaves_the_process_alive(
    server, tiny_model, picture
) -> None:
    server.say(load_message(tiny_model, "cpu"))
    server.say(segment_message(1, SegmentJob(picture, SamplingOptions(steps=-1))))
    failed = server.hear_until("failed")[-1]
    assert failed.fields["sentence"].startswith("Segmenting picture.png failed (")
    assert "Traceback" in server.log.read_text()
    server.say(segment_message(2, SegmentJob(picture, FEW)))
    server.hear_until("finished")


def test_it_ends_soon_when_the_window_is_gone_in_mid_run(server, tiny_model, picture) -> None:
    server.say(load_message(tiny_model, "cpu"))
    server.say(segment_message(1, SegmentJob(picture, ENDLESS)))
    server.hear_until("stepped")
    server.process.stdin.close()
    server.process.stdout.close()
    server.process.wait(30)


def test_it_ends_when_what_comes_in_is_no_message(server) -> None:
    server.hear_until("ready")
    server.process.stdin.write(b"GET / HTTP/1.1\r\n\r\n")
    server.process.stdin.flush()
    server.process.wait(30)
    assert "the stream is damaged" in server.log.read_text()


def test_what_a_library_prints_does_not_reach_the_messages(repository, tmp_path) -> None:
    loud = tmp_path / "loud"
    loud.mkdir()
    (loud / "sitecustomize.py").write_text(LOUD_TORCH)
    environment = {**os.environ, "PYTHONPATH": str(loud)}
    process = subprocess.Popen(
        [sys.executable, "-m", "core.model.server"],
        cwd=repository,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    first = process.stdout.read(4)
    assert int.from_bytes(first, "big") < 1000  # the length of a header, not letters
    _, printed = process.communicate()
    assert b"louder" in printed


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as Linux lists them")
def test_a_window_killed_outright_leaves_no_orphan(repository, tmp_path) -> None:
    window = [sys.executable, "-c", PARENT]
    parent = subprocess.Popen(window, cwd=repository, stdout=subprocess.PIPE)  # noqa: S603 - ours
    with parent:
        orphan = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 30
    while _is_running(orphan):
        assert time.monotonic() < deadline, f"process {orphan} outlived its window"
        time.sleep(0.05)


def _is_running(process_id: int) -> bool:
    """Whether a process works; one that ended and waits to be collected does not."""
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
