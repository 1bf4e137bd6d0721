"""A run through a clip by the inference process: a frame at a time, and stopped at any step."""

import numpy as np
import pytest
import torch
from PIL import Image

from core.jobs import load_message
from core.messages import Message
from core.model.checkpoint import save_checkpoint
from core.model.pix2seq_d import Pix2SeqD
from core.model_card import ModelCard
from core.propagation import FrameSource, PropagationJob, Start, VideoOptions
from core.video_jobs import propagate_message, read_frame_done, read_frame_stepped
from tests.core.model.test_segment_video import CARD, TINY
from tests.core.model.test_server import server  # noqa: F401 - a fixture


@pytest.fixture(scope="module")
def video_model(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("model") / "video.safetensors"
    save_checkpoint(path, Pix2SeqD(TINY).init_weights(), ModelCard("v", "", CARD.categories))
    return path


@pytest.fixture
def frames(tmp_path):
    rng = np.random.default_rng(0)
    for k in range(3):
        pixels = rng.integers(0, 256, (48, 64, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{k}.png")
    return tuple(FrameSource(k, tmp_path / f"{k}.png") for k in range(3))


def ask(frames, ticket=5, steps=2, *, has_previews=False):
    options = VideoOptions(first_steps=steps, later_steps=steps)
    start = Start((), CARD.categories)
    return propagate_message(ticket, PropagationJob(frames, start, options, {}, has_previews))


def test_each_frame_comes_when_it_is_done_and_then_the_end(server, video_model, frames):  # noqa: F811
    server.say(load_message(video_model, "cpu"))
    server.say(ask(frames, has_previews=True))
    server.hear_until("loaded")
    heard = server.hear_until("propagated")
    kinds = [message.kind for message in heard]
    assert kinds == [*["frame_stepped", "frame_stepped", "frame_done"] * 3, "propagated"]
    assert {message.fields["ticket"] for message in heard} == {5}
    assert read_frame_stepped(heard[0]).preview.segment_ids.shape == (24, 32)
    proposals = [read_frame_done(m) for m in heard if m.kind == "frame_done"]
    assert [proposal.number for proposal in proposals] == [0, 1, 2]
    assert all(proposal.segment_ids.shape == (48, 64) for proposal in proposals)
    assert server.close() == 0


def test_a_run_is_stopped_within_a_step_and_the_next_one_works(server, video_model, frames):  # noqa: F811
    server.say(load_message(video_model, "cpu"))
    server.say(ask(frames, 1, steps=100_000))
    server.hear_until("frame_stepped")
    server.say(Message("cancel", {"ticket": 1}))
    server.hear_until("cancelled")
    server.say(ask(frames[:1], 2))
    assert {message.fields["ticket"] for message in server.hear_until("propagated")} == {2}


def test_a_frame_that_cannot_be_read_ends_the_run_with_a_sentence(
    server,  # noqa: F811
    video_model,
    frames,
):
    frames[1].path.unlink()
    server.say(load_message(video_model, "cpu"))
    server.say(ask(frames))
    heard = server.hear_until("failed")
    assert [m.kind for m in heard].count("frame_done") == 1
    assert "1.png" in heard[-1].fields["sentence"]


def test_a_model_of_single_images_says_that_it_is_one(server, tiny_model, frames):  # noqa: F811
    server.say(load_message(tiny_model, "cpu"))
    server.say(ask(frames))
    sentence = server.hear_until("failed")[-1].fields["sentence"]
    assert sentence.startswith("The model 'tiny' was made for single images")
