"""Which blocks and directives fill which settings: the one table of the configuration file.

A directive is a field of its block's model, unless the table says otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import get_origin

from pydantic import BaseModel

from gpuqueue.config.settings import (
    AwsSettings,
    HttpPostSettings,
    LocalBucketSettings,
    LocalQueueSettings,
    LocalSettings,
    QueueManagerSettings,
    RenderSettings,
    S3BucketSettings,
    Settings,
    SqsQueueSettings,
)

_ADDRESS = re.compile(r"(?:(\[[0-9A-Fa-f:.]+\]|[^\s:]+):)?([0-9]{1,5})")


def split_address(value: str) -> dict[str, object]:
    """``[address:]port`` as the settings it stands for; without an address, only this machine."""
    match = _ADDRESS.fullmatch(value)
    if match is None or int(match[2]) > 65535:
        raise ValueError("expected [address:]port, as in 8080, 0.0.0.0:8080 or [::1]:8080")
    address = {"http_address": match[1].strip("[]")} if match[1] else {}
    return {**address, "http_port": match[2]}


@dataclass(frozen=True)
class Shape:
    """What may stand in one block."""

    model: type[BaseModel]
    #: Blocks inside, by their path below this one, and the field and shape of each.
    blocks: Mapping[str, tuple[str, Shape]] = field(default_factory=dict)
    #: Directives that may be repeated, and the field that collects them.
    repeatable: Mapping[str, str] = field(default_factory=dict)
    #: Directives that stand for several fields.
    compound: Mapping[str, Callable[[str], dict[str, object]]] = field(default_factory=dict)
    #: Fields that a compound directive or the kind of block sets.
    implied: frozenset[str] = frozenset()

    @property
    def directives(self) -> dict[str, str]:
        """Every directive of the block, and the first field that it sets."""
        taken = {name for name, _ in self.blocks.values()} | set(self.repeatable.values())
        single = set(self.model.model_fields) - taken - self.implied - set(self.compound)
        return {
            **{name: name for name in self.model.model_fields if name in single},
            **{name: name for name in self.compound},
            **self.repeatable,
        }

    def is_repeated(self, path: str) -> bool:
        """Whether the block at `path` may stand several times, each with its own settings."""
        annotation = self.model.model_fields[self.blocks[path][0]].annotation
        return get_origin(annotation) is tuple


def _named(model: type[BaseModel]) -> Shape:
    return Shape(model, implied=frozenset({"module"}))


_HTTP_POST = Shape(
    HttpPostSettings,
    repeatable={"allow_host": "allow_hosts", "signing_secret": "signing_secrets"},
)
FILE = Shape(
    Settings,
    blocks={
        "queue_manager": (
            "queue_manager",
            Shape(
                QueueManagerSettings,
                blocks={"http_post": ("http_post", _HTTP_POST)},
                repeatable={"allow_command": "allow_command"},
            ),
        ),
        "aws": (
            "aws",
            Shape(
                AwsSettings,
                blocks={
                    "sqs/queue": ("queues", _named(SqsQueueSettings)),
                    "s3/bucket": ("buckets", _named(S3BucketSettings)),
                },
            ),
        ),
        "local": (
            "local",
            Shape(
                LocalSettings,
                blocks={
                    "queue": ("queues", _named(LocalQueueSettings)),
                    "bucket": ("buckets", _named(LocalBucketSettings)),
                },
            ),
        ),
        "render": ("render", Shape(RenderSettings)),
    },
    repeatable={"command_folder": "command_folders", "http_host": "http_hosts"},
    compound={"http_address": split_address},
    implied=frozenset({"http_port"}),
)
