"""Signatures of posts after the Standard Webhooks specification (standardwebhooks.com), version 1.

A receiver that knows the secret can tell that a post is ours, whole, recent and not a repetition.
"""

from __future__ import annotations

import base64
import hashlib
import hmac


def signature_headers(secret: str, delivery_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers ``webhook-id``, ``webhook-timestamp`` and the signature of both and the body.

    `secret` has the form ``whsec_BASE64``; `timestamp` is in seconds since 1970. `delivery_id`
    stays the same when a delivery is repeated.
    """
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{delivery_id}.{timestamp}.".encode() + body
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
