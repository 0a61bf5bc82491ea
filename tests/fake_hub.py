"""A Hub on this machine, for tests: it speaks as much of the Hub's protocol as huggingface_hub uses to read."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class FakeHub:
    """One data set, or Space, `owner/name`, its files, and whom it lets in."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.requests: list[str] = []
        self.tokens: list[str | None] = []
        self.refuse_all: tuple[int, str] | None = None  # status and X-Error-Code of every answer
        self.refuse_files: tuple[int, str] | None = None
        self.url = ""

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body."""
        parts = unquote(urlsplit(path).path).strip("/").split("/")
        if self.refuse_all:
            return self._refuse(self.refuse_all)
        if parts[0] == "api" and parts[1] in ("datasets", "spaces"):
            if parts[2:4] != ["owner", "name"]:
                return self._refuse((401, "RepoNotFound"))
            kind, revision = (parts[4], "/".join(parts[5:])) if parts[4:] else ("revision", "main")
            if revision not in ("main", "v1", COMMIT):
                return self._refuse((404, "RevisionNotFound"))
            found = self._tree() if kind == "tree" else self._info()
            return 200, {"Content-Type": "application/json"}, json.dumps(found).encode()
        if self.refuse_files:
            return self._refuse(self.refuse_files)
        body = self.files["/".join(parts[5:])]  # datasets/owner/name/resolve/REVISION/...
        return 200, {"X-Repo-Commit": COMMIT, "ETag": f'"{_name_of(body)}"'}, body

    def _refuse(self, how: tuple[int, str]) -> tuple[int, dict[str, str], bytes]:
        return how[0], {"X-Error-Code": how[1], "X-Error-Message": f"refused: {how[1]}"}, b"{}"

    def _info(self) -> dict[str, object]:
        return {"id": "owner/name", "sha": COMMIT, "siblings": [{"rfilename": name} for name in self.files]}

    def _tree(self) -> list[dict[str, object]]:
        return [
            {"type": "file", "path": name, "size": len(body), "oid": _name_of(body)}
            for name, body in self.files.items()
        ]


def _name_of(body: bytes) -> str:
    return hashlib.sha1(body).hexdigest()


@contextmanager
def serve(hub: FakeHub) -> Iterator[FakeHub]:
    """Let the hub answer at `hub.url` for a while."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._reply(with_body=False)

        def do_GET(self) -> None:
            self._reply(with_body=True)

        def _reply(self, *, with_body: bool) -> None:
            hub.requests.append(f"{self.command} {unquote(self.path)}")
            hub.tokens.append(self.headers.get("Authorization"))
            status, headers, body = hub.answer(self.path)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if with_body:
                self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
