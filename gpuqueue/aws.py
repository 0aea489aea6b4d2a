"""Clients of Amazon's services, or of servers that speak like them; their errors as ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
    MetadataRetrievalError,
    NoCredentialsError,
    NoRegionError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)
from botocore.loaders import create_loader
from botocore.parsers import ResponseParserError
from botocore.session import Session as CoreSession

from gpuqueue import __version__
from gpuqueue.config.settings import AwsSettings
from gpuqueue.errors import ConfigError, GpuqueueError, TransientError, shown

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

#: The descriptions of the services, read once: most of the time that opening a client takes.
_LOADER = create_loader()

CONNECT_TIMEOUT_S = 5
MAX_TRIES = 3

#: Codes below HTTP 500 that say "later" or "sign anew".
_TRANSIENT_CODES = {
    "ExpiredToken",
    "ExpiredTokenException",
    "OverLimit",
    "RequestExpired",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestTimeTooSkewed",
    "RequestTimeout",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
_TRANSIENT_ERRORS = (
    BotoConnectionError,
    CredentialRetrievalError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
    MetadataRetrievalError,
)
#: What comes of reading an answer that is not the service's: a proxy's page, another server's.
_NONSENSE = (AttributeError, KeyError, RecursionError, TypeError, ResponseParserError)
_MAX_SAID_CHARS = 300
_ADVICE = {
    "AccessDenied": "the credentials need the permission for this call",
    "AccessDeniedException": "the credentials need the permission for this call",
    "InvalidAccessKeyId": "check access_key",
    "InvalidClientTokenId": "check access_key",
    "404": "it does not exist: check its name, region and endpoint_url",
    "NoSuchBucket": "check bucket, region and endpoint_url",
    "PermanentRedirect": "the bucket is in another region: set region",
    "QueueDoesNotExist": "check queue_url, region and endpoint_url",
    "SignatureDoesNotMatch": "check secret_key, also for a blank at its end",
    "UnrecognizedClientException": "check access_key",
}


def sqs_client(
    aws: AwsSettings, region: str | None, endpoint_url: str | None, read_timeout_s: float
) -> SQSClient:
    """A client of one SQS service; it may be used by several threads. Raises ConfigError."""
    with explained("SQS"):
        return _session(aws, region).client(
            "sqs", endpoint_url=endpoint_url, config=_config(read_timeout_s)
        )


def s3_client(
    aws: AwsSettings, region: str | None, endpoint_url: str | None, *, path_style: bool
) -> S3Client:
    """A client of one S3 service; it may be used by several threads. Raises ConfigError."""
    # Presigned URLs of version 2, which boto3 makes for old regions, are refused by new buckets.
    style = Config(
        s3={"addressing_style": "path" if path_style else "auto"}, signature_version="s3v4"
    )
    with explained("S3"):
        return _session(aws, region).client(
            "s3", endpoint_url=endpoint_url, config=_config(read_timeout_s=60).merge(style)
        )


def autoscaling_client(aws: AwsSettings, region: str | None) -> AutoScalingClient:
    """A client of EC2 Auto Scaling, which has no server of others. Raises ConfigError."""
    with explained("Auto Scaling"):
        return _session(aws, region).client(
            "autoscaling", endpoint_url=aws.endpoint_url, config=_config(read_timeout_s=5)
        )


def ec2_client(aws: AwsSettings, region: str | None) -> EC2Client:
    """A client of EC2. Raises ConfigError."""
    with explained("EC2"):
        return _session(aws, region).client(
            "ec2", endpoint_url=aws.endpoint_url, config=_config(read_timeout_s=5)
        )


def _session(aws: AwsSettings, region: str | None) -> Session:
    """A session with the configured keys, or with those of the AWS default chain."""
    core = CoreSession()
    core.register_component("data_loader", _LOADER)
    region = region or aws.region
    if aws.access_key is None or aws.secret_key is None:
        return Session(botocore_session=core, region_name=region)
    token = aws.session_token
    return Session(
        botocore_session=core,
        aws_access_key_id=aws.access_key,
        aws_secret_access_key=aws.secret_key.get_secret_value(),
        aws_session_token=None if token is None else token.get_secret_value(),
        region_name=region,
    )


def credential_source(aws: AwsSettings) -> str | None:
    """Where credentials come from, such as ``iam-role``; None if there are none. Never what."""
    if aws.access_key is not None and aws.secret_key is not None:
        return "the configuration"
    with explained("credentials"):
        credentials = Session().get_credentials()
    return None if credentials is None else f"the AWS default chain ({credentials.method})"


def _config(read_timeout_s: float) -> Config:
    return Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=read_timeout_s,
        retries={"mode": "standard", "total_max_attempts": MAX_TRIES},
        tcp_keepalive=True,
        user_agent_extra=f"gpuqueue/{__version__}",
    )


def code_of(error: ClientError) -> str:
    """The service's error code in its present spelling."""
    code = error.response.get("Error", {}).get("Code", "").rpartition(".")[2]
    return "QueueDoesNotExist" if code == "NonExistentQueue" else code


@contextmanager
def explained(
    what: str,
    codes: Mapping[str, type[GpuqueueError]] | None = None,
    otherwise: type[GpuqueueError] = ConfigError,
) -> Iterator[None]:
    """Turn an error of a call about `what` into one of ours.

    `codes` gives the meaning of error codes for this call; a refusal with any other code is
    `otherwise`. What may pass by itself is always a TransientError.
    """
    try:
        yield
    except ClientError as error:
        code = code_of(error)
        kind = TransientError if _is_transient(error) else (codes or {}).get(code, otherwise)
        said = " ".join(error.response.get("Error", {}).get("Message", "").split()).rstrip(".")
        advice = f"; {_ADVICE[code]}" if code in _ADVICE else ""
        raise kind(
            f"{what}: {code or 'error'} in {error.operation_name}: "
            f"{shown(said, _MAX_SAID_CHARS) or 'no message'}{advice}"
        ) from error
    except _TRANSIENT_ERRORS as error:
        raise TransientError(f"{what}: {shown(str(error), _MAX_SAID_CHARS)}") from error
    except _NONSENSE as error:
        raise TransientError(
            f"{what}: the answer makes no sense ({shown(repr(error), _MAX_SAID_CHARS)}); "
            "check endpoint_url"
        ) from error
    except NoCredentialsError as error:
        raise ConfigError(
            f"{what}: no credentials; set access_key and secret_key, or give the machine a role"
        ) from error
    except NoRegionError as error:
        raise ConfigError(f"{what}: no region; set region") from error
    except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint_url that is none
        raise otherwise(f"{what}: {error}") from error


def _is_transient(error: ClientError) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return code_of(error) in _TRANSIENT_CODES or status == 429 or status >= 500
