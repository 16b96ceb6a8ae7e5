"""The few endpoints of the Hugging Face hub that pushing and loading a model need, on this machine."""

import base64
import hashlib
import json
import re
from collections.abc import Collection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

Files = dict[str, bytes]


class Hub(ThreadingHTTPServer):
    """Repositories of models: name -> commit -> files, the newest last."""

    token = "hf_secret"

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repositories: dict[str, dict[str, Files]] = {}
        self.private: set[str] = set()
        self.asked: list[str] = []  # method and path of each request

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def commit(self, name: str, files: Files, deleted: Collection[str] = ()) -> str:
        """Add files to a repository and delete others, as a commit."""
        commits = self.repositories.setdefault(name, {})
        before = [*commits.values()][-1] if commits else {}
        oid = hashlib.sha1(f"{name} {len(commits)}".encode()).hexdigest()
        commits[oid] = {path: content for path, content in {**before, **files}.items() if path not in deleted}
        return oid


class Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *words: object) -> None:
        """Print nothing."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self._path()
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/([^/]+)", path):
            self._with_files(
                found[1], found[2], lambda oid, files: self._json([self._entry(*each) for each in files.items()])
            )
        elif found := re.fullmatch(r"/api/models/([^/]+/[^/]+)", path):
            self._json({"id": found[1], "private": found[1] in self.server.private})
        elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._with_files(found[1], found[2], lambda oid, files: self._file(oid, files, found[3]))
        else:
            self._json({"error": "no such endpoint"}, 404)

    def do_POST(self) -> None:
        path, body = self._path(), self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Authorization") != f"Bearer {self.server.token}":
            self._json({"error": "Invalid username or password."}, 401)
        elif path == "/api/repos/create":
            asked = json.loads(body)
            name = "/".join(filter(None, [asked.get("organization"), asked["name"]]))
            new = name not in self.server.repositories
            if new:
                self.server.commit(name, {".gitattributes": b""})
                self.server.private |= {name} if asked.get("private") or asked.get("visibility") == "private" else set()
            self._json({"url": f"{self.server.address}/{name}"}, 200 if new else 409)
        elif path.endswith("/preupload/main"):
            files = [
                {"path": each["path"], "uploadMode": "regular", "shouldIgnore": False}
                for each in json.loads(body)["files"]
            ]
            self._json({"files": files})
        elif found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/commit/main", path):
            lines = [json.loads(line) for line in body.splitlines()]
            new_files = {
                each["value"]["path"]: base64.b64decode(each["value"]["content"])
                for each in lines
                if each["key"] == "file"
            }
            deleted = [each["value"]["path"] for each in lines if each["key"] == "deletedFile"]
            oid = self.server.commit(found[1], new_files, deleted)
            self._json({"commitUrl": f"{self.server.address}/{found[1]}/commit/{oid}", "commitOid": oid})
        else:
            self._json({"errors": [], "warnings": []})  # of the card's YAML

    def _path(self) -> str:
        path = unquote(urlsplit(self.path).path)
        self.server.asked.append(f"{self.command} {path}")
        return path

    def _with_files(self, name: str, revision: str, answer) -> None:
        commits = self.server.repositories.get(name)
        if not commits:
            self._json({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})
            return
        oid = [*commits][-1] if revision == "main" else revision
        if oid not in commits:
            self._json({"error": "Invalid rev id"}, 404, {"X-Error-Code": "RevisionNotFound"})
            return
        answer(oid, commits[oid])

    def _entry(self, path: str, content: bytes) -> dict[str, object]:
        return {"type": "file", "path": path, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}

    def _file(self, oid: str, files: Files, name: str) -> None:
        if name not in files:
            self._json({"error": "Entry not found"}, 404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": oid})
            return
        tag = hashlib.sha1(files[name]).hexdigest()
        self._send(files[name], 200, {"X-Repo-Commit": oid, "ETag": f'"{tag}"'})

    def _json(self, content: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self._send(json.dumps(content).encode(), status, {"Content-Type": "application/json", **(headers or {})})

    def _send(self, content: bytes, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
