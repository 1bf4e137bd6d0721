"""A file is replaced as a whole or stays as it was."""

import os
from pathlib import Path

import pytest

from core.durable import replace_file


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
