"""Handles the orders that the app wrote."""

import os
import signal
import threading
from contextlib import closing

import psycopg2
import psycopg2.errors

EVERY_S = 0.5

ended = threading.Event()


def handle():
    connection = psycopg2.connect(
        host=os.environ["DB_HOST"], user=os.environ["DB_USER"], password=os.environ["DB_PASSWORD"]
    )
    with closing(connection), connection, connection.cursor() as cursor:
        cursor.execute("UPDATE orders SET handled = true WHERE NOT handled")
        if cursor.rowcount:
            print(f"handled {cursor.rowcount}")


signal.signal(signal.SIGTERM, lambda *_: ended.set())
while not ended.wait(EVERY_S):
    try:
        handle()
    except (psycopg2.OperationalError, psycopg2.errors.UndefinedTable) as error:
        print(f"later: {error}")
