"""What is read and left aside."""

from __future__ import annotations

from gpuqueue.scene.tokens import Tokens


def skip_block(tokens: Tokens, *ending: str) -> None:
    """Everything up to ``end`` and these words."""
    first = tokens.peek()
    while True:
        if tokens.at_end():
            raise tokens.fail(f"there is no 'end {' '.join(ending)}' for this", first)
        if tokens.take().text == "end" and tokens.at_word(ending[0]):
            for word in ending:
                tokens.expect_word(word)
            return
