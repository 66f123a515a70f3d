#!/usr/bin/env python3
"""Take over the identities and waiting mail of 3233.io's original server.

    python docs/deploy/takeover.py SOURCE DEST

SOURCE is that server's SQLite file, which is only read; stop that server first, or mail that it accepts afterwards stays
behind. DEST is made for this relay: set DATABASE_URL=sqlite:DEST. Message ids continue, because devices keep them as
cursors. Expired mail is left behind, and so is what no device would accept: keys that do not match their fingerprint, and
mail from such keys or for nobody. DEST appears whole or not at all, so after an error simply run it again.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import relay

ADD_MESSAGE = (
    "INSERT INTO messages (id, recipient_fingerprint, sender_public_key, nonce, ciphertext, created_at, expires_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)

Counts = collections.Counter[str]


class TakeoverError(Exception):
    """Nothing was taken over; the message says what to do."""


def milliseconds(text: str) -> int:
    """The original's times, RFC 3339 or SQLite's own form without a zone, as milliseconds since 1970."""
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def open_source(path: Path) -> sqlite3.Connection:
    """A connection that cannot write. Raises TakeoverError when the file is not one of the original server."""
    if not path.is_file():
        raise TakeoverError(f"there is no file {path}: SOURCE is the database of the original server")
    with path.open("rb") as file:
        write_ahead = file.read(19)[18:] == b"\2"  # SQLite's file format, section 1.3.3
    # A file in WAL mode whose server has ended would get two new files beside it, unless it is said to be at rest.
    at_rest = write_ahead and not path.with_name(path.name + "-wal").exists()
    how = "immutable=1" if at_rest else "mode=ro"
    source = sqlite3.connect(f"{path.resolve().as_uri()}?{how}", uri=True, isolation_level=None)
    tables = {name for (name,) in source.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if {"identities", "messages"} <= tables:
        raise TakeoverError(f"{path} is a database of this relay already: point DATABASE_URL at it")
    if not {"users", "messages"} <= tables:
        raise TakeoverError(f"{path} is not a database of the original server: it has no tables `users` and `messages`")
    source.execute("BEGIN")  # one moment of the source, even if that server still runs
    return source


def identities(source: sqlite3.Connection, counts: Counts) -> Iterator[tuple[bytes, bytes, int]]:
    """Rows for `identities`, of every user whose key is sound."""
    for fingerprint, public_key, created_at in source.execute("SELECT fingerprint, pubkey, created_at FROM users"):
        if not fits(fingerprint, public_key):
            counts["identities whose key does not match their fingerprint"] += 1
            continue
        counts["identities"] += 1
        yield hashlib.sha256(public_key).digest(), public_key, milliseconds(created_at)


def fits(fingerprint: str | None, public_key: bytes | None) -> bool:
    """Whether a key is the one of a fingerprint. The original let either be NULL."""
    if fingerprint is None or public_key is None or len(public_key) != relay.KEY_BYTES:
        return False
    return hashlib.sha256(public_key).hexdigest() == fingerprint.lower()


def messages(source: sqlite3.Connection, known: set[bytes], now: int, counts: Counts) -> Iterator[tuple[Any, ...]]:
    """Rows for `messages`, of all mail that still waits for somebody."""
    columns = "id, recipient_fingerprint, sender_fingerprint, ciphertext, nonce, sender_pubkey, created_at, expires_at"
    for row in source.execute(f"SELECT {columns} FROM messages ORDER BY id"):  # noqa: S608 # constant
        message_id, recipient, sender, ciphertext, nonce, public_key, created_at, expires_at = row
        if expires_at is None or milliseconds(expires_at) <= now:
            counts["expired messages"] += 1
        elif bytes.fromhex(recipient or "") not in known:
            counts["messages for nobody"] += 1
        elif not fits(sender, public_key) or ciphertext is None or len(nonce or b"") != relay.NONCE_BYTES:
            counts["messages that nobody could open"] += 1
        else:
            counts["messages"] += 1
            times = milliseconds(created_at), milliseconds(expires_at)
            yield (message_id, bytes.fromhex(recipient), public_key, nonce, ciphertext, *times)


def last_id(source: sqlite3.Connection) -> int:
    """The highest id that the source ever gave, as far as it remembers."""
    highest: int = source.execute("SELECT coalesce(max(id), 0) FROM messages").fetchone()[0]
    if source.execute("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'").fetchone():
        (given,) = source.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'messages'").fetchone()
        highest = max(highest, given)
    return highest


def copy(source: sqlite3.Connection, dest: sqlite3.Connection, now: int) -> Counts:
    """Fill a new database in one transaction; what was taken, and what was left and why."""
    counts: Counts = collections.Counter(identities=0, messages=0)
    dest.execute("BEGIN")
    dest.executemany(relay.STATEMENTS["add_identity"], identities(source, counts))
    known = {fingerprint for (fingerprint,) in dest.execute("SELECT fingerprint FROM identities")}
    dest.executemany(ADD_MESSAGE, messages(source, known, now, counts))
    dest.execute("DELETE FROM sqlite_sequence WHERE name = 'messages'")
    dest.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('messages', ?)", (last_id(source),))
    dest.execute("COMMIT")
    return counts


def take_over(source_path: Path, dest_path: Path, now: int) -> Counts:
    """Make DEST from SOURCE. Raises TakeoverError, and then DEST is not there."""
    unfinished = dest_path.with_name(dest_path.name + ".unfinished")
    if dest_path.exists():
        raise TakeoverError(f"{dest_path} is there already, and nothing overwrites it: name another DEST")
    try:
        with closing(open_source(source_path)) as source:
            unfinished.unlink(missing_ok=True)
            with closing(relay.open_database(str(unfinished), create=True)) as dest:
                counts = copy(source, dest, now)
        unfinished.chmod(0o600)
        os.link(unfinished, dest_path)  # unlike a rename, it never overwrites
    except (sqlite3.Error, OSError, ValueError, relay.CommandError) as error:
        raise TakeoverError(f"{source_path} cannot be taken over to {dest_path}: {error}. Nothing was changed") from error
    finally:
        for suffix in ("", "-wal", "-shm"):
            unfinished.with_name(unfinished.name + suffix).unlink(missing_ok=True)
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Make a database of this relay from one of 3233.io's original server, which is only read."
    )
    parser.add_argument("source", type=Path, metavar="SOURCE", help="the original server's SQLite file")
    parser.add_argument("dest", type=Path, metavar="DEST", help="the file to make")
    arguments = parser.parse_args()
    try:
        counts = take_over(arguments.source, arguments.dest, int(time.time() * 1000))
    except TakeoverError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Took {counts.pop('identities')} identities and {counts.pop('messages')} messages to {arguments.dest}.")
    for what, how_many in counts.items():
        print(f"Left {how_many} {what}.")
    dest = arguments.dest.resolve()
    print(f"Now stop the relay. One that `make install` put in place reads only /var/lib/io3233/data.db: move {dest}")
    print('there and give it that folder\'s owner, as docs/HOSTING.md has it, "Take over from the original server".')
    print(f"Any other one finds it by DATABASE_URL='sqlite:{dest}?mode=rw' in .env. Then start it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
