#!/usr/bin/env python3
"""Checks #include lines under src/ against the table of folders in CMakeLists.txt: linking alone would let a folder use any header.

A folder may include its own headers and those of the folders that it links, directly or through others. Headers of a library
that is named in the table belong to the folders that link it themselves.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER_LINE = re.compile(r"^hf2mlx_folder\((\w+)(?: PATH (\S+))? LINK ([^)]*)\)", re.M)
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.M)
# First part of an include path -> the imported target that it takes. What base links is for everyone.
LIBRARIES = {"hwy": "hwy::hwy", "tbb": "TBB::tbb", "openssl": "OpenSSL::Crypto", "CLI": "CLI11::CLI11", "curl": "CURL::libcurl",
             "yaml-cpp": "yaml-cpp::yaml-cpp", "google": "protobuf::libprotobuf-lite"}


def read_table():
    """(folder -> what it links, folder below src -> its name)"""
    links, names = {}, {}
    for name, path, link in FOLDER_LINE.findall((ROOT / "CMakeLists.txt").read_text()):
        links[name] = link.split()
        names["" if path == "." else path or name] = name
    return links, names


def reachable(links, name):
    seen, todo = set(), [name]
    while todo:
        folder = todo.pop()
        if folder not in seen and folder in links:
            seen.add(folder)
            todo += links[folder]
    return seen


def complaints(path, folder, links, names):
    allowed = reachable(links, folder)
    for include in INCLUDE.findall(path.read_text()):
        first = include.split("/")[0] if "/" in include else ""
        if first in LIBRARIES:
            if LIBRARIES[first] not in links[folder]:
                yield f"{include}: folder {folder} does not link {LIBRARIES[first]}"
        elif include in (child.name for child in path.parent.iterdir()) and folder != "core":
            yield f'{include}: not of the form "folder/file.h"'
        elif first and first in names and names[first] not in allowed:
            yield f"{include}: folder {folder} may not use {first}"


def main():
    links, names = read_table()
    bad = 0
    for path in sorted([*ROOT.glob("src/**/*.h"), *ROOT.glob("src/**/*.cc")]):
        below = path.parent.relative_to(ROOT / "src").as_posix()
        folder = names.get("" if below == "." else below)
        if folder is None:
            print(f"{path.relative_to(ROOT)}: its folder is not in CMakeLists.txt")
            bad += 1
            continue
        for complaint in complaints(path, folder, links, names):
            print(f"{path.relative_to(ROOT)}: {complaint}")
            bad += 1
    print(f"layers: {len(links)} folders, {bad} complaints")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
