"""The project file: one SQLite database, how it is made, opened, brought up to date, and fails.

An edit is on the disk when its transaction returns: the journal mode is WAL and every commit is
synchronised. A file that is not ours, too new or damaged is refused and left as it is.
"""

import os
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from core.durable import sync_folder
from core.errors import DamagedProjectError, ProjectError, ProjectInUseError
from core.file_lock import FileLock
from core.groups import folder_of, origin_of
from core.migrations import COLUMNS, MIGRATIONS
from core.sqlite_log import WriteAheadLog

APPLICATION_ID: Final = int.from_bytes(b"BitB")
BUSY_TIMEOUT_S: Final = 2.0
QUICK_CHECK_SIZE: Final = 32_000_000  # bytes; takes some 20 ms, more from a cold disk
LOG_CHECK_SIZE: Final = 8_000_000  # bytes; takes some 300 ms, after a crash

_TRIGGER: Final = (
    "CREATE TEMP TRIGGER {0} AFTER {1} ON {2} BEGIN "
    "UPDATE {2} SET checksum = row_checksum({3}) WHERE rowid = new.rowid; END"
)

_SENTENCES: Final = {
    sqlite3.SQLITE_FULL: "The disk is full, so the last step is not saved in {path}; free some "
    "space and repeat it.",
    sqlite3.SQLITE_READONLY: "The project {path} cannot be written; make the file and its "
    "folder writable, or copy them to a place that is.",
    sqlite3.SQLITE_BUSY: "The project {path} is busy in another program; wait for it or close "
    "it there, and try again.",
    sqlite3.SQLITE_CANTOPEN: "The project {path} cannot be opened; check that its folder can "
    "be read and written.",
    sqlite3.SQLITE_IOERR: "The disk failed while using the project {path} ({error}); check the "
    "disk and copy the project to another one.",
    sqlite3.SQLITE_CORRUPT: "The project {path} is damaged ({error}) and was left as it is; "
    "recover what can be read, or put a backup in its place.",
    sqlite3.SQLITE_NOTADB: "{path} is no Bitbrush project, or damaged at its beginning, and "
    "was left as it is; choose another file or put a backup in its place.",
}
_OTHER_FAILURE: Final = (
    "The project {path} cannot be used ({error}); recover what can be read, or put a backup in "
    "its place."
)
_BY_TRIGGER: Final = ("setting", "category", "image", "author", "model_version", "correction")
_INDEXED: Final = ("setting", "category", "author", "model_version")
_COUNT_IMAGES: Final = (  # in a tenth of the time of an integrity check
    "SELECT iif((SELECT count(*) FROM image NOT INDEXED) = "
    "(SELECT count(*) FROM image INDEXED BY image_source), 'ok', 'images and index differ')"
)
_MODES: Final = {True: "ro", False: "rw"}
_DAMAGES: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


@contextmanager
def project_errors(path: Path) -> Iterator[None]:
    """Turn what the disk and the file do to us into sentences; our own mistakes pass."""
    try:
        yield
    except (sqlite3.ProgrammingError, sqlite3.IntegrityError):
        raise  # a caller's mistake
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest is detail
        sentence = _SENTENCES.get(code, _OTHER_FAILURE)
        is_damage = code not in _SENTENCES or code in _DAMAGES
        kind = DamagedProjectError if is_damage else ProjectError
        raise kind(sentence.format(path=path, error=error)) from error
    except UnicodeDecodeError as error:  # a damaged schema is quoted in SQLite's own message
        code = sqlite3.SQLITE_CORRUPT
        raise DamagedProjectError(_SENTENCES[code].format(path=path, error=error)) from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All statements inside take effect together, on the disk, or none does."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def lock_project(path: Path) -> FileLock:
    """Be the only writer of a project.

    Raises:
        ProjectInUseError: another process is.
        ProjectError: its folder cannot be written.
    """
    try:
        return FileLock(path.with_name(f".{path.name}.lock"))
    except BlockingIOError as error:
        raise ProjectInUseError(
            f"The project {path} is already open in another window or command; close it there "
            "and try again."
        ) from error
    except OSError as error:
        raise ProjectError(
            f"The folder {path.parent} of the project cannot be written ({error.strerror}); "
            "make it writable, or put the project in another folder."
        ) from error


@contextmanager
def new_database(path: Path) -> Iterator[sqlite3.Connection]:
    """Make a project beside its place; when the block ends it is there, whole or not at all.

    Raises:
        ProjectError: the file exists, or its folder cannot be written.
    """
    if path.exists():
        raise ProjectError(f"{path} already exists; open it, or choose another name.")
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.unlink(missing_ok=True)  # of a process that was killed here
        with project_errors(path), closing(_connect(partial, "rwc")) as connection:
            connection.execute("PRAGMA journal_mode = MEMORY")  # the rename makes it safe
            migrate(connection)
            keep_checksums(connection)
            yield connection
        partial.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise ProjectError(
            f"The project {path} cannot be made ({error.strerror}); choose another folder."
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def open_database(path: Path, *, is_read_only: bool) -> sqlite3.Connection:
    """Open a project and bring it up to date.

    Raises:
        ProjectError: the file is missing, no project, too new, damaged, or cannot be written.
    """
    if not path.is_file():
        raise ProjectError(f"The project {path} does not exist; check its name and folder.")
    if not is_read_only and not os.access(path, os.W_OK):
        raise ProjectError(_SENTENCES[sqlite3.SQLITE_READONLY].format(path=path))
    with project_errors(path):
        is_fixed = is_read_only and not os.access(path.parent, os.W_OK)
        is_fixed = is_fixed and not path.with_name(f"{path.name}-shm").exists()  # in use
        connection = _connect(path, _fixed_mode(path) if is_fixed else _MODES[is_read_only])
        try:
            _check_kind(connection, path, is_read_only=is_read_only)
            if not is_read_only:
                connection.execute("PRAGMA journal_mode = WAL")
                migrate(connection)
                keep_checksums(connection)
        except BaseException:
            connection.close()
            raise
    return connection


def _fixed_mode(path: Path) -> str:
    """How to read a project in a folder where SQLite cannot put its own files.

    Raises:
        ProjectError: a log beside the project holds its last edits, and needs such a file.
    """
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        raise ProjectError(
            f"The last edits of the project {path} are in {log.name}, which cannot be read in "
            "a folder that cannot be written; copy both files to another folder and open that."
        )
    return "ro&immutable=1"


def check_log(path: Path) -> None:
    """Look for damage in the write-ahead log of a killed process, if that is fast.

    To be called before SQLite opens the project, as it would take damage for the log's end.

    Raises:
        DamagedProjectError: there is some.
    """
    log = path.with_name(f"{path.name}-wal")
    if not log.exists() or log.stat().st_size > LOG_CHECK_SIZE:
        return
    if WriteAheadLog(log.read_bytes()).is_damaged:
        code, reason = sqlite3.SQLITE_CORRUPT, "in its write-ahead log"
        raise DamagedProjectError(_SENTENCES[code].format(path=path, error=reason))


def check_soundness(connection: sqlite3.Connection, path: Path) -> None:
    """Look for damage between the rows, which have checksums of their own, if that is fast.

    Raises:
        DamagedProjectError: there is some.
    """
    if path.stat().st_size > QUICK_CHECK_SIZE:
        return
    # The page of an empty table in place of another one is sound, but for the indexes.
    checks = [f"PRAGMA integrity_check({table})" for table in _INDEXED]
    for check in ("PRAGMA quick_check(1)", *checks, _COUNT_IMAGES):
        with project_errors(path):
            ((result,), *_) = connection.execute(check)
        if result != "ok":
            code = sqlite3.SQLITE_CORRUPT
            reason = result.splitlines()[-1]  # below the name of the database
            raise DamagedProjectError(_SENTENCES[code].format(path=path, error=reason))


def migrate(connection: sqlite3.Connection) -> None:
    """Take the file through the migrations that it lacks, all or none."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == len(MIGRATIONS):
        return
    with transaction(connection):
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def row_checksum(*values: float | str | bytes | None) -> int:
    """CRC-32 of a row's values, which tells a flipped bit from what was written.

    What a row lacks at its end does not count: columns that a later version has added leave
    the checksums of older rows right.
    """
    checksum, n_values = 0, len(values)
    while n_values and values[n_values - 1] is None:
        n_values -= 1
    for value in values[:n_values]:
        data = value if isinstance(value, bytes) else str(value).encode()
        checksum = zlib.crc32(data, zlib.crc32(b"%d:" % len(data), checksum))
    return checksum


def keep_checksums(connection: sqlite3.Connection) -> None:
    """Let each row that this connection writes get its checksum.

    Edits and snapshots are large and written in one place, which gives them theirs.
    """
    for table in _BY_TRIGGER:
        columns = COLUMNS[table].split(", ")
        values = ", ".join(f"new.{column}" for column in columns)
        for event in ("INSERT", f"UPDATE OF {COLUMNS[table]}"):
            name = f"{table}_{event[:6]}"
            connection.execute(_TRIGGER.format(name, event, table, values))


def _contains(text: str, part: str) -> bool:
    """Whether a text has a part, whatever the case; SQLite's own LIKE knows only a to z."""
    return part.casefold() in text.casefold()


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    """A connection that commits only when told, and then waits for the disk."""
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=BUSY_TIMEOUT_S
    )
    try:
        connection.execute("PRAGMA synchronous = FULL")
        # What is dropped leaves no trace that a rescue could take for a row in use.
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.create_function("row_checksum", -1, row_checksum, deterministic=True)
        connection.create_function("contains", 2, _contains, deterministic=True)
        connection.create_function("folder_of", 2, folder_of, deterministic=True)
        connection.create_function("origin_of", 2, origin_of, deterministic=True)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_kind(connection: sqlite3.Connection, path: Path, *, is_read_only: bool) -> None:
    """Refuse a file that is not ours, or of a version that we cannot use."""
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application_id != APPLICATION_ID:
        raise ProjectError(
            f"{path} is no Bitbrush project and was left as it is; choose another file."
        )
    if version > len(MIGRATIONS):
        raise ProjectError(
            f"The project {path} was written by a newer version of Bitbrush (format {version}; "
            f"this one knows up to {len(MIGRATIONS)}); update Bitbrush to open it."
        )
    if version < len(MIGRATIONS) and is_read_only:
        raise ProjectError(
            f"The project {path} was written by an older version of Bitbrush; open it once in "
            "the window to bring it up to date."
        )
