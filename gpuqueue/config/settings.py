"""The settings of a server: one frozen object, checked once at start-up.

Names of fields are the directives of the configuration file; units are in the names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)

from gpuqueue.config.words import Receiver, SigningSecret, Url, Word

#: Greatest width and height of a picture, and most samples of a pixel, on any server.
MAX_RESOLUTION = 65536
#: What a film's sums have room for (kernels/film.cuh).
MAX_SAMPLES = 1 << 24


class Misfit(ValueError):
    """Settings that are fine alone do not fit together; `where` is the directive to look at."""

    def __init__(self, message: str, *where: str) -> None:
        super().__init__(message)
        self.where = where


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class HttpPostSettings(_Frozen):
    """Block ``queue_manager/http_post``: how results are posted."""

    follow_redirects: bool = False
    verify_ssl: bool = True
    connect_timeout_s: float = Field(default=5, gt=0, le=60)
    total_timeout_s: float = Field(default=30, gt=0, le=600)
    #: Post to loopback, private and link-local addresses too, the metadata service among them:
    #: anybody who may submit a job then reaches whatever this machine reaches.
    allow_private_networks: bool = False
    #: Names, addresses and networks that may be posted to although they are not public.
    allow_hosts: tuple[Receiver, ...] = ()
    #: Each signs every post after the Standard Webhooks specification.
    signing_secrets: tuple[SigningSecret, ...] = ()


class QueueManagerSettings(_Frozen):
    """Block ``queue_manager``: what may be queued, where, and how a listener holds a job."""

    allow_command: frozenset[Word] = frozenset()
    default_queue: Word | None = None
    listen_queue: Word | None = None
    #: Asked before listen_queue, by the same listener, one job at a time.
    priority_queue: Word | None = None
    #: How long a received message stays hidden unless the heartbeat renews it.
    visibility_timeout_s: int = Field(default=120, ge=2, le=43200)
    #: The whole time one try may hold a message; SQS ends every lease at 12 hours.
    max_job_time_s: int = Field(default=41400, ge=1, le=43100)
    #: How long a command may go without a report of progress; reading a scene is one silence.
    stall_timeout_s: int = Field(default=3600, ge=1, le=43100)
    #: Render a picture that is known before taking jobs, and after each loss of the device.
    self_test: bool = True
    #: After how many jobs that lost the device, none done in between, a listener stops.
    max_devices_lost: int = Field(default=3, ge=1, le=1000)
    #: How long a failed try waits at most before its message becomes visible again.
    max_backoff_s: int = Field(default=900, ge=0, le=43200)
    #: How long a stopping listener lets a running command go on before handing its job back.
    stop_grace_s: float = Field(default=0, ge=0, le=43200)
    #: The bucket for records of jobs and checkpoints of renders; None: none are kept.
    state_bucket: Word | None = None
    #: How often a render is saved, so that another try goes on from there; 0: never.
    checkpoint_interval_s: float = Field(default=60, ge=0, le=43200)
    #: Where results wait for their tasks; None is the user's cache folder.
    spool_folder: Path | None = None
    #: Most bytes of them; 0 keeps none.
    spool_bytes: int = Field(default=4 << 30, ge=0)
    #: The Auto Scaling group of this EC2 instance, which is protected from scale-in while it works.
    auto_scaling_group: Word | None = None
    #: What an hour of this machine costs, in whatever unit: records then tell a job's cost.
    price_per_hour: float | None = Field(default=None, ge=0)
    #: Ask EC2 for the price of this spot instance, in US dollars, which goes before price_per_hour.
    read_spot_price: bool = False
    #: Stop when EC2 says that it will take this instance away; off EC2 nobody answers.
    watch_interruptions: bool = False
    http_post: HttpPostSettings = HttpPostSettings()


class SqsQueueSettings(_Frozen):
    """Block ``aws/sqs/queue``: one Amazon SQS queue under a name of ours."""

    module: Literal["sqs"] = "sqs"
    name: Word
    queue_url: Url
    region: Word | None = None
    endpoint_url: Url | None = None
    #: The aws/s3/bucket for messages that SQS has no room for; None: they are refused.
    payload_bucket: Word | None = None


class S3BucketSettings(_Frozen):
    """Block ``aws/s3/bucket``: one Amazon S3 bucket under a name of ours."""

    module: Literal["s3"] = "s3"
    name: Word
    bucket: Word
    region: Word | None = None
    endpoint_url: Url | None = None
    #: Address objects as endpoint/bucket/key; many S3-compatible servers need it.
    path_style: bool = False


class AwsSettings(_Frozen):
    """Block ``aws``. Without keys the AWS default chain (environment, role …) is used."""

    access_key: Word | None = None
    secret_key: SecretStr | None = None
    session_token: SecretStr | None = None
    region: Word | None = None
    endpoint_url: Url | None = None
    queues: tuple[SqsQueueSettings, ...] = ()
    buckets: tuple[S3BucketSettings, ...] = ()

    @model_validator(mode="after")
    def _credentials_are_whole(self) -> Self:
        for given, lacking in (("access_key", "secret_key"), ("secret_key", "access_key")):
            if getattr(self, given) is not None and getattr(self, lacking) is None:
                raise Misfit(f"expected {lacking} beside {given}", "aws", given)
        if self.session_token is not None and self.access_key is None:
            raise Misfit("expected access_key beside session_token", "aws", "session_token")
        return self


class LocalQueueSettings(_Frozen):
    """Block ``local/queue``: one embedded queue, a SQLite file."""

    module: Literal["local"] = "local"
    name: Word
    path: Path
    max_receives: int = Field(default=5, ge=1, le=1000)


class LocalBucketSettings(_Frozen):
    """Block ``local/bucket``: one folder used as a bucket."""

    module: Literal["local"] = "local"
    name: Word
    path: Path


class LocalSettings(_Frozen):
    """Block ``local``: the embedded queues and buckets."""

    queues: tuple[LocalQueueSettings, ...] = ()
    buckets: tuple[LocalBucketSettings, ...] = ()


class RenderSettings(_Frozen):
    """Block ``render``: the device, and the bounds every render must keep."""

    device: Literal["auto", "cpu", "cupy", "pycuda", "null"] = "auto"
    #: Threads of the cpu device; 0 means one per core.
    threads: int = Field(default=0, ge=0, le=1024)
    #: How a GPU's threads share work; auto measures which way is fastest, once for each GPU.
    gpu_schedule: Literal["auto", "loop", "persistent", "wavefront"] = "auto"
    max_resolution: int = Field(default=16384, ge=1, le=MAX_RESOLUTION)
    max_pixels: int = Field(default=1 << 27, ge=1)
    max_samples: int = Field(default=1 << 20, ge=1, le=MAX_SAMPLES)
    max_scene_bytes: int = Field(default=4 << 30, ge=1)
    #: Of the arrays of all meshes.
    max_scene_memory_bytes: int = Field(default=8 << 30, ge=1)
    max_scene_load_s: int = Field(default=600, ge=1)
    #: Where acceleration structures are kept; None is the user's cache folder.
    bvh_cache_folder: Path | None = None
    #: Most bytes of them; 0 keeps none.
    bvh_cache_bytes: int = Field(default=4 << 30, ge=0)


class Settings(_Frozen):
    """Everything a server needs to know."""

    http_address: Word = "127.0.0.1"
    http_port: int = Field(default=8080, ge=0, le=65535)
    #: What the header Host may call the server, besides its address.
    http_hosts: tuple[Word, ...] = ()
    http_post_body_limit: int = Field(default=1 << 20, ge=1024, le=1 << 30)
    #: Scene files and everything they include must lie below this folder.
    content_root: Path = Path()
    #: Folders whose Python files add commands.
    command_folders: tuple[Path, ...] = ()
    queue_manager: QueueManagerSettings = QueueManagerSettings()
    aws: AwsSettings = AwsSettings()
    local: LocalSettings = LocalSettings()
    render: RenderSettings = RenderSettings()

    @property
    def queues(self) -> dict[str, LocalQueueSettings | SqsQueueSettings]:
        """Every configured queue by its name."""
        local = {queue.name: queue for queue in self.local.queues}
        return {**local, **{queue.name: queue for queue in self.aws.queues}}

    @property
    def buckets(self) -> dict[str, LocalBucketSettings | S3BucketSettings]:
        """Every configured bucket by its name."""
        local = {bucket.name: bucket for bucket in self.local.buckets}
        return {**local, **{bucket.name: bucket for bucket in self.aws.buckets}}

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        queues = [q.name for q in self.local.queues] + [q.name for q in self.aws.queues]
        buckets = [b.name for b in self.local.buckets] + [b.name for b in self.aws.buckets]
        for kind, names in (("queue", queues), ("bucket", buckets)):
            for name in {n for n in names if names.count(n) > 1}:
                raise Misfit(f"{kind} '{name}' is configured twice", kind, "name", name)
        for directive, kind, known in (
            ("default_queue", "queue", queues),
            ("listen_queue", "queue", queues),
            ("priority_queue", "queue", queues),
            ("state_bucket", "bucket", buckets),
        ):
            name = getattr(self.queue_manager, directive)
            if name is not None and name not in known:
                listed = ", ".join(sorted(known)) or "none"
                raise Misfit(
                    f"{directive} '{name}' is not a configured {kind}; known: {listed}",
                    "queue_manager",
                    directive,
                )
        for queue in self.aws.queues:
            self._check_payload_bucket(queue.payload_bucket)
        first, second = self.queue_manager.priority_queue, self.queue_manager.listen_queue
        if first is not None and second in (None, first):
            what = "another queue than listen_queue" if second else "listen_queue beside it"
            raise Misfit(f"priority_queue: expected {what}", "queue_manager", "priority_queue")
        return self

    def _check_payload_bucket(self, name: str | None) -> None:
        """Whoever sends to the queue may have its objects read as jobs, and removed."""
        names = sorted(bucket.name for bucket in self.aws.buckets)
        if name is not None and name not in names:
            known = ", ".join(names) or "none"
            raise Misfit(
                f"payload_bucket '{name}' is not a configured aws/s3/bucket; known: {known}",
                "queue",
                "payload_bucket",
            )
        if name is not None and name == self.queue_manager.state_bucket:
            raise Misfit(
                "payload_bucket: expected another bucket than state_bucket",
                "queue",
                "payload_bucket",
            )


def embedded_settings(data: Path = Path("gpuqueue-data"), content_root: Path = Path()) -> Settings:
    """The settings without a configuration file: a SQLite queue and a folder under `data`."""
    return Settings(
        content_root=content_root,
        queue_manager=QueueManagerSettings(
            allow_command=frozenset({"get_version", "rs_fancy_render"}),
            default_queue="local_queue",
            listen_queue="local_queue",
            state_bucket="local_state",
        ),
        local=LocalSettings(
            queues=(LocalQueueSettings(name="local_queue", path=data / "queue.sqlite"),),
            buckets=(
                LocalBucketSettings(name="local_bucket", path=data / "bucket"),
                LocalBucketSettings(name="local_state", path=data / "state"),
            ),
        ),
    )
