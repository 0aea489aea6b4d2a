"""``gpuqueue health``."""

from __future__ import annotations

import typer

from gpuqueue.cli.options import ConfigOption

#: Seconds in which the front end must answer.
TIMEOUT_S = 4.0
#: What one asks when the server listens on every address.
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (asked, not listened on)


def health(config: ConfigOption = None) -> None:
    """Tell by the exit code whether the server here works.

    Asks the listeners of this user, or, where none runs by itself, the front end at http_address.
    The exit code is 1 if a listener missed its beat, if the last one stopped since this machine
    is bad, or if the front end does not answer well.
    """
    from gpuqueue.errors import TransientError
    from gpuqueue.listener.pulse import bad_machine, folder, seconds_left

    try:
        why, left_s = bad_machine(), seconds_left()
    except OSError as error:
        raise TransientError(f"the listeners cannot be asked: {error}") from error
    if why is not None:
        raise TransientError(f"a listener stopped, and none has worked here since: {why}")
    if left_s is None:
        typer.echo(_ask_front_end(config))
    elif left_s < 0:
        raise TransientError(
            f"a listener is {-left_s:.0f} s late with its beat in {folder()}: it hangs, or its "
            "queue cannot be reached; its log tells which"
        )
    else:
        typer.echo("the listener works")


def _ask_front_end(config: ConfigOption) -> str:
    import httpx

    from gpuqueue.config import load_settings
    from gpuqueue.errors import TransientError

    settings = load_settings(config)
    host = LOOPBACK.get(settings.http_address, settings.http_address)
    url = httpx.URL(scheme="http", host=host, port=settings.http_port, path="/healthz")
    try:
        # A proxy of the environment is for the world outside.
        with httpx.Client(trust_env=False, timeout=TIMEOUT_S) as client:
            status = client.get(url).status_code
    except httpx.HTTPError as error:
        raise TransientError(f"no listener runs, and {url} does not answer: {error}") from error
    if status != httpx.codes.OK:
        raise TransientError(f"{url} answers {status}, expected 200: a queue cannot be reached")
    return f"{url} answers well"
