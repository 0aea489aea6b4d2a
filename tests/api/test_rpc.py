"""The dispatcher against the JSON-RPC 2.0 specification: its own examples, then its MUSTs."""

import json
import logging
from itertools import count
from typing import Any

import pytest

from gpuqueue.api.rpc import Limits, Method, dispatch
from gpuqueue.api.rpc_errors import InvalidParams
from gpuqueue.binary import Binary
from gpuqueue.errors import SceneError, TransientError, UnknownName

PNG = Binary(b"\x89PNG...", "image/png")


def failing(error: BaseException) -> Method:
    def call(_: dict[str, Any]) -> None:
        raise error

    return Method((), call)


def subtract(given: dict[str, Any]) -> int:
    if set(given) != {"minuend", "subtrahend"}:
        raise InvalidParams([{"field": "minuend", "problem": "Field required"}])
    return given["minuend"] - given["subtrahend"]


class Methods(dict[str, Method]):
    """The methods of the specification's examples, and some that go wrong."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        super().__init__(
            subtract=Method(("minuend", "subtrahend"), subtract),
            sum=Method(("a", "b", "c"), lambda given: sum(given.values())),
            update=Method(tuple("abcde"), self.note("update")),
            foobar=Method((), self.note("foobar")),
            notify_sum=Method(("a", "b", "c"), self.note("notify_sum")),
            notify_hello=Method(("a",), self.note("notify_hello")),
            get_data=Method((), lambda _: ["hello", 5]),
            echo=Method(("value",), lambda given: given["value"]),
            picture=Method((), lambda _: PNG),
            nan=Method((), lambda _: float("nan")),
            object=Method((), lambda _: object()),  # type: ignore[arg-type, return-value]
            bug=failing(ZeroDivisionError("secret internals")),
            exit=failing(SystemExit(3)),
            away=failing(TransientError("queue 'q' cannot be reached")),
            unknown=failing(UnknownName("queue", "q", ["a", "b"])),
            scene=failing(SceneError("a.mi:1:2: expected a number")),
        )

    def note(self, name: str) -> Any:
        return lambda _: self.calls.append(name)


@pytest.fixture
def methods() -> Methods:
    return Methods()


def ask(methods: Methods, text: str | bytes, **limits: Any) -> Any:
    """The reply as a value; None if there is none."""
    reply = dispatch(methods, text, Limits(**limits))
    if reply is None:
        return None
    assert reply.mime_type == "application/json"
    return json.loads(reply.data)


def ok(call_id: Any, result: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "result": result, "id": call_id}


def bad(call_id: Any, code: int) -> tuple[Any, int]:
    return call_id, code


def matches(reply: Any, expected: Any) -> bool:
    """Whether a reply is the expected result, or an error with the expected id and code."""
    if isinstance(expected, tuple):
        call_id, code = expected
        error = reply.get("error", {})
        return (
            reply["jsonrpc"] == "2.0"
            and "result" not in reply
            and reply["id"] == call_id
            and error["code"] == code
            and isinstance(error["message"], str)
        )
    return reply == expected


#: Section 7 of https://www.jsonrpc.org/specification, in its order.
EXAMPLES: list[tuple[str, Any]] = [
    ('{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}', ok(1, 19)),
    ('{"jsonrpc": "2.0", "method": "subtract", "params": [23, 42], "id": 2}', ok(2, -19)),
    (
        '{"jsonrpc": "2.0", "method": "subtract",'
        ' "params": {"subtrahend": 23, "minuend": 42}, "id": 3}',
        ok(3, 19),
    ),
    (
        '{"jsonrpc": "2.0", "method": "subtract",'
        ' "params": {"minuend": 42, "subtrahend": 23}, "id": 4}',
        ok(4, 19),
    ),
    ('{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}', None),
    ('{"jsonrpc": "2.0", "method": "foobar"}', None),
    ('{"jsonrpc": "2.0", "method": "no_foobar", "id": "1"}', bad("1", -32601)),
    ('{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]', bad(None, -32700)),
    ('{"jsonrpc": "2.0", "method": 1, "params": "bar"}', bad(None, -32600)),
    (
        '[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},'
        ' {"jsonrpc": "2.0", "method"]',
        bad(None, -32700),
    ),
    ("[]", bad(None, -32600)),
    ("[1]", [bad(None, -32600)]),
    ("[1,2,3]", [bad(None, -32600)] * 3),
    (
        """[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
            {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
            {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
            {"foo": "boo"},
            {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
            {"jsonrpc": "2.0", "method": "get_data", "id": "9"}]""",
        [
            ok("1", 7),
            ok("2", 19),
            bad(None, -32600),
            bad("5", -32601),
            ok("9", ["hello", 5]),
        ],
    ),
    (
        """[{"jsonrpc": "2.0", "method": "notify_sum", "params": [1,2,4]},
            {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]}]""",
        None,
    ),
]


def call(method: str = "get_data", **members: Any) -> str:
    return json.dumps({"jsonrpc": "2.0", "method": method, **members})


DATA = ["hello", 5]
#: What the specification demands beyond its examples, and what JSON itself does.
DEMANDS: dict[str, tuple[str | bytes, Any]] = {
    "an id may be an integer": (call(id=7), ok(7, DATA)),
    "an id may be a string": (call(id="x"), ok("x", DATA)),
    "an id may be an empty string": (call(id=""), ok("", DATA)),
    "an id may be zero": (call(id=0), ok(0, DATA)),
    "an id may be negative": (call(id=-1), ok(-1, DATA)),
    "an id may be a fraction": (call(id=1.5), ok(1.5, DATA)),
    "an id may be large": (call(id=10**30), ok(10**30, DATA)),
    "an id may be any text": (call(id='é"\n\U0001f600'), ok('é"\n\U0001f600', DATA)),
    "an id of null is answered": (call(id=None), ok(None, DATA)),
    "an id may not be true": (call(id=True), bad(None, -32600)),
    "an id may not be an array": (call(id=[1]), bad(None, -32600)),
    "an id may not be an object": (call(id={}), bad(None, -32600)),
    "a bad request tells its id": (call(id=3, params=1), bad(3, -32600)),
    "jsonrpc is needed": ('{"method": "get_data", "id": 1}', bad(1, -32600)),
    "jsonrpc 1.0 is refused": (call(id=1, jsonrpc="1.0"), bad(1, -32600)),
    "jsonrpc true is refused": (call(id=1, jsonrpc=True), bad(1, -32600)),
    "jsonrpc as an array is refused": (call(id=1, jsonrpc=["2.0"]), bad(1, -32600)),
    "jsonrpc may be the number": ('{"jsonrpc": 2.0, "method": "get_data", "id": 1}', ok(1, DATA)),
    "a method is needed": ('{"jsonrpc": "2.0", "id": 1}', bad(1, -32600)),
    "a method is no null": (call(None, id=1), bad(1, -32600)),  # type: ignore[arg-type]
    "an empty method is unknown": (call("", id=1), bad(1, -32601)),
    "names are case sensitive": (call("GET_DATA", id=1), bad(1, -32601)),
    "rpc. names are reserved": (call("rpc.anything", id=1), bad(1, -32601)),
    "params may be empty": (call(id=1, params=[]), ok(1, DATA)),
    "params may be an empty object": (call(id=1, params={}), ok(1, DATA)),
    "params may not be null": (call(id=1, params=None), bad(1, -32600)),
    "params may not be a number": (call(id=1, params=3), bad(1, -32600)),
    "params may not be text": (call(id=1, params="x"), bad(1, -32600)),
    "more params than there are": (call("subtract", id=1, params=[1, 2, 3]), bad(1, -32602)),
    "params that do not fit": (call("subtract", id=1, params={"minuend": 1}), bad(1, -32602)),
    "members we do not know are let be": (call(id=1, extra=1), ok(1, DATA)),
    "a notification may fail": (call("bug"), None),
    "a notification may be unknown": (call("nope"), None),
    "a notification may have bad params": (call("subtract", params=[1]), None),
    "a notification may return an image": (call("picture"), None),
    "a result may be null": (call("foobar", id=1), ok(1, None)),
    "a result may be false": (call("echo", id=1, params=[False]), ok(1, False)),
    "a result of NaN is our bug": (call("nan", id=1), bad(1, -32603)),
    "a result that is no JSON is our bug": (call("object", id=1), bad(1, -32603)),
    "a bug is an internal error": (call("bug", id=1), bad(1, -32603)),
    "a command that exits is our bug": (call("exit", id=1), bad(1, -32603)),
    "equal ids are answered each": (
        f"[{call(id=1)},{call(id=1)}]",
        [ok(1, DATA), ok(1, DATA)],
    ),
    "an array in an array is no call": (f"[[{call(id=1)}]]", [bad(None, -32600)]),
    "one bad call spoils no other": (
        f"[{call(id=1)},{call('bug', id=2)},null,{call(id=3)}]",
        [ok(1, DATA), bad(2, -32603), bad(None, -32600), ok(3, DATA)],
    ),
    "a bad call without an id is answered": (f"[{call()},5]", [bad(None, -32600)]),
    "nothing": ("", bad(None, -32700)),
    "white space": (" \n", bad(None, -32700)),
    "a number": ("1", bad(None, -32600)),
    "a string": ('"get_data"', bad(None, -32600)),
    "null": ("null", bad(None, -32600)),
    "two texts": (call(id=1) * 2, bad(None, -32700)),
    "NaN": ('{"jsonrpc": "2.0", "method": "echo", "params": [NaN], "id": 1}', bad(None, -32700)),
    "Infinity": ('{"id": Infinity}', bad(None, -32700)),
    "an infinite number": ('{"id": -1e999}', bad(None, -32700)),
    "an integer of endless digits": ('{"id": %s}' % ("9" * 10_000), bad(None, -32700)),
    "bytes that are not UTF-8": (b'{"jsonrpc": "2.0", "method": "\xff"}', bad(None, -32700)),
    "UTF-16": (call(id=1).encode("utf-16"), bad(None, -32700)),
    "a byte order mark is let be": (b"\xef\xbb\xbf" + call(id=1).encode(), ok(1, DATA)),
    "half of a surrogate pair": ('{"id": "\\ud800"}', bad(None, -32700)),
    "a whole surrogate pair": (
        call("echo", id=1, params=["\U0001f600"]),
        ok(1, "\U0001f600"),
    ),
    "20,000 arrays inside each other": ("[" * 20_000 + "]" * 20_000, bad(None, -32700)),
    "20,000 objects inside each other": ('{"a":' * 20_000 + "1" + "}" * 20_000, bad(None, -32700)),
    "20,000 arrays never closed": ("[" * 20_000, bad(None, -32700)),
    "one level too many": (
        call("echo", id=1, params=json.loads("[" * 64 + "]" * 64)),
        bad(None, -32700),
    ),
    "as many levels as are taken": (
        call("echo", id=1, params=json.loads("[" * 63 + "]" * 63)),
        ok(1, json.loads("[" * 62 + "]" * 62)),
    ),
    "a name that stands twice": ('{"jsonrpc": "2.0", "id": 1, "id": 2}', bad(None, -32700)),
    "a comment": ("{} // no", bad(None, -32700)),
    "a comma at the end": ('{"id": 1,}', bad(None, -32700)),
    "a control character in a string": ('{"id": "\x01"}', bad(None, -32700)),
}


def assert_reply(reply: Any, expected: Any) -> None:
    if isinstance(expected, list):
        assert isinstance(reply, list)
        assert len(reply) == len(expected), reply
        for one, wanted in zip(reply, expected, strict=True):
            assert matches(one, wanted), (one, wanted)
    elif expected is None:
        assert reply is None
    else:
        assert matches(reply, expected), reply


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_the_specifications_examples(methods: Methods, number: int) -> None:
    text, expected = EXAMPLES[number]
    assert_reply(ask(methods, text), expected)


@pytest.mark.parametrize("demand", DEMANDS)
def test_the_specifications_demands(methods: Methods, demand: str) -> None:
    text, expected = DEMANDS[demand]
    assert_reply(ask(methods, text), expected)


def test_notifications_are_carried_out(methods: Methods) -> None:
    for text, _ in EXAMPLES:
        ask(methods, text)
    assert methods.calls == ["update", "foobar", "notify_hello", "notify_sum", "notify_hello"]


def test_a_reply_reads_as_realityservers_do(methods: Methods) -> None:
    reply = dispatch(methods, call("echo", id=1, params=["a2ce"]))
    assert reply == Binary(b'{"id":1,"jsonrpc":"2.0","result":"a2ce"}', "application/json")


def test_an_image_is_the_whole_reply(methods: Methods) -> None:
    assert dispatch(methods, call("picture", id=1)) == PNG


def test_an_image_at_the_end_of_an_array_is_the_whole_reply(methods: Methods) -> None:
    assert dispatch(methods, f"[{call(id=1)},{call('bug', id=2)},{call('picture', id=3)}]") == PNG


def test_an_image_before_the_end_of_an_array_is_an_error(methods: Methods) -> None:
    reply = ask(methods, f"[{call('picture', id=1)},{call(id=2)}]")
    assert_reply(reply, [bad(1, -32013), ok(2, DATA)])


def test_an_array_whose_image_fails_begins_with_the_error_that_caused_it(methods: Methods) -> None:
    reply = dispatch(methods, f"[{call('scene', id=1)},{call('bug', id=2)}]")
    assert reply is not None
    assert reply.data.startswith(b"[{")
    assert json.loads(reply.data)[0]["error"]["message"] == "a.mi:1:2: expected a number"


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("away", -32005, "queue 'q' cannot be reached"),
        ("unknown", -32002, "unknown queue 'q'; known: a, b"),
        ("scene", -32003, "a.mi:1:2: expected a number"),
    ],
)
def test_the_class_of_an_error_gives_its_code(
    methods: Methods, name: str, code: int, message: str
) -> None:
    assert ask(methods, call(name, id=1))["error"] == {"code": code, "message": message}


def test_a_bug_tells_a_reference_that_is_in_the_log_and_nothing_else(
    methods: Methods, records: list[logging.LogRecord]
) -> None:
    reply = ask(methods, call("bug", id=1))
    reference = reply["error"]["data"]["reference"]
    assert "secret" not in json.dumps(reply)
    assert "ZeroDivisionError" not in json.dumps(reply)
    record = next(r for r in records if reference in r.getMessage())
    assert record.exc_info is not None


def test_an_unknown_method_lists_the_known_ones(methods: Methods) -> None:
    assert "get_data" in ask(methods, call("nope", id=1))["error"]["data"]


def test_a_long_array_is_refused_as_a_whole(methods: Methods) -> None:
    reply = ask(methods, f"[{','.join([call('update')] * 4)}]", batch=3)
    assert_reply(reply, bad(None, -32600))
    assert methods.calls == []


def test_calls_whose_turn_comes_too_late_are_not_made(methods: Methods) -> None:
    ticks = count()
    text = f"[{','.join(call('update', id=i) for i in range(5))}]"
    reply = dispatch(methods, text, Limits(time_s=2), lambda: float(next(ticks)))
    assert reply is not None
    assert_reply(
        json.loads(reply.data), [ok(0, None), ok(1, None), *[bad(i, -32012) for i in (2, 3, 4)]]
    )
    assert methods.calls == ["update"] * 2
