"""The metadata service: tokens, what there is not, and whatever else may answer there."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from gpuqueue.errors import ConfigError, TransientError
from gpuqueue.listener import metadata
from gpuqueue.listener.metadata import ENDPOINT, ENDPOINT_IPV6, MetadataService
from tests.cloud import answering

from .metadata_server import FakeMetadata, metadata_server


@pytest.fixture
def fake() -> Iterator[FakeMetadata]:
    with metadata_server() as server:
        yield server


def test_answers_come_in_order_and_what_there_is_not_is_none(fake: FakeMetadata) -> None:
    fake.answers = {"/latest/meta-data/a": "1", "/latest/meta-data/b/c": "2"}
    service = MetadataService(fake.url)
    assert service.ask("b/c", "nothing", "a") == ["2", None, "1"]


def test_one_token_is_used_until_it_is_refused(fake: FakeMetadata) -> None:
    fake.answers = {"/latest/meta-data/a": "1"}
    service = MetadataService(fake.url)
    for _ in range(3):
        assert service.ask("a", "a") == ["1", "1"]
    assert fake.given == 1
    fake.forget_tokens()
    assert service.ask("a", "a") == ["1", "1"]
    assert fake.given == 2


def test_a_folder_in_the_endpoint_is_kept(fake: FakeMetadata) -> None:
    with pytest.raises(TransientError, match="status 400 for api/token"):
        MetadataService(f"{fake.url}/folder/").ask("a")


@pytest.mark.parametrize("status", [401, 403, 500, 301])
def test_another_status_is_no_answer(fake: FakeMetadata, status: int) -> None:
    fake.status = status
    with pytest.raises(TransientError, match=rf"{fake.url}: status {status} for api/token"):
        MetadataService(fake.url).ask("a")


@pytest.mark.parametrize("body", ["x" * 5000, "bad\x00token\n"])
def test_what_is_no_metadata_service_is_told_apart(body: str) -> None:
    with answering(200, body, "text/html") as url, pytest.raises(TransientError, match=url):
        MetadataService(url).ask("a")


def test_nobody_there_costs_little(fake: FakeMetadata, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "TIMEOUT_S", 0.2)
    with answering(200, "", "text/plain") as gone:
        pass
    for url in (gone, "http://192.0.2.1"):  # an address that nobody has
        started = time.monotonic()
        with pytest.raises(TransientError, match=url):
            MetadataService(url).ask("a", "b", "c")
        assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("environment", "endpoint"),
    [
        ({}, ENDPOINT),
        ({"AWS_EC2_METADATA_SERVICE_ENDPOINT": ""}, ENDPOINT),
        ({"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv6"}, ENDPOINT_IPV6),
        (
            {
                "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:5001/",
                "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "ipv6",
            },
            "http://127.0.0.1:5001/",
        ),
        ({"AWS_EC2_METADATA_DISABLED": "True"}, None),
        ({"AWS_EC2_METADATA_DISABLED": "false"}, ENDPOINT),
    ],
)
def test_the_environment_names_the_service(
    environment: dict[str, str], endpoint: str | None
) -> None:
    service = MetadataService.from_environment(environment)
    assert (service and service.endpoint) == endpoint


@pytest.mark.parametrize(
    "endpoint", ["127.0.0.1", "https://a", "ftp://a", "http://", "http://a:port", "http://me@a"]
)
def test_an_endpoint_that_is_none_is_a_configuration_error(endpoint: str) -> None:
    with pytest.raises(ConfigError, match="AWS_EC2_METADATA_SERVICE_ENDPOINT: expected http://"):
        MetadataService(endpoint)
