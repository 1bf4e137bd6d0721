"""What must be there before a window can open: a display, and the libraries that Qt links.

Qt aborts the process when either is missing, and names the wrong library for some of them. So
this is looked at first, without Qt, and said in one sentence.
"""

import ctypes
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Library:
    """A shared library and the packages that bring it, on Debian's and Fedora's kin."""

    file: str
    apt: str
    dnf: str


# What the wheels of PySide6 6.8 to 6.12 link and do not bring: `objdump -p` on QtGui, QtDBus,
# the plug-ins of the platforms, and what these load.
GUI_LIBRARIES: Final = (
    Library("libEGL.so.1", "libegl1", "libglvnd-egl"),
    Library("libGL.so.1", "libgl1", "libglvnd-glx"),
    Library("libX11.so.6", "libx11-6", "libX11"),
    Library("libxkbcommon.so.0", "libxkbcommon0", "libxkbcommon"),
    Library("libglib-2.0.so.0", "libglib2.0-0", "glib2"),
    Library("libgthread-2.0.so.0", "libglib2.0-0", "glib2"),
    Library("libfontconfig.so.1", "libfontconfig1", "fontconfig"),
    Library("libfreetype.so.6", "libfreetype6", "freetype"),
    Library("libdbus-1.so.3", "libdbus-1-3", "dbus-libs"),
    Library("libz.so.1", "zlib1g", "zlib"),
    Library("libzstd.so.1", "libzstd1", "libzstd"),
)
X11_LIBRARIES: Final = (
    Library("libX11-xcb.so.1", "libx11-xcb1", "libX11-xcb"),
    Library("libxkbcommon-x11.so.0", "libxkbcommon-x11-0", "libxkbcommon-x11"),
    Library("libxcb.so.1", "libxcb1", "libxcb"),
    Library("libxcb-cursor.so.0", "libxcb-cursor0", "xcb-util-cursor"),
    Library("libxcb-icccm.so.4", "libxcb-icccm4", "xcb-util-wm"),
    Library("libxcb-image.so.0", "libxcb-image0", "xcb-util-image"),
    Library("libxcb-keysyms.so.1", "libxcb-keysyms1", "xcb-util-keysyms"),
    Library("libxcb-randr.so.0", "libxcb-randr0", "libxcb"),
    Library("libxcb-render.so.0", "libxcb-render0", "libxcb"),
    Library("libxcb-render-util.so.0", "libxcb-render-util0", "xcb-util-renderutil"),
    Library("libxcb-shape.so.0", "libxcb-shape0", "libxcb"),
    Library("libxcb-shm.so.0", "libxcb-shm0", "libxcb"),
    Library("libxcb-sync.so.1", "libxcb-sync1", "libxcb"),
    Library("libxcb-util.so.1", "libxcb-util1", "xcb-util"),
    Library("libxcb-xfixes.so.0", "libxcb-xfixes0", "libxcb"),
    Library("libxcb-xkb.so.1", "libxcb-xkb1", "libxcb"),
)
WAYLAND_LIBRARIES: Final = (
    Library("libwayland-client.so.0", "libwayland-client0", "libwayland-client"),
    Library("libwayland-cursor.so.0", "libwayland-cursor0", "libwayland-cursor"),
)
HEADLESS: Final = "'bitbrush segment' and 'bitbrush export' do their work without one."

Load = Callable[[str], object]  # raises OSError for a library that is not there


def find_obstacle(
    environment: Mapping[str, str], platform: str = sys.platform, load: Load = ctypes.CDLL
) -> str | None:
    """Say in a sentence why no window can open here; None when one can.

    Args:
        environment: of the process.
        platform: as `sys.platform` has it; only Linux and its kin are looked at.
        load: loads a shared library by its file name.
    """
    if platform in {"win32", "darwin"}:
        return None
    if missing := find_missing(GUI_LIBRARIES, load):
        return _say_missing(missing)
    wanted = environment.get("QT_QPA_PLATFORM", "")
    if wanted and not any(name in wanted for name in ("xcb", "wayland")):
        return None  # offscreen, vnc and the like draw without a display server
    obstacles = []
    if wayland := environment.get("WAYLAND_DISPLAY"):
        obstacles.append(_find_wayland_obstacle(wayland, load))
    if x11 := environment.get("DISPLAY"):
        obstacles.append(_find_x11_obstacle(x11, load))
    if not obstacles:
        return f"There is no display to open a window on; {HEADLESS}"
    return None if None in obstacles else obstacles[-1]


def find_missing(libraries: Iterable[Library], load: Load = ctypes.CDLL) -> list[Library]:
    """Those libraries that cannot be loaded."""
    missing = []
    for library in libraries:
        try:
            load(library.file)
        except OSError:
            missing.append(library)
    return missing


def _find_x11_obstacle(display: str, load: Load) -> str | None:
    if missing := find_missing(X11_LIBRARIES, load):
        return _say_missing(missing)
    return None if _can_reach_x11(display) else _say_unreachable(display)


def _find_wayland_obstacle(display: str, load: Load) -> str | None:
    if missing := find_missing(WAYLAND_LIBRARIES, load):
        return _say_missing(missing)
    return None if _can_reach_wayland(display) else _say_unreachable(display)


def _can_reach_x11(display: str) -> bool:
    xcb = ctypes.CDLL("libxcb.so.1")
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(display.encode(), None))
    is_broken = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return not is_broken


def _can_reach_wayland(display: str) -> bool:
    wayland = ctypes.CDLL("libwayland-client.so.0")
    wayland.wl_display_connect.restype = ctypes.c_void_p
    connection = wayland.wl_display_connect(display.encode())
    if connection:
        wayland.wl_display_disconnect(ctypes.c_void_p(connection))
    return bool(connection)


def _say_unreachable(display: str) -> str:
    return f"The display '{display}' cannot be reached; {HEADLESS}"


def _say_missing(missing: list[Library]) -> str:
    files = ", ".join(library.file for library in missing)
    return f"The window needs system libraries that are missing ({files}); {_cure(missing)}"


def _cure(missing: list[Library]) -> str:
    """The command that installs the libraries here."""
    if shutil.which("apt-get"):
        packages = dict.fromkeys(library.apt for library in missing)
        return f"install them with 'sudo apt install {' '.join(packages)}'."
    if shutil.which("dnf"):
        packages = dict.fromkeys(library.dnf for library in missing)
        return f"install them with 'sudo dnf install {' '.join(packages)}'."
    return "install them with the package manager of this system."
