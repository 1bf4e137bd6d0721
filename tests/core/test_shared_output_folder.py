"""Processes share the images of a folder: each is worked on once, whoever is killed."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from PIL import Image

from core.coco import read_coco
from core.errors import CocoError
from core.file_lock import FileLock, try_lock
from core.output_folder import OutputFolder
from core.panoptic import Category, PanopticMap, Segment

CATEGORIES = (Category(1, "cell", is_thing=True, color=(1, 2, 3)),)
RECIPE = {"model": "tiny", "steps": 4}
N_IMAGES = 10
MAP = PanopticMap(np.ones((3, 4), np.uint16), {1: Segment(1, 1)})


@pytest.fixture
def images(tmp_path):
    """A folder of noisy images."""
    folder = tmp_path / "images"
    folder.mkdir()
    noise = np.random.default_rng(0)
    paths = [folder / f"image{number}.png" for number in range(N_IMAGES)]
    for path in paths:
        Image.fromarray(noise.integers(0, 256, (40, 50, 3), np.uint8)).save(path)
    return paths


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def join(out, images, **recipe):
    return OutputFolder(out, images, {**RECIPE, **recipe}, CATEGORIES)


def finished_names(out):
    _, *lines = (out / "segment.jsonl").read_text().splitlines()
    return [json.loads(line)["image"]["file_name"] for line in lines]


def test_two_that_take_turns_share_the_images(images, out):
    folders = [join(out, images), join(out, images)]
    takers = [folder.claim_left() for folder in folders]
    done = [[], []]
    for turn in range(N_IMAGES):
        path = next(takers[turn % 2])
        folders[turn % 2].add(path, MAP)
        done[turn % 2].append(path)
    assert all(next(taker, None) is None for taker in takers)
    assert sorted(done[0] + done[1]) == images
    assert all(len(paths) == N_IMAGES / 2 for paths in done)
    for folder in folders:
        folder.write_index()
        entries = read_coco(out / "panoptic.json").images
        assert sorted(image.id for image in entries) == list(range(1, N_IMAGES + 1))


def test_an_image_in_work_elsewhere_is_waited_for_and_taken_if_it_is_given_up(images, out):
    first, second = join(out, images[:1]), join(out, images[:1])
    taker = first.claim_left()
    assert next(taker) == images[0]
    threading.Timer(0.3, taker.close).start()
    began = time.monotonic()
    assert list(second.claim_left()) == images[:1]
    assert time.monotonic() - began > 0.2


def test_an_image_that_fails_comes_once(images, out):
    assert list(join(out, images).claim_left()) == images


def test_who_joins_removes_nothing_and_knows_what_is_done(images, out):
    first = join(out, images)
    for path in images[:3]:
        first.add(path, MAP)
    second = join(out, images)
    assert second.left == images[3:]
    first.add(images[3], MAP)
    second.add(images[4], MAP)
    assert first.left == images[4:]
    first.catch_up()
    assert first.left == images[5:] == second.left


def test_a_line_that_another_left_unfinished_is_cut_off(images, out):
    first, second = join(out, images), join(out, images)
    first.add(images[0], MAP)
    with (out / "segment.jsonl").open("a") as file:
        file.write('{"n_bytes": 12')
    second.add(images[1], MAP)
    assert finished_names(out) == [images[0].name, images[1].name]
    assert join(out, images).left == images[2:]


def test_an_image_that_changed_is_made_again_by_those_who_were_there_before(images, out):
    first = join(out, images)
    first.add(images[0], MAP)
    images[0].write_bytes(b"other pixels")
    second = join(out, images)
    assert second.left == images
    first.catch_up()
    assert first.left == images


def test_who_makes_the_maps_in_another_way_stops_the_others(images, out):
    first = join(out, images)
    first.add(images[0], MAP)
    join(out, images, steps=8)
    with pytest.raises(CocoError, match=r"fills .*out in another way now \(steps 8 -> 4\)"):
        first.add(images[1], MAP)


def test_a_lock_that_is_held_is_not_given_twice(tmp_path):
    lock = FileLock(tmp_path / "a.lock")
    assert try_lock(tmp_path / "a.lock") is None
    lock.release()
    again = try_lock(tmp_path / "a.lock")
    assert again is not None
    again.release()


def test_one_of_two_processes_is_killed_and_started_again(images, out, tiny_model, repository):
    def start():
        arguments = [images[0].parent, "--out", out, "--model", tiny_model, "--steps", "40"]
        return subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "core", "segment", *map(str, arguments)],
            cwd=repository,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    processes = [start(), start()]
    end = time.monotonic() + 120
    while not (out / "segment.jsonl").exists() or len(finished_names(out)) < 3:
        assert time.monotonic() < end
        time.sleep(0.01)
    processes[0].send_signal(signal.SIGKILL)
    processes[0].communicate()
    assert len(finished_names(out)) < N_IMAGES
    processes[0] = start()
    for process in processes:
        said, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        assert said == f"{out / 'panoptic.json'} holds {N_IMAGES} maps.\n"
    assert sorted(finished_names(out)) == [path.name for path in images]
    dataset = read_coco(out / "panoptic.json")
    assert sorted(image.id for image in dataset.images) == list(range(1, N_IMAGES + 1))
    assert all(dataset.load(index)[0].shape == (40, 50) for index in range(N_IMAGES))
    assert list((out / ".claims").iterdir()) == []
