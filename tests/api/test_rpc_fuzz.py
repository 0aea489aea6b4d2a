"""Whatever is sent, the dispatcher answers, and answers JSON-RPC."""

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuqueue.api.rpc import Method, dispatch
from gpuqueue.strict_json import NotJson, parse

METHODS = {"echo": Method(("value",), lambda given: given["value"])}

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
#: Requests that are right but for some members, and arrays of them.
CALL = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.sampled_from(["2.0", 2.0]) | JSON,
        "method": st.just("echo") | JSON,
        "params": st.lists(JSON, max_size=2) | JSON,
        "id": st.integers() | st.text() | JSON,
    },
)


def assert_is_reply(value: Any) -> None:
    assert value["jsonrpc"] == "2.0"
    assert ("result" in value) != ("error" in value)
    assert value["id"] is None or isinstance(value["id"], (str, int, float))
    if "error" in value:
        assert isinstance(value["error"]["code"], int)
        assert isinstance(value["error"]["message"], str)


@settings(deadline=None)
@given(CALL | st.lists(CALL | JSON, max_size=5) | JSON)
def test_any_json_is_answered(request: Any) -> None:
    reply = dispatch(METHODS, json.dumps(request))
    if reply is not None:
        value = json.loads(reply.data)
        for one in value if isinstance(value, list) else [value]:
            assert_is_reply(one)


@settings(deadline=None)
@given(st.binary() | st.text())
def test_any_bytes_are_answered(text: bytes | str) -> None:
    reply = dispatch(METHODS, text)
    assert reply is None or json.loads(reply.data)


@settings(deadline=None)
@given(JSON)
def test_strict_json_reads_what_json_means(value: Any) -> None:
    assert parse(json.dumps(value), max_depth=64) == value


@settings(deadline=None)
@given(st.text(alphabet='[]{}:,"\\u0123456789eE+-.aflnrst '))
def test_strict_json_takes_nothing_that_json_refuses(text: str) -> None:
    try:
        value = parse(text, max_depth=64)
    except NotJson:
        return
    assert json.loads(text) == value


def test_a_name_that_stands_twice_is_found_at_once() -> None:
    """Half a megabyte of names; to compare each with each would take minutes."""
    members = ",".join(f'"{number}":1' for number in range(60_000))
    started = time.process_time()
    with pytest.raises(NotJson, match='"59999" stands twice'):
        parse(f'{{{members},"59999":1}}')
    assert time.process_time() - started < 5
