"""Names to implementations, imported on first use.

A registry is the one list of a kind of piece (queues, storages, devices, commands, tasks).
Looking a name up imports its module; a miss lists what exists, a duplicate is an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Generic, TypeVar, cast

from gpuqueue.errors import ConfigError, UnknownName

T = TypeVar("T")


class Registry(Generic[T]):
    """Public names of one kind of piece.

    ``Registry("queue", local="gpuqueue.queues.local:LocalQueue")`` maps a name to the place of
    its implementation, ``module:attribute``.
    """

    def __init__(self, kind: str, **places: str) -> None:
        self.kind = kind
        self._entries: dict[str, str | T] = dict(places)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._entries))

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def add(self, name: str, implementation: T) -> None:
        """Register a loaded implementation. Raises ConfigError if the name is taken."""
        if name in self._entries:
            raise ConfigError(f"{self.kind} '{name}' is already registered")
        self._entries[name] = implementation

    def copy(self) -> Registry[T]:
        """The same names in a registry of its own."""
        other = Registry[T](self.kind)
        other._entries = dict(self._entries)
        return other

    def load(self, name: str) -> T:
        """Return the implementation called `name`. Raises UnknownName."""
        try:
            entry = self._entries[name]
        except KeyError:
            raise UnknownName(self.kind, name, self) from None
        if isinstance(entry, str):
            module, _, attribute = entry.partition(":")
            entry = cast("T", getattr(import_module(module), attribute))
            self._entries[name] = entry
        return entry
