"""A few connections to PostgreSQL that stay open, and who has one at the moment."""

import os
import time
from contextlib import contextmanager
from queue import Queue

import psycopg2

SIZE = 4
PATIENCE_S = 30.0
"""A database that is set up is healthy by its own account before it can be reached from here."""

# Of several apps that start at once, one makes the table.
SCHEMA = """
SELECT pg_advisory_xact_lock(1);
CREATE TABLE IF NOT EXISTS orders (id serial PRIMARY KEY, what text, handled boolean DEFAULT false);
"""


class Pool:
    """Who asks for a connection while all are used waits for one."""

    def __init__(self):
        self._idle = Queue()
        for _ in range(SIZE):
            self._idle.put(_connected())
        self.run(SCHEMA)

    def run(self, sql, *values):
        """Runs it in a transaction of its own; returns the first row of what it found.

        A connection of before the database was replaced breaks at its first use.
        """
        try:
            return self._run(sql, values)
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            return self._run(sql, values)

    def _run(self, sql, values):
        with self._one() as connection, connection, connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchone() if cursor.description else None

    def close(self):
        """Waits until nobody uses a connection."""
        for _ in range(SIZE):
            self._idle.get().close()

    @contextmanager
    def _one(self):
        connection = self._idle.get()
        try:
            if connection.closed:
                connection = _connected()
            yield connection
        finally:
            self._idle.put(connection)


def _connected():
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return psycopg2.connect(
                host=os.environ["DB_HOST"],
                user=os.environ["DB_USER"],
                password=os.environ["DB_PASSWORD"],
            )
        except psycopg2.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
