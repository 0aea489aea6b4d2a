"""The task ``http_post``: post the result to a URL.

The body is the result's bytes with its MIME type. ``X-Gpuqueue-Message-Id`` and
``X-Gpuqueue-Task`` name the delivery: a receiver that sees the same pair again has the result
already. With a ``signing_secret`` each post is signed.
"""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import ClassVar

from pydantic import Field

from gpuqueue import __version__
from gpuqueue.binary import Binary
from gpuqueue.config import Settings
from gpuqueue.errors import InvalidJob, TransientError
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
        headers = {
            "Content-Type": result.mime_type,
            "User-Agent": f"gpuqueue/{__version__}",
            "X-Gpuqueue-Message-Id": context.job_id,
            "X-Gpuqueue-Task": str(context.index),
        }
        if settings.signing_secret is not None:
            secret, delivery = settings.signing_secret.get_secret_value(), context.delivery_id
            headers |= signature_headers(secret, delivery, int(time.time()), result.data)
        judge(post(target, result.data, headers, settings), target.origin)


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
