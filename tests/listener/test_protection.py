"""Protection from scale-in: on while there is work, off otherwise, and never in the way."""

from __future__ import annotations

import queue
from collections.abc import Iterator

import pytest

from gpuqueue.aws import autoscaling_client
from gpuqueue.config import Settings
from gpuqueue.config.settings import QueueManagerSettings
from gpuqueue.errors import ConfigError, TransientError
from gpuqueue.listener import protection as module
from gpuqueue.listener.protection import Protection, protect_instance, protecting
from tests.cloud import REGION, Cloud, answering

from .metadata_server import FakeMetadata, metadata_server

INSTANCE = "/latest/meta-data/instance-id"
PLACE = "/latest/meta-data/placement/region"


class Amazon:
    """Remembers what it was told; fails as often as it was told to."""

    def __init__(self, failures: int = 0) -> None:
        self.told: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self.failures = failures

    def __call__(self, is_protected: bool) -> None:
        self.told.put(is_protected)
        if self.failures:
            self.failures -= 1
            raise TransientError("throttled")

    def heard(self) -> bool:
        return self.told.get(timeout=30)


def test_it_is_on_while_there_is_work_and_off_at_the_end() -> None:
    amazon = Amazon()
    with Protection(amazon) as protection:
        protection.work(True)
        assert amazon.heard() is True
        protection.work(False)
        assert amazon.heard() is False
        protection.work(True)
        assert amazon.heard() is True
    assert amazon.heard() is False
    assert amazon.told.empty()


def test_what_an_earlier_listener_left_is_lifted() -> None:
    amazon = Amazon()
    with Protection(amazon) as protection:
        protection.work(False)
        assert amazon.heard() is False
        protection.work(False)
    assert amazon.told.empty()


def test_work_upon_work_needs_no_call() -> None:
    amazon = Amazon()
    with Protection(amazon) as protection:
        for _ in range(5):
            protection.work(True)
        assert amazon.heard() is True
    assert amazon.heard() is False
    assert amazon.told.empty()


def test_a_call_that_fails_is_made_again_and_told_of(
    monkeypatch: pytest.MonkeyPatch, records: list
) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    amazon = Amazon(failures=2)
    with Protection(amazon) as protection:
        protection.work(True)
        assert [amazon.heard() for _ in range(3)] == [True, True, True]
    told = [record.fields["protected"] for record in records]
    assert told == [None, None, True, False]
    assert "cannot be set on: throttled" in records[0].getMessage()


def test_the_end_does_not_wait_for_another_try() -> None:
    amazon = Amazon(failures=2)
    with Protection(amazon) as protection:
        protection.work(True)
        assert amazon.heard() is True
    assert amazon.heard() is False
    assert amazon.told.empty()


def test_without_a_group_nobody_is_called() -> None:
    with protecting(Settings()) as work:
        work(True)
        work(False)


@pytest.fixture
def metadata(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeMetadata]:
    with metadata_server() as fake:
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", fake.url)
        monkeypatch.delenv("AWS_EC2_METADATA_DISABLED", raising=False)
        yield fake


@pytest.fixture
def group(cloud: Cloud, metadata: FakeMetadata) -> Iterator[str]:
    """An Auto Scaling group at the test's server, whose one instance is this machine."""
    client = autoscaling_client(cloud.aws, REGION)
    client.create_launch_configuration(
        LaunchConfigurationName="c", ImageId="ami-12345678", InstanceType="g5.xlarge"
    )
    client.create_auto_scaling_group(
        AutoScalingGroupName="renderers",
        LaunchConfigurationName="c",
        MinSize=0,
        MaxSize=1,
        DesiredCapacity=1,
        AvailabilityZones=[f"{REGION}a"],
    )
    metadata.answers[INSTANCE] = instance(cloud)["InstanceId"]
    metadata.answers[PLACE] = REGION
    yield "renderers"
    client.delete_auto_scaling_group(AutoScalingGroupName="renderers", ForceDelete=True)
    client.delete_launch_configuration(LaunchConfigurationName="c")


def instance(cloud: Cloud) -> dict:
    client = autoscaling_client(cloud.aws, REGION)
    [found] = client.describe_auto_scaling_groups()["AutoScalingGroups"]
    return found["Instances"][0]


def test_amazon_protects_this_instance_of_the_group(cloud: Cloud, group: str) -> None:
    settings = Settings(
        aws=cloud.aws.model_copy(update={"region": None}),
        queue_manager=QueueManagerSettings(auto_scaling_group=group),
    )
    assert not instance(cloud)["ProtectedFromScaleIn"]
    protect_instance(settings, group, True)
    assert instance(cloud)["ProtectedFromScaleIn"]
    with protecting(settings) as work:
        work(True)
    assert not instance(cloud)["ProtectedFromScaleIn"]


NOT_FOUND = """<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code>
<Message>AutoScalingGroup name not found</Message></Error></ErrorResponse>"""


def test_a_group_that_is_not_there_is_explained(cloud: Cloud, metadata: FakeMetadata) -> None:
    metadata.answers[INSTANCE] = "i-1234"
    with answering(400, NOT_FOUND, "text/xml") as url:
        aws = cloud.aws.model_copy(update={"endpoint_url": url})
        with pytest.raises(ConfigError, match=r"group 'nope', instance i-1234: .*name not found"):
            protect_instance(Settings(aws=aws), "nope", True)


def test_where_no_metadata_service_names_the_instance_that_is_said(
    metadata: FakeMetadata, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match="does not name this instance"):
        protect_instance(Settings(), "g", True)
    metadata.status = 500
    with pytest.raises(TransientError, match="status 500"):
        protect_instance(Settings(), "g", True)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(ConfigError, match="AWS_EC2_METADATA_DISABLED"):
        protect_instance(Settings(), "g", True)
