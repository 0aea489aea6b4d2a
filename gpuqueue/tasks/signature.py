"""Signatures of posts after the Standard Webhooks specification (standardwebhooks.com), version 1.

A receiver that knows the secret can tell that a post is ours, whole, recent and not a repetition.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable


def signature_headers(
    secrets: Iterable[str], delivery_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """The headers ``webhook-id``, ``webhook-timestamp`` and the signatures of both and the body.

    Each of `secrets` has the form ``whsec_BASE64`` and gives a signature of its own, so that one
    can be replaced while receivers know either. `timestamp` is in seconds since 1970.
    `delivery_id` stays the same when a delivery is repeated.
    """
    before = f"{delivery_id}.{timestamp}.".encode()
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(secret, before, body) for secret in secrets),
    }


def _signature(secret: str, before: bytes, body: bytes) -> str:
    digest = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), before, hashlib.sha256)
    digest.update(body)
    return f"v1,{base64.b64encode(digest.digest()).decode()}"
