"""JSON-RPC 2.0 (https://www.jsonrpc.org/specification) with no HTTP in it.

A request is one call, or an array of calls, done in order. Two conventions of RealityServer's
clients are kept: ``jsonrpc`` may be the number 2.0, and where the only call, or the last of an
array, returns an image, the whole reply is that image. Every call of such an array is made, but
only the image is told; if the last call fails, the reply is the array of all results and errors.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gpuqueue.api.rpc_errors import (
    BinaryNotLast,
    InvalidParams,
    InvalidRequest,
    MethodNotFound,
    ParseError,
    TimedOut,
    error_object,
)
from gpuqueue.binary import Binary, JsonValue
from gpuqueue.errors import shown
from gpuqueue.strict_json import MAX_DEPTH, NotJson, parse

Clock = Callable[[], float]


@dataclass(frozen=True)
class Method:
    """Something that can be called: its parameters' names in order, and a function of them."""

    names: tuple[str, ...]
    call: Callable[[dict[str, Any]], Binary | JsonValue]


@dataclass(frozen=True)
class Limits:
    """What one request may ask for."""

    #: Calls in one array.
    batch: int = 100
    #: Arrays and objects inside each other.
    depth: int = MAX_DEPTH
    #: Calls of an array that have not begun after this time are answered with an error.
    time_s: float = 30


DEFAULT_LIMITS = Limits()

#: The answer to one call: JSON text, an image, or none to a notification.
Answer = str | Binary | None


def dispatch(
    methods: Mapping[str, Method],
    text: bytes | str,
    limits: Limits = DEFAULT_LIMITS,
    clock: Clock = time.monotonic,
) -> Binary | None:
    """Do what a JSON-RPC text asks for; the reply is JSON, an image, or None if none is due.

    Never raises: what goes wrong is in the reply.
    """
    try:
        request = parse(text, limits.depth)
    except NotJson as error:
        return failure(ParseError(str(error)))
    if not isinstance(request, list):
        return _reply(_answer(methods, request))
    if not 1 <= len(request) <= limits.batch:
        return failure(
            InvalidRequest(f"an array of {len(request)} calls; expected 1 to {limits.batch}")
        )
    return _dispatch_batch(methods, request, clock() + limits.time_s, clock)


def failure(error: Exception) -> Binary:
    """The reply that tells of `error` where no call can be named."""
    return Binary(_error_text(error, None).encode(), "application/json")


def _dispatch_batch(
    methods: Mapping[str, Method], calls: list[Any], deadline: float, clock: Clock
) -> Binary | None:
    answers: list[Answer] = []
    for index, call in enumerate(calls):
        is_late = clock() > deadline
        answers.append(_answer(methods, call, is_last=index == len(calls) - 1, is_late=is_late))
    if isinstance(answers[-1], Binary):
        return answers[-1]
    texts = [answer for answer in answers if isinstance(answer, str)]
    return _reply(f"[{','.join(texts)}]" if texts else None)


def _reply(answer: Answer) -> Binary | None:
    if isinstance(answer, str):
        return Binary(answer.encode(), "application/json")
    return answer


def _answer(
    methods: Mapping[str, Method], call: Any, *, is_last: bool = True, is_late: bool = False
) -> Answer:
    """Make one call and answer it."""
    call_id: JsonValue = None
    is_notification = False
    try:
        if isinstance(call, dict) and _is_id(call.get("id")):
            call_id = call.get("id")
        _check_request(call)
        is_notification = "id" not in call
        if is_late:
            raise TimedOut("the calls before this one took too long; it was not made")
        result = _invoke(methods, call["method"], call.get("params", {}))
        if not isinstance(result, Binary):
            answer: Answer = _text({"id": call_id, "jsonrpc": "2.0", "result": result})
        elif is_last:
            answer = result
        else:
            raise BinaryNotLast
    except (Exception, SystemExit) as error:  # a command that exits must not end the server
        answer = _error_text(error, call_id)
    return None if is_notification else answer


def _check_request(call: Any) -> None:
    """Raise InvalidRequest unless `call` is a request object."""
    if not isinstance(call, dict):
        raise InvalidRequest("a call is an object")
    version = call.get("jsonrpc")
    if isinstance(version, bool) or version not in ("2.0", 2.0):
        raise InvalidRequest('jsonrpc must be "2.0"')
    if not isinstance(call.get("method"), str):
        raise InvalidRequest("method must be a string")
    if not isinstance(call.get("params", {}), (dict, list)):
        raise InvalidRequest("params must be an array or an object")
    if not _is_id(call.get("id")):
        raise InvalidRequest("id must be a string, a number or null")


def _is_id(value: Any) -> bool:
    return value is None or (isinstance(value, (str, int, float)) and not isinstance(value, bool))


def _invoke(
    methods: Mapping[str, Method], name: str, params: dict[str, Any] | list[Any]
) -> Binary | JsonValue:
    if name not in methods:
        raise MethodNotFound(_unknown(name, methods))
    method = methods[name]
    if isinstance(params, list):
        if len(params) > len(method.names):
            problem = f"{len(params)} parameters given, at most {len(method.names)} taken"
            raise InvalidParams([{"field": str(len(method.names)), "problem": problem}])
        params = dict(zip(method.names, params, strict=False))
    return method.call(params)


def _unknown(name: str, known: Iterable[str]) -> str:
    return f"unknown command '{shown(name)}'; known: {', '.join(sorted(known))}"


def _error_text(error: BaseException, call_id: JsonValue) -> str:
    return _text({"error": error_object(error), "id": call_id, "jsonrpc": "2.0"})


def _text(reply: dict[str, Any]) -> str:
    """Compact JSON. Raises ValueError or TypeError for a result that JSON cannot carry."""
    return json.dumps(reply, allow_nan=False, separators=(",", ":"))
