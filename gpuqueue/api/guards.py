"""What every request must pass and every reply carries: bounds, origin, security headers."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gpuqueue.api.pages import STYLE_HASH
from gpuqueue.api.rpc_errors import TimedOut, TooLarge

#: How long, and how much of, a refused body is thrown away before its connection is closed.
LINGER_S = 1.0
LINGER_BYTES = 16 << 20

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src '{STYLE_HASH}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class SecurityHeaders:
    """ASGI middleware: adds the headers above to every reply."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        await self._app(scope, receive, send_with_headers)


async def read_body(request: Request, limit_bytes: int, time_s: float) -> bytes:
    """The body, never holding more than the limit.

    Raises TooLarge as soon as the limit is passed, by the announced length where there is one,
    TimedOut if the body takes longer than `time_s` to arrive, and ClientDisconnect.
    """
    announced = request.headers.get("content-length", "")
    too_large = TooLarge(f"at most {limit_bytes} bytes are taken (http_post_body_limit)")
    if announced.isdecimal() and int(announced) > limit_bytes:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(time_s):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit_bytes:
                    raise too_large
    except TimeoutError:
        raise TimedOut(f"the body did not arrive within {time_s:g} s") from None
    return bytes(body)


class Refusal(Response):
    """The answer to a request whose body has not been read: nothing else can come after it.

    Closing at once would reset the connection while the client still sends, and the client
    would lose the answer. So what it sends is taken and thrown away for a moment.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (ASGI)
        """Answer, linger, close."""
        self.headers["Connection"] = "close"
        start = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_S):
                await _discard(receive)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _discard(receive: Receive) -> None:
    left = LINGER_BYTES
    while left > 0:
        message = await receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return
        left -= len(message["body"])


def is_cross_site(request: Request) -> bool:
    """Whether a page of another site had a browser send this.

    Any page can make its reader's browser post to a server in the reader's own network; without
    this, visiting a page would be enough to submit a job.
    """
    if request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        return True
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host")


__all__ = [
    "SECURITY_HEADERS",
    "ClientDisconnect",
    "Refusal",
    "SecurityHeaders",
    "is_cross_site",
    "read_body",
]
