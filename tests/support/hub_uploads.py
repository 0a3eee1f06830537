"""The writing half of the hub for tests: what a client asks of it to make a repository and to commit files to it.

Mixed into the handlers of hub_server.py. The requests and answers are those of huggingface_hub without Xet, and of Git's large-file
storage; the real client uploads to it in the tests as well.
"""
import base64
import hashlib
import json
import re

LARGE_BYTES = 100_000  # what is larger, or has a zero byte at its beginning, goes to the large-file storage


def stored_in_parts(size, part_bytes):
    return part_bytes > 0 and size > part_bytes


class HubUploads:
    """Of the hub's own host."""
    POST_ROUTES = (
        (re.compile(r"/api/repos/create"), "create"),
        (re.compile(r"/api/validate-yaml"), "validate"),
        (re.compile(r"/api/models/(?P<name>[^/]+/[^/]+)/preupload/main"), "preupload"),
        (re.compile(r"/api/models/(?P<name>[^/]+/[^/]+)/commit/main"), "commit"),
        (re.compile(r"/(?P<name>[^/]+/[^/]+)\.git/info/lfs/objects/batch"), "batch"),
        (re.compile(r"/lfs/(?P<sha256>\w+)/complete"), "complete"),
        (re.compile(r"/lfs/(?P<sha256>\w+)/verify"), "verify"),
    )

    def do_POST(self):
        path = self.path.split("?")[0]
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.note(path)
        fault = self.hub.take_fault("hub", path)
        if self.answer_fault(fault):
            return
        # Where to say that parts are there is a signed address.
        if self.headers.get("Authorization") != f"Bearer {self.hub.token}" and not path.endswith("/complete"):
            return self.answer(401, X_Error_Message="Invalid credentials in Authorization header")
        for pattern, what in self.POST_ROUTES:
            match = pattern.fullmatch(path)
            if match:
                return getattr(self, "post_" + what)(match.groupdict(), body)
        self.answer(404)

    def answer_json(self, value, status=200):
        self.answer(status, json.dumps(value).encode(), Content_Type="application/json")

    def post_create(self, _, body):
        wanted = json.loads(body)
        name = f"{wanted['organization']}/{wanted['name']}"
        if name in self.hub.repos:
            return self.answer_json({"error": "You already created this model repo", "url": f"{self.hub.address()}/{name}"}, 409)
        if wanted["organization"] in self.hub.closed:
            return self.answer(403, X_Error_Message=f"you may not make a repository in {wanted['organization']}")
        self.hub.add(name, {".gitattributes": b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n"})
        self.answer_json({"url": f"{self.hub.address()}/{name}", "name": name})

    def post_validate(self, _, body):
        self.answer_json({"errors": [], "warnings": []})

    def post_preupload(self, words, body):
        if words["name"] not in self.hub.repos:
            return self.answer(404, X_Error_Code="RepoNotFound")
        files = []
        for file in json.loads(body)["files"]:
            sample = base64.b64decode(file["sample"])
            large = file["size"] > LARGE_BYTES or b"\0" in sample
            files.append({"path": file["path"], "uploadMode": "lfs" if large else "regular", "shouldIgnore": False, "oid": None})
        self.answer_json({"files": files})

    def post_batch(self, words, body):
        objects = []
        for wanted in json.loads(body)["objects"]:
            entry = dict(wanted)
            if wanted["oid"] not in self.hub.storage:
                entry["actions"] = self.actions_for(wanted["oid"], wanted["size"])
            objects.append(entry)
        self.answer_json({"transfer": "basic", "objects": objects})

    def actions_for(self, sha256, size):
        storage = f"{self.hub.address('storage')}/upload/{sha256}"
        verify = {"href": f"{self.hub.address()}/lfs/{sha256}/verify"}
        part = self.hub.part_bytes
        if not stored_in_parts(size, part):
            return {"upload": {"href": f"{storage}/1"}, "verify": verify}
        count = -(-size // part)
        header = {"chunk_size": str(part)} | {f"{i + 1:05}": f"{storage}/{i + 1}" for i in range(count)}
        return {"upload": {"href": f"{self.hub.address()}/lfs/{sha256}/complete", "header": header}, "verify": verify}

    def post_complete(self, words, body):
        parts = json.loads(body)["parts"]
        have = self.hub.uploads[words["sha256"]]
        assert [part["partNumber"] for part in parts] == sorted(have)
        assert [part["etag"] for part in parts] == [f'"{hashlib.md5(have[i]).hexdigest()}"' for i in sorted(have)]
        self.answer_json({})

    def post_verify(self, words, body):
        content = b"".join(part for _, part in sorted(self.hub.uploads[words["sha256"]].items()))
        if hashlib.sha256(content).hexdigest() != words["sha256"] or len(content) != json.loads(body)["size"]:
            return self.answer(422, X_Error_Message="not what was announced")
        self.hub.storage[words["sha256"]] = (words["sha256"], content)
        self.answer_json({})

    def post_commit(self, words, body):
        lines = [json.loads(line) for line in body.splitlines()]
        assert lines[0]["key"] == "header"
        repo = self.hub.repos[words["name"]][-1]
        files, large = dict(repo.files), set(repo.large)
        for line in lines[1:]:
            path, value = line["value"]["path"], line["value"]
            files.pop(path, None)
            large.discard(path)
            if line["key"] == "file":
                files[path] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                if value["oid"] not in self.hub.storage:
                    return self.answer(400, X_Error_Message=f"{path} was not uploaded")
                files[path] = self.hub.storage[value["oid"]][1]
                large.add(path)
        new = self.hub.add(words["name"], files, large=lambda path: path in large)
        self.hub.messages.append(lines[0]["value"]["summary"])
        self.answer_json({"commitUrl": f"{self.hub.address()}/{words['name']}/commit/{new.commit}", "commitOid": new.commit,
                          "commitMessage": lines[0]["value"]["summary"]})


class StorageUploads:
    """Of the host that keeps large files."""

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.note(self.path)
        if self.answer_fault(self.hub.take_fault("storage", self.path)):
            return
        sha256, number = re.fullmatch(r"/upload/(\w+)/(\d+)", self.path).groups()
        with self.hub.lock:
            self.hub.uploads.setdefault(sha256, {})[int(number)] = body
        self.answer(200, ETag=f'"{hashlib.md5(body).hexdigest()}"')
