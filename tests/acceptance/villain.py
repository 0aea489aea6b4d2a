"""A server on this machine that answers as badly as it is told."""

from __future__ import annotations

import re
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

#: What is done with a connection once its request is read.
Deed = Callable[[socket.socket, threading.Event], None]


def answer(status: str, body: bytes = b"", *headers: str) -> Deed:
    """A whole HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return sending("\r\n".join([*lines, "", ""]).encode() + body)


def sending(data: bytes) -> Deed:
    """These bytes and no more."""
    return lambda connection, _: connection.sendall(data)


def silence(_: socket.socket, end: threading.Event) -> None:
    """No word until the end of the test."""
    end.wait()


def drip(connection: socket.socket, end: threading.Event) -> None:
    """A head without end, byte by byte."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while not end.wait(0.1):
        connection.sendall(b"x")


@dataclass
class Villain:
    """Its address; `deeds` are done in order, the last one for ever."""

    address: str
    deeds: deque[Deed]
    requests: list[bytes] = field(default_factory=list)


@contextmanager
def villain(*deeds: Deed) -> Iterator[Villain]:
    """A running server; what still hangs in it at the end is let go."""
    end = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = Villain(f"http://127.0.0.1:{listener.getsockname()[1]}", deque(deeds))

        def serve(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                found.requests.append(read_request(connection))
                deed = found.deeds.popleft() if len(found.deeds) > 1 else found.deeds[0]
                deed(connection, end)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=serve, args=[connection], daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield found
        finally:
            end.set()
            # Closing alone would leave the thread in its wait.
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def read_request(connection: socket.socket) -> bytes:
    """Head and body; who asks first whether to send the body may send it."""
    stream = connection.makefile("rb")
    head = b""
    while (line := stream.readline()) not in (b"\r\n", b""):
        head += line
    if b"100-continue" in head.lower():
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    stream.read(int(length[1]) if length else 0)
    return head
