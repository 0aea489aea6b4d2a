"""What docs/json-rpc.md says of error codes and bounds is so."""

import re
from pathlib import Path

from gpuqueue.api import rpc_errors
from gpuqueue.api.app import DEFAULT_LIMITS
from gpuqueue.api.rpc import DEFAULT_LIMITS as CALL_LIMITS

TEXT = (Path(__file__).parents[2] / "docs" / "json-rpc.md").read_text()


def test_every_error_code_is_documented_and_no_other() -> None:
    named = {kind.code: kind.__name__ for kind in rpc_errors.RpcError.__subclasses__()}
    ours = {code: kind.__name__ for kind, code in rpc_errors.CODES.items()}
    rows = re.findall(r"(?m)^\| (-\d+) \| (\w*) ?\|", TEXT)
    assert {int(code): name for code, name in rows} == {
        **named,
        **ours,
        rpc_errors.INTERNAL_ERROR: "",
    }
    assert len(rows) == len(named) + len(ours) + 1, "no code has two meanings"
    assert all(-32099 <= code <= -32000 for code in ours)


def test_the_table_in_the_code_is_the_table_in_the_documentation() -> None:
    assert rpc_errors.__doc__ is not None
    told = set(re.findall(r"(?m)^(-\d+)  ", rpc_errors.__doc__))
    assert told == set(re.findall(r"(?m)^\| (-\d+) \|", TEXT))


def test_the_bounds_are_documented() -> None:
    for text in (
        f"within {DEFAULT_LIMITS.body_s} seconds",
        f"within {DEFAULT_LIMITS.call_s} seconds",
        f"{DEFAULT_LIMITS.calls_at_once} calls run at once",
        f"more than {CALL_LIMITS.batch} calls",
        f"deeper than {CALL_LIMITS.depth} levels",
    ):
        assert re.search(text.replace(" ", r"\s+"), TEXT), text
