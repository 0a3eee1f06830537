#!/usr/bin/env python3
"""Checks that the paths in backticks in ARCHITECTURE.md and CONTRIBUTING.md exist.

In backticks a path is something with a slash, or a bare file name with an extension of ours; `{h,cc}` and `*` work as in a shell, and
NAME or <name> stands for anything.
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATH_DOCUMENTS = ("ARCHITECTURE.md", "CONTRIBUTING.md")
QUOTED = re.compile(r"`([^`\s]+)`")
BARE_FILE = re.compile(r"[\w.*{},<>-]+\.(cc|h|md|py|sh|cmake|json|txt|arch)")
NOT_PATHS = re.compile(r"^(https?:|[~/$-]|\.\./)|://|\(|=|^build|model.*safetensors|config\.json|^org/name")


def tracked_files():
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return out.splitlines()


def alternatives(pattern):
    match = re.search(r"\{([^{}]*)\}", pattern)
    if not match:
        return [pattern]
    return [p for part in match.group(1).split(",") for p in alternatives(pattern[:match.start()] + part + pattern[match.end():])]


def exists(pattern, known):
    pattern = re.sub(r"<\w+>|NAME|FOLDER", "*", pattern).rstrip("/")
    regex = re.compile("(.*/)?" + re.escape(pattern).replace(r"\*\*", ".*").replace(r"\*", "[^/]*") + "$")
    return any(regex.match(path) for path in known)


def main():
    files = tracked_files()
    known = set(files) | {str(parent) for file in files for parent in Path(file).parents if str(parent) != "."}
    bad = []
    for document in (d for d in PATH_DOCUMENTS if (ROOT / d).exists()):
        for word in QUOTED.findall((ROOT / document).read_text()):
            is_path = ("/" in word or BARE_FILE.fullmatch(word)) and not NOT_PATHS.search(word)
            bad += [f"{document}: {word} does not exist" for p in alternatives(word) if is_path and not exists(p, known)]
    print(*bad, sep="\n", end="\n" if bad else "")
    print(f"documents: {len(bad)} complaints")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
