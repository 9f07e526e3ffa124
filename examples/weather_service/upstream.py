"""The slow upstream: a stand-in for a public weather API, on the loopback interface.

Each answer takes ``latency`` seconds. Rome is busy (503) the first time it is asked for; Oslo has no air sensor (500).
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

CELSIUS = {"berlin": 12.5, "oslo": 4.0, "paris": 16.0, "rome": 21.5}
SKY = {"berlin": "rain", "oslo": "snow", "paris": "clouds", "rome": "sun"}


class Upstream(ThreadingHTTPServer):
    """The server with what it remembers: how slow it is, and which cities were asked for."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, latency: float) -> None:
        super().__init__(("127.0.0.1", port), Answers)
        self.latency = latency
        self.asked: set[str] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answers(BaseHTTPRequestHandler):
    server: Upstream

    def do_GET(self) -> None:
        time.sleep(self.server.latency)
        parts = urlsplit(self.path)
        city = parse_qs(parts.query).get("city", [""])[0]
        status, body = self.answer(parts.path, city)
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def answer(self, resource: str, city: str) -> tuple[int, object]:
        if resource == "/ping":
            return 200, "pong"
        if city not in CELSIUS:
            return 404, {"error": f"no city {city}"}
        if resource == "/current":
            if city == "rome" and city not in self.server.asked:
                self.server.asked.add(city)
                return 503, {"error": "busy"}
            return 200, {"celsius": CELSIUS[city], "sky": SKY[city]}
        if resource == "/forecast":
            return 200, {"celsius": [CELSIUS[city] + day for day in (0, 1, 3, 2, -1)]}
        if resource == "/air" and city != "oslo":
            return 200, {"index": len(city) * 10}
        return 500, {"error": "no sensor"}

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet: the tests and the benchmark ask thousands of times."""


@contextmanager
def running(latency: float = 0.0) -> Iterator[Upstream]:
    """An upstream on a free port, in a thread of this process."""
    with Upstream(0, latency) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description="Answer like a weather API, slowly.")
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--latency", type=float, default=0.05, metavar="SECONDS")
    options = parser.parse_args()
    with Upstream(options.port, options.latency) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
