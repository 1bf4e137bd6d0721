"""What the same work costs at least on this machine, now: a slow machine is no slow program."""

import sqlite3
from pathlib import Path

import cv2
from PySide6.QtCore import QSize
from PySide6.QtGui import QPainter, QPixmap

from benchmarks.scenes import make_image, write_image
from benchmarks.tasks import MEDIUM, Stopwatch

REPEATS = 30

BLIT = "limit: two blits of the canvas"
COMMIT = "limit: one synced SQLite commit"
DECODE = "limit: decoding a JPEG of 2048 x 2048"


def measure_limits(canvas: QSize, folder: Path) -> Stopwatch:
    """Two blits, a commit to a file in the folder, and the decoding of an image."""
    watch = Stopwatch()
    pixmap = QPixmap(canvas)
    image = pixmap.toImage()
    for _ in range(REPEATS):
        with watch.timing(BLIT):
            painter = QPainter(pixmap)
            painter.drawImage(0, 0, image)
            painter.drawImage(0, 0, image)
            painter.end()
    connection = sqlite3.connect(folder / "limit.db", isolation_level=None)
    connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE a (b)")
    for number in range(REPEATS):
        with watch.timing(COMMIT):
            connection.execute("INSERT INTO a VALUES (?)", (number,))
    connection.close()
    path = folder / "limit.jpg"
    write_image(path, make_image(MEDIUM))
    for _ in range(REPEATS):
        with watch.timing(DECODE):
            cv2.imread(str(path))
    return watch
