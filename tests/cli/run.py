#!/usr/bin/env python3
"""Runs command-line tests: each is NAME.sh here, with what it must print and return beside it. README.md has the rules.

    run.py --program PATH [--update] [NAME...]
"""
import argparse
import difflib
import fnmatch
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TIMEOUT_SECONDS = 120
ANY_LINES = "..."
SKIPPED = 77


def environment(program, home):
    """Nothing of the caller's but what a program needs to run."""
    keep = {k: v for k, v in os.environ.items() if k in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS")}
    path = f"{program.parent}:{os.environ.get('PATH', '/usr/bin:/bin')}"
    return keep | {"PATH": path, "HOME": str(home), "ROOT": str(ROOT), "LC_ALL": "C.UTF-8", "HF_HUB_OFFLINE": "1", "TERM": "dumb", "TMPDIR": str(home)}


def run(script, program):
    """(exit status, stdout, stderr), with the folders of this run replaced by $HOME, $PWD and $ROOT."""
    with tempfile.TemporaryDirectory() as scratch:
        home, work = Path(scratch).resolve() / "home", Path(scratch).resolve() / "work"
        home.mkdir()
        work.mkdir()
        done = subprocess.run(["bash", "-e", str(script)], cwd=work, env=environment(program, home), stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=TIMEOUT_SECONDS)

    def plain(raw):
        text = raw.decode(errors="replace")
        for folder, name in ((work, "$PWD"), (home, "$HOME"), (ROOT, "$ROOT")):
            text = text.replace(str(folder), name)
        return text

    return done.returncode, plain(done.stdout), plain(done.stderr)


def lines_match(patterns, lines):
    """A line of a .glob file is a shell pattern for a line; "..." stands for any number of lines."""
    if not patterns:
        return not lines
    if patterns[0] == ANY_LINES:
        return any(lines_match(patterns[1:], lines[i:]) for i in range(len(lines) + 1))
    return bool(lines) and fnmatch.fnmatchcase(lines[0], patterns[0]) and lines_match(patterns[1:], lines[1:])


def check_stream(script, stream, text):
    """The complaint about one stream, or an empty string."""
    if script.with_suffix(f".{stream}.ignore").exists():
        return ""
    glob = script.with_suffix(f".{stream}.glob")
    exact = script.with_suffix(f".{stream}.exact")
    if glob.exists():
        if lines_match(glob.read_text().splitlines(), text.splitlines()):
            return ""
        wanted = glob
    else:
        if text == (exact.read_text() if exact.exists() else ""):
            return ""
        wanted = exact
    before = wanted.read_text().splitlines() if wanted.exists() else []
    return "\n".join(difflib.unified_diff(before, text.splitlines(), wanted.name, "what was printed", lineterm=""))


def update(script, status, streams):
    """Writes .exact files and .exit; leaves .glob and .ignore alone."""
    for stream, text in streams.items():
        if not any(script.with_suffix(f".{stream}.{kind}").exists() for kind in ("glob", "ignore")):
            write_or_remove(script.with_suffix(f".{stream}.exact"), text)
    write_or_remove(script.with_suffix(".exit"), f"{status}\n" if status else "")


def write_or_remove(path, text):
    if text:
        path.write_text(text)
    else:
        path.unlink(missing_ok=True)


def run_test(script, options):
    """Whether all was as expected; None for a test that cannot be run here."""
    status, stdout, stderr = run(script, options.program)
    streams = {"stdout": stdout, "stderr": stderr}
    if status == SKIPPED:
        print(f"skip {script.stem} {stdout.strip()}")
        return None
    if options.update:
        update(script, status, streams)
        return True
    exit_file = script.with_suffix(".exit")
    wanted = int(exit_file.read_text()) if exit_file.exists() else 0
    complaints = [c for stream, text in streams.items() if (c := check_stream(script, stream, text))]
    if status != wanted:
        complaints.insert(0, f"exit status {status}, expected {wanted}")
    print(f"{'FAIL' if complaints else 'ok  '} {script.stem}", *complaints, sep="\n" if complaints else " ")
    return not complaints


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=lambda text: Path(text).resolve(), required=True)
    parser.add_argument("--update", action="store_true", help="write what is printed now as what is expected")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    scripts = [HERE / f"{name}.sh" for name in options.names] or sorted(HERE.glob("*.sh"))
    results = [run_test(script, options) for script in scripts]
    sys.exit(1 if False in results else 0 if True in results else SKIPPED)


if __name__ == "__main__":
    main()
