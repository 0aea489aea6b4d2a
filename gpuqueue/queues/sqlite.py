"""Opening the SQLite file of an embedded queue, and its errors in our terms."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gpuqueue.errors import ConfigError, TransientError

#: Marks a SQLite file as a queue of ours ("gpuq"), and the version of its table.
APPLICATION_ID = 0x67707571
SCHEMA_VERSION = 2

SCHEMA = """
CREATE TABLE messages (
    sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT NOT NULL UNIQUE,
    job_id     TEXT NOT NULL,
    body       TEXT NOT NULL,
    sent_at    REAL NOT NULL,            -- seconds since 1970, as all times here
    visible_at REAL NOT NULL,            -- in flight while this lies ahead
    receives   INTEGER NOT NULL DEFAULT 0,
    receipt    TEXT,                     -- names the last receive; none once dead
    dead_at    REAL,                     -- when it went to the dead letters, and why:
    reason     TEXT,
    details    TEXT                      -- what else the listener knew, as JSON
)
"""
#: From the version of the key to the next one.
MIGRATIONS = {1: "ALTER TABLE messages ADD COLUMN details TEXT"}
INDICES = [
    "CREATE INDEX waiting ON messages (visible_at) WHERE dead_at IS NULL",
    "CREATE INDEX jobs ON messages (job_id)",
]

#: How long a statement waits for another process's write.
BUSY_TIMEOUT_S = 10.0

#: SQLite's result codes that another try may cure; the others need an operator.
_TRANSIENT = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_ADVICE = {
    sqlite3.SQLITE_FULL: "make room on the disk",
    sqlite3.SQLITE_READONLY: "its file and folder must be writable",
    sqlite3.SQLITE_CANTOPEN: "its file and folder must be readable and writable",
    sqlite3.SQLITE_NOTADB: "name a new file, or the file of an embedded queue",
    sqlite3.SQLITE_CORRUPT: "move the file away; the sqlite3 tool's .recover may save its messages",
}


def connect(path: Path) -> sqlite3.Connection:
    """Open the queue file, making it and its folder where they do not exist.

    A new file is its owner's alone: jobs may hold addresses with passwords. SQLite gives the
    files that it makes beside it the same mode.

    Raises sqlite3.Error and OSError, to be passed through `explained`, and ConfigError for a
    database that is no queue.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        path.touch(0o600, exist_ok=False)
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    try:
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Make the table of a new file; refuse a file with other contents before writing to it."""
    connection.execute("BEGIN IMMEDIATE")
    marks = [_pragma(connection, name) for name in ("application_id", "user_version")]
    is_new = connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is None
    if is_new and marks == [0, 0]:
        for statement in [SCHEMA, *INDICES]:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    elif marks[0] == APPLICATION_ID and marks[1] in MIGRATIONS:
        connection.execute(MIGRATIONS[marks[1]])
        connection.execute(f"PRAGMA user_version = {marks[1] + 1}")
    elif marks != [APPLICATION_ID, SCHEMA_VERSION]:
        what = "a queue of another version" if marks[0] == APPLICATION_ID else "another database"
        raise ConfigError(f"{path} is {what}; name a new file for the queue")
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = WAL")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn an error of SQLite or the file system into TransientError or ConfigError on `what`."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        advice = f"; {_ADVICE[code]}" if code in _ADVICE else ""
        kind = TransientError if code in _TRANSIENT else ConfigError
        raise kind(f"{what}: {error}{advice}") from error
    except FileExistsError as error:
        raise ConfigError(f"{what}: {error.filename} is a file, expected a folder") from error
    except OSError as error:
        raise ConfigError(f"{what}: {error.strerror or error}") from error
