"""A file is replaced as a whole or stays as it was."""

import os
import sys
from pathlib import Path

import pytest

from core.durable import replace_file, replacing


def test_a_replaced_file_holds_the_new_bytes_alone(tmp_path) -> None:
    path = tmp_path / "map.png"
    replace_file(path, b"a long first version")
    replace_file(path, b"short")
    assert path.read_bytes() == b"short"
    assert [entry.name for entry in tmp_path.iterdir()] == ["map.png"]


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_file_stays_as_it_was_when_its_replacement_fails(
    tmp_path, monkeypatch, failing
) -> None:
    def refuse(*_):
        raise OSError(28, "No space left on device")

    path = tmp_path / "map.png"
    path.write_bytes(b"old")
    monkeypatch.setattr(
        *{"fsync": (os, "fsync"), "replace": (Path, "replace")}[failing], refuse
    )
    with pytest.raises(OSError, match="No space left"):
        replace_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["map.png"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no umask")
def test_a_file_has_the_rights_of_a_new_one_whoever_writes_it(tmp_path) -> None:
    path, before = tmp_path / "a.safetensors", os.umask(0o027)
    try:
        with replacing(path) as partial:
            private = tmp_path / "private"
            private.touch(0o600)
            private.rename(partial)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o640


def test_what_a_killed_process_has_left_beside_a_file_is_replaced(tmp_path) -> None:
    path = tmp_path / "map.png"
    path.with_name(".map.png.partial").write_bytes(b"much more than the new bytes")
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["map.png"]
