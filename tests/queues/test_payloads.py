"""Messages that SQS has no room for: through a bucket, in the format of Amazon's clients."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gpuqueue.commands.dead_letters import purge
from gpuqueue.config.settings import (
    AwsSettings,
    QueueManagerSettings,
    S3BucketSettings,
    Settings,
    SqsQueueSettings,
)
from gpuqueue.errors import ConfigError, InvalidJob, TransientError
from gpuqueue.job import Job
from gpuqueue.listener.handler import Handler
from gpuqueue.queues import Message, Queue, open_queue, payloads
from gpuqueue.queues.body import MAX_BODY_BYTES
from gpuqueue.queues.dead_letters import redrive
from gpuqueue.queues.payloads import LEGACY_CLASS, Pointer, pointer_of
from tests.cloud import Cloud
from tests.listener.fakes import FakeRunner, lease_of

CLIENT = Path(__file__).with_name("extended_client.py")
LARGE = Job(command="get_version", reference="r", parameters={"text": "€" * MAX_BODY_BYTES})


class Site:
    """A queue with a bucket for payloads, and what is in both."""

    def __init__(self, cloud: Cloud, *, fifo: bool = False) -> None:
        self.cloud = cloud
        self.bucket = cloud.make_bucket("payloads")
        plain = cloud.make_queue(fifo=fifo)
        self.settings = self.with_queue(plain.model_copy(update={"payload_bucket": "payloads"}))
        self.queue_url = plain.queue_url

    def with_queue(self, queue: SqsQueueSettings) -> Settings:
        aws = self.cloud.aws.model_copy(update={"queues": (queue,), "buckets": (self.bucket,)})
        manager = QueueManagerSettings(allow_command=frozenset({"get_version"}))
        return Settings(aws=aws, queue_manager=manager)

    @property
    def queue(self) -> Queue:
        return open_queue(self.settings, "jobs")

    def keys(self) -> list[str]:
        listed = self.cloud.s3.list_objects_v2(Bucket=self.bucket.bucket)
        return [item["Key"] for item in listed.get("Contents", [])]

    def put(self, body: str, **attributes: Any) -> None:
        self.cloud.sqs.send_message(
            QueueUrl=self.queue_url, MessageBody=body, MessageAttributes=attributes
        )

    def amazon(self, *words: str) -> str:
        done = subprocess.run(
            [
                sys.executable,
                CLIENT,
                self.cloud.endpoint,
                self.queue_url,
                self.bucket.bucket,
                *words,
            ],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout


@pytest.fixture(params=[False, True], ids=["standard", "fifo"])
def site(cloud: Cloud, request: pytest.FixtureRequest) -> Site:
    return Site(cloud, fifo=request.param)


@pytest.fixture
def standard(cloud: Cloud) -> Site:
    return Site(cloud)


def take(queue: Queue) -> Message:
    message = queue.receive(1)
    assert message is not None
    return message


def test_a_large_message_comes_back_whole_and_leaves_nothing(site: Site) -> None:
    site.queue.send(LARGE.to_body(), LARGE.id)
    assert len(site.keys()) == 1
    message = take(site.queue)
    assert (message.body, message.fault) == (LARGE.to_body(), None)
    site.queue.delete(message)
    assert site.keys() == []


def test_a_message_with_room_goes_as_it_is(site: Site) -> None:
    job = Job(command="get_version")
    site.queue.send(job.to_body(), job.id)
    assert site.keys() == []
    message = take(site.queue)
    assert (message.body, message.pointer) == (job.to_body(), None)


def test_a_payload_stays_while_its_message_is_handed_on(site: Site) -> None:
    queue = site.queue
    queue.send(LARGE.to_body(), LARGE.id)
    queue.hand_back(take(queue))
    queue.release(take(queue))
    queue.dead_letter(take(queue), "a test")
    assert len(site.keys()) == 1
    assert list(redrive(queue)) == [LARGE.id]
    message = take(queue)
    assert (message.body, message.pointer and message.pointer.size) == (
        LARGE.to_body(),
        len(LARGE.to_body().encode()),
    )
    queue.dead_letter(message, "again")
    assert list(purge(site.settings, queue)) == [LARGE.id]
    assert site.keys() == []


def test_amazon_s_client_reads_what_is_sent_here(standard: Site) -> None:
    standard.queue.send(LARGE.to_body(), LARGE.id)
    assert standard.amazon("receive") == LARGE.to_body()


def test_what_amazon_s_client_sends_is_read_here(standard: Site) -> None:
    body = Job(command="get_version").to_body()
    standard.amazon("send", body)
    [key] = standard.keys()
    message = take(standard.queue)
    assert (message.body, message.pointer) == (
        body,
        Pointer(standard.bucket.bucket, key, len(body)),
    )
    standard.queue.delete(message)
    assert standard.keys() == []


def test_what_older_clients_write_is_read(standard: Site) -> None:
    standard.cloud.s3.put_object(Bucket=standard.bucket.bucket, Key="k", Body=b"the body")
    standard.put(json.dumps([LEGACY_CLASS, {"s3BucketName": standard.bucket.bucket, "s3Key": "k"}]))
    assert take(standard.queue).body == "the body"


def fault_of(site: Site) -> Exception:
    message = take(site.queue)
    assert message.fault is not None
    return message.fault


def test_a_pointer_to_another_bucket_is_refused(standard: Site) -> None:
    other = standard.cloud.make_bucket("secrets")
    standard.cloud.s3.put_object(Bucket=other.bucket, Key="k", Body=b"secret")
    standard.put(Pointer(other.bucket, "k").to_body())
    fault = fault_of(standard)
    assert isinstance(fault, InvalidJob)
    assert "only its payload_bucket" in str(fault)


def test_a_pointer_that_leads_nowhere_is_refused(standard: Site) -> None:
    standard.put(Pointer(standard.bucket.bucket, "k").to_body())
    assert "there is no payload under 'k'" in str(fault_of(standard))


@pytest.mark.parametrize("key", ["", "../k", "/k", "a\x00b"])
def test_a_pointer_with_a_wrong_key_is_refused(standard: Site, key: str) -> None:
    standard.put(Pointer(standard.bucket.bucket, key).to_body())
    assert isinstance(fault_of(standard), InvalidJob)


def test_a_payload_beyond_the_bound_is_neither_kept_nor_read(
    standard: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    standard.queue.send(LARGE.to_body(), LARGE.id)
    monkeypatch.setattr(payloads, "MAX_PAYLOAD_BYTES", 1000)
    with pytest.raises(InvalidJob, match="at most 1000 are kept"):
        standard.queue.send(LARGE.to_body(), LARGE.id)
    assert "at most 1000 are read" in str(fault_of(standard))


def test_a_payload_that_is_no_text_is_refused(standard: Site) -> None:
    standard.cloud.s3.put_object(Bucket=standard.bucket.bucket, Key="k", Body=b"\xff\xfe")
    standard.put(Pointer(standard.bucket.bucket, "k").to_body())
    assert "is not UTF-8" in str(fault_of(standard))


def test_without_a_bucket_large_messages_are_refused_and_pointers_wait(standard: Site) -> None:
    bare = standard.with_queue(SqsQueueSettings(name="jobs", queue_url=standard.queue_url))
    queue = open_queue(bare, "jobs")
    with pytest.raises(InvalidJob, match="at most"):
        queue.send(LARGE.to_body(), LARGE.id)
    standard.queue.send(LARGE.to_body(), LARGE.id)
    fault = take(queue).fault
    assert isinstance(fault, ConfigError), "another listener may have the bucket"


def test_a_payload_whose_message_could_not_be_sent_is_removed(standard: Site) -> None:
    queue = standard.queue
    standard.cloud.sqs.delete_queue(QueueUrl=standard.queue_url)
    with pytest.raises(ConfigError):
        queue.send(LARGE.to_body(), LARGE.id)
    assert standard.keys() == []


def test_a_listener_gives_up_a_pointer_that_leads_nowhere_with_its_reason(standard: Site) -> None:
    standard.put(Pointer(standard.bucket.bucket, "k").to_body())
    queue, runner = standard.queue, FakeRunner(TransientError("not run"))
    message = take(queue)
    Handler(standard.settings, queue, runner).handle(message, lease_of(message, queue))  # type: ignore[arg-type]
    assert not runner.ran
    with queue.dead_letters() as letters:
        [letter] = letters
    assert "there is no payload" in str(letter.reason)
    assert letter.body == message.sent_body


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        "[1, 2, 3]",
        '["x", {}]',
        '["software.amazon.payloadoffloading.PayloadS3Pointer", {}]',
        '["software.amazon.payloadoffloading.PayloadS3Pointer", 1]',
        "[" * 100_000,
        '{"command": "c"}',
        "",
    ],
)
def test_any_other_body_is_no_pointer(body: str) -> None:
    assert pointer_of(body) is None


@pytest.mark.parametrize("size", ["x", "-1", "9" * 40, "¹"])
def test_a_size_that_is_none_is_forgotten(size: str) -> None:
    pointer = pointer_of(Pointer("b", "k").to_body(), size)
    assert pointer == Pointer("b", "k")


@pytest.mark.parametrize(
    ("name", "state", "message"),
    [
        ("nope", None, "payload_bucket 'nope' is not a configured aws/s3/bucket; known: payloads"),
        ("payloads", "payloads", "expected another bucket than state_bucket"),
    ],
)
def test_a_bucket_that_cannot_be_is_refused(name: str, state: str | None, message: str) -> None:
    queue = SqsQueueSettings(name="jobs", queue_url="http://127.0.0.1/q", payload_bucket=name)
    bucket = S3BucketSettings(name="payloads", bucket="b")
    with pytest.raises(ValueError, match=message):
        Settings(
            aws=AwsSettings(queues=(queue,), buckets=(bucket,)),
            queue_manager=QueueManagerSettings(state_bucket=state),
        )
