"""A file of lines that several processes add to, each under one lock that they share."""

import os
from pathlib import Path


class SharedLines:
    """Reads the lines that are new since the last time, and adds some.

    The first line is the header. A file that is written anew gets a header that differs from
    the one before, and is then read from its beginning.

    Attributes:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._header = b""
        self._offset = 0

    def read_new(self) -> tuple[str | None, list[str]]:
        """The lines that were added, after a header if the file is another than last time.

        A last line without an end is of a process that was killed while it wrote; it is cut
        off, so that the next line stands alone. The caller holds the lock.
        """
        with self.path.open("r+b") as file:
            header = file.readline()
            is_other = header != self._header
            if is_other:
                self._header, self._offset = header, len(header)
            file.seek(self._offset)
            added = file.read()
            n_whole = added.rfind(b"\n") + 1
            if n_whole < len(added):
                file.truncate(self._offset + n_whole)
        self._offset += n_whole
        lines = added[:n_whole].decode().split("\n")[:-1]
        return header.decode() if is_other else None, lines

    def append(self, line: str) -> None:
        """Add a line, its end included, and wait until it is on the disk.

        The caller holds the lock and has read what is new.
        """
        data = line.encode()
        with self.path.open("ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        self._offset += len(data)
