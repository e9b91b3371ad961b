"""Counts its rounds in Redis, each worker under its own name."""

import signal
import socket
import threading

EVERY_S = 0.5

ended = threading.Event()


def count():
    with socket.create_connection(("redis", 6379), timeout=5) as connection:
        connection.sendall(f"HINCRBY rounds {socket.gethostname()} 1\r\n".encode())
        return connection.recv(64).decode().strip()


signal.signal(signal.SIGTERM, lambda *_: ended.set())
while not ended.wait(EVERY_S):
    try:
        print(f"round {count()}")
    except OSError as error:
        print(f"later: {error}")
