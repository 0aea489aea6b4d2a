"""A metadata service of EC2 on this machine: wants a token, and knows of nothing until told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SPOT = "/latest/meta-data/spot/instance-action"
LIFECYCLE = "/latest/meta-data/autoscaling/target-lifecycle-state"
REBALANCE = "/latest/meta-data/events/recommendations/rebalance"


class FakeMetadata:
    """What the service knows, by path, and what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.answers: dict[str, str] = {}
        #: Answer everything with this status instead.
        self.status: int | None = None
        self.asked: list[str] = []
        self.tokens: set[str] = set()
        self.given = 0

    def announce_spot_end(self, left_s: float = 120, action: str = "terminate") -> None:
        moment = datetime.now(UTC) + timedelta(seconds=left_s)
        told = {"action": action, "time": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}
        self.answers[SPOT] = json.dumps(told)

    def recommend_rebalance(self) -> None:
        self.answers[REBALANCE] = json.dumps({"noticeTime": "2026-11-05T08:22:00Z"})

    def set_lifecycle_state(self, state: str) -> None:
        self.answers[LIFECYCLE] = state

    def forget_tokens(self) -> None:
        self.tokens.clear()


@contextmanager
def metadata_server() -> Iterator[FakeMetadata]:
    """Serve on a free port of the loopback address."""
    fake = FakeMetadata()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            is_good = "X-aws-ec2-metadata-token-ttl-seconds" in self.headers
            if self.path != "/latest/api/token" or not is_good:
                return self.answer(400)
            fake.given += 1
            fake.tokens.add(token := f"token-{fake.given}")
            return self.answer(200, token)

        def do_GET(self) -> None:
            fake.asked.append(self.path)
            if self.headers.get("X-aws-ec2-metadata-token") not in fake.tokens:
                return self.answer(401)
            text = fake.answers.get(self.path)
            return self.answer(404) if text is None else self.answer(200, text)

        def answer(self, status: int, text: str = "") -> None:
            data = text.encode()
            self.send_response(fake.status or status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
