"""What is not rendered as it is written, told while a scene is read."""

from __future__ import annotations

from gpuqueue.scene.source import Place

MAX_WARNINGS = 100


class Warnings:
    """Messages with their places. Each `topic` is told once, and all together are bounded."""

    def __init__(self) -> None:
        self._messages: list[str] = []
        self._topics: set[str] = set()
        self._left_out = 0

    def __call__(self, message: str, at: Place | None = None, topic: str | None = None) -> None:
        """Note a warning, unless its topic (default: the message) was told before."""
        if (topic or message) in self._topics:
            return
        if len(self._messages) >= MAX_WARNINGS:
            self._left_out += 1
            return
        self._topics.add(topic or message)
        self._messages.append(f"{at}: {message}" if at else message)

    def all(self) -> tuple[str, ...]:
        """Return every message, in order."""
        more = (f"{self._left_out} further warnings are not shown",) if self._left_out else ()
        return (*self._messages, *more)
