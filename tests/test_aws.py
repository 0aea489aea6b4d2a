"""Which of Amazon's errors may pass by themselves, and which need somebody."""

from __future__ import annotations

import pytest
from botocore import exceptions
from botocore.exceptions import ClientError

from gpuqueue.aws import explained, s3_client, sqs_client
from gpuqueue.config.settings import AwsSettings
from gpuqueue.errors import ConfigError, GpuqueueError, InvalidJob, LeaseLost, TransientError


def refusal(code: str, status: int = 400) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": "Refused."},
            "ResponseMetadata": {"HTTPStatusCode": status},  # type: ignore[typeddict-item]
        },
        "SendMessage",
    )


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (refusal("Throttling"), TransientError),
        (refusal("RequestThrottled"), TransientError),
        (refusal("com.amazonaws.sqs.ThrottlingException"), TransientError),
        (refusal("ExpiredToken"), TransientError),
        (refusal("RequestTimeTooSkewed", 403), TransientError),
        (refusal("InternalError", 500), TransientError),
        (refusal("Anything", 503), TransientError),
        (refusal("Anything", 429), TransientError),
        (refusal("AccessDenied", 403), ConfigError),
        (refusal("AWS.SimpleQueueService.NonExistentQueue"), ConfigError),
        (refusal(""), ConfigError),
        (exceptions.EndpointConnectionError(endpoint_url="http://x"), TransientError),
        (exceptions.ConnectTimeoutError(endpoint_url="http://x"), TransientError),
        (exceptions.ReadTimeoutError(endpoint_url="http://x"), TransientError),
        (exceptions.ConnectionClosedError(endpoint_url="http://x"), TransientError),
        (exceptions.ResponseStreamingError(error="cut off"), TransientError),
        (exceptions.CredentialRetrievalError(provider="role", error_msg="x"), TransientError),
        (exceptions.NoCredentialsError(), ConfigError),
        (exceptions.NoRegionError(), ConfigError),
        (exceptions.ParamValidationError(report="x"), ConfigError),
        (exceptions.InvalidRegionError(region_name="x y"), ConfigError),
    ],
    ids=lambda value: value.__class__.__name__ if isinstance(value, Exception) else "",
)
def test_an_error_has_the_class_that_says_what_to_do(
    error: Exception, kind: type[GpuqueueError]
) -> None:
    with pytest.raises(kind, match="queue 'jobs'") as caught, explained("queue 'jobs'"):
        raise error
    assert type(caught.value) is kind
    assert caught.value.__cause__ is error


def test_a_call_may_give_a_code_its_own_meaning() -> None:
    codes = {"MessageNotInflight": LeaseLost}
    with pytest.raises(LeaseLost), explained("queue", codes):
        raise refusal("MessageNotInflight")
    with pytest.raises(InvalidJob), explained("queue", codes, otherwise=InvalidJob):
        raise refusal("InvalidStorageClass")
    with pytest.raises(TransientError), explained("queue", {"Throttling": LeaseLost}):
        raise refusal("Throttling")


@pytest.mark.parametrize("endpoint_url", ["nonsense", "http://", "ftp//x"])
def test_an_endpoint_that_is_none_is_a_configuration_error(endpoint_url: str) -> None:
    aws = AwsSettings(access_key="AKIDEXAMPLE", secret_key="exampleSecret", region="us-east-1")
    with pytest.raises(ConfigError):
        sqs_client(aws, None, endpoint_url, 10)
    with pytest.raises(ConfigError):
        s3_client(aws, None, endpoint_url, path_style=True)


def test_keys_come_from_the_settings_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "FROMENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "wrong")
    aws = AwsSettings(access_key="AKIDEXAMPLE", secret_key="exampleSecret", region="us-east-1")
    client = sqs_client(aws, None, None, 10)
    credentials = client._request_signer._credentials  # type: ignore[attr-defined]
    assert (credentials.access_key, credentials.token) == ("AKIDEXAMPLE", None)
    chained = sqs_client(AwsSettings(region="us-east-1"), None, None, 10)
    assert chained._request_signer._credentials.access_key == "FROMENVIRONMENT"  # type: ignore[attr-defined]
