"""The relay with its sync off, for comparison with peers that do not sync either. Not a setting: it would break the relay's word."""

import sqlite3
import sys

from common import relay

connect = relay.connect


def connect_unsynced(path: str, *, writable: bool) -> sqlite3.Connection:
    connection = connect(path, writable=writable)
    connection.execute("PRAGMA synchronous=OFF")
    return connection


relay.connect = connect_unsynced
sys.exit(relay.main([]))
