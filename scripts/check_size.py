#!/usr/bin/env python3
"""Checks that files have at most 500 lines and functions at most 100. --stats prints how long functions are.

Exceptions stand in scripts/size_exceptions.txt with their reason. C++ functions are found by their braces: a block that follows a closing
parenthesis and lies in nothing but namespaces and classes.
"""
import argparse
import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("src", "include", "tests", "bench", "fuzz", "python", "scripts")
MOST_FILE_LINES = 500
MOST_FUNCTION_LINES = 100
# Comments, raw strings, strings and character literals; a ' between digits is a separator.
HIDDEN = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*~?)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'', re.S)
CONTAINER = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b")
SIGNATURE = re.compile(r"\)\s*(const|noexcept|override|final|mutable|&|\s|->\s*[\w:<>,\s*&]+|:\s*.*)*$", re.S)


def blank(match):
    """The same number of lines, without anything that looks like code."""
    return '""' + "\n" * match.group().count("\n")


def kind_of(head):
    if SIGNATURE.search(head) and not re.match(r"\s*(class|struct|namespace|enum)\b", head):
        return "function"
    return "container" if CONTAINER.search(head) else "other"


def cpp_functions(text):
    """(name, first line, lines) of every function body that is not inside of another."""
    text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", blank, HIDDEN.sub(blank, text), flags=re.M)
    stack, start, out = [], 0, []  # start: where the text of the current declaration begins
    for match in re.finditer(r"[{};]", text):
        at, char = match.start(), match.group()
        inside = any(kind != "container" for kind, _ in stack)
        if char == "{":
            stack.append(("inner" if inside else kind_of(text[start:at]), start + len(text[start:at]) - len(text[start:at].lstrip())))
        elif char == "}" and stack:
            kind, begin = stack.pop()
            if kind == "function":
                names = re.findall(r"([~\w:]+)\s*\(", text[begin:at])
                out.append((names[0] if names else "?", text.count("\n", 0, begin) + 1, text.count("\n", begin, at) + 1))
        if not inside or not any(kind != "container" for kind, _ in stack):
            start = at + 1
    return out


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno - node.lineno + 1


def exceptions():
    path = ROOT / "scripts" / "size_exceptions.txt"
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")] if path.exists() else []
    return dict(line.split(maxsplit=1) for line in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stats", action="store_true")
    options = parser.parse_args()
    allowed, used, bad, lengths = exceptions(), set(), [], []
    for path in sorted(p for folder in FOLDERS for p in (ROOT / folder).glob("**/*") if p.suffix in (".cc", ".h", ".py")):
        name, text = path.relative_to(ROOT).as_posix(), path.read_text()
        found = [(name, f"{text.count(chr(10))} lines, at most {MOST_FILE_LINES}")] if text.count("\n") > MOST_FILE_LINES else []
        for function, line, lines in python_functions(text) if path.suffix == ".py" else cpp_functions(text):
            if path.suffix != ".py" and not path.stem.endswith("_test"):
                lengths.append(lines)
            if lines > MOST_FUNCTION_LINES:
                found.append((f"{name}:{function}", f"{lines} lines from line {line}, at most {MOST_FUNCTION_LINES}"))
        used.update(key for key, _ in found)
        bad += [f"{key}: {what}" for key, what in found if key not in allowed]
    bad += [f"size_exceptions.txt: {key} is short enough now" for key in set(allowed) - used]
    print(*bad, sep="\n", end="\n" if bad else "")
    if options.stats and lengths:
        lengths.sort()
        print(f"functions: {len(lengths)}, median {lengths[len(lengths) // 2]}, p90 {lengths[len(lengths) * 9 // 10]}, longest {lengths[-1]}")
    print(f"sizes: {len(bad)} complaints")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
