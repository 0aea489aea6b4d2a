"""The task ``http_post``: post the result to a URL.

The body is the result's bytes with its MIME type, or JSON that says where the result is stored.
``X-Gpuqueue-Message-Id`` and ``X-Gpuqueue-Task`` name the delivery, ``X-Gpuqueue-Outcome`` is
``success`` or ``failure``: a receiver that sees the same three again has the result already. With a
``signing_secret`` each post is signed.
"""

from __future__ import annotations

import hashlib
import time
from email.utils import parsedate_to_datetime
from typing import ClassVar, Literal

from pydantic import Field

from gpuqueue import __version__
from gpuqueue.binary import Binary, JsonValue
from gpuqueue.config import Settings
from gpuqueue.errors import InvalidJob, TransientError
from gpuqueue.storage import open_bucket
from gpuqueue.tasks.base import TaskConfig, TaskContext, check_placeholders
from gpuqueue.tasks.http_client import Answer, parse_target, post
from gpuqueue.tasks.signature import signature_headers

#: Besides 5xx, the statuses that another try may change: time-out, too early, too many requests.
TRANSIENT_STATUSES = {408, 425, 429}


class HttpPostConfig(TaskConfig):
    """Configuration of ``http_post``."""

    postback_uri: str = Field(
        min_length=1,
        max_length=4096,
        description="Where to post; ${message_id} and ${mime_ext} are replaced.",
    )
    send: Literal["result", "link"] = Field(
        "result",
        description="What to post: the result, or JSON with links to where the tasks before stored "
        "it, its size and its SHA-256. What is posted on failure is always the report.",
    )
    link_valid_s: int = Field(
        86400, ge=60, le=604800, description="How long a link to a private object is good."
    )

    @property
    def points_to_stored(self) -> bool:
        """Whether it needs a task before it that stores the result."""
        return self.send == "link" and self.runs_on("success")


class HttpPost:
    """Posts the result."""

    name: ClassVar[str] = "http_post"
    Config: ClassVar[type[TaskConfig]] = HttpPostConfig

    @staticmethod
    def check(config: HttpPostConfig, settings: Settings) -> None:
        """Check the URL. Raises InvalidJob."""
        check_placeholders("postback_uri", config.postback_uri)
        try:
            parse_target(config.postback_uri, settings.queue_manager.http_post)
        except InvalidJob as error:
            raise InvalidJob(f"postback_uri: {error}") from error

    @staticmethod
    def run(config: HttpPostConfig, result: Binary, context: TaskContext) -> None:
        """Post once. Raises TransientError if another try may help, else InvalidJob."""
        settings = context.settings.queue_manager.http_post
        target = parse_target(context.substitute(config.postback_uri, result), settings)
        if config.send == "link" and not context.is_failure:
            result = links_to(result, context, config.link_valid_s)
        headers = {
            "Content-Type": result.mime_type,
            "User-Agent": f"gpuqueue/{__version__}",
            "X-Gpuqueue-Message-Id": context.job_id,
            "X-Gpuqueue-Task": str(context.index),
            "X-Gpuqueue-Outcome": "failure" if context.is_failure else "success",
        }
        if settings.signing_secrets:
            secrets = [secret.get_secret_value() for secret in settings.signing_secrets]
            now = int(time.time())
            headers |= signature_headers(secrets, context.delivery_id, now, result.data)
        judge(post(target, result.data, headers, settings), target.origin)


def links_to(result: Binary, context: TaskContext, valid_s: int) -> Binary:
    """JSON that says where the result is, how large, and its SHA-256."""
    expires_at = int(time.time()) + valid_s
    links: list[JsonValue] = [
        {
            "address": place.address,
            "url": open_bucket(context.settings, place.bucket).link(place.key, valid_s),
            "expires_at": expires_at,
        }
        for place in context.stored
    ]
    return Binary.of(
        {
            "job_id": context.job_id,
            "mime_type": result.mime_type,
            "size": len(result.data),
            "sha256": hashlib.sha256(result.data).hexdigest(),
            "results": links,
        }
    )


def judge(answer: Answer, receiver: str) -> None:
    """Return for 2xx; raise TransientError or InvalidJob for everything else."""
    if 200 <= answer.status < 300:
        return
    text = f"{receiver} answered {answer.status}"
    if answer.status >= 500 or answer.status in TRANSIENT_STATUSES:
        raise TransientError(text, retry_after_s=seconds_of(answer.retry_after))
    if 300 <= answer.status < 400:
        text += ": a redirect that is not followed (follow_redirects permits 307 and 308)"
    raise InvalidJob(text)


def seconds_of(retry_after: str | None) -> float | None:
    """Seconds that a Retry-After header asks for: a number or a date; None if it is neither."""
    if retry_after is None:
        return None
    if retry_after.isdecimal():
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
