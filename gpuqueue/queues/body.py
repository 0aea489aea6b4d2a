"""What may be sent: one rule for every queue, so that a job that fits one fits all.

The rule is Amazon's: SendMessage accepts 1 MiB of the characters that XML 1.0 allows, the
message's attributes included.
"""

from __future__ import annotations

import re

from gpuqueue.errors import InvalidJob

MAX_MESSAGE_BYTES = 1 << 20
#: Kept free in every message for the attributes that explain a dead letter.
ATTRIBUTE_BYTES = 8192
MAX_BODY_BYTES = MAX_MESSAGE_BYTES - ATTRIBUTE_BYTES

#: Everything but ``#x9 #xA #xD #x20-#xD7FF #xE000-#xFFFD #x10000-#x10FFFF``.
_REFUSED = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def is_large(body: str) -> bool:
    """Whether a body is too large for a message."""
    return len(body.encode()) > MAX_BODY_BYTES


def check_body(body: str) -> None:
    """Raise InvalidJob if no queue would take `body`, saying why and what to do."""
    if not body:
        raise InvalidJob("the message is empty")
    refused = _REFUSED.search(body)
    if refused:
        raise InvalidJob(
            f"the message holds the character U+{ord(refused.group()):04X} at position "
            f"{refused.start()}, which queues refuse; remove it or write it as a JSON escape"
        )
    size = len(body.encode())
    if size > MAX_BODY_BYTES:
        raise InvalidJob(
            f"the message has {size} bytes, at most {MAX_BODY_BYTES} fit into a queue; "
            "put large inputs into files and name them in the parameters"
        )


def readable(reason: str, max_bytes: int) -> str:
    """`reason` as any queue stores it: refused characters replaced, cut to `max_bytes` of UTF-8."""
    text = _REFUSED.sub("\ufffd", reason).strip() or "no reason given"
    data = text.encode()
    if len(data) <= max_bytes:
        return text
    return data[: max_bytes - len("…".encode())].decode(errors="ignore") + "…"
