"""The S3 bucket: what is stored with an object, and what Amazon's refusals become."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
from botocore.exceptions import ClientError

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


def versions(cloud: Cloud, bucket: S3BucketSettings) -> int:
    return len(cloud.s3.list_object_versions(Bucket=bucket.bucket)["Versions"])


def test_a_second_delivery_of_the_same_bytes_makes_no_second_object(cloud: Cloud) -> None:
    settings = cloud.make_bucket()
    cloud.s3.put_bucket_versioning(
        Bucket=settings.bucket, VersioningConfiguration={"Status": "Enabled"}
    )
    bucket = S3Storage.open(Settings(aws=cloud.aws), settings)
    for _ in range(2):
        bucket.put_once("key", IMAGE)
    assert versions(cloud, settings) == 1
    bucket.put_once("key", Binary(IMAGE.data, "image/webp"))
    assert versions(cloud, settings) == 2
    bucket.put_once("key", Binary(b"other", "image/webp"))
    assert versions(cloud, settings) == 3


def test_a_store_without_conditional_writes_is_written_to(cloud: Cloud) -> None:
    bucket = S3Storage.open(Settings(aws=cloud.aws), cloud.make_bucket())

    def refuse(params: dict[str, Any], **_: object) -> None:
        if "IfNoneMatch" in params:
            error = {"Error": {"Code": "NotImplemented", "Message": "no"}}
            raise ClientError(error, "PutObject")  # type: ignore[arg-type]

    bucket._client.meta.events.register("before-parameter-build.s3.PutObject", refuse)
    for _ in range(2):
        bucket.put_once("key", IMAGE)
    assert bucket.get("key") == IMAGE.data


def altering(bucket: S3Storage, verb: str, **fields: object) -> None:
    """Have the answers to a verb say something else, or nothing where it is None."""

    def alter(parsed: dict[str, Any], **_: object) -> None:
        for name, value in fields.items():
            parsed.pop(name, None)
            if value is not None:
                parsed[name] = value

    bucket._client.meta.events.register(f"after-call.s3.{verb}", alter)


def test_a_store_that_tells_another_checksum_does_not_have_the_result(cloud: Cloud) -> None:
    bucket = S3Storage.open(Settings(aws=cloud.aws), cloud.make_bucket())
    altering(bucket, "PutObject", ChecksumSHA256="AAAA")
    for number, put in enumerate((bucket.put, bucket.put_once)):
        with pytest.raises(TransientError, match="does not have the bytes that were sent"):
            put(f"key {number}", IMAGE)


@pytest.mark.parametrize(
    ("told", "is_good"),
    [
        ({}, True),
        ({"ChecksumSHA256": None}, True),
        ({"ContentLength": 4, "ETag": "of another writer"}, True),
        ({"ContentLength": 4}, False),
        ({"ChecksumSHA256": "AAAA"}, False),
    ],
    ids=["all", "no checksum", "another object", "another size", "another checksum"],
)
def test_a_store_that_tells_no_checksum_is_asked_for_the_size(
    cloud: Cloud, told: dict[str, Any], is_good: bool
) -> None:
    bucket = S3Storage.open(Settings(aws=cloud.aws), cloud.make_bucket())
    altering(bucket, "PutObject", ChecksumSHA256=None)
    altering(bucket, "HeadObject", **told)
    if is_good:
        bucket.put("key", IMAGE)
    else:
        with pytest.raises(TransientError, match="does not have the bytes"):
            bucket.put("key", IMAGE)
