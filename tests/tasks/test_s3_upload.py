"""The task s3_upload: into a bucket under a key, twice as once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gpuqueue.binary import Binary
from gpuqueue.config import Settings, embedded_settings
from gpuqueue.errors import InvalidJob
from gpuqueue.storage import PutOptions
from gpuqueue.tasks import TaskContext, parse_config
from gpuqueue.tasks import s3_upload as module
from gpuqueue.tasks.s3_upload import S3Upload, S3UploadConfig

PICTURE = Binary(b"\x89PNG", "image/png")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return embedded_settings(tmp_path)


def config(**fields: Any) -> S3UploadConfig:
    fields = {"bucket": "local_bucket", "key": "renders/${message_id}.${mime_ext}", **fields}
    parsed = parse_config(S3Upload, fields)
    assert isinstance(parsed, S3UploadConfig)
    return parsed


def test_the_result_lies_under_its_key_also_after_a_second_run(
    settings: Settings, tmp_path: Path
) -> None:
    for _ in range(2):
        S3Upload.run(config(), PICTURE, TaskContext(settings, "job-1"))
    files = [path for path in (tmp_path / "bucket").rglob("*") if path.is_file()]
    assert files == [tmp_path / "bucket" / "renders" / "job-1.png"]
    assert files[0].read_bytes() == PICTURE.data


def test_every_option_reaches_the_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    puts: list[tuple[Any, ...]] = []

    class Bucket:
        def put_once(self, *arguments: Any) -> None:
            puts.append(arguments)

        def put(self, *arguments: Any) -> None:
            puts.append(("shared", *arguments))

    monkeypatch.setattr(module, "_open_bucket", lambda *_: Bucket())
    options = {
        "acl": "public-read",
        "cache_control": "max-age=60",
        "content_disposition": "attachment",
        "storage_class": "STANDARD_IA",
        "metadata": {"made-by": "us"},
    }
    uploaded = config(content_type="image/x-png", **options)
    S3Upload.run(uploaded, PICTURE, TaskContext(Settings(), "job-1"))
    S3Upload.run(config(key="latest"), PICTURE, TaskContext(Settings(), "job-1"))
    assert puts == [
        ("renders/job-1.png", Binary(PICTURE.data, "image/x-png"), PutOptions(**options)),
        ("shared", "latest", PICTURE, PutOptions()),
    ]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        (
            {"bucket": "rs-example-bucket"},
            "unknown bucket 'rs-example-bucket'; known: local_bucket",
        ),
        ({"key": ""}, "0 bytes"),
        ({"key": "/absolute"}, "relative"),
        ({"key": "../${message_id}"}, r"'\.\.'"),
        ({"key": "${message_id}/../../x"}, r"'\.\.'"),
        ({"key": "a/${job}.png"}, r"unknown substitution \$\{job\}; known: \$\{message_id\}"),
        ({"key": "a/${message_id"}, r"unknown substitution \$\{message_id;"),
        ({"acl": "everybody"}, "unknown acl 'everybody'; known: .*public-read"),
        ({"cache_control": "no\ncache"}, "printable ASCII"),
        ({"content_type": "text/html\r\nX: 1"}, "content_type"),
        ({"content_type": "png"}, "content_type"),
        ({"metadata": {"a b": "c"}}, "metadata name 'a b'"),
        ({"colour": "red"}, "config of task s3_upload: colour: Extra"),
    ],
)
def test_what_no_bucket_takes_is_refused_at_submit(
    settings: Settings, fields: dict[str, Any], why: str
) -> None:
    with pytest.raises(InvalidJob, match=why):
        S3Upload.check(config(**fields), settings)


@pytest.mark.parametrize("content_type", ["image/png", "text/plain; charset=utf-8"])
def test_a_content_type_may_have_parameters(settings: Settings, content_type: str) -> None:
    S3Upload.check(config(content_type=content_type), settings)
