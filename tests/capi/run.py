#!/usr/bin/env python3
"""The C interface: from C, and from Python's ctypes against what the program prints.

    run.py --program hf2mlx --check capi_check [--library libhf2mlx.so] [NAME...]
"""
import argparse
import ctypes
import json
import os
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "examples" / "tiny-qwen3"
OK, BUSY, USAGE, NOT_FOUND, CORRUPT, AUTH, CANCELLED = 0, 1, 2, 3, 5, 9, 130
BEGIN, ADVANCE, END, NOTE = range(4)
PROGRESS = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int32, ctypes.c_char_p, ctypes.c_uint64, ctypes.c_uint64)
CALLS = ("convert", "plan", "inspect", "download", "upload", "verify", "where", "list", "archs")
TEXTS = ("result", "code", "message", "hint")
paths = argparse.Namespace()
sys.path.append(str(ROOT / "tests" / "support"))
from hub_server import Hub  # noqa: E402


def load(path):
    library = ctypes.CDLL(str(path))
    library.hf2mlx_abi_version.restype = ctypes.c_uint32
    library.hf2mlx_version.restype = ctypes.c_char_p
    library.hf2mlx_job_new.restype = ctypes.c_void_p
    library.hf2mlx_job_free.argtypes = library.hf2mlx_job_cancel.argtypes = [ctypes.c_void_p]
    library.hf2mlx_job_on_progress.argtypes = [ctypes.c_void_p, PROGRESS, ctypes.c_void_p]
    for name in CALLS:
        call = getattr(library, f"hf2mlx_{name}")
        call.argtypes, call.restype = [ctypes.c_void_p, ctypes.c_char_p], ctypes.c_int32
    for name in TEXTS:
        call = getattr(library, f"hf2mlx_job_{name}")
        call.argtypes, call.restype = [ctypes.c_void_p], ctypes.c_char_p
    return library


class Job:
    """As thin as a binding can be."""

    def __init__(self, on_progress=None):
        self.handle = paths.library.hf2mlx_job_new()
        if on_progress:
            self.callback = PROGRESS(lambda _user, *event: on_progress(*event))
            paths.library.hf2mlx_job_on_progress(self.handle, self.callback, None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        paths.library.hf2mlx_job_free(self.handle)

    def call(self, name, options=None):
        text = options if options is None or isinstance(options, bytes) else json.dumps(options).encode()
        return getattr(paths.library, f"hf2mlx_{name}")(self.handle, text)

    def text(self, name):
        return getattr(paths.library, f"hf2mlx_job_{name}")(self.handle).decode()

    def result(self):
        return json.loads(self.text("result"))

    def cancel(self):
        paths.library.hf2mlx_job_cancel(self.handle)


def program(*words, home):
    """What --json prints, and the exit status."""
    environment = {"HOME": str(home), "HF_HUB_OFFLINE": "1", "PATH": os.environ["PATH"]}
    done = subprocess.run([paths.program, *map(str, words), "--json"], env=environment, capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout)


def without_time(report):
    return {key: value for key, value in report.items() if key not in ("seconds", "output")}


class Interface(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = Path(scratch.name).resolve()

    def environment(self):
        return {"HOME": str(self.scratch), "HF_HUB_OFFLINE": "1"}

    def test_from_c(self):
        done = subprocess.run([paths.check, str(MODEL), str(self.scratch)], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_version_is_that_of_the_program(self):
        self.assertEqual(paths.library.hf2mlx_abi_version(), 1)
        said = subprocess.run([paths.program, "--version"], capture_output=True, text=True, check=True).stdout
        self.assertEqual(said.split()[1], paths.library.hf2mlx_version().decode())

    def test_results_are_those_of_the_program(self):
        cases = [
            ("inspect", {"model": str(MODEL)}, ["inspect", MODEL]),
            ("archs", None, ["archs"]),
            ("plan", {"hf-path": str(MODEL), "quantize": True, "q-bits": 6, "output": str(self.scratch / "o")},
             ["plan", MODEL, self.scratch / "o", "-q", "--q-bits", "6"]),
            ("plan", {"model": str(MODEL), "out": str(self.scratch / "o"), "variant": ["4", "mxfp4"]},
             ["plan", MODEL, self.scratch / "o", "--variant", "4", "--variant", "mxfp4"]),
            ("plan", {"model": str(MODEL), "q-bits": 4, "quantize": False}, ["plan", MODEL, "--q-bits", "4"]),
            ("plan", {"model": str(MODEL), "quantize": True, "q-override": ["lm_head=8", "*.mlp.*=3:64"], "revision": None},
             ["plan", MODEL, "-q", "--q-override", "lm_head=8", "--q-override", "*.mlp.*=3:64"]),
            ("list", {"environment": self.environment()}, ["list"]),
        ]
        for call, options, words in cases:
            with self.subTest(call=call, options=options), Job() as job:
                self.assertEqual(job.call(call, options), OK, job.text("message"))
                self.assertEqual(job.result(), program(*words, home=self.scratch)[1])

    def test_conversions_are_those_of_the_program(self):
        ours, theirs = self.scratch / "ours", self.scratch / "theirs"
        events = []
        with Job(lambda *event: events.append(event)) as job:
            options = {"model": str(MODEL), "output": str(ours), "quantize": True, "q-fit": True}
            self.assertEqual(job.call("convert", options), OK, job.text("message"))
            status, report = program("convert", MODEL, theirs, "-q", "--q-fit", home=self.scratch)
            self.assertEqual((status, without_time(report)), (0, without_time(job.result())))
        self.assertEqual((ours / "model.safetensors").read_bytes(), (theirs / "model.safetensors").read_bytes())
        self.assertEqual((ours / "config.json").read_bytes(), (theirs / "config.json").read_bytes())
        kinds = [event[0] for event in events if event[0] != NOTE]
        self.assertEqual((kinds[0], kinds[-1]), (BEGIN, END))
        done, total = [event[2:] for event in events if event[0] == ADVANCE][-1]
        self.assertEqual(done, total)
        with Job() as job:
            self.assertEqual(job.call("verify", {"out": str(ours), "source": str(MODEL)}), OK, job.text("message"))
            self.assertEqual(job.result()["comparison"]["different"], 0)

    def test_lm_studio(self):
        with Job() as job:
            options = {"model": str(MODEL), "lm-studio": "me", "quantize": True, "environment": self.environment()}
            self.assertEqual(job.call("convert", options), OK, job.text("message"))
            self.assertEqual(job.result()["output"], str(self.scratch / ".lmstudio/models/me/tiny-qwen3-MLX"))
            self.assertEqual(job.call("list", {"environment": self.environment()}), OK)
            self.assertEqual([model["model"] for model in job.result()["lm_studio"]["models"]], ["me/tiny-qwen3-MLX"])
            self.assertEqual(job.result(), program("list", home=self.scratch)[1])

    def test_where(self):
        with Job() as job:
            for name in ("me", "you"):
                options = {"model": str(MODEL), "lm-studio": name, "quantize": True, "environment": self.environment()}
                self.assertEqual(job.call("convert", options), OK, job.text("message"))
            for options, words in (({"all": True}, ["--all"]), ({}, []), ({"format": "mlx"}, ["--format", "mlx"])):
                self.assertEqual(job.call("where", {"name": "tiny-qwen3", "environment": self.environment(), **options}), OK)
                self.assertEqual(job.result(), program("where", "tiny-qwen3", *words, home=self.scratch)[1])
            self.assertEqual(len(job.result()["copies"]), 1)
            self.assertEqual(job.call("where", {"name": "none/such", "environment": self.environment()}), NOT_FOUND)
            self.assertEqual(job.call("where", {}), USAGE)

    def test_upload(self):
        out = self.scratch / "out"
        with Hub("hf_right") as hub:
            environment = {"HOME": str(self.scratch), "HF_ENDPOINT": hub.address(), "HF_TOKEN": "hf_right"}
            with Job() as job:
                options = {"model": str(MODEL), "output": str(out), "quantize": True, "upload-repo": "me/one", "environment": environment}
                self.assertEqual(job.call("convert", options), OK, job.text("message"))
                self.assertEqual(job.result()["upload"]["repo_id"], "me/one")
                self.assertEqual(job.call("upload", {"folder": str(out), "repo": "me/two", "message": "said", "environment": environment}), OK,
                                 job.text("message"))
                self.assertEqual(job.result()["commit"], hub.repos["me/two"][-1].commit)
                self.assertEqual(hub.messages[-1], "said")
                for name in ("me/one", "me/two"):
                    self.assertEqual(set(hub.repos[name][-1].files) - {".gitattributes"}, {path.name for path in out.iterdir()})
                (out / "model.safetensors").write_bytes(b"broken")
                self.assertEqual(job.call("upload", {"folder": str(out), "repo": "me/two", "environment": environment}), CORRUPT)
                refused = {"folder": str(out), "repo": "me/two", "force": True, "environment": environment | {"HF_TOKEN": "hf_wrong"}}
                self.assertEqual(job.call("upload", refused), AUTH)

    def test_errors_are_those_of_the_program(self):
        missing = self.scratch / "none"
        with Job() as job:
            self.assertEqual(job.call("inspect", {"model": str(missing)}), NOT_FOUND)
            status, said = program("inspect", missing, home=self.scratch)
            self.assertEqual(status, NOT_FOUND)
            self.assertEqual(said["error"], {name: job.text(name) for name in ("code", "message", "hint")})
            self.assertEqual(job.text("result"), "")

    def test_bad_options(self):
        cases = [
            (b"{", "options: ", ""),
            (b"\xff", "options", ""),
            (b"[]", "options: a JSON object expected", ""),
            ({"q-bit": 4}, 'unknown option "q-bit"', "did you mean q-bits?"),
            ({"json": True}, 'unknown option "json"', "known are: "),
            ({"quantize": "yes"}, '"quantize": "yes" found, true or false expected', ""),
            ({"model": ["a", "b"]}, '"model": ["a","b"] found, text or a number expected', ""),
            ({"q-bits": True}, '"q-bits": true found, N expected', ""),
            ({"model": str(MODEL), "q-mode": "afine"}, "--q-mode: 'afine' is none of affine, mxfp4, nvfp4, mxfp8; did you mean affine?", ""),
            ({"model": str(MODEL), "quantize": True, "dequantize": True}, "--quantize and --dequantize contradict each other", ""),
            ({"model": str(MODEL), "output": str(self.scratch / "o"), "upload-repo": "me/mine"}, '"environment": missing', "hand over"),
            ({"environment": {"HOME": 1}}, '"environment": an object of texts expected', ""),
        ]
        for options, message, hint in cases:
            with self.subTest(options=options), Job() as job:
                self.assertEqual(job.call("convert", options), USAGE)
                self.assertEqual(job.text("code"), "usage")
                self.assertEqual(job.text("message")[:len(message)], message)
                self.assertTrue(job.text("hint").startswith(hint), job.text("hint"))
        for call, options in (("download", {"repo": "me/model"}), ("upload", {"folder": str(MODEL), "repo": "me/model"})):
            with self.subTest(call=call), Job() as job:
                self.assertEqual(job.call(call, options), USAGE)
                self.assertIn("environment", job.text("message"))
        self.assertEqual(list(self.scratch.iterdir()), [])

    def test_cancelled_from_another_thread_while_busy(self):
        begun, cancelled = threading.Event(), threading.Event()

        def wait_for_the_cancel(event, *_):
            if event == BEGIN:
                begun.set()
                self.assertTrue(cancelled.wait(30))

        out = self.scratch / "out"
        with Job(wait_for_the_cancel) as job:
            statuses = []
            options = {"model": str(MODEL), "output": str(out), "quantize": True}
            worker = threading.Thread(target=lambda: statuses.append(job.call("convert", options)))
            worker.start()
            self.assertTrue(begun.wait(30))
            self.assertEqual(job.call("archs"), BUSY)
            job.cancel()
            cancelled.set()
            worker.join()
            self.assertEqual((statuses, job.text("code")), ([CANCELLED], "cancelled"))
        self.assertEqual(list(self.scratch.iterdir()), [])

    def test_texts_last_until_the_next_call(self):
        with Job() as one, Job() as other:
            self.assertEqual(one.call("archs"), OK)
            before = one.text("result")
            pointer = ctypes.cast(paths.library.hf2mlx_job_result, ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p))(one.handle)
            self.assertEqual(other.call("inspect", {"model": "/none"}), NOT_FOUND)
            self.assertEqual(ctypes.string_at(pointer).decode(), before)
            self.assertEqual(one.call("inspect", {"model": "/none"}), NOT_FOUND)
            self.assertEqual(one.text("result"), "")

    def test_jobs_beside_each_other(self):
        def convert(number):
            with Job() as job:
                options = {"model": str(MODEL), "output": str(self.scratch / str(number)), "quantize": True, "threads": 1}
                statuses[number] = job.call("convert", options)

        statuses = {}
        workers = [threading.Thread(target=convert, args=(number,)) for number in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self.assertEqual(set(statuses.values()), {OK})
        self.assertEqual(len({(self.scratch / str(n) / "model.safetensors").read_bytes() for n in range(4)}), 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", type=load)
    parser.add_argument("--program", required=True)
    parser.add_argument("--check", required=True)
    _, names = parser.parse_known_args(namespace=paths)
    unittest.main(argv=[sys.argv[0], *names])
