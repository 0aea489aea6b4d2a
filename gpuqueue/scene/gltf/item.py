"""JSON objects that know where they stand, so that every value is checked as it is read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gpuqueue.errors import SceneError
from gpuqueue.scene.source import Part, Source

#: Larger numbers leave the range of 32-bit floats once they are multiplied.
LARGEST = 1e15
MAX_NAME = 200


@dataclass(frozen=True)
class Item:
    """A JSON object and its path, such as ``meshes[0].primitives[1]``."""

    values: dict[str, Any]
    at: Part

    def error(self, name: str, expected: str) -> SceneError:
        """Return the error to raise for a member."""
        found = repr(self.values.get(name)) if name in self.values else "nothing"
        return self.at.member(name).error(f"expected {expected}, found {found[:60]}")

    def has(self, name: str) -> bool:
        """Whether there is such a member."""
        return name in self.values

    def child(self, name: str) -> Item:
        """Return the object `name`; an empty one if there is none."""
        value = self.values.get(name, {})
        if not isinstance(value, dict):
            raise self.error(name, "an object")
        return Item(value, self.at.member(name))

    def children(self, name: str) -> list[Item]:
        """Return the objects of the array `name`; none if there is no array."""
        value = self._array(name)
        if not all(isinstance(entry, dict) for entry in value):
            raise self.error(name, "an array of objects")
        return [Item(entry, self.at.member(f"{name}[{i}]")) for i, entry in enumerate(value)]

    def _array(self, name: str) -> list[Any]:
        value = self.values.get(name, [])
        if not isinstance(value, list):
            raise self.error(name, "an array")
        return value

    def text(self, name: str, default: str | None = None) -> str:
        """Return a string."""
        value = self.values.get(name, default)
        if not isinstance(value, str):
            raise self.error(name, "a string")
        return value

    def truth(self, name: str) -> bool:
        """Return a truth, false if there is none."""
        value = self.values.get(name, False)
        if not isinstance(value, bool):
            raise self.error(name, "true or false")
        return value

    def number(
        self, name: str, default: float | None = None, low: float = -LARGEST, high: float = LARGEST
    ) -> float:
        """Return a number from `low` to `high`."""
        value: Any = self.values.get(name, default)
        if not _is_number(value) or not low <= value <= high:
            raise self.error(name, f"a number from {low:g} to {high:g}")
        return float(value)

    def integer(
        self, name: str, default: int | None = None, low: int = 0, high: int = 1 << 31
    ) -> int:
        """Return an integer from `low` to `high`."""
        value = self.values.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.error(name, f"an integer from {low} to {high}")
        return value

    def numbers(self, name: str, default: Sequence[float]) -> tuple[float, ...]:
        """Return as many numbers as the default has."""
        value = self.values.get(name, list(default))
        if (
            not isinstance(value, list)
            or len(value) != len(default)
            or not all(_is_number(v) and abs(v) <= LARGEST for v in value)
        ):
            raise self.error(name, f"{len(default)} numbers up to {LARGEST:g}")
        return tuple(map(float, value))

    def indices(self, name: str, count: int, what: str) -> list[int]:
        """Return the entries of an array, each from 0 to `count` - 1."""
        value = self._array(name)
        wrong = [
            v for v in value if not isinstance(v, int) or isinstance(v, bool) or not 0 <= v < count
        ]
        if wrong:
            raise self.at.member(name).error(
                f"there is no {what} {wrong[0]!r:.40}; there are {count}, counted from 0"
            )
        return list(value)

    def index(self, name: str, count: int, what: str) -> int | None:
        """Return an index below `count`; None if there is no such member."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < count:
            raise self.at.member(name).error(
                f"there is no {what} {value!r:.40}; there are {count}, counted from 0"
            )
        return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def root_item(values: Any, source: Source) -> Item:
    """Return the whole asset. Raises SceneError if it is no object."""
    if not isinstance(values, dict):
        raise SceneError(f"{source.name}: expected a JSON object")
    return Item(values, Part(source, 0, ""))


class Names:
    """Names in the one name space of a document, made of those that a file gives."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def take(self, item: Item, what: str) -> str:
        """Return a name that is still free: the item's "name", with `what` and a number if needed.

        Backslashes, which a ``.mi`` string cannot always hold, become slashes.
        """
        given = item.text("name", "").replace("\\", "/")[:MAX_NAME]
        return self.free(given or what, what)

    def free(self, name: str, what: str) -> str:
        """Return `name`, or what comes nearest and is free."""
        wanted = name if name not in self._used else f"{name} {what}"
        number = 2
        while wanted in self._used:
            wanted = f"{name} {what} {number}"
            number += 1
        self._used.add(wanted)
        return wanted
