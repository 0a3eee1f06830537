#!/usr/bin/env python3
"""A Hugging Face hub for tests, on the loopback interface only: model info, trees in pages, files, and large files on a second port.

As a program it serves folders and says where:

    hub_server.py [--token TOKEN] [--port-file FILE] NAME=FOLDER...

As a module it also plays what goes wrong: see Fault.
"""
import argparse
import hashlib
import json
import os
import re
import socket
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

from hub_uploads import HubUploads, StorageUploads

PAGE_FILES = 4
PIECE_BYTES = 64 << 10
LARGE_ENDINGS = (".safetensors", ".bin", ".gguf", "tokenizer.json")


@dataclass
class Fault:
    """What goes wrong with requests whose path contains `match`, `times` times."""
    match: str
    times: int = 1
    where: str = "storage"  # or "hub"
    status: int = 0         # answer this
    headers: dict = field(default_factory=dict)
    cut: int = -1           # send so many bytes of the body, then hang up
    short: int = -1         # pretend that the body has only so many bytes
    flip: int = -1          # change the byte at this offset of the file
    no_range: bool = False  # answer 200 to a request for a range
    etag: str = ""          # say this ETag
    pause: float = 0        # seconds before each piece of the body
    hang_up: bool = False   # without an answer


class Allowance:
    """How many bytes all connections together may still send of large files. One that gets no more says nothing until its client is gone."""

    def __init__(self, left=float("inf")):
        self.left, self.lock = left, threading.Lock()

    def take(self, count):
        with self.lock:
            taken = min(count, self.left)
            self.left -= taken
            return taken


def pieces_of(content):
    """Of bytes, or of the file of that path."""
    if isinstance(content, bytes):
        yield content
        return
    with open(content, "rb") as file:
        while piece := file.read(1 << 24):
            yield piece


def size_of(content):
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def digest_of(content, digest):
    for piece in pieces_of(content):
        digest.update(piece)
    return digest.hexdigest()


class Repo:
    """`files` maps each path to its content: bytes, or the Path of a file that has it. `known` has the hashes of contents that take long."""

    def __init__(self, name, files, large, private, gated, known):
        self.name, self.files, self.private, self.gated = name, files, private, gated
        self.large = {path for path in files if large(path)}
        self.etags = {path: known.get(path) or self.make_etag(path) for path in files}
        listing = "".join(f"{path}\0{etag}\n" for path, etag in sorted(self.etags.items()))
        self.commit = hashlib.sha1((name + listing).encode()).hexdigest()
        self.refs = {"main": self.commit, self.commit: self.commit}

    def make_etag(self, path):
        if path in self.large:
            return digest_of(self.files[path], hashlib.sha256())
        return digest_of(self.files[path], hashlib.sha1(b"blob %d\0" % self.size(path)))

    def etag(self, path):
        return self.etags[path]

    def size(self, path):
        return size_of(self.files[path])

    def entry(self, path):
        item = {"type": "file", "path": path, "size": self.size(path), "oid": self.etag(path)}
        if path in self.large:
            pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.etag(path)}\nsize {item['size']}\n".encode()
            item["oid"] = hashlib.sha1(b"blob %d\0" % len(pointer) + pointer).hexdigest()
            item["lfs"] = {"oid": self.etag(path), "size": item["size"], "pointerSize": len(pointer)}
        return item

    def tree(self):
        folders = {"/".join(path.split("/")[:i]) for path in self.files for i in range(1, path.count("/") + 1)}
        items = [{"type": "directory", "path": f, "size": 0, "oid": hashlib.sha1(f.encode()).hexdigest()} for f in folders]
        return sorted(items + [self.entry(path) for path in self.files], key=lambda item: item["path"])


class Hub:
    """Two servers. `with Hub() as hub:` starts and stops them. With `tls`, an ssl.SSLContext, they speak https."""

    def __init__(self, token="", tls=None):
        self.tls = tls
        self.token, self.repos, self.faults, self.log = token, {}, [], []
        self.storage = {}  # hash of a large file -> (its path, its content)
        self.allowance = Allowance()  # of requests from now on
        self.uploads = {}  # hash of a large file -> number of a part -> content
        self.part_bytes = 0  # of what is uploaded; 0: all at once
        self.closed = set()  # organisations in which the token may not make repositories
        self.messages = []   # of commits
        self.sent_bytes = 0  # of all answers: headers, lists, files
        self.lock = threading.Lock()
        self.servers = {where: self.make_server(where) for where in ("hub", "storage")}

    def make_server(self, where):
        handler = type("Handler", (HubHandler if where == "hub" else StorageHandler,), {"hub": self, "where": where})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        if self.tls:
            server.socket = self.tls.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # clients are killed here
        return server

    def __enter__(self):
        for server in self.servers.values():
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        for server in self.servers.values():
            server.shutdown()
            server.server_close()

    def address(self, where="hub"):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.servers[where].server_address[1]}"

    def add(self, name, files, large=lambda path: path.endswith(LARGE_ENDINGS), private=False, gated=False, known={}):
        """Further versions of a repository are found by their commits; "main" is the last one."""
        repo = Repo(name, files, large, private, gated, known)
        self.repos.setdefault(name, []).append(repo)
        self.storage |= {repo.etag(path): (path, files[path]) for path in repo.large}
        return repo

    def add_folder(self, name, folder, **options):
        folder = Path(folder)
        return self.add(name, {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}, **options)

    def find(self, name, revision):
        """(is there such a repository, that revision of it)"""
        versions = self.repos.get(name, [])
        return bool(versions), next((repo for repo in reversed(versions) if revision in repo.refs), None)

    def take_fault(self, where, path):
        with self.lock:
            for fault in self.faults:
                if fault.times > 0 and fault.where == where and fault.match in path:
                    fault.times -= 1
                    return fault
        return None

    def count_sent(self, count):
        with self.lock:
            self.sent_bytes += count

    def requests(self, where, match=""):
        return [request for request in self.log if request["where"] == where and match in request["path"]]


class Counted:
    """What a server writes to a connection."""

    def __init__(self, file, hub):
        self.file, self.hub = file, hub

    def write(self, data):
        self.hub.count_sent(len(data))
        return self.file.write(data)

    def __getattr__(self, name):
        return getattr(self.file, name)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.wfile = Counted(self.wfile, self.hub)

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.do_GET()

    def note(self, name):
        with self.hub.lock:
            self.hub.log.append({"where": self.where, "method": self.command, "path": name, "headers": dict(self.headers),
                                 "connection": self.client_address})

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def answer_fault(self, fault):
        """Whether that was all."""
        if fault is None or not (fault.status or fault.hang_up):
            return False
        if fault.hang_up:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return True
        self.answer(fault.status, b"no", **fault.headers)
        return True

    def send_file(self, content, etag, fault, **headers):
        fault = fault or Fault("")
        size = size_of(content) if fault.short < 0 else fault.short
        begin, end, status = 0, size, 200
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        condition = self.headers.get("If-Range", f'"{etag}"')
        if asked and not fault.no_range and condition == f'"{etag}"':
            begin, end, status = int(asked[1]), min(size, int(asked[2]) + 1 if asked[2] else size), 206
            headers["Content-Range"] = f"bytes {begin}-{end - 1}/{size}"
        self.send_response(status)
        for name, value in {"ETag": f'"{etag}"', "Content-Length": str(end - begin), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        sent_end = end if fault.cut < 0 else min(begin + fault.cut, end)
        if isinstance(content, bytes):
            self.send_bytes(content, begin, sent_end, fault)
        else:
            self.send_from_disk(content, begin, sent_end)
        if sent_end < end:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    def send_bytes(self, content, begin, end, fault):
        allowance = self.hub.allowance
        for at in range(begin, end, PIECE_BYTES):
            time.sleep(fault.pause)
            piece = content[at:min(at + PIECE_BYTES, end)]
            if at <= fault.flip < at + len(piece):
                piece = bytearray(piece)
                piece[fault.flip - at] ^= 1
            allowed = allowance.take(len(piece)) if self.where == "storage" else len(piece)
            self.wfile.write(piece[:allowed])
            if allowed < len(piece):
                self.close_connection = True
                self.connection.recv(1)
                return

    def send_from_disk(self, path, begin, end):
        with open(path, "rb") as file:
            while begin < end:
                sent = os.sendfile(self.connection.fileno(), file.fileno(), begin, end - begin)
                self.hub.count_sent(sent)
                begin += sent


class HubHandler(HubUploads, Handler):
    ROUTES = (
        (re.compile(r"/api/models/(?P<name>[^/]+/[^/]+)/revision/(?P<revision>[^/]+)"), "info"),
        (re.compile(r"/api/models/(?P<name>[^/]+/[^/]+)/tree/(?P<revision>[^/]+)"), "tree"),
        (re.compile(r"/(?P<name>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)"), "resolve"),
    )

    def do_GET(self):
        url = urlsplit(self.path)
        self.note(unquote(url.path))
        fault = self.hub.take_fault("hub", unquote(url.path))
        if self.answer_fault(fault):
            return
        for pattern, what in self.ROUTES:
            match = pattern.fullmatch(url.path)
            if match:
                return self.route(what, {k: unquote(v) for k, v in match.groupdict().items()}, parse_qs(url.query), fault)
        self.answer(404)

    def route(self, what, words, query, fault):
        known, repo = self.hub.find(words["name"], words["revision"])
        newest = self.hub.repos[words["name"]][-1] if known else None
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token and token != self.hub.token:
            return self.answer(401, X_Error_Message="Invalid credentials in Authorization header")
        if not known or (newest.private and not token):
            return self.answer(404 if token else 401, X_Error_Code="RepoNotFound", X_Error_Message="Repository not found")
        if repo is None:
            return self.answer(404, X_Error_Code="RevisionNotFound", X_Error_Message="Invalid rev id")
        if what == "resolve" and repo.gated:
            return self.answer(403 if token else 401, X_Error_Code="GatedRepo", X_Error_Message="Access to this model is restricted")
        getattr(self, "send_" + what)(repo, words, query, fault)

    def send_info(self, repo, words, query, fault):
        info = {"id": repo.name, "modelId": repo.name, "sha": repo.refs[words["revision"]], "private": repo.private, "gated": repo.gated,
                "tags": [], "downloads": 0, "likes": 0, "siblings": [{"rfilename": path} for path in repo.files]}
        self.answer(200, json.dumps(info).encode(), Content_Type="application/json")

    def send_tree(self, repo, words, query, fault):
        assert query["recursive"][0].lower() == "true"
        at = int(query.get("cursor", ["0"])[0])
        items = repo.tree()
        headers = {"Content_Type": "application/json"}
        if at + PAGE_FILES < len(items):
            headers["Link"] = f'<{self.hub.address()}{urlsplit(self.path).path}?recursive=true&cursor={at + PAGE_FILES}>; rel="next"'
        self.answer(200, json.dumps(items[at:at + PAGE_FILES]).encode(), **headers)

    def send_file_of(self, repo, path, fault):
        etag = fault.etag if fault and fault.etag else repo.etag(path)
        if path not in repo.large:
            return self.send_file(repo.files[path], etag, fault, **{"X-Repo-Commit": repo.commit})
        location = f"{self.hub.address('storage')}/{quote(repo.etag(path))}?signature=1"
        self.answer(302, Location=location, X_Repo_Commit=repo.commit, X_Linked_Etag=f'"{etag}"', X_Linked_Size=str(repo.size(path)))

    def send_resolve(self, repo, words, query, fault):
        if words["path"] not in repo.files:
            return self.answer(404, X_Error_Code="EntryNotFound", X_Error_Message="Entry not found", X_Repo_Commit=repo.commit)
        self.send_file_of(repo, words["path"], fault)


class StorageHandler(StorageUploads, Handler):
    def do_GET(self):
        sha256 = urlsplit(self.path).path[1:]
        path, content = self.hub.storage.get(sha256, (None, None))
        self.note(path or self.path)
        fault = self.hub.take_fault("storage", path or self.path)
        if self.answer_fault(fault):
            return
        if content is None:
            return self.answer(404)
        self.send_file(content, sha256[:32], fault)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--token", default="")
    parser.add_argument("--port-file", type=Path, help="gets the address, when all is ready; otherwise it is printed")
    parser.add_argument("repos", nargs="+", metavar="NAME=FOLDER")
    options = parser.parse_args()
    with Hub(options.token) as hub:
        for repo in options.repos:
            hub.add_folder(*repo.split("=", 1))
        if options.port_file:
            options.port_file.with_suffix(".new").write_text(hub.address())
            options.port_file.with_suffix(".new").rename(options.port_file)
        else:
            print(hub.address(), flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
