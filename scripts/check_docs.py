#!/usr/bin/env python3
"""Checks that documents name only what exists: paths in backticks in ARCHITECTURE.md and CONTRIBUTING.md, a test in every row of
docs/differences.md, and in CONTRIBUTING.md the description that it shows.

In backticks a path is something with a slash, or a bare file name with an extension of ours; `{h,cc}` and `*` work as in a shell, and
NAME or <name> stands for anything.
"""
import fnmatch
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIFFERENCES = "docs/differences.md"
EXAMPLE = "src/arch/families/helium.arch"
GTEST = re.compile(r"^TEST(?:_F|_P)?\((\w+), (\w+)\)", re.M)
PYTHON_TEST = re.compile(r"^ *def (test_\w+)", re.M)
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


def known_tests(files):
    """Golden cases and their variants, tests of gtest, and test functions of Python."""
    names = set()
    for file in files:
        path = ROOT / file
        if file.startswith("tests/golden/cases/") and path.exists():
            names |= {path.stem, *json.loads(path.read_text())["variants"]}
        elif file.endswith("_test.cc") and path.exists():
            names |= {".".join(pair) for pair in GTEST.findall(path.read_text())}
        elif file.startswith("tests/") and file.endswith(".py") and path.exists():
            names |= set(PYTHON_TEST.findall(path.read_text()))
    return names


def rows_without_test(text, files, known):
    """Complaints about rows of tables: the last cell must name tests in backticks, and all that it names must exist."""
    tests, heading = known_tests(files), False
    for line in text.splitlines():
        if not line.startswith("|"):
            heading = True
        elif heading:
            heading = False
        elif not line.startswith("| ---"):
            words = [word for word in QUOTED.findall(line.split(" | ")[-1]) if not word.startswith("-")]
            bad = [word for word in words if not fnmatch.filter(tests, word) and not exists(word, known)]
            if bad or not words:
                yield f"{DIFFERENCES}: {line[:60]}...: {'no test named' if not words else ', '.join(bad) + ' does not exist'}"


def example_differs(text):
    """CONTRIBUTING.md shows a whole description; it must be the one in the tree."""
    shown = [re.sub(r"^   ", "", block, flags=re.M).strip() for block in re.findall(r"^   ```\n(.*?)^   ```", text, re.S | re.M)]
    example = (ROOT / EXAMPLE).read_text().strip()
    return [] if example in shown else [f"CONTRIBUTING.md: no block shows {EXAMPLE} as it is"]


def main():
    files = tracked_files()
    known = set(files) | {str(parent) for file in files for parent in Path(file).parents if str(parent) != "."}
    bad = []
    for document in (d for d in PATH_DOCUMENTS if (ROOT / d).exists()):
        for word in QUOTED.findall((ROOT / document).read_text()):
            is_path = ("/" in word or BARE_FILE.fullmatch(word)) and not NOT_PATHS.search(word)
            bad += [f"{document}: {word} does not exist" for p in alternatives(word) if is_path and not exists(p, known)]
    bad += rows_without_test((ROOT / DIFFERENCES).read_text(), files, known)
    bad += example_differs((ROOT / "CONTRIBUTING.md").read_text())
    print(*bad, sep="\n", end="\n" if bad else "")
    print(f"documents: {len(bad)} complaints")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
