"""An SQS and an S3 server of the test's own, and the article's configuration for them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer

from tests.own_cache import own_cache  # noqa: F401 (a fixture)

from .site import SCENES, Site, running_site

MAX_RECEIVES = 4

#: The article's configuration (section "Configuration" of the Queue Manager article), with an
#: endpoint for the test server and short times.
CONFIGURATION = """\
content_root {root}
command_folder {commands}
http_address 127.0.0.1:0
<user queue_manager>
    allow_command rs_fancy_render
    allow_command get_version
    allow_command always_fails
    default_queue rs_sqs_queue
    listen_queue rs_sqs_queue
    visibility_timeout_s 10
    max_backoff_s 0
</user>
<user render>
    device cpu
</user>
<user aws>
    access_key AKIDEXAMPLE
    secret_key exampleSecret+with/characters
    endpoint_url {endpoint}
    <user sqs>
        <user queue>
            name rs_sqs_queue
            queue_url {queue_url}
            region us-east-1
        </user>
    </user>
    <user s3>
        <user bucket>
            name rs_s3_bucket
            bucket rs-example-bucket
            region us-east-1
        </user>
    </user>
</user>
"""

ALWAYS_FAILS = '''\
"""A command that never works, to see what becomes of its job."""

from gpuqueue.commands import CommandContext, NoParameters, command
from gpuqueue.errors import JobFailed


@command("always_fails", parameters=NoParameters, returns="nothing")
def always_fails(parameters: NoParameters, context: CommandContext) -> None:
    """Fail."""
    raise JobFailed("this try failed")
'''


@dataclass(frozen=True)
class Cloud:
    """The article's queue, dead-letter queue and bucket on a server of the test's own."""

    configuration: Path
    sqs: Any
    s3: Any
    queue_url: str
    dead_url: str

    def counts(self, url: str) -> tuple[int, int]:
        """Messages of a queue: visible, in flight."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        got = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return int(got[names[0]]), int(got[names[1]])

    def object(self, key: str) -> tuple[bytes, str]:
        """An object of the bucket and its content type."""
        got = self.s3.get_object(Bucket="rs-example-bucket", Key=key)
        return got["Body"].read(), got["ContentType"]


def client(service: str, endpoint: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="exampleSecret+with/characters",
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server that many tests share, and try to break."""
    with running_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        # All servers of a process share their state.
        urlopen(Request(f"{endpoint}/moto-api/reset", method="POST"), timeout=10).close()
        yield build_cloud(endpoint, tmp_path)
    finally:
        server.stop()


def build_cloud(endpoint: str, tmp_path: Path) -> Cloud:
    sqs, s3 = client("sqs", endpoint), client("s3", endpoint)
    s3.create_bucket(Bucket="rs-example-bucket")
    dead_url = sqs.create_queue(QueueName="RS_jobs_dead")["QueueUrl"]
    names = ["QueueArn"]
    arn = sqs.get_queue_attributes(QueueUrl=dead_url, AttributeNames=names)["Attributes"]
    policy = {"deadLetterTargetArn": arn["QueueArn"], "maxReceiveCount": str(MAX_RECEIVES)}
    attributes = {"RedrivePolicy": json.dumps(policy)}
    queue_url = sqs.create_queue(QueueName="RS_jobs", Attributes=attributes)["QueueUrl"]

    root = tmp_path / "content"
    shutil.copytree(SCENES, root / "scenes")
    commands = tmp_path / "commands"
    commands.mkdir()
    (commands / "always_fails.py").write_text(ALWAYS_FAILS)
    configuration = tmp_path / "realityserver.conf"
    configuration.write_text(
        CONFIGURATION.format(root=root, commands=commands, endpoint=endpoint, queue_url=queue_url)
    )
    return Cloud(configuration, sqs, s3, queue_url, dead_url)
