"""Dead letters on SQS: hidden and shown again, shared queues, and what an interruption leaves."""

from __future__ import annotations

import json

import pytest

from gpuqueue.config.settings import Settings, SqsQueueSettings
from gpuqueue.errors import ConfigError, TransientError
from gpuqueue.job import Job
from gpuqueue.queues import PostMortem, QueueCounts
from gpuqueue.queues.base import Message
from gpuqueue.queues.body import MAX_MESSAGE_BYTES
from gpuqueue.queues.dead_letters import list_dead, purge, redrive
from gpuqueue.queues.sqs import SqsQueue
from gpuqueue.queues.sqs_dead_letters import HOLD_S, SqsDeadLetters
from tests.cloud import Cloud


def open_on(cloud: Cloud, queue: SqsQueueSettings) -> SqsQueue:
    return SqsQueue.open(Settings(aws=cloud.aws), queue)


def take(queue: SqsQueue) -> Message:
    message = queue.receive(1)
    assert message is not None
    return message


def bury(queue: SqsQueue, *job_ids: str) -> None:
    for job_id in job_ids:
        queue.send(Job(id=job_id, command="get_version").to_body(), job_id)
        queue.dead_letter(take(queue), "wrong")


def attributes_of(cloud: Cloud, url: str, *names: str) -> dict:
    return cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names))["Attributes"]


def share_dead_letters(cloud: Cloud, queue: SqsQueueSettings) -> SqsQueueSettings:
    """Another queue whose redrive policy is that of `queue`."""
    policy = attributes_of(cloud, queue.queue_url, "RedrivePolicy")["RedrivePolicy"]
    other = cloud.make_queue("other")
    cloud.sqs.set_queue_attributes(QueueUrl=other.queue_url, Attributes={"RedrivePolicy": policy})
    return other


def test_a_queue_without_a_redrive_policy_has_no_dead_letters(cloud: Cloud) -> None:
    queue = open_on(cloud, cloud.make_queue(max_receives=None))
    for call in (lambda: list_dead(queue, 1), lambda: list(purge(queue))):
        with pytest.raises(ConfigError, match=r"'jobs'.* no redrive policy, so no dead-letter"):
            call()


def test_the_letters_of_another_queue_are_left_alone(cloud: Cloud) -> None:
    settings = cloud.make_queue()
    ours, other = open_on(cloud, settings), open_on(cloud, share_dead_letters(cloud, settings))
    bury(ours, "job-1")
    bury(other, "job-2")
    assert [letter.job_id for letter in list_dead(ours, 10)] == ["job-1"]
    assert list(redrive(other)) == ["job-2"]
    assert list(purge(ours)) == ["job-1"]
    assert other.counts() == QueueCounts(1, 0, 0)
    assert ours.counts() == QueueCounts(0, 0, 0)


def test_a_letter_that_the_policy_moved_says_that_no_reason_is_known(cloud: Cloud) -> None:
    queue = open_on(cloud, cloud.make_queue(max_receives=1))
    queue.send("body", "job-1")
    queue.release(take(queue))
    assert queue.receive(0) is None
    [letter] = list_dead(queue, 10)
    assert (letter.reason, letter.died_at) == (None, None)
    assert "no reason recorded: received 1 times" in letter.why
    assert "redrive policy" in letter.why


@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
def test_a_letter_that_could_not_be_removed_is_in_both_places(
    cloud: Cloud, fifo: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = open_on(cloud, cloud.make_queue(fifo=fifo))
    bury(queue, "job-1")

    def fail(*_: object) -> None:
        raise TransientError("the network is gone")

    with monkeypatch.context() as patch:
        patch.setattr(SqsDeadLetters, "_delete", fail)
        with pytest.raises(TransientError):
            list(redrive(queue))
    assert queue.counts() == QueueCounts(1, 0, 1)
    assert list(redrive(queue)) == ["job-1"]
    # A FIFO queue knows that it is the same letter.
    assert queue.counts() == QueueCounts(1 if fifo else 2, 0, 0)


def test_a_job_that_dies_twice_within_minutes_is_not_lost_in_a_fifo_queue(cloud: Cloud) -> None:
    """SQS drops what has the deduplication id of a message of the last five minutes."""
    queue = open_on(cloud, cloud.make_queue(fifo=True))
    bury(queue, "job-1")
    for _ in range(2):
        assert list(redrive(queue)) == ["job-1"]
        message = take(queue)
        queue.dead_letter(message, "wrong again")
    assert queue.counts() == QueueCounts(0, 0, 1)


def test_a_look_that_takes_longer_than_the_hold_ends(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = open_on(cloud, cloud.make_queue())
    bury(queue, *(f"job-{number}" for number in range(12)))
    offset_s = [0.0]
    from moto.core.utils import unix_time_millis

    monkeypatch.setattr(
        "moto.sqs.models.unix_time_millis", lambda: unix_time_millis() + offset_s[0] * 1000
    )
    seen = []
    with queue.dead_letters() as letters:
        for letter in letters:
            seen.append(letter.job_id)
            offset_s[0] += HOLD_S + 1
    assert len(seen) == len(set(seen)) >= 10


def test_a_letter_that_fills_the_limit_can_go_back(cloud: Cloud) -> None:
    settings = cloud.make_queue()
    queue = open_on(cloud, settings)
    cloud.sqs.send_message(QueueUrl=settings.queue_url, MessageBody="x" * MAX_MESSAGE_BYTES)
    queue.dead_letter(take(queue), "too large")
    assert len(list(redrive(queue))) == 1
    assert len(take(queue).body) == MAX_MESSAGE_BYTES


@pytest.mark.parametrize("value", ["no id", "", "x" * 129])
def test_attributes_of_strangers_do_no_harm(cloud: Cloud, value: str) -> None:
    settings = cloud.make_queue()
    queue = open_on(cloud, settings)
    policy = json.loads(attributes_of(cloud, settings.queue_url, "RedrivePolicy")["RedrivePolicy"])
    name = policy["deadLetterTargetArn"].rpartition(":")[2]
    url = settings.queue_url.rpartition("/")[0] + f"/{name}"
    text = {"DataType": "String", "StringValue": value or "-" * 200}
    names = ("job_id", "receives", "error", "error_class", "place", "attempts", "log")
    message_id = cloud.sqs.send_message(
        QueueUrl=url, MessageBody="[]", MessageAttributes=dict.fromkeys(names, text)
    )["MessageId"]
    [letter] = list_dead(queue, 10)
    assert letter.job_id == message_id
    assert letter.receives == 0
    assert list(redrive(queue)) == [message_id]
    assert take(queue).original_id == message_id


@pytest.mark.parametrize("attempts", ["{", "[" * 50_000, "7", '[{}], "log": ["x"]', "[NaN]"])
def test_attempts_that_strangers_wrote_are_left_out(cloud: Cloud, attempts: str) -> None:
    settings = cloud.make_queue()
    queue = open_on(cloud, settings)
    bury(queue, "job-1")
    [letter] = list_dead(queue, 1)
    assert letter.post_mortem == PostMortem()
    told = PostMortem.told(error="E", place=None, attempts=attempts, log=["line"])
    assert told == PostMortem(error="E", log=("line",))


def test_a_letter_has_no_more_attributes_than_sqs_takes(cloud: Cloud) -> None:
    settings = cloud.make_queue()
    queue = open_on(cloud, settings)
    queue.send("body", "job-1")
    known = PostMortem(error="E", place="a.mi:1:1", attempts=({"host": "h"},), log=("line",))
    queue.dead_letter(take(queue), "reason", known)
    [message] = cloud.dead_letters(settings)
    attributes = message["MessageAttributes"]
    assert len(attributes) <= 10
    assert attributes["error_class"]["StringValue"] == "E"
    assert attributes["place"]["StringValue"] == "a.mi:1:1"
    assert json.loads(attributes["attempts"]["StringValue"]) == [{"host": "h"}]
    assert attributes["log"]["StringValue"] == "line"
