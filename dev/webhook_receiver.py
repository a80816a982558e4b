"""Stands where the product's web would: keeps every webhook it gets, for tests of the simulator."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qsl


@dataclass(frozen=True, slots=True)
class Webhook:
    url: str  # in full, as it was signed
    params: dict[str, str]
    signature: str
    token: str  # the same for retries of one webhook
    at: float  # monotonic


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a simulator that is killed resets its connections, and that is no news."""


class WebhookReceiver:
    def __init__(self) -> None:
        self.got: list[Webhook] = []
        self.refuse_next = 0  # so many are answered 503
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status = receiver._take(
                    Webhook(
                        url=receiver.url + self.path,
                        params=dict(parse_qsl(body, keep_blank_values=True)),
                        signature=self.headers["X-Twilio-Signature"],
                        token=self.headers["I-Twilio-Idempotency-Token"],
                        at=time.monotonic(),
                    )
                )
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *words: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def _take(self, webhook: Webhook) -> int:
        with self._lock:
            self.got.append(webhook)
            self.refuse_next -= 1
            return 503 if self.refuse_next >= 0 else 204

    def statuses(self) -> list[str]:
        return [webhook.params["MessageStatus"] for webhook in self.got]

    def forget(self) -> None:
        self.got.clear()
        self.refuse_next = 0

    def __enter__(self) -> Self:
        serve = self._server.serve_forever
        threading.Thread(target=serve, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
