"""JSON from strangers: exactly RFC 8259, bounded depth, and nothing that could be read two ways.

Python's parser takes more than the standard (NaN, infinite numbers, repeated names, halves of
surrogate pairs, any depth that its stack bears); all of that is refused here.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable
from typing import Any, Never

from gpuqueue.errors import shown

#: Arrays and objects inside each other, in a request and in a job.
MAX_DEPTH = 64


class NotJson(ValueError):
    """The text is not JSON that we accept; the message says what is wrong and where."""


def parse(text: bytes | str, max_depth: int = MAX_DEPTH) -> Any:
    """The value of a JSON text in UTF-8, with at most `max_depth` brackets open at once.

    Raises NotJson.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        value = json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            object_pairs_hook=_without_duplicates,
        )
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise NotJson(f"{error.msg} at {place}") from None
    except UnicodeDecodeError as error:
        raise NotJson(f"not UTF-8 at byte {error.start}") from None
    except UnicodeEncodeError:
        raise NotJson("a string holds half of a surrogate pair") from None
    except RecursionError:
        raise NotJson(f"nested deeper than {max_depth} levels") from None
    except NotJson:
        raise
    except ValueError:  # Python bounds the digits of an integer
        raise NotJson("a number has too many digits") from None
    if _is_deeper(value, max_depth):
        raise NotJson(f"nested deeper than {max_depth} levels")
    return value


def _refuse_constant(word: str) -> Never:
    raise NotJson(f"{word} is not a JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise NotJson("a number is too large")
    return number


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        [(twice, _)] = counts.most_common(1)
        raise NotJson(f"{json.dumps(shown(twice))} stands twice in one object")
    return value


def _is_deeper(value: Any, max_depth: int) -> bool:
    """Whether more than `max_depth` arrays and objects lie inside each other."""
    level = _containers([value])
    for _ in range(max_depth):
        level = [
            inner
            for outer in level
            for inner in _containers(outer.values() if isinstance(outer, dict) else outer)
        ]
    return bool(level)


def _containers(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if isinstance(value, (dict, list))]
