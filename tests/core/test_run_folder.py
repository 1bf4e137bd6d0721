"""The folder of a run: one process at a time, wishes, and a log that can be followed."""

import json
import os
import signal
import subprocess
import sys

import pytest

from core.durable import replace_file
from core.errors import TrainingError
from core.run_folder import (
    LogReader,
    Wish,
    ask_run,
    holding_run,
    is_running,
    read_process,
    read_wish,
)

HOLD = """
import sys, time
from pathlib import Path
from core.run_folder import holding_run
with holding_run(Path(sys.argv[1]), ["train"]):
    print("held", flush=True)
    time.sleep(100)
"""


@pytest.fixture
def other(repository, tmp_path):
    """Another process that trains in the folder."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    child = subprocess.Popen(  # noqa: S603 - our own program
        command, cwd=repository, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "held\n"
    yield child
    child.kill()
    child.communicate()


def test_a_second_process_is_refused_and_the_first_is_named(other, tmp_path):
    assert is_running(tmp_path)
    said = f"process {other.pid} is training already; stop it, or choose another folder"
    with pytest.raises(TrainingError, match=said), holding_run(tmp_path, []):
        pass
    assert read_process(tmp_path).pid == other.pid


def test_a_killed_process_leaves_its_folder_free_and_its_command_behind(other, tmp_path):
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert not is_running(tmp_path) and read_process(tmp_path).command == ("train",)
    with holding_run(tmp_path, ["again"]):
        assert read_process(tmp_path).pid == os.getpid()
        assert is_running(tmp_path)
    assert not is_running(tmp_path) and read_process(tmp_path).command == ("again",)


def test_a_folder_that_is_no_run_is_none(tmp_path):
    absent = tmp_path / "none"
    assert not is_running(absent) and read_process(absent) is None
    assert read_wish(absent) is Wish.GO_ON and LogReader(absent).read() == []
    with pytest.raises(TrainingError, match="none cannot be the folder of a run"):
        ask_run(absent, Wish.STOP)


def test_a_run_begins_without_the_wishes_of_its_last_time(tmp_path):
    ask_run(tmp_path, Wish.PAUSE)
    assert read_wish(tmp_path) is Wish.PAUSE
    with holding_run(tmp_path, []):
        assert read_wish(tmp_path) is Wish.GO_ON
        (tmp_path / "wish").write_text("fly\n")
        assert read_wish(tmp_path) is Wish.GO_ON


def test_a_log_is_followed_line_by_line_also_when_it_is_cut_back(tmp_path):
    path, reader = tmp_path / "log.jsonl", LogReader(tmp_path)
    lines = [json.dumps({"step": k}) + "\n" for k in range(4)]
    path.write_text(lines[0] + lines[1] + lines[2][:5])
    assert [line["step"] for line in reader.read()] == [0, 1] and reader.is_anew
    with path.open("a") as file:
        file.write(lines[2][5:])
    assert [line["step"] for line in reader.read()] == [2] and not reader.is_anew
    assert reader.read() == []
    replace_file(path, (lines[0] + lines[3]).encode())
    assert [line["step"] for line in reader.read()] == [0, 3] and reader.is_anew
