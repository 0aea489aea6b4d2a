"""What a JSON-RPC error code means: the one table, by the class of the exception.

======  =====================  =========================================================
code    class                  meaning
======  =====================  =========================================================
-32700  ParseError             not JSON, not UTF-8, or nested too deep
-32600  InvalidRequest         JSON, but no JSON-RPC 2.0 request; or a batch too long
-32601  MethodNotFound         no command has this name
-32602  InvalidParams          ``data`` lists the first wrong fields and their problems
-32603  any other exception    a bug; ``data.reference`` is in the server's log
-32000  GpuqueueError          none of the more special ones below
-32001  InvalidJob             the job can never work
-32002  UnknownName            the job names a queue, bucket, command or task not known
-32003  SceneError             the scene cannot be read
-32004  ConfigError            the server's configuration does not fit
-32005  TransientError         a service cannot be reached now; try again
-32006  JobFailed              the command failed; another try may succeed
-32007  LeaseLost              the job belongs to another listener now
-32008  DeviceLost             the device cannot be used
-32009  Interrupted            the server is stopping
-32010  MustBeQueued           this command runs in jobs only: submit it
-32011  TooLarge               the request's body is larger than the server takes
-32012  TimedOut               the time of the request ran out; it may have taken effect
-32013  BinaryNotLast          a command that returns an image must be last in its array
-32014  Cancelled              the job was cancelled
======  =====================  =========================================================
"""

from __future__ import annotations

import uuid
from typing import ClassVar

from gpuqueue.binary import JsonValue
from gpuqueue.errors import (
    Cancelled,
    ConfigError,
    DeviceLost,
    GpuqueueError,
    Interrupted,
    InvalidJob,
    JobFailed,
    LeaseLost,
    SceneError,
    TransientError,
    UnknownName,
)
from gpuqueue.log import Category, Event, EventLogger

log = EventLogger(Category.HTTP)

INTERNAL_ERROR = -32603


class RpcError(Exception):
    """An error that JSON-RPC or this front end defines; its class carries code and message."""

    code: ClassVar[int]
    message: ClassVar[str]

    def __init__(self, data: JsonValue = None) -> None:
        super().__init__(f"{self.message}: {data}")
        self.data = data


class ParseError(RpcError):
    """The text is not JSON."""

    code, message = -32700, "Parse error"


class InvalidRequest(RpcError):
    """The JSON is no request."""

    code, message = -32600, "Invalid Request"


class MethodNotFound(RpcError):
    """No command has this name."""

    code, message = -32601, "Method not found"


class InvalidParams(RpcError):
    """Parameters do not fit; `data` lists the first wrong ones: ``field`` and ``problem``."""

    code, message = -32602, "Invalid params"


class MustBeQueued(RpcError):
    """The command cannot run in a front end."""

    code, message = -32010, "This command runs in jobs only"


class TooLarge(RpcError):
    """The body is larger than ``http_post_body_limit``."""

    code, message = -32011, "Request too large"


class TimedOut(RpcError):
    """The request took too long to arrive or to be answered."""

    code, message = -32012, "Timed out"


class BinaryNotLast(RpcError):
    """A result that is not JSON can only be a whole reply."""

    code, message = -32013, "A command that returns an image must be the last one of its array"


CODES: dict[type[BaseException], int] = {
    GpuqueueError: -32000,
    InvalidJob: -32001,
    UnknownName: -32002,
    SceneError: -32003,
    ConfigError: -32004,
    TransientError: -32005,
    JobFailed: -32006,
    LeaseLost: -32007,
    DeviceLost: -32008,
    Interrupted: -32009,
    Cancelled: -32014,
}


def error_object(error: BaseException) -> dict[str, JsonValue]:
    """The ``error`` member for an exception. Of a bug it tells a reference and nothing else."""
    if isinstance(error, RpcError):
        bare: dict[str, JsonValue] = {"code": error.code, "message": error.message}
        return bare if error.data is None else {**bare, "data": error.data}
    for kind in type(error).__mro__:
        if kind in CODES:
            return {"code": CODES[kind], "message": str(error)}
    reference = uuid.uuid4().hex[:12]
    log.event(
        Event.REQUEST_FAILED,
        f"A call failed, reference {reference}.",
        level=40,
        exc_info=error,
        reference=reference,
    )
    data: JsonValue = {"reference": reference}
    return {"code": INTERNAL_ERROR, "message": "Internal error", "data": data}
