"""The metadata service of an EC2 instance, version 2 (IMDSv2): a token first, then questions."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from typing import Self
from urllib.parse import urlsplit

from gpuqueue.errors import ConfigError, TransientError, shown

ENDPOINT = "http://169.254.169.254"
ENDPOINT_IPV6 = "http://[fd00:ec2::254]"
#: The service answers from the same machine, in milliseconds.
TIMEOUT_S = 1.0
#: Of a token, the longest that the service grants; it is asked anew when it is refused.
TOKEN_S = 21600
MAX_ANSWER_BYTES = 4096


class MetadataService:
    """The service at `endpoint`. Used by one thread. Raises ConfigError for no address of one."""

    def __init__(self, endpoint: str = ENDPOINT) -> None:
        self.endpoint = endpoint
        try:
            url = urlsplit(endpoint)
            host, self._port = url.hostname, url.port or 80
        except ValueError:
            host = None
        if not host or url.scheme != "http" or url.username is not None:
            raise ConfigError(
                f"AWS_EC2_METADATA_SERVICE_ENDPOINT: expected http:// and a host, "
                f"not '{shown(endpoint)}'"
            )
        self._host = host
        self._base = url.path.rstrip("/")
        self._token: str | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self | None:
        """The service that the variables of the AWS tools name, or None if they disable it."""
        if environment.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
            return None
        mode = environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "").lower()
        default = ENDPOINT_IPV6 if mode == "ipv6" else ENDPOINT
        return cls(environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or default)

    def ask(self, *paths: str) -> list[str | None]:
        """What the service says of these, in order; None of what there is nothing to say.

        Raises TransientError if it does not answer, or not as such a service does.
        """
        connection = HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)
        try:
            with contextlib.closing(connection):
                return [self._get(connection, path) for path in paths]
        except (OSError, HTTPException, ValueError) as error:
            raise TransientError(f"{self.endpoint}: {shown(str(error) or repr(error))}") from error

    def _get(self, connection: HTTPConnection, path: str) -> str | None:
        status, text = self._ask_with_token(connection, path)
        if status == 401:  # the token has expired, or the service forgot it
            self._token = None
            status, text = self._ask_with_token(connection, path)
        if status == 404:
            return None
        return self._checked(status, path, text)

    def _ask_with_token(self, connection: HTTPConnection, path: str) -> tuple[int, str]:
        if self._token is None:
            headers = {"X-aws-ec2-metadata-token-ttl-seconds": str(TOKEN_S)}
            status, text = self._request(connection, "PUT", "api/token", headers)
            self._token = self._checked(status, "api/token", text)
        headers = {"X-aws-ec2-metadata-token": self._token}
        return self._request(connection, "GET", f"meta-data/{path}", headers)

    def _request(
        self, connection: HTTPConnection, verb: str, path: str, headers: dict[str, str]
    ) -> tuple[int, str]:
        connection.request(verb, f"{self._base}/latest/{path}", headers=headers)
        with connection.getresponse() as response:
            text = response.read(MAX_ANSWER_BYTES + 1)
        if len(text) > MAX_ANSWER_BYTES:
            raise ValueError(f"more than {MAX_ANSWER_BYTES} bytes for {path}")
        return response.status, text.decode()

    def _checked(self, status: int, path: str, text: str) -> str:
        if status != 200:
            raise ValueError(f"status {status} for {path}")
        return text
