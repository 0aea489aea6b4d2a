"""What every queue promises of its dead letters: they explain themselves and can go back."""

from __future__ import annotations

import time
from contextlib import closing

import pytest

from gpuqueue.errors import UnknownName
from gpuqueue.job import Job
from gpuqueue.queues import PostMortem, Queue, QueueCounts, local_dead_letters
from gpuqueue.queues.base import Message
from gpuqueue.queues.dead_letters import find_dead, list_dead, purge, redrive
from tests.contracts.conftest import MAX_RECEIVES, VISIBILITY_TIMEOUT_S, QueueUnderTest

EXPIRED_S = VISIBILITY_TIMEOUT_S + 1


def take(queue: Queue) -> Message:
    message = queue.receive(1)
    assert message is not None
    return message


def bury(queue: Queue, *job_ids: str) -> None:
    """Have a listener give up one job after the other, each a job of its own."""
    for job_id in job_ids:
        queue.send(Job(id=job_id, command="get_version").to_body(), job_id)
        queue.dead_letter(take(queue), f"{job_id} is wrong")


def dead_ids(queue: Queue) -> list[str]:
    return sorted(letter.job_id for letter in list_dead(queue, 1000))


def test_a_queue_without_dead_letters_lists_none(queue: Queue) -> None:
    queue.send("body", "job-1")
    assert list_dead(queue, 10) == []
    assert list(redrive(queue)) == []
    assert list(purge(queue)) == []
    assert queue.counts() == QueueCounts(1, 0, 0)


def test_a_dead_letter_tells_its_job_its_body_why_and_when(queue: Queue) -> None:
    body = Job(id="job-1", command="get_version").to_body()
    queue.send(body, "job-1")
    queue.release(take(queue))
    before = time.time()
    queue.dead_letter(take(queue), "unknown command 'nope'")
    [letter] = list_dead(queue, 10)
    assert (letter.job_id, letter.body, letter.receives) == ("job-1", body, 2)
    assert letter.reason == letter.why == "unknown command 'nope'"
    assert letter.died_at is not None
    # SQS counts in whole milliseconds.
    assert before - 0.01 <= letter.died_at <= time.time()


def test_a_message_received_too_often_says_so(under_test: QueueUnderTest) -> None:
    queue = under_test.queue
    sent_at = under_test.clock.now()
    queue.send("body", "job-1")
    for _ in range(MAX_RECEIVES):
        take(queue)
        under_test.clock.advance(EXPIRED_S)
    assert queue.receive(0) is None
    for _ in range(3):
        [letter] = list_dead(queue, 10)
        assert letter.receives == MAX_RECEIVES, "looking is not receiving"
    assert f"received {MAX_RECEIVES} times and never finished" in letter.why
    assert letter.sent_at == pytest.approx(sent_at, abs=10)


def test_looking_takes_nothing_away(queue: Queue) -> None:
    bury(queue, "job-1", "job-2", "job-3")
    assert len(list_dead(queue, 2)) == 2
    assert dead_ids(queue) == ["job-1", "job-2", "job-3"]
    assert dead_ids(queue) == ["job-1", "job-2", "job-3"]
    assert queue.counts() == QueueCounts(0, 0, 3)


def test_more_dead_letters_than_one_page_are_all_listed(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_dead_letters, "PAGE", 4)
    expected = sorted(f"job-{number}" for number in range(23))
    bury(queue, *expected)
    assert dead_ids(queue) == expected
    assert sorted(redrive(queue)) == expected
    assert queue.counts() == QueueCounts(23, 0, 0)


def test_a_dead_letter_is_found_by_its_jobs_id(queue: Queue) -> None:
    bury(queue, "job-1", "job-2")
    assert find_dead(queue, "job-2").why == "job-2 is wrong"
    with pytest.raises(UnknownName, match=r"unknown dead letter 'job-3'; known: job-1, job-2"):
        find_dead(queue, "job-3")


def test_a_redriven_job_is_as_it_was_sent(queue: Queue) -> None:
    body = Job(id="job-1", command="get_version", parameters={"a": "Zürich"}).to_body()
    queue.send(body, "job-1")
    queue.dead_letter(take(queue), "wrong")
    assert list(redrive(queue, ["job-1"])) == ["job-1"]
    assert queue.counts() == QueueCounts(1, 0, 0)
    message = take(queue)
    assert (message.body, message.receives) == (body, 1)


def test_only_the_named_jobs_are_redriven(queue: Queue) -> None:
    bury(queue, "job-1", "job-2", "job-3")
    assert sorted(redrive(queue, ["job-3", "job-1"])) == ["job-1", "job-3"]
    assert dead_ids(queue) == ["job-2"]


def test_a_name_that_is_not_there_hinders_no_other(queue: Queue) -> None:
    bury(queue, "job-1", "job-2")
    done = []
    with pytest.raises(UnknownName, match="unknown dead letter 'nope'"):
        done.extend(redrive(queue, ["nope", "job-1"]))
    assert dead_ids(queue) == ["job-2"]
    assert queue.counts().visible == 1


def test_an_error_does_not_list_thousands(queue: Queue) -> None:
    bury(queue, *(f"job-{number:02}" for number in range(15)))
    with pytest.raises(UnknownName, match="…") as caught:
        find_dead(queue, "nope")
    assert str(caught.value).count("job-") == 10


def test_a_job_without_an_id_keeps_its_name_through_deaths_and_redrives(queue: Queue) -> None:
    name = queue.send('{"command": "get_version"}', "a caller that sends by hand")
    for _ in range(2):
        message = take(queue)
        assert message.original_id == name
        queue.dead_letter(message, "wrong")
        assert len(list(redrive(queue))) == 1
    assert take(queue).original_id == name


def test_a_redrive_that_is_broken_off_leaves_the_others_where_they_were(queue: Queue) -> None:
    bury(queue, "job-1", "job-2", "job-3")
    with closing(redrive(queue)) as jobs:
        done = next(jobs)
    assert dead_ids(queue) == sorted({"job-1", "job-2", "job-3"} - {done})
    assert Job.from_body(take(queue).body, "").id == done


def test_a_job_that_dies_again_meanwhile_is_not_redriven_for_ever(queue: Queue) -> None:
    bury(queue, "job-1", "job-2")
    done = []
    for job_id in redrive(queue):
        done.append(job_id)
        queue.dead_letter(take(queue), "still wrong")
    assert sorted(done) == ["job-1", "job-2"]
    assert queue.counts() == QueueCounts(0, 0, 2)


def test_a_purge_removes_the_dead_and_nothing_else(queue: Queue) -> None:
    bury(queue, "job-1", "job-2")
    queue.send("body", "job-3")
    assert sorted(purge(queue)) == ["job-1", "job-2"]
    assert queue.counts() == QueueCounts(1, 0, 0)
    assert list_dead(queue, 10) == []


def test_what_is_done_is_logged_for_each_job(queue: Queue, records: list) -> None:
    bury(queue, "job-1", "job-2")
    list(redrive(queue, ["job-1"]))
    list(purge(queue))
    told = [(record.event, record.fields["job_id"]) for record in records]
    assert told == [("job_redriven", "job-1"), ("job_purged", "job-2")]


def test_what_else_was_known_of_a_job_stays_with_its_letter(queue: Queue) -> None:
    known = PostMortem(
        error="SceneError",
        place="a.mi:3:1",
        attempts=({"host": "gpu-1", "outcome": "failed"}, {"host": "gpu-2", "outcome": "dead"}),
        log=("QUEUE  main info : first", "QUEUE  main error : last"),
    )
    queue.send("body", "job-1")
    queue.dead_letter(take(queue), "no such shader", known)
    [letter] = list_dead(queue, 1)
    assert letter.post_mortem == known
    assert list(redrive(queue)) == [letter.job_id]
    queue.dead_letter(take(queue), "again")
    assert list_dead(queue, 1)[0].post_mortem == PostMortem()


def test_of_a_long_story_the_end_is_kept(queue: Queue) -> None:
    attempts = tuple({"host": "ü" * 100, "number": number} for number in range(1000))
    lines = tuple(f"{number} \x1b[31m" + "ü" * 100 for number in range(1000))
    known = PostMortem(error="E" * 9999, place="p" * 9999, attempts=attempts, log=lines)
    queue.send("body", "job-1")
    queue.dead_letter(take(queue), "ü" * 9999, known)
    [letter] = list_dead(queue, 1)
    told = letter.post_mortem
    assert told.attempts[-1] == attempts[-1]
    assert told.log[-1].startswith("999 ")
    assert len(told.attempts) > 3
    assert len(told.log) > 3
    assert len(told.model_dump_json().encode()) < 8192
