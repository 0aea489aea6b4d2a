"""From a configuration file to settings: the article's file, wrong values, unknown directives."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from gpuqueue.config import Settings, embedded_settings, load_settings
from gpuqueue.config.settings import S3BucketSettings, SqsQueueSettings
from gpuqueue.errors import ConfigError

EXAMPLES = Path(__file__).parents[2] / "examples" / "config"

INVALID = sorted(Path(__file__).with_name("invalid").glob("*.conf"))

#: From migenius' article on the Queue Manager with Amazon SQS and S3.
ARTICLE = """\
<user queue_manager>
    allow_command rs_fancy_render
    allow_command get_version
    default_queue rs_sqs_queue
    listen_queue rs_sqs_queue
</user>
<user aws>
    access_key AKIDEXAMPLE
    secret_key exampleSecret+with/characters
    <user sqs>
        <user queue>
            name rs_sqs_queue
            queue_url https://sqs.us-east-1.amazonaws.com/123456789012/RS_jobs
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


def load(folder: Path, text: str) -> Settings:
    path = folder / "server.conf"
    path.write_text(text)
    return load_settings(path)


def messages(records: list[logging.LogRecord]) -> list[str]:
    return [record.getMessage() for record in records]


def test_the_articles_configuration_loads_without_a_word(
    tmp_path: Path, records: list[logging.LogRecord]
) -> None:
    settings = load(tmp_path, ARTICLE)
    assert records == []
    manager = settings.queue_manager
    assert manager.allow_command == {"rs_fancy_render", "get_version"}
    assert manager.default_queue == manager.listen_queue == "rs_sqs_queue"
    assert settings.aws.access_key == "AKIDEXAMPLE"
    assert settings.aws.secret_key is not None
    assert settings.aws.secret_key.get_secret_value() == "exampleSecret+with/characters"
    url = "https://sqs.us-east-1.amazonaws.com/123456789012/RS_jobs"
    assert settings.queues == {"rs_sqs_queue": SqsQueueSettings(name="rs_sqs_queue", queue_url=url)}
    assert settings.buckets == {
        "rs_s3_bucket": S3BucketSettings(
            name="rs_s3_bucket", bucket="rs-example-bucket", region="us-east-1"
        )
    }


def test_the_secret_is_shown_nowhere(tmp_path: Path) -> None:
    settings = load(tmp_path, ARTICLE)
    shown = [repr(settings), str(settings), settings.model_dump_json()]
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, ARTICLE.replace("access_key AKIDEXAMPLE", ""))
    shown += [str(caught.value), repr(caught.value.__cause__)]
    assert not any("exampleSecret" in text for text in shown)


def test_without_a_file_the_embedded_settings_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings(None) == embedded_settings(tmp_path / "gpuqueue-data", tmp_path)


def test_there_are_wrong_files_to_try() -> None:
    assert INVALID


def test_an_empty_file_gives_the_defaults_below_its_folder(tmp_path: Path) -> None:
    assert load(tmp_path, "") == Settings(content_root=tmp_path)


def test_every_kind_of_value_is_read(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        """
        HTTP_ADDRESS 0.0.0.0:9000
        http_post_body_limit 2048
        content_root scenes
        command_folder commands
        command_folder /opt/more
        <user Queue_Manager>
            max_backoff_s 10
            stop_grace_s 1.5
            <user http_post>
                follow_redirects ON
                verify_ssl off
            </user>
        </user>
        <user local>
            <user queue>
                name first
                path data/first.sqlite
            </user>
            <user queue>
                name second
                path /var/second.sqlite
                max_receives 7
            </user>
            <user bucket>
                name folder
                path data/bucket
            </user>
        </user>
        <user render>
            device cpu
        </user>
        <user render>
            threads 3
        </user>
        """,
    )
    assert (settings.http_address, settings.http_port) == ("0.0.0.0", 9000)
    assert settings.http_post_body_limit == 2048
    assert settings.content_root == tmp_path / "scenes"
    assert settings.command_folders == (tmp_path / "commands", Path("/opt/more"))
    assert settings.queue_manager.max_backoff_s == 10
    assert settings.queue_manager.stop_grace_s == 1.5
    assert settings.queue_manager.http_post.follow_redirects
    assert not settings.queue_manager.http_post.verify_ssl
    first, second = settings.local.queues
    assert (first.name, first.path) == ("first", tmp_path / "data/first.sqlite")
    assert (second.path, second.max_receives) == (Path("/var/second.sqlite"), 7)
    assert settings.local.buckets[0].path == tmp_path / "data/bucket"
    assert (settings.render.device, settings.render.threads) == ("cpu", 3)


@pytest.mark.parametrize(
    ("value", "address", "port"),
    [
        ("8081", "127.0.0.1", 8081),
        ("0", "127.0.0.1", 0),
        ("0.0.0.0:80", "0.0.0.0", 80),
        ("render.example.com:443", "render.example.com", 443),
        ("[::1]:8080", "::1", 8080),
    ],
)
def test_an_address_is_split(tmp_path: Path, value: str, address: str, port: int) -> None:
    settings = load(tmp_path, f"http_address {value}")
    assert (settings.http_address, settings.http_port) == (address, port)


def test_a_relative_file_name_gives_absolute_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "server.conf").write_text("content_root scenes")
    monkeypatch.chdir(tmp_path)
    assert load_settings(Path("server.conf")).content_root == tmp_path / "scenes"


def test_paths_of_an_included_file_are_relative_to_the_main_one(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "paths.conf").write_text("content_root scenes")
    assert load(tmp_path, "include parts").content_root == tmp_path / "scenes"


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_a_wrong_value_names_its_line_and_what_was_expected(path: Path) -> None:
    # The first line of each file is a comment with the line and the beginning of the message.
    expected = path.read_text().splitlines()[0].removeprefix("# ").replace("FILE", str(path))
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    assert str(caught.value).startswith(f"{path}:{expected}")


def test_all_wrong_values_of_a_block_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, "<user render>\nthreads -1\ndevice tpu\n</user>")
    lines = [line.split(":")[1] for line in str(caught.value).splitlines()]
    assert sorted(lines) == ["2", "3"]


def test_what_is_unknown_is_noted_one_line_each_kind(
    tmp_path: Path, records: list[logging.LogRecord]
) -> None:
    load(
        tmp_path,
        """\
log_file server.log
add_mime_type png image/png
add_mime_type exr image/x-exr
<user V8>
    commands v8
</user>
<module iray>
</module>
<user aws>
    <user sqs>
        timeout 3
        <user topic>
            name a
        </user>
    </user>
</user>
""",
    )
    file = tmp_path / "server.conf"
    assert sorted(messages(records)) == sorted(
        [
            f"{file}:1: directive 'log_file' in the file is not used",
            f"{file}:2: directive 'add_mime_type' in the file is not used, 2 times",
            f"{file}:4: block <user V8> is not used",
            f"{file}:7: block <module iray> is not used",
            f"{file}:11: directive 'timeout' in <user sqs> is not used",
            f"{file}:12: block <user topic> is not used",
        ]
    )
    assert {record.levelno for record in records} == {logging.INFO}
    assert {record.__dict__["event"] for record in records} == {"config_note"}


def test_a_probable_misspelling_is_a_warning(
    tmp_path: Path, records: list[logging.LogRecord]
) -> None:
    load(tmp_path, "<user quue_manager>\n</user>\n<user render>\nthread 3\n</user>")
    warnings = [r.getMessage() for r in records if r.levelno == logging.WARNING]
    file = tmp_path / "server.conf"
    assert sorted(warnings) == [
        f"{file}:1: unknown block <user quue_manager>; did you mean 'queue_manager'?",
        f"{file}:4: unknown directive 'thread' in <user render>; did you mean 'threads'?",
    ]


def test_white_space_at_the_end_of_a_value_is_kept_and_warned_of(
    tmp_path: Path, records: list[logging.LogRecord]
) -> None:
    settings = load(tmp_path, "<user aws>\naccess_key A\nsecret_key topSecret \n</user>")
    assert settings.aws.secret_key is not None
    assert settings.aws.secret_key.get_secret_value() == "topSecret "
    [record] = records
    assert record.levelno == logging.WARNING
    file = tmp_path / "server.conf"
    assert record.getMessage() == f"{file}:3: the value of secret_key ends in white space"


@pytest.mark.parametrize("name", ["embedded.conf", "aws.conf"])
def test_the_examples_load_without_a_word(name: str, records: list[logging.LogRecord]) -> None:
    settings = load_settings(EXAMPLES / name)
    assert records == []
    assert settings.queue_manager.listen_queue in settings.queues
    assert settings.buckets
    assert settings.content_root.resolve() == EXAMPLES.parent.resolve() / "scenes"


def test_the_commented_directives_of_an_example_work_too(tmp_path: Path) -> None:
    text = (EXAMPLES / "aws.conf").read_text()
    for directive in ("access_key", "secret_key", "endpoint_url", "path_style"):
        assert f"# {directive} " in text
        text = text.replace(f"# {directive} ", f"{directive} ")
    settings = load(tmp_path, text)
    assert settings.aws.buckets[0].path_style
    assert settings.aws.access_key == "AKIDEXAMPLE"
