"""The golden set, recorded from the authors' own code, and a writer of small checkpoints."""

import json
import math
import struct
import tarfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.model.crc32c import masked_crc32c

DTYPES = {"float32": 1, "float64": 2, "int32": 3, "uint8": 4, "int64": 9, "float16": 19}


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def block(entries: list[tuple[bytes, bytes]], compression: int = 0) -> bytes:
    """A block of a LevelDB table with its trailer; keys share prefixes as LevelDB's do."""
    body, last = b"", b""
    for key, value in entries:
        shared = 0
        while shared < min(len(key), len(last)) and key[shared] == last[shared]:
            shared += 1
        body += varint(shared) + varint(len(key) - shared) + varint(len(value))
        body += key[shared:] + value
        last = key
    body += struct.pack("<II", 0, 1) + bytes([compression])
    return body + struct.pack("<I", masked_crc32c(body))


def table(entries: dict[bytes, bytes], per_block: int = 7, compression: int = 0) -> bytes:
    out, handles, rows = b"", [], sorted(entries.items())
    for start in range(0, len(rows), per_block):
        part = block(rows[start : start + per_block], compression)
        key = rows[min(start + per_block, len(rows)) - 1][0]
        handles.append((key, varint(len(out)) + varint(len(part) - 5)))
        out += part
    footer = b""
    for rest in ([], handles):
        part = block(rest)
        footer += varint(len(out)) + varint(len(part) - 5)
        out += part
    return out + footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


def entry(dtype: int, shape, data: bytes, extra: bytes = b"", place=(0, 0)) -> bytes:
    """What an index says of a tensor; `place` is its shard and its offset there."""
    dims = b"".join(b"\x12" + varint(len(d)) + d for d in (b"\x08" + varint(n) for n in shape))
    out = b"\x08" + varint(dtype) + b"\x12" + varint(len(dims)) + dims
    out += b"\x18" + varint(place[0]) + b"\x20" + varint(place[1])
    out += b"\x28" + varint(len(data)) + b"\x35" + struct.pack("<I", masked_crc32c(data))
    return out + extra


def write_bundle(
    prefix: Path, tensors: dict[str, np.ndarray], n_shards: int = 1, compression: int = 0
) -> Path:
    """Write a checkpoint, tensors dealt out to the shards in turn; returns the index's path."""
    entries, shards = {b"": b"\x08" + varint(n_shards)}, [b""] * n_shards
    for number, (key, values) in enumerate(tensors.items()):
        shard = number % n_shards
        data = values.tobytes()
        dtype, place = DTYPES[values.dtype.name], (shard, len(shards[shard]))
        entries[key.encode()] = entry(dtype, values.shape, data, place=place)
        shards[shard] += data
    for shard, data in enumerate(shards):
        name = f"{prefix.name}.data-{shard:05d}-of-{n_shards:05d}"
        prefix.with_name(name).write_bytes(data)
    index = prefix.with_name(prefix.name + ".index")
    index.write_bytes(table(entries, compression=compression))
    return index


@pytest.fixture(scope="session")
def bundles() -> SimpleNamespace:
    """Functions that write TensorFlow checkpoints, since tests do without TensorFlow."""
    return SimpleNamespace(write=write_bundle, block=block, table=table, entry=entry)


@pytest.fixture(scope="session", autouse=True)
def two_threads() -> None:
    """Leave the machine to others; results do not depend on it."""
    torch.set_num_threads(2)


@pytest.fixture(scope="session")
def golden_dir(shared_dir) -> Path:
    return shared_dir / "golden"


@pytest.fixture(scope="session")
def golden(golden_dir):
    """Load an archive of recorded arrays by name, e.g. golden("encoder")["tokens"]."""
    return lambda name: np.load(golden_dir / f"{name}.npz")


@pytest.fixture(scope="session")
def golden_settings(golden_dir) -> dict:
    """The configuration with which the arrays were recorded."""
    return json.loads((golden_dir / "config.json").read_text())


@pytest.fixture(scope="session")
def golden_checkpoint(golden_dir, tmp_path_factory) -> Path:
    """The folder of a TensorFlow checkpoint as the authors' trainer writes it."""
    folder = tmp_path_factory.mktemp("golden")
    with tarfile.open(golden_dir / "checkpoint.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    return folder / "checkpoint"


@pytest.fixture
def near(request):
    """Assert that two arrays differ by no more than a tolerance.

    By how much they do is among the test's properties, which `--junitxml` writes down.
    """

    def assert_near(found, wanted, tolerance: float) -> None:
        found = torch.as_tensor(found).detach().double()
        wanted = torch.as_tensor(np.asarray(wanted)).double()
        assert found.shape == wanted.shape
        difference = float((found - wanted).abs().max())
        request.node.user_properties.append(("max_abs_difference", difference))
        assert difference <= tolerance

    return assert_near


@pytest.fixture(scope="session")
def to_torch():
    """Turn recorded arrays [..., h, w, c] into tensors [..., c, h, w]."""
    return lambda array: torch.from_numpy(np.ascontiguousarray(np.moveaxis(array, -1, -3)))


@pytest.fixture(scope="session")
def fill():
    """Give every tensor of a module values that follow from its size alone; float64."""
    return _fill


def _fill(module: nn.Module) -> nn.Module:
    for part in module.modules():
        is_linear = isinstance(part, nn.Conv2d | nn.Linear)
        if not is_linear and not isinstance(part, nn.GroupNorm | nn.LayerNorm | nn.BatchNorm2d):
            continue
        for name, value in part.named_parameters(recurse=False):
            i = torch.arange(value.numel(), dtype=torch.float64)
            if name == "weight" and is_linear:
                fan = value.numel() / len(value)
                filled = (1.7 * i + 0.3 * value.numel()).sin() / math.sqrt(fan)
            elif name == "weight":
                filled = 1 + 0.1 * (i + 1).sin()
            else:
                filled = 0.1 * ((i + 1) if is_linear else (2 * i + 1)).cos()
            value.data = filled.view(value.shape)
    return module.double().eval()


@pytest.fixture(scope="session")
def grid():
    """Make an image that follows from its size alone; float64."""
    return _grid


def _grid(channels: int, height: int, width: int, *factors: float) -> Tensor:
    """[1, C, H, W]: sin(a c + b y + d x)."""
    c, y, x = (torch.arange(n, dtype=torch.float64) for n in (channels, height, width))
    a, b, d = factors
    return (a * c[:, None, None] + b * y[:, None] + d * x).sin()[None]
