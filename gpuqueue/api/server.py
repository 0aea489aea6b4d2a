"""The front end as a server on a socket: uvicorn, with bounds of our own."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from gpuqueue.api.app import create_app
from gpuqueue.config import Settings
from gpuqueue.errors import ConfigError
from gpuqueue.log import Category, Event, EventLogger

log = EventLogger(Category.HTTP)

#: A connection that has sent no whole request head by then is closed.
HEAD_S = 20.0
MAX_HEAD_BYTES = 64 << 10
MAX_CONNECTIONS = 512


class PunctualProtocol(H11Protocol):
    """HTTP/1.1 that does not wait for ever for a request's head.

    uvicorn bounds the wait between requests only; without this, connections that never finish
    their first head would use up the server.
    """

    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Start the timer."""
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(HEAD_S, self._close_if_headless)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer."""
        if self._head_timer is not None:
            self._head_timer.cancel()
        super().connection_lost(exc)

    def _close_if_headless(self) -> None:
        if self.cycle is None:
            self.transport.close()


class Server(uvicorn.Server):
    """uvicorn, but a signal only ends it: uvicorn would raise the signal again at its end, and
    what the caller does afterwards would never be done."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take SIGTERM and SIGINT as the wish to end."""
        before = {s: signal.signal(s, self.handle_exit) for s in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for signum, handler in before.items():
                signal.signal(signum, handler)


def bounded(app: ASGIApp) -> uvicorn.Config:
    """How uvicorn runs an application here: HTTP/1.1, and no more of it than needed."""
    return uvicorn.Config(
        app,
        http=PunctualProtocol,
        ws="none",
        log_config=None,
        log_level="error",  # what is no HTTP is no news
        access_log=False,
        server_header=False,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
    )


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; running calls get a moment to finish.

    Port 0 takes a free one; the address is in the log. Raises ConfigError if the address cannot
    be used or a command cannot be loaded.
    """
    server = Server(bounded(create_app(settings)))
    with _bind(settings.http_address, settings.http_port) as listener:
        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        log.event(
            Event.SERVER_STARTED,
            f"Front end listening on http://{shown}:{port}",
            host=host,
            port=port,
        )
        server.run(sockets=[listener])


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server(address[:2], family=family, backlog=512)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"http_address {host}:{port} cannot be used: {reason}") from error
