"""What an hour costs: configured, or read from EC2 beside the jobs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest

from gpuqueue.config import Settings
from gpuqueue.config.settings import QueueManagerSettings
from gpuqueue.errors import ConfigError, TransientError
from gpuqueue.listener import price
from gpuqueue.listener.price import Price, price_of, spot_price
from tests.cloud import REGION, Cloud, answering

from .metadata_server import FakeMetadata, metadata_server

META = "/latest/meta-data/"
ANSWER = """<DescribeSpotPriceHistoryResponse><spotPriceHistorySet>{}</spotPriceHistorySet>
</DescribeSpotPriceHistoryResponse>"""
ITEM = "<item><instanceType>g5.xlarge</instanceType><spotPrice>{}</spotPrice></item>"


@pytest.fixture
def metadata(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeMetadata]:
    """The metadata service of a spot instance."""
    with metadata_server() as fake:
        monkeypatch.delenv("AWS_EC2_METADATA_DISABLED", raising=False)
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", fake.url)
        fake.answers |= {
            f"{META}instance-life-cycle": "spot",
            f"{META}instance-type": "g5.xlarge",
            f"{META}placement/availability-zone": f"{REGION}a",
            f"{META}placement/region": REGION,
        }
        yield fake


def settings_at(cloud: Cloud, endpoint: str | None = None) -> Settings:
    aws = cloud.aws.model_copy(update={"endpoint_url": endpoint or cloud.endpoint, "region": None})
    return Settings(aws=aws)


@pytest.mark.usefixtures("metadata")
def test_the_price_of_a_spot_instance_is_ec2_s(cloud: Cloud) -> None:
    with answering(200, ANSWER.format(ITEM.format("0.423500")), "text/xml") as url:
        assert spot_price(settings_at(cloud, url)) == 0.4235


@pytest.mark.usefixtures("metadata")
def test_a_server_with_a_history_is_asked_as_it_wants_to_be(cloud: Cloud) -> None:
    found = spot_price(settings_at(cloud))
    assert found is not None
    assert found > 0


def test_an_on_demand_instance_has_none(cloud: Cloud, metadata: FakeMetadata) -> None:
    metadata.answers[f"{META}instance-life-cycle"] = "on-demand"
    assert spot_price(settings_at(cloud)) is None


@pytest.mark.usefixtures("metadata")
@pytest.mark.parametrize("items", ["", ITEM.format("nan"), ITEM.format("inf"), ITEM.format("-1")])
def test_an_answer_without_a_price_is_told(cloud: Cloud, items: str) -> None:
    with (
        answering(200, ANSWER.format(items), "text/xml") as url,
        pytest.raises(TransientError, match=r"no spot price of g5.xlarge in us-east-1a"),
    ):
        spot_price(settings_at(cloud, url))


@pytest.mark.usefixtures("metadata")
def test_a_refusal_is_told(cloud: Cloud) -> None:
    body = "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>No</Message>"
    with (
        answering(403, f"{body}</Error></Errors></Response>", "text/xml") as url,
        pytest.raises(ConfigError, match="UnauthorizedOperation"),
    ):
        spot_price(settings_at(cloud, url))


def test_an_instance_without_a_name_is_told(cloud: Cloud, metadata: FakeMetadata) -> None:
    del metadata.answers[f"{META}instance-type"]
    with pytest.raises(TransientError, match="type and zone"):
        spot_price(settings_at(cloud))


def test_a_price_that_is_read_goes_before_the_configured_one() -> None:
    assert Price(2.0, None).per_hour() == 2.0
    assert Price(2.0, lambda: 0.5).per_hour() == 0.5
    assert Price(2.0, lambda: None).per_hour() == 2.0
    assert Price(None, None).per_hour() is None


def test_a_price_that_cannot_be_read_costs_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    def read() -> float:
        raise TransientError("no route")

    with caplog.at_level(logging.INFO, "gpuqueue"):
        assert Price(2.0, read).per_hour() == 2.0
    assert "The spot price cannot be read: no route." in caplog.messages


def test_it_is_read_once_an_hour_and_jobs_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    now, asked, go = [0.0], threading.Event(), threading.Event()
    prices = iter([0.5, 0.7])

    def read() -> float:
        found = next(prices)
        if found == 0.7:
            asked.set()
            go.wait(20)
        return found

    watched = Price(None, read)
    monkeypatch.setattr(price.time, "monotonic", lambda: now[0])
    assert watched.per_hour() == 0.5
    now[0] = price.RENEW_S - 1
    assert watched.per_hour() == 0.5
    now[0] = price.RENEW_S
    assert watched.per_hour() == 0.5, "the answer is not there yet"
    assert asked.wait(20)
    go.set()
    assert watched._thread is not None
    watched._thread.join(20)
    assert watched.per_hour() == 0.7


def test_it_is_off_by_default() -> None:
    manager = QueueManagerSettings(price_per_hour=3)
    assert price_of(Settings(queue_manager=manager)).per_hour() == 3
