"""Kinds of values that directives take, each with its own check."""

from __future__ import annotations

import base64
import re
from ipaddress import ip_network
from typing import Annotated

from pydantic import AfterValidator, SecretStr


def _check_word(value: str) -> str:
    if not re.fullmatch(r"\S+", value):
        raise ValueError("expected one word without blanks, also at its end")
    return value


def _check_url(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/@]+(/\S*)?", value):
        raise ValueError(
            "expected http:// or https:// and a host, without blanks, also at its end, and "
            "without user and password"
        )
    return value


def _check_receiver(value: str) -> str:
    try:
        ip_network(value)
    except ValueError:
        if not re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", value) or value[-1].isdigit():
            raise ValueError(
                "expected a host name, an IP address or a network such as 10.1.0.0/16"
            ) from None
    return value.lower()


def _check_signing_secret(value: SecretStr) -> SecretStr:
    prefix, text = value.get_secret_value()[:6], value.get_secret_value()[6:]
    try:
        size = len(base64.b64decode(text, validate=True))
    except ValueError:
        size = 0
    if prefix != "whsec_" or not 24 <= size <= 64:
        raise ValueError("expected whsec_ and the base64 text of 24 to 64 bytes")
    return value


Word = Annotated[str, AfterValidator(_check_word)]
Url = Annotated[str, AfterValidator(_check_url)]
Receiver = Annotated[str, AfterValidator(_check_receiver)]
SigningSecret = Annotated[SecretStr, AfterValidator(_check_signing_secret)]
