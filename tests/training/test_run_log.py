"""What a run reports: every step once in its log, and events that TensorBoard can read."""

import json
import struct
from dataclasses import replace

import cv2
import numpy as np
import pytest

from core.model.crc32c import masked_crc32c
from training.event_file import EventFile
from training.run_log import RunLog, read_log
from training.train import TrainStep


def step(number, loss=1.0):
    return TrainStep(number, loss, 1e-3, 0.5, seconds=2.0, data_seconds=0.1, images=4)


def records(path):
    """The events of a file, both checksums of each verified."""
    data, place = path.read_bytes(), 0
    while place < len(data):
        header = data[place : place + 8]
        (length,) = struct.unpack("<Q", header)
        body = data[place + 12 : place + 12 + length]
        sums = struct.unpack("<I", data[place + 8 : place + 12])
        sums += struct.unpack("<I", data[place + 12 + length : place + 16 + length])
        assert sums == (masked_crc32c(header), masked_crc32c(body))
        yield parse(body)
        place += 16 + length


def parse(message):
    """Fields of a protocol buffer as (number, value), in order."""
    found, place = [], 0

    def varint():
        nonlocal place
        value = shift = 0
        while True:
            byte = message[place]
            place += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while place < len(message):
        field, kind = divmod(varint(), 8)
        if kind == 0:
            found.append((field, varint()))
            continue
        size = {1: 8, 5: 4}.get(kind) or varint()
        found.append((field, message[place : place + size]))
        place += size
    return found


def test_events_hold_numbers_and_pictures_by_step(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (5, 300, 3), np.uint8)
    with EventFile(tmp_path, 1) as events:
        events.add_numbers(300, {"loss": 0.5, "PQ/all": 0.25})
        events.add_picture(300, "refinement/0", picture)
    (path,) = tmp_path.glob("events.out.tfevents.*")
    version, start, numbers, shown = records(path)
    assert (3, b"brain.Event:2") in version and start[1:] == [(2, 1), (7, b"\x08\x01")]
    assert (2, 300) in numbers
    values = [dict(parse(value)) for _, value in parse(dict(numbers)[5])]
    assert [value[1] for value in values] == [b"loss", b"PQ/all"]
    assert [struct.unpack("<f", value[2])[0] for value in values] == [0.5, 0.25]
    image = dict(parse(dict(parse(dict(parse(dict(shown)[5]))[1]))[4]))
    assert (image[1], image[2]) == (5, 300)
    decoded = cv2.imdecode(np.frombuffer(image[4], np.uint8), cv2.IMREAD_COLOR_RGB)
    assert np.array_equal(decoded, picture)


def test_a_log_that_goes_on_has_every_step_once(tmp_path):
    with RunLog(tmp_path) as log:
        for number in (1, 2, 3, 4):
            log.add(step(number), None)
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 5, "lo')  # killed while writing
    with RunLog(tmp_path) as log:
        line = log.add(step(3, loss=7.0), None)
    assert json.loads(line)["loss"] == 7.0
    assert [(e["step"], e["loss"]) for e in read_log(tmp_path)] == [(1, 1), (2, 1), (3, 7)]


def test_a_norm_that_is_infinite_while_a_scale_is_sought_is_null(tmp_path):
    with RunLog(tmp_path) as log:
        line = log.add(replace(step(1), grad_norm=float("inf")), None)
    assert json.loads(line, parse_constant=pytest.fail)["grad_norm"] is None
