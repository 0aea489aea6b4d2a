"""An SQS and S3 server on this machine, with queues and buckets of each test's own."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pydantic import SecretStr

from gpuqueue.aws import s3_client, sqs_client
from gpuqueue.config.settings import AwsSettings, S3BucketSettings, SqsQueueSettings

REGION = "us-east-1"
ACCESS_KEY = "AKIDEXAMPLE"
SECRET_KEY = "exampleSecret"


class Cloud:
    """A server at `endpoint` and the settings to reach it; nothing comes from the environment."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.aws = AwsSettings(
            access_key=ACCESS_KEY,
            secret_key=SecretStr(SECRET_KEY),
            region=REGION,
            endpoint_url=endpoint,
        )
        self.sqs = sqs_client(self.aws, REGION, endpoint, read_timeout_s=10)
        self.s3 = s3_client(self.aws, REGION, endpoint, path_style=True)

    def make_queue(
        self, name: str = "jobs", max_receives: int | None = 3, fifo: bool = False
    ) -> SqsQueueSettings:
        """A new queue, with a dead-letter queue of its own unless `max_receives` is None."""
        unique = f"{name}-{uuid.uuid4().hex}"
        attributes = {"FifoQueue": "true"} if fifo else {}
        suffix = ".fifo" if fifo else ""
        if max_receives is not None:
            url = self.sqs.create_queue(QueueName=f"{unique}-dead{suffix}", Attributes=attributes)
            answer = self.sqs.get_queue_attributes(
                QueueUrl=url["QueueUrl"], AttributeNames=["QueueArn"]
            )
            policy = {
                "deadLetterTargetArn": answer["Attributes"]["QueueArn"],
                "maxReceiveCount": max_receives,
            }
            attributes = {**attributes, "RedrivePolicy": json.dumps(policy)}
        url = self.sqs.create_queue(QueueName=unique + suffix, Attributes=attributes)["QueueUrl"]
        return SqsQueueSettings(name=name, queue_url=url)

    def make_bucket(self, name: str = "results") -> S3BucketSettings:
        """A new, empty bucket."""
        bucket = f"{name}-{uuid.uuid4().hex}"
        self.s3.create_bucket(Bucket=bucket)
        return S3BucketSettings(name=name, bucket=bucket, path_style=True)

    def dead_letters(self, queue: SqsQueueSettings) -> list[dict]:
        """All messages of the queue's dead-letter queue, with their attributes."""
        name = queue.queue_url.rpartition("/")[2]
        stem = name.removesuffix(".fifo")
        url = queue.queue_url.replace(name, name.replace(stem, f"{stem}-dead"))
        received = self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        return received.get("Messages", [])


@contextmanager
def answering(status: int, body: str, content_type: str) -> Iterator[str]:
    """A server that gives one answer to every call, as Amazon would; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            data = body.encode()
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer  # noqa: N815 (http.server's names)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
