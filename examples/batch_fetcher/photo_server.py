"""A slow server of photos on the loopback interface: `/catalogue`, `/photos/N` (JSON) and `/photos/N/raw` (bytes).

Each answer takes ``latency`` seconds. Photo 5 is busy (503) the first time it is asked for; photo 7 has no bytes (404).
"""

from __future__ import annotations

import argparse
import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class PhotoServer(ThreadingHTTPServer):
    """The server, how slow it is, how many photos it has, and which paths were asked for."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, latency: float, photos: int) -> None:
        super().__init__(("127.0.0.1", port), Answers)
        self.latency = latency
        self.photos = photos
        self.asked: set[str] = set()


class Answers(BaseHTTPRequestHandler):
    server: PhotoServer

    def do_GET(self) -> None:
        time.sleep(self.server.latency)
        status, body = self.answer(self.path.strip("/").split("/"))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer(self, parts: list[str]) -> tuple[int, bytes]:
        if self.path == "/photos/5" and self.path not in self.server.asked:
            self.server.asked.add(self.path)
            return 503, b"busy"
        match parts:
            case ["catalogue"]:
                return 200, json.dumps([{"id": number} for number in range(1, self.server.photos + 1)]).encode()
            case ["photos", number]:
                return 200, json.dumps({"title": f"Photo {number}", "width": 100 + int(number)}).encode()
            case ["photos", number, "raw"] if number != "7":
                return 200, bytes(range(256)) * int(number)
        return 404, b"gone"

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve photos, slowly.")
    parser.add_argument("--port", type=int, default=8082)
    parser.add_argument("--latency", type=float, default=0.05, metavar="SECONDS")
    parser.add_argument("--photos", type=int, default=40)
    options = parser.parse_args()
    with PhotoServer(options.port, options.latency, options.photos) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
