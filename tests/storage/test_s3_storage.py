"""The S3 bucket: what is stored with an object, and what Amazon's refusals become."""

from __future__ import annotations

import base64
import hashlib

import pytest

from gpuqueue.binary import Binary
from gpuqueue.config.settings import AwsSettings, S3BucketSettings, Settings
from gpuqueue.errors import ConfigError, GpuqueueError, InvalidJob, TransientError
from gpuqueue.storage import PutOptions
from gpuqueue.storage.s3 import S3Storage
from tests.cloud import Cloud, answering

IMAGE = Binary(b"image", "image/png")


def open_at(endpoint_url: str, bucket: str = "rs-example-bucket") -> S3Storage:
    settings = Settings(aws=AwsSettings(access_key="AKIDEXAMPLE", secret_key="exampleSecret"))
    return S3Storage.open(
        settings,
        S3BucketSettings(name="results", bucket=bucket, endpoint_url=endpoint_url, path_style=True),
    )


def refusal(code: str) -> str:
    return f"<Error><Code>{code}</Code><Message>Refused.</Message></Error>"


def test_an_object_carries_its_type_its_options_and_its_checksum(cloud: Cloud) -> None:
    settings = cloud.make_bucket()
    bucket = S3Storage.open(Settings(aws=cloud.aws), settings)
    options = PutOptions(
        acl="public-read",
        cache_control="max-age=60",
        content_disposition="inline",
        storage_class="STANDARD_IA",
        metadata={"job-id": "1"},
    )
    address = bucket.put("renders/image.png", IMAGE, options)
    assert address == f"s3://{settings.bucket}/renders/image.png"
    where = {"Bucket": settings.bucket, "Key": "renders/image.png"}
    head = cloud.s3.head_object(**where, ChecksumMode="ENABLED")
    assert head["ContentType"] == "image/png"
    assert head["CacheControl"] == "max-age=60"
    assert head["ContentDisposition"] == "inline"
    assert head["StorageClass"] == "STANDARD_IA"
    assert head["Metadata"] == {"job-id": "1"}
    assert base64.b64decode(head["ChecksumSHA256"]) == hashlib.sha256(b"image").digest()
    grants = cloud.s3.get_object_acl(**where)["Grants"]
    assert any(grant["Grantee"].get("URI", "").endswith("AllUsers") for grant in grants)


def test_a_bucket_that_does_not_exist_is_a_configuration_error(cloud: Cloud) -> None:
    bucket = open_at(cloud.endpoint, "no-such-bucket")
    for call in (
        bucket.check,
        lambda: bucket.put("image.png", IMAGE),
        lambda: bucket.get("image.png"),
        lambda: bucket.exists("image.png"),
        lambda: bucket.delete("image.png"),
    ):
        with pytest.raises(
            ConfigError, match=r"'results' \(s3://no-such-bucket\).*check .*region and endpoint_url"
        ):
            call()


@pytest.mark.parametrize(
    ("status", "code", "advice"),
    [
        (400, "AccessControlListNotSupported", "leave 'acl' out.*bucket policy.*presigned"),
        (403, "AccessDenied", "s3:PutObjectAcl.*public access block"),
    ],
)
def test_an_acl_that_the_bucket_refuses_is_explained(status: int, code: str, advice: str) -> None:
    with answering(status, refusal(code), "application/xml") as endpoint:
        bucket = open_at(endpoint)
        with pytest.raises(InvalidJob, match=f"acl 'public-read' is refused: .*{advice}"):
            bucket.put("image.png", IMAGE, PutOptions(acl="public-read"))


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "AccessDenied", ConfigError),
        (403, "SignatureDoesNotMatch", ConfigError),
        (403, "RequestTimeTooSkewed", TransientError),
        (400, "ExpiredToken", TransientError),
        (400, "SomethingNew", ConfigError),
        (400, "InvalidStorageClass", InvalidJob),
        (400, "KeyTooLongError", InvalidJob),
    ],
)
def test_a_refused_put_says_whose_fault_it_is(
    status: int, code: str, kind: type[GpuqueueError]
) -> None:
    with answering(status, refusal(code), "application/xml") as endpoint:
        bucket = open_at(endpoint)
        with pytest.raises(kind, match=f"{code} in PutObject: Refused") as caught:
            bucket.put("image.png", IMAGE)
    assert "exampleSecret" not in str(caught.value)


def test_a_server_that_cannot_be_reached_is_transient() -> None:
    with answering(500, "", "text/plain") as endpoint:
        pass
    with pytest.raises(TransientError, match="results"):
        open_at(endpoint).put("image.png", IMAGE)


def test_a_broken_answer_is_transient() -> None:
    with answering(503, refusal("SlowDown"), "application/xml") as endpoint:
        bucket = open_at(endpoint)
        with pytest.raises(TransientError, match="SlowDown"):
            bucket.put("image.png", IMAGE)


@pytest.mark.parametrize("status", [200, 302, 400, 404])
def test_an_object_counts_as_stored_only_if_s3_says_so(status: int) -> None:
    with answering(status, "<html>welcome</html>", "text/html") as endpoint:
        bucket = open_at(endpoint)
        with pytest.raises((TransientError, ConfigError), match=r"'results'.*image\.png"):
            bucket.put("image.png", IMAGE)


def test_a_link_is_signed_in_the_way_that_every_bucket_takes(cloud: Cloud) -> None:
    storage = S3Storage.open(Settings(aws=cloud.aws), cloud.make_bucket())
    link = storage.link("key", 600)
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in link
    assert "X-Amz-Expires=600" in link
