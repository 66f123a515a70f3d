"""The relay with its sync off, for comparison with peers that do not sync either. Not a setting: it would break the relay's word."""

import sqlite3
import sys
from typing import Any

from common import relay

connect = relay.connect


def connect_unsynced(*arguments: Any, **options: Any) -> sqlite3.Connection:
    connection = connect(*arguments, **options)
    connection.execute("PRAGMA synchronous=OFF")
    return connection


relay.connect = connect_unsynced
sys.exit(relay.main([]))
