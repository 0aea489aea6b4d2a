"""The SQS queue: what Amazon's answers become, dead letters, FIFO queues, the 12 hours."""

from __future__ import annotations

import json
import logging
import math
import time
from dataclasses import replace
from typing import Any

import pytest

from gpuqueue.config.settings import (
    AwsSettings,
    QueueManagerSettings,
    Settings,
    SqsQueueSettings,
)
from gpuqueue.errors import ConfigError, GpuqueueError, InvalidJob, LeaseLost, TransientError
from gpuqueue.job import Job
from gpuqueue.queues.base import Message
from gpuqueue.queues.body import MAX_MESSAGE_BYTES
from gpuqueue.queues.sqs import MAX_LEASE_S, SqsQueue, place_of
from tests.cloud import Cloud, answering

MESSAGE = Message(id="message-1", body="body", receipt="receipt", receives=1)


def open_on(cloud: Cloud, queue: SqsQueueSettings, **manager: Any) -> SqsQueue:
    settings = Settings(queue_manager=QueueManagerSettings(**manager), aws=cloud.aws)
    return SqsQueue.open(settings, queue)


def open_at(endpoint_url: str) -> SqsQueue:
    settings = Settings(aws=AwsSettings(access_key="AKIDEXAMPLE", secret_key="exampleSecret"))
    url = "https://sqs.us-east-1.amazonaws.com/123456789012/RS_jobs"
    queue = SqsQueueSettings(name="jobs", queue_url=url, endpoint_url=endpoint_url)
    return SqsQueue.open(settings, queue)


def take(queue: SqsQueue) -> Message:
    message = queue.receive(1)
    assert message is not None
    return message


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://sqs.us-east-1.amazonaws.com/123456789012/RS_jobs", "us-east-1"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/123456789012/RS_jobs", "cn-north-1"),
        ("https://sqs-fips.us-gov-west-1.amazonaws.com/123456789012/RS_jobs", "us-gov-west-1"),
        ("https://vpce-1.sqs.eu-west-3.vpce.amazonaws.com/123456789012/RS_jobs", "eu-west-3"),
        ("https://sqs.ap-southeast-2.api.aws/123456789012/RS_jobs", "ap-southeast-2"),
        ("http://127.0.0.1:9324/queue/RS_jobs", None),
    ],
)
def test_the_address_of_a_queue_gives_region_and_endpoint(url: str, region: str | None) -> None:
    assert place_of(url) == (region, url[: url.index("/", 8)])


def test_the_articles_address_works_with_the_endpoint_of_another_server(cloud: Cloud) -> None:
    name = cloud.make_queue().queue_url.rpartition("/")[2]
    url = f"https://sqs.us-east-1.amazonaws.com/123456789012/{name}"
    queue = open_on(cloud, SqsQueueSettings(name="rs_sqs_queue", queue_url=url))
    message_id = queue.send("body", "job-1")
    assert take(queue).id == message_id


def test_the_address_of_another_server_needs_no_endpoint(cloud: Cloud) -> None:
    settings = Settings(aws=cloud.aws.model_copy(update={"endpoint_url": None}))
    queue = SqsQueue.open(settings, cloud.make_queue())
    queue.send("body", "job-1")
    assert take(queue).body == "body"


@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
def test_a_dead_letter_says_which_job_where_and_why(cloud: Cloud, fifo: bool) -> None:
    settings = cloud.make_queue(fifo=fifo)
    queue = open_on(cloud, settings)
    job = Job(command="get_version")
    queue.send(job.to_body(), job.id)
    queue.dead_letter(take(queue), "unknown command")
    [letter] = cloud.dead_letters(settings)
    attributes = {n: a["StringValue"] for n, a in letter["MessageAttributes"].items()}
    assert letter["Body"] == job.to_body()
    assert attributes.pop("host")
    arn = cloud.sqs.get_queue_attributes(QueueUrl=settings.queue_url, AttributeNames=["QueueArn"])[
        "Attributes"
    ]["QueueArn"]
    assert attributes == {
        "error": "unknown command",
        "job_id": job.id,
        "receives": "1",
        "source": arn,
    }


@pytest.mark.parametrize("body", ['{"id": "no good id"}', "[]", "no JSON", '{"id": 7}', "[" * 9999])
def test_a_dead_letter_without_a_jobs_id_carries_the_messages(cloud: Cloud, body: str) -> None:
    settings = cloud.make_queue()
    queue = open_on(cloud, settings)
    message_id = queue.send(body, "job-1")
    queue.dead_letter(take(queue), "not a job")
    [letter] = cloud.dead_letters(settings)
    assert letter["MessageAttributes"]["job_id"]["StringValue"] == message_id


def test_a_dead_letter_that_fills_the_limit_goes_without_its_reason(cloud: Cloud) -> None:
    settings = cloud.make_queue()
    queue = open_on(cloud, settings)
    cloud.sqs.send_message(QueueUrl=settings.queue_url, MessageBody="x" * MAX_MESSAGE_BYTES)
    queue.dead_letter(take(queue), "too large")
    [letter] = cloud.dead_letters(settings)
    assert len(letter["Body"]) == MAX_MESSAGE_BYTES
    assert "MessageAttributes" not in letter


def test_without_a_dead_letter_queue_the_message_stays_held(cloud: Cloud) -> None:
    queue = open_on(cloud, cloud.make_queue(max_receives=None))
    queue.send("body", "job-1")
    message = take(queue)
    with pytest.raises(ConfigError, match="it has no redrive policy"):
        queue.dead_letter(message, "unknown command")
    queue.release(message)
    assert take(queue).receives == 2


def test_a_check_warns_of_a_queue_without_dead_letter_queue(
    cloud: Cloud, records: list[logging.LogRecord]
) -> None:
    open_on(cloud, cloud.make_queue()).check()
    assert records == []
    open_on(cloud, cloud.make_queue(max_receives=None)).check()
    [record] = records
    assert "no redrive policy" in record.getMessage()


def test_jobs_of_a_fifo_queue_do_not_wait_for_each_other(cloud: Cloud) -> None:
    queue = open_on(cloud, cloud.make_queue(fifo=True))
    queue.send("first", "job-1")
    queue.send("second", "job-2")
    assert {take(queue).body, take(queue).body} == {"first", "second"}


def test_a_job_sent_twice_to_a_fifo_queue_is_there_once(cloud: Cloud) -> None:
    queue = open_on(cloud, cloud.make_queue(fifo=True))
    queue.send("body", "job-1")
    queue.send("body", "job-1")
    assert queue.counts().visible == 1


def test_a_wait_longer_than_sqs_knows_is_cut(cloud: Cloud) -> None:
    queue = open_on(cloud, cloud.make_queue())
    queue.send("body", "job-1")
    assert queue.receive(3600) is not None


def test_an_extension_ends_twelve_hours_after_the_receive(cloud: Cloud) -> None:
    queue = open_on(cloud, cloud.make_queue())
    queue.send("body", "job-1")
    message = take(queue)
    queue.extend(replace(message, received_at=time.monotonic() - MAX_LEASE_S + 60), 43_200)
    with pytest.raises(LeaseLost, match="12 hours"):
        queue.extend(replace(message, received_at=time.monotonic() - MAX_LEASE_S - 1), 1)
    with pytest.raises(LeaseLost):
        # Longer than 12 hours in all, had it not been cut: the server refuses it.
        queue.extend(replace(message, received_at=math.inf), 43_201)


def sqs_error(code: str) -> str:
    return json.dumps({"__type": f"com.amazonaws.sqs#{code}", "message": "Refused."})


JSON = "application/x-amz-json-1.0"


@pytest.mark.parametrize(
    "code", ["MessageNotInflight", "ReceiptHandleIsInvalid", "InvalidParameterValue"]
)
def test_a_refused_receipt_is_a_lost_lease(code: str) -> None:
    with answering(400, sqs_error(code), JSON) as endpoint:
        queue = open_at(endpoint)
        for call in (
            lambda: queue.extend(MESSAGE, 30),
            lambda: queue.release(MESSAGE),
            lambda: queue.delete(MESSAGE),
            lambda: queue.dead_letter(MESSAGE, "reason"),
        ):
            with pytest.raises(LeaseLost, match=f"message-1.*{code}"):
                call()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("QueueDoesNotExist", ConfigError),
        ("AWS.SimpleQueueService.NonExistentQueue", ConfigError),
        ("AccessDeniedException", ConfigError),
        ("InvalidClientTokenId", ConfigError),
        ("ExpiredTokenException", TransientError),
        ("OverLimit", TransientError),
    ],
)
def test_a_refused_call_is_a_wrong_configuration_or_passes(
    code: str, kind: type[GpuqueueError]
) -> None:
    with answering(400, sqs_error(code), JSON) as endpoint:
        queue = open_at(endpoint)
        for call in (lambda: queue.receive(0), queue.counts, queue.check):
            with pytest.raises(kind, match=r"'jobs'.*Refused") as caught:
                call()
            assert "exampleSecret" not in str(caught.value)


@pytest.mark.parametrize("code", ["InvalidMessageContents", "InvalidParameterValue"])
def test_a_body_that_only_the_server_refuses_is_an_invalid_job(code: str) -> None:
    with answering(400, sqs_error(code), JSON) as endpoint:
        queue = open_at(endpoint)
        with pytest.raises(InvalidJob, match=code):
            queue.send("body", "job-1")


def test_a_missing_queue_is_named_with_advice(cloud: Cloud) -> None:
    url = "https://sqs.us-east-1.amazonaws.com/123456789012/missing"
    queue = open_on(cloud, SqsQueueSettings(name="jobs", queue_url=url))
    with pytest.raises(ConfigError, match=r"queue 'jobs' .*/missing.*check queue_url"):
        queue.receive(0)


def test_a_server_that_cannot_be_reached_is_transient() -> None:
    with answering(500, "", JSON) as endpoint:
        pass
    with pytest.raises(TransientError, match="'jobs'"):
        open_at(endpoint).receive(0)


@pytest.mark.parametrize("body", ["", "<html>welcome</html>", "[1]", '{"Attributes": {}}'])
def test_a_server_that_is_not_sqs_is_told_apart(body: str) -> None:
    with answering(200, body, "text/html") as endpoint:
        queue = open_at(endpoint)
        for call in (lambda: queue.send("body", "job-1"), queue.counts, queue.check):
            with pytest.raises(TransientError, match=r"makes no sense.*check endpoint_url"):
                call()


def test_a_page_as_an_answer_does_not_flood_the_log() -> None:
    with answering(404, "<html>\n" * 1000, "text/html") as endpoint:
        queue = open_at(endpoint)
        with pytest.raises(ConfigError) as caught:
            queue.check()
    assert len(str(caught.value)) < 1000
    assert "\n" not in str(caught.value)
