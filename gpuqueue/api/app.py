"""The front end as an ASGI application: HTTP here, everything it means elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse

from gpuqueue import __version__
from gpuqueue.api.guards import (
    ClientDisconnect,
    KnownHosts,
    Refusal,
    SecurityHeaders,
    is_cross_site,
    read_body,
)
from gpuqueue.api.methods import CommandMethods
from gpuqueue.api.pages import command_page, index_page, status_page
from gpuqueue.api.rpc import Limits, dispatch, failure
from gpuqueue.api.rpc_errors import InvalidRequest, RpcError, TimedOut, TooLarge
from gpuqueue.api.state import Watch
from gpuqueue.binary import Binary
from gpuqueue.commands.folders import commands_for
from gpuqueue.config import Settings


@dataclass(frozen=True)
class HttpLimits:
    """The time a request may take, in parts, and how many may be worked on at once."""

    body_s: float = 20
    call_s: float = 45
    calls_at_once: int = 16


DEFAULT_LIMITS = HttpLimits()


class FrontEnd:
    """The handlers of one server. Everything that may block runs in threads."""

    def __init__(self, settings: Settings, limits: HttpLimits) -> None:
        self._settings = settings
        self._limits = limits
        self._methods = CommandMethods(settings)
        self._safe_methods = CommandMethods(settings, only_safe=True)
        registry = commands_for(settings)
        self._commands = {name: registry.load(name) for name in registry}
        self._threads = ThreadPoolExecutor(limits.calls_at_once, "call")
        self._watch = Watch(settings)

    @asynccontextmanager
    async def lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        """Let go of the threads at the end."""
        yield
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._watch.close()

    async def post(self, request: Request) -> Response:
        """``POST /``: JSON-RPC in the body, whatever its content type."""
        try:
            body = await read_body(
                request, self._settings.http_post_body_limit, self._limits.body_s
            )
        except TooLarge as error:
            return _refuse(error, 413)
        except TimedOut as error:
            return _refuse(error, 408)
        return await self._call(request, self._methods, body)

    async def get(self, request: Request) -> Response:
        """``GET /``: a call in the address, the documentation, or the status page.

        HEAD makes no call: it is what programs send to look before they ask. GET makes none that
        changes something: any page may have its reader's browser fetch an address as an image.
        """
        query = request.query_params
        if "json_rpc_request" in query and request.method == "GET":
            return await self._call(request, self._safe_methods, query["json_rpc_request"])
        commands = list(self._commands.values())
        if "doc" not in query:
            state = await self._watch.state()
            address = str(request.base_url)
            return HTMLResponse(status_page(self._settings, state, commands, address))
        name = query["doc"]
        if name in self._commands:
            return HTMLResponse(command_page(self._settings, self._commands[name]))
        status = 404 if name else 200
        return HTMLResponse(index_page(self._settings, commands, name or None), status)

    async def health(self) -> Response:
        """``GET /healthz``: 200 while every queue can be reached, 503 otherwise."""
        state = await self._watch.state()
        told: dict[str, Any] = {
            "status": "ok" if state.is_ready else "unreachable",
            "version": __version__,
            "queues": {q.name: "unreachable" if q.problem else "ok" for q in state.queues},
        }
        return JSONResponse(told, 200 if state.is_ready else 503)

    async def _call(self, request: Request, methods: CommandMethods, text: bytes | str) -> Response:
        if is_cross_site(request):
            return _reply(failure(InvalidRequest("sent by a page of another site")), 403)
        limits = Limits(time_s=self._limits.call_s)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._limits.call_s):
                reply = await loop.run_in_executor(self._threads, dispatch, methods, text, limits)
        except TimeoutError:
            error: RpcError = TimedOut(f"no answer within {self._limits.call_s:g} s")
            return _reply(failure(error), 504)
        return _reply(reply)


def create_app(settings: Settings, limits: HttpLimits = DEFAULT_LIMITS) -> FastAPI:
    """The front end of a server with these settings.

    Raises ConfigError for a folder of commands that cannot be loaded.
    """
    front = FrontEnd(settings, limits)
    app = FastAPI(openapi_url=None, lifespan=front.lifespan)
    app.add_middleware(KnownHosts, address=settings.http_address, names=settings.http_hosts)
    app.add_middleware(SecurityHeaders)
    app.add_exception_handler(ClientDisconnect, _nobody_listens)
    app.add_api_route("/", front.post, methods=["POST"])
    app.add_api_route("/", front.get, methods=["GET", "HEAD"])
    app.add_api_route("/healthz", front.health, methods=["GET", "HEAD"])
    # RealityServer's readiness tool makes and destroys a session around its first call.
    for path in ("/uac/create/", "/uac/destroy/"):
        app.add_api_route(path, _no_sessions, methods=["GET"])
    return app


async def _nobody_listens(_: Request, __: Exception) -> Response:
    return Response(status_code=400)


async def _no_sessions() -> Response:
    return PlainTextResponse("This server has no sessions; call it as you are.\n")


def _refuse(error: RpcError, status: int) -> Response:
    reply = failure(error)
    return Refusal(reply.data, status, media_type=reply.mime_type)


def _reply(reply: Binary | None, status: int = 200) -> Response:
    if reply is None:
        return Response(status_code=204)
    return Response(reply.data, status, media_type=reply.mime_type)
