"""An import that dies: ``python -m tests.soak.crashing_import HOME LOG STATEMENT``.

The process kills itself (SIGKILL: no handler runs, nothing is flushed) just before the
database executes its STATEMENT-th statement, and so at any point of a unit of work, the
moment before its commit included. With STATEMENT 0 it lives and prints how many there were.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from pathlib import Path

from economy.economy import Economy
from economy.state.database import Database


def main(home: Path, log: Path, dies_at: int) -> None:
    executed = 0

    def count(_statement: str) -> None:
        nonlocal executed
        executed += 1
        if executed == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    connect = Database.connect

    def connect_and_count(database: Database) -> sqlite3.Connection:
        connection = connect(database)
        connection.set_trace_callback(count)
        return connection

    Database.connect = connect_and_count  # type: ignore[method-assign]
    economy = Economy.open(home)
    economy.import_usage(economy.actor(), log)
    print(executed)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
