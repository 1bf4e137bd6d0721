"""What is missing is said in one sentence before Qt can abort."""

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

from app.doctor import print_report
from app.startup import GUI_LIBRARIES, find_obstacle

LINUX = "linux"
WINDOW = """
from PySide6.QtWidgets import QApplication, QWidget
app = QApplication([])
widget = QWidget()
widget.show()
print(open("/proc/self/maps").read())
"""


def load_all_but(*absent: str):
    """A loader to which only these libraries are missing."""

    def load(file: str) -> None:
        if file in absent:
            raise OSError(f"{file}: cannot open shared object file")

    return load


def obstacle(environment: dict[str, str], *absent: str) -> str | None:
    return find_obstacle(environment, LINUX, load_all_but(*absent))


def test_without_a_display_the_headless_commands_are_named() -> None:
    sentence = obstacle({})
    assert sentence == (
        "There is no display to open a window on; 'bitbrush segment' and 'bitbrush export' do "
        "their work without one."
    )


@pytest.mark.parametrize("name", ["offscreen", "minimal", "vnc:size=800x600", "linuxfb"])
def test_some_platforms_of_qt_need_no_display(name) -> None:
    assert obstacle({"QT_QPA_PLATFORM": name}) is None


def test_other_systems_always_have_a_display() -> None:
    everything = load_all_but(*(library.file for library in GUI_LIBRARIES))
    assert find_obstacle({}, "win32", everything) is None
    assert find_obstacle({}, "darwin", everything) is None


@pytest.mark.parametrize(("program", "cure"), [("apt-get", "apt"), ("dnf", "dnf")])
def test_missing_libraries_are_named_with_the_command_that_installs_them(
    monkeypatch, tmp_path, program, cure
) -> None:
    (tmp_path / program).write_text("#!/bin/sh\n")
    (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    packages = {
        "apt": "libxcb-cursor0 libxcb-icccm4",
        "dnf": "xcb-util-cursor xcb-util-wm",
    }
    assert obstacle({"DISPLAY": ":0"}, "libxcb-cursor.so.0", "libxcb-icccm.so.4") == (
        "The window needs system libraries that are missing (libxcb-cursor.so.0, "
        f"libxcb-icccm.so.4); install them with 'sudo {cure} install {packages[cure]}'."
    )


def test_a_package_with_two_libraries_is_installed_once(monkeypatch, tmp_path) -> None:
    (tmp_path / "apt-get").write_text("#!/bin/sh\n")
    (tmp_path / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    sentence = obstacle({}, "libglib-2.0.so.0", "libgthread-2.0.so.0")
    assert sentence.count("libglib2.0-0") == 1


def test_without_a_known_installer_the_libraries_are_named_all_the_same(monkeypatch) -> None:
    monkeypatch.setenv("PATH", "")
    sentence = obstacle({"QT_QPA_PLATFORM": "offscreen"}, "libEGL.so.1")
    assert "libEGL.so.1" in sentence
    assert "package manager" in sentence


@pytest.mark.skipif(sys.platform != "linux", reason="talks to X11 and Wayland")
@pytest.mark.parametrize("variable", ["DISPLAY", "WAYLAND_DISPLAY"])
def test_a_display_that_nobody_serves_is_a_sentence(variable) -> None:
    sentence = obstacle({variable: ":4321"})
    assert sentence.startswith("The display ':4321' cannot be reached;")


@pytest.fixture
def x11_display(tmp_path) -> Iterator[str]:
    """The name of a display that an X server of our own serves."""
    server = shutil.which("Xvfb")
    if server is None:
        pytest.skip("needs the X server Xvfb")
    reading, writing = os.pipe()
    command = [server, "-displayfd", str(writing), "-nolisten", "tcp"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, pass_fds=[writing], stderr=log)  # noqa: S603 - ours
    os.close(writing)
    yield ":" + os.read(reading, 16).decode().strip()
    os.close(reading)
    process.terminate()
    process.wait()


def test_one_display_that_works_is_enough(x11_display) -> None:
    assert obstacle({"DISPLAY": x11_display}) is None
    assert obstacle({"DISPLAY": x11_display, "WAYLAND_DISPLAY": "nobody"}) is None


@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux loads")
def test_no_library_is_asked_for_that_qt_does_not_load(repository) -> None:
    opens_window = [sys.executable, "-c", WINDOW]
    maps = subprocess.run(  # noqa: S603 - ours
        opens_window, cwd=repository, capture_output=True, text=True, check=True
    ).stdout
    loaded = {line.split("/")[-1] for line in maps.splitlines() if ".so" in line}
    for library in GUI_LIBRARIES:
        assert any(name.startswith(library.file) for name in loaded), library


def test_the_doctor_names_versions_window_and_device(capfd) -> None:
    code = print_report()
    report = capfd.readouterr().out
    assert code == 0
    for word in ("python", "torch", "PySide6-Essentials", "A window can open.", "inference"):
        assert word in report
    assert "missing" not in report


def test_the_doctor_says_why_the_inference_process_does_not_start(
    capfd, monkeypatch, tmp_path
) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('libtorch is not what it was')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert print_report() == 1
    assert "libtorch is not what it was" in capfd.readouterr().out


@pytest.mark.skipif(sys.platform != "linux", reason="loads Linux libraries")
def test_loading_real_libraries_tells_what_is_there_from_what_is_not() -> None:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    assert find_obstacle(environment, LINUX, ctypes.CDLL) is None
    with pytest.raises(OSError, match=r"libno-such\.so"):
        ctypes.CDLL("libno-such.so.9")
