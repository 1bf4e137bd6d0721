"""TensorFlow checkpoints are read bit for bit, or refused with one sentence."""

import contextlib
import json
import shutil

import numpy as np
import pytest

from core.errors import BundleError
from core.model.crc32c import crc32c, masked_crc32c
from core.model.tensor_bundle import TensorBundle

TENSORS = {
    "model/a/kernel": np.arange(24, dtype=np.float32).reshape(2, 3, 4) / 7,
    "model/a/bias": np.array([-0.0, np.inf, np.nan, 1e-45], np.float32),
    "model/b": np.array([[1.5, -2.25]], np.float64),
    "model/empty": np.zeros((0, 3), np.float32),
    "model/half": np.array([0.5, 3.0], np.float16),
    "optimizer/count": np.array(2**40, np.int64),
    "step": np.array([7, -7], np.int32),
} | {f"many/{i}/x": np.full(3, i, np.float32) for i in range(20)}


def read_all(path) -> dict:
    bundle = TensorBundle(path)
    return {key: bundle.read(key) for key in bundle.entries}


def same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


@pytest.mark.parametrize(
    ("data", "crc"),
    [
        (b"", 0),
        (b"a", 0xC1D04330),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
    ],
)
def test_crc32c_has_the_published_values(data, crc) -> None:
    assert crc32c(data) == crc


def test_crc32c_equals_the_bitwise_definition_at_every_length() -> None:
    data = np.random.default_rng(0).bytes(300)
    register = 0xFFFFFFFF
    for length in range(len(data)):
        assert crc32c(data[:length]) == register ^ 0xFFFFFFFF
        register ^= data[length]
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)


def test_masked_crc32c_is_undone_as_leveldb_undoes_it() -> None:
    rotated = masked_crc32c(b"123456789") - 0xA282EAD8 & 0xFFFFFFFF
    assert (rotated >> 17 | rotated << 15) & 0xFFFFFFFF == 0xE3069283


@pytest.mark.parametrize("n_shards", [1, 3])
def test_what_was_written_is_read(tmp_path, bundles, n_shards) -> None:
    read = read_all(bundles.write(tmp_path / "ckpt-1", TENSORS, n_shards))
    assert read.keys() == TENSORS.keys()
    assert all(same(read[key], values) for key, values in TENSORS.items())


def test_bfloat16_becomes_float32(tmp_path, bundles) -> None:
    data = np.array([0x3FC0, 0xC010], "<u2").tobytes()
    index = bundles.write(tmp_path / "c", {})
    index.with_suffix(".data-00000-of-00001").write_bytes(data)
    entries = {b"": b"\x08\x01", b"x": bundles.entry(14, (2,), data)}
    index.write_bytes(bundles.table(entries))
    assert same(TensorBundle(index).read("x"), np.array([1.5, -2.25], np.float32))


def test_strings_are_left_out(tmp_path, bundles) -> None:
    index = bundles.write(tmp_path / "c", {})
    entries = {b"": b"\x08\x01", b"graph": bundles.entry(7, (), b"text")}
    index.write_bytes(bundles.table(entries))
    assert TensorBundle(index).entries == {}


def test_every_tensor_of_the_golden_checkpoint_is_read_bit_for_bit(
    golden_checkpoint, golden_dir, golden
) -> None:
    read = read_all(golden_checkpoint)
    recorded = json.loads((golden_dir / "checkpoint_index.json").read_text())
    assert read.keys() == recorded.keys()
    archives = {name: golden(name.removesuffix(".npz")) for name in _archives(recorded)}
    for key, about in recorded.items():
        assert list(read[key].shape) == about["shape"]
        assert read[key].dtype == about["dtype"]
        if "file" in about:
            assert same(read[key], archives[about["file"]][about["name"]]), key
        if "value" in about:
            assert read[key] == about["value"], key


def _archives(recorded: dict) -> set[str]:
    return {about["file"] for about in recorded.values() if "file" in about}


@pytest.mark.parametrize(
    "name", ["", "checkpoint", "ckpt-7", "ckpt-7.index", "ckpt-7.data-00000-of-00001"]
)
def test_folder_prefix_and_files_all_name_the_checkpoint(golden_checkpoint, name) -> None:
    assert TensorBundle(golden_checkpoint / name).prefix == golden_checkpoint / "ckpt-7"


def test_a_folder_names_its_checkpoint_by_the_path_where_it_was_written(
    tmp_path, bundles
) -> None:
    for name in ("ckpt-1", "ckpt-2.5"):
        bundles.write(tmp_path / name, TENSORS)
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "/cluster/run/ckpt-2.5"\n')
    assert TensorBundle(tmp_path).prefix == tmp_path / "ckpt-2.5"


def test_a_folder_with_one_checkpoint_needs_no_text_file(tmp_path, bundles) -> None:
    bundles.write(tmp_path / "ckpt-1", TENSORS)
    assert TensorBundle(tmp_path).prefix == tmp_path / "ckpt-1"


def test_a_folder_that_leaves_the_choice_open_is_refused(tmp_path, bundles) -> None:
    for name in ("ckpt-1", "ckpt-2"):
        bundles.write(tmp_path / name, TENSORS)
    with pytest.raises(BundleError, match=r"has 2 \.index files that could be meant; give"):
        TensorBundle(tmp_path)


def test_a_folder_that_names_a_lost_checkpoint_is_refused(tmp_path, bundles) -> None:
    bundles.write(tmp_path / "ckpt-1", TENSORS)
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "ckpt-9"\n')
    with pytest.raises(BundleError, match=r"has 0 \.index files that could be meant"):
        TensorBundle(tmp_path)


def test_a_missing_checkpoint_is_named(tmp_path) -> None:
    with pytest.raises(BundleError, match=r"no TensorFlow checkpoint .*ckpt-3: ckpt-3\.index"):
        TensorBundle(tmp_path / "ckpt-3")


def test_a_missing_shard_is_named(tmp_path, bundles) -> None:
    index = bundles.write(tmp_path / "c", TENSORS, n_shards=2)
    (tmp_path / "c.data-00001-of-00002").unlink()
    with pytest.raises(BundleError, match=r"c\.data-00001-of-00002 cannot be read .* copy all"):
        read_all(index)


def test_snappy_is_refused_by_name(tmp_path, bundles) -> None:
    index = bundles.write(tmp_path / "c", TENSORS, compression=1)
    with pytest.raises(BundleError, match=r"c\.index is compressed with snappy; save it again"):
        TensorBundle(index)


def test_big_endian_and_headless_indices_are_refused(tmp_path, bundles) -> None:
    index = bundles.write(tmp_path / "c", {})
    for header, sentence in ((b"\x08\x01\x10\x01", "byte order 1"), (b"", "says 0 shards")):
        index.write_bytes(bundles.table({b"": header}))
        with pytest.raises(BundleError, match=sentence):
            TensorBundle(index)


@pytest.mark.parametrize(
    ("about", "sentence"),
    [
        ((1, (3,)), r"'x' has 8 bytes for \(3,\)"),
        ((1, (2**31, 0)), r"'x' has 8 bytes"),
        ((1, (2**40, 2**40, 0)), "a tensor of shape"),
        ((4, (8,)), "has dtype 4, which is not supported"),
        ((1, (2,), b"\x3a\x00"), "is split over slices"),
    ],
)
def test_what_no_weights_look_like_is_refused(tmp_path, bundles, about, sentence) -> None:
    data = b"12345678"
    index = bundles.write(tmp_path / "c", {})
    index.with_suffix(".data-00000-of-00001").write_bytes(data)
    entries = {b"": b"\x08\x01", b"x": bundles.entry(*about[:2], data, *about[2:])}
    index.write_bytes(bundles.table(entries))
    with pytest.raises(BundleError, match=sentence):
        read_all(index)


def test_a_tensor_said_to_be_huge_takes_no_memory(tmp_path, bundles) -> None:
    index = bundles.write(tmp_path / "c", {})
    shape = b"\x12\x08\x12\x06\x08\x80\x80\x80\x80\x20"  # one dimension of 2**33
    huge = b"\x08\x01" + shape + b"\x28\x80\x80\x80\x80\x80\x01"  # 2**35 bytes
    index.write_bytes(bundles.table({b"": b"\x08\x01", b"x": huge}))
    with pytest.raises(BundleError):
        read_all(index)


def test_a_file_of_another_kind_is_refused(tmp_path) -> None:
    for content in (b"", b"no index", bytes(10_000)):
        (tmp_path / "c.index").write_bytes(content)
        with pytest.raises(BundleError, match=r"c\.index is damaged or no TensorFlow"):
            TensorBundle(tmp_path / "c")


def test_an_index_cut_short_anywhere_is_refused(tmp_path, bundles) -> None:
    index = bundles.write(tmp_path / "c", TENSORS)
    whole = index.read_bytes()
    for length in range(len(whole)):
        index.write_bytes(whole[:length])
        with pytest.raises(BundleError):
            TensorBundle(index)


def test_a_shard_cut_short_anywhere_is_refused(tmp_path, bundles) -> None:
    index = bundles.write(tmp_path / "c", TENSORS)
    shard = tmp_path / "c.data-00000-of-00001"
    whole = shard.read_bytes()
    for length in range(len(whole)):
        shard.write_bytes(whole[:length])
        with pytest.raises(BundleError, match="was cut short before the tensor"):
            read_all(index)


@pytest.mark.parametrize("name", ["c.index", "c.data-00000-of-00001"])
def test_a_flipped_byte_never_passes_for_a_value(tmp_path, bundles, name) -> None:
    index = bundles.write(tmp_path / "c", TENSORS)
    damaged = tmp_path / name
    whole = damaged.read_bytes()
    for place in range(len(whole)):
        for flip in (0x01, 0x80, 0xFF):
            data = bytearray(whole)
            data[place] ^= flip
            damaged.write_bytes(data)
            try:
                read = read_all(index)
            except BundleError:
                continue
            assert all(same(read[key], values) for key, values in TENSORS.items()), place


def test_random_entries_with_right_checksums_are_read_or_refused(tmp_path, bundles) -> None:
    index = bundles.write(tmp_path / "c", TENSORS)
    chance = np.random.default_rng(0)
    for _ in range(300):
        key, value = (chance.bytes(chance.integers(1, most)) for most in (6, 21))
        index.write_bytes(bundles.table({b"": b"\x08\x01", key: value}))
        with contextlib.suppress(BundleError):
            read_all(index)


def test_the_golden_index_survives_random_damage(golden_checkpoint, tmp_path) -> None:
    folder = shutil.copytree(golden_checkpoint, tmp_path / "c")
    chance = np.random.default_rng(1)
    whole = (folder / "ckpt-7.index").read_bytes()
    expected = TensorBundle(folder).entries
    for _ in range(40):
        data = bytearray(whole)
        for place in chance.integers(len(data), size=chance.integers(1, 9)):
            data[place] = chance.integers(256)
        (folder / "ckpt-7.index").write_bytes(data)
        with contextlib.suppress(BundleError):
            assert TensorBundle(folder).entries == expected
