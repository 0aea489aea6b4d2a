"""What every queue promises: a message comes back until it is deleted, and has one owner."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from gpuqueue.errors import InvalidJob, LeaseLost
from gpuqueue.queues import Queue, QueueCounts
from gpuqueue.queues.base import Message
from gpuqueue.queues.body import MAX_BODY_BYTES
from tests.contracts.conftest import MAX_RECEIVES, VISIBILITY_TIMEOUT_S, QueueUnderTest

EXPIRED_S = VISIBILITY_TIMEOUT_S + 1


def take(queue: Queue) -> Message:
    message = queue.receive(1)
    assert message is not None
    return message


@pytest.fixture
def strict(under_test: QueueUnderTest) -> QueueUnderTest:
    if not under_test.refuses_stale_receipts:
        pytest.skip("the SQS server of the tests accepts the receipts of earlier receives")
    return under_test


def test_a_message_arrives_as_it_was_sent(queue: Queue) -> None:
    body = '{"text": "Zürich 東京 \U0001f5bc\ttab\nline"}'
    message_id = queue.send(body, "job-1")
    message = take(queue)
    assert (message.id, message.body, message.receives) == (message_id, body, 1)


def test_an_empty_queue_gives_nothing_after_the_wait(queue: Queue) -> None:
    started = time.monotonic()
    assert queue.receive(1) is None
    assert 0.9 < time.monotonic() - started < 10


def test_an_empty_queue_gives_nothing_at_once_without_a_wait(queue: Queue) -> None:
    assert queue.receive(0) is None


def test_a_waiting_receiver_gets_what_is_sent_meanwhile(under_test: QueueUnderTest) -> None:
    other = under_test.open_again()
    timer = threading.Timer(0.2, other.send, ["late", "job-1"])
    timer.start()
    try:
        message = under_test.queue.receive(20)
    finally:
        timer.join()
    assert message is not None
    assert message.body == "late"


def test_a_received_message_is_hidden(queue: Queue) -> None:
    queue.send("body", "job-1")
    take(queue)
    assert queue.receive(0) is None


def test_a_message_not_deleted_comes_back_and_counts_its_receives(
    under_test: QueueUnderTest,
) -> None:
    under_test.queue.send("body", "job-1")
    first = take(under_test.queue)
    under_test.clock.advance(EXPIRED_S)
    second = take(under_test.queue)
    assert (second.id, second.receives) == (first.id, 2)
    assert second.receipt != first.receipt


def test_an_extended_message_stays_hidden_beyond_the_time_out(under_test: QueueUnderTest) -> None:
    queue = under_test.queue
    queue.send("body", "job-1")
    message = take(queue)
    under_test.clock.advance(VISIBILITY_TIMEOUT_S - 5)
    queue.extend(message, VISIBILITY_TIMEOUT_S)
    under_test.clock.advance(VISIBILITY_TIMEOUT_S - 5)
    assert queue.receive(0) is None
    under_test.clock.advance(10)
    assert take(queue).receives == 2


def test_another_thread_may_extend_while_the_first_one_waits(under_test: QueueUnderTest) -> None:
    queue = under_test.queue
    queue.send("body", "job-1")
    message = take(queue)
    waiting = threading.Thread(target=queue.receive, args=[1])
    waiting.start()
    started = time.monotonic()
    queue.extend(message, VISIBILITY_TIMEOUT_S)
    took_s = time.monotonic() - started
    waiting.join()
    assert took_s < 0.9, "the renewal waited for the poll"


def test_a_released_message_is_visible_at_once(queue: Queue) -> None:
    queue.send("body", "job-1")
    queue.release(take(queue))
    assert take(queue).receives == 2


def test_a_message_released_with_a_delay_is_visible_after_it(under_test: QueueUnderTest) -> None:
    queue = under_test.queue
    queue.send("body", "job-1")
    queue.release(take(queue), delay_s=5)
    assert queue.receive(0) is None
    under_test.clock.advance(6)
    assert take(queue).receives == 2


def test_a_message_handed_back_is_visible_at_once_and_counts_as_not_received(
    under_test: QueueUnderTest,
) -> None:
    queue = under_test.queue
    queue.send('{"command": "get_version"}', "job-1")
    first = take(queue)
    message = first
    for _ in range(MAX_RECEIVES + 2):
        assert message.receives == 1
        assert message.original_id == first.original_id
        queue.hand_back(message, "spot interruption")
        message = take(queue)
    assert message.body == first.body
    assert queue.counts() == QueueCounts(visible=0, in_flight=1, dead=0)


def test_a_handed_back_message_keeps_the_failures_before_it(under_test: QueueUnderTest) -> None:
    queue = under_test.queue
    queue.send("body", "job-1")
    queue.release(take(queue))
    queue.hand_back(take(queue))
    assert take(queue).receives <= 2


def test_a_queue_tells_after_how_many_receives_a_message_is_dead(queue: Queue) -> None:
    assert queue.max_receives() == MAX_RECEIVES


def test_a_deleted_message_is_gone_and_deleting_it_again_is_harmless(
    under_test: QueueUnderTest,
) -> None:
    queue = under_test.queue
    queue.send("body", "job-1")
    message = take(queue)
    queue.delete(message)
    queue.delete(message)
    under_test.clock.advance(EXPIRED_S)
    assert queue.receive(0) is None
    assert queue.counts() == QueueCounts(visible=0, in_flight=0, dead=0)


def test_a_message_received_too_often_goes_to_the_dead_letters(under_test: QueueUnderTest) -> None:
    queue = under_test.queue
    queue.send("poison", "job-1")
    for receives in range(1, MAX_RECEIVES + 1):
        assert take(queue).receives == receives
        under_test.clock.advance(EXPIRED_S)
    assert queue.receive(0) is None
    assert queue.counts() == QueueCounts(visible=0, in_flight=0, dead=1)
    assert [body for body, _ in under_test.dead_letters()] == ["poison"]


def test_a_dead_letter_keeps_its_body_and_says_why(under_test: QueueUnderTest) -> None:
    queue = under_test.queue
    queue.send('{"command": "nope"}', "job-1")
    queue.dead_letter(take(queue), "unknown command 'nope'\x00")
    assert queue.counts() == QueueCounts(visible=0, in_flight=0, dead=1)
    under_test.clock.advance(EXPIRED_S)
    assert queue.receive(0) is None
    [(body, reason)] = under_test.dead_letters()
    assert body == '{"command": "nope"}'
    assert reason == "unknown command 'nope'\ufffd"


def test_a_very_long_reason_is_cut(under_test: QueueUnderTest) -> None:
    under_test.queue.send("body", "job-1")
    under_test.queue.dead_letter(take(under_test.queue), "ü" * 100_000)
    [(_, reason)] = under_test.dead_letters()
    assert 100 < len(reason) < 10_000
    assert reason.endswith("ü…")


@pytest.mark.parametrize("verb", ["extend", "release", "hand_back", "delete", "dead_letter"])
def test_a_former_owner_cannot_touch_the_message(strict: QueueUnderTest, verb: str) -> None:
    queue = strict.queue
    queue.send("body", "job-1")
    former = take(queue)
    strict.clock.advance(EXPIRED_S)
    owner = take(queue)
    arguments = {"extend": [1], "dead_letter": ["reason"]}.get(verb, [])
    with pytest.raises(LeaseLost, match=former.id):
        getattr(queue, verb)(former, *arguments)
    assert queue.counts() == QueueCounts(visible=0, in_flight=1, dead=0)
    queue.extend(owner, VISIBILITY_TIMEOUT_S)
    queue.delete(owner)


def test_a_lease_that_ran_out_cannot_be_extended(strict: QueueUnderTest) -> None:
    strict.queue.send("body", "job-1")
    message = take(strict.queue)
    strict.clock.advance(EXPIRED_S)
    with pytest.raises(LeaseLost):
        strict.queue.extend(message, VISIBILITY_TIMEOUT_S)
    assert take(strict.queue).receives == 2


def test_receivers_never_share_a_message(under_test: QueueUnderTest) -> None:
    sent = {under_test.queue.send(f"body {i}", f"job-{i}") for i in range(24)}
    received: list[str] = []

    def drain(queue: Queue) -> None:
        while message := queue.receive(0):
            received.append(message.id)
            queue.delete(message)

    threads = [threading.Thread(target=drain, args=[under_test.open_again()]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(received) == sorted(sent)


def test_counts_follow_the_life_of_messages(under_test: QueueUnderTest) -> None:
    queue = under_test.queue
    assert queue.counts() == QueueCounts(visible=0, in_flight=0, dead=0)
    for number in range(3):
        queue.send("body", f"job-{number}")
    assert queue.counts() == QueueCounts(visible=3, in_flight=0, dead=0)
    first, second = take(queue), take(queue)
    assert queue.counts() == QueueCounts(visible=1, in_flight=2, dead=0)
    queue.dead_letter(first, "broken")
    queue.delete(second)
    assert queue.counts() == QueueCounts(visible=1, in_flight=0, dead=1)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("", "empty"),
        ("nul \x00", r"U\+0000 at position 4"),
        ("\ufffe", r"U\+FFFE at position 0"),
        ("lone \ud800", r"U\+D800"),
        ("ü" * (MAX_BODY_BYTES // 2 + 1), f"at most {MAX_BODY_BYTES}"),
    ],
    ids=["empty", "nul", "noncharacter", "surrogate", "large"],
)
def test_a_body_that_queues_refuse_is_refused_by_all(
    queue: Queue, body: str, complaint: str
) -> None:
    with pytest.raises(InvalidJob, match=complaint):
        queue.send(body, "job-1")
    assert queue.counts().visible == 0


def test_the_largest_body_is_taken_and_can_be_a_dead_letter(under_test: QueueUnderTest) -> None:
    body = "x" * MAX_BODY_BYTES
    under_test.queue.send(body, "job-1")
    under_test.queue.dead_letter(take(under_test.queue), "too long to render " * 1000)
    [(dead, reason)] = under_test.dead_letters()
    assert dead == body
    assert reason.startswith("too long to render")


def test_a_usable_queue_passes_its_check(queue: Queue) -> None:
    queue.check()


RECEIVE_AND_HANG = """
import sys
from pathlib import Path
from gpuqueue.config import load_settings
from gpuqueue.queues import open_queue
message = open_queue(load_settings(Path(sys.argv[1])), "jobs").receive(1)
print(message.id, flush=True)
sys.stdin.read()
"""


def test_a_message_survives_the_kill_of_its_receiver(
    under_test: QueueUnderTest, tmp_path: Path
) -> None:
    message_id = under_test.queue.send("body", "job-1")
    configuration = tmp_path / "jobs.conf"
    configuration.write_text(under_test.configuration)
    with subprocess.Popen(
        [sys.executable, "-c", RECEIVE_AND_HANG, str(configuration)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as receiver:
        assert receiver.stdout is not None
        assert receiver.stdout.readline().strip() == message_id
        receiver.kill()
    queue = under_test.open_again()
    assert queue.receive(0) is None
    under_test.clock.advance(EXPIRED_S)
    message = take(queue)
    assert (message.id, message.receives) == (message_id, 2)
