#!/usr/bin/env python3
"""Runs the examples of the documents: every ```console block of docs/*.md, and holds what is printed against what the page says.

    run.py --program PATH [--update] [PAGE...]

The commands of a page run one after the other in one empty folder, with an empty home, a hub on the loopback interface that has the model of
examples/tiny-qwen3 as GMLHUHE/PsyLLM and, for those who have been granted access, as owner/gated, and $ROOT, the project. Times and rates may
differ; a line "..." stands for any number of lines.
--update writes what is printed into the pages.
"""
import argparse
import difflib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "cli"), str(ROOT / "tests" / "support")]
from hub_server import Hub  # noqa: E402
from run import ANY_LINES, environment  # noqa: E402

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.S | re.M)
VARYING = re.compile(r"\d+(\.\d+)? (ms|s|min|[kMG]B/s)\b|0x[0-9a-f]+")
MODEL = "GMLHUHE/PsyLLM"
GATED = "owner/gated"
TOKEN = "hf_mine"  # that may write
TIMEOUT_SECONDS = 120


def commands_of(block):
    """[(command, lines printed)]; a command goes on while its lines end in a backslash."""
    commands = []
    lines = iter(block.splitlines())
    for line in lines:
        if not line.startswith("$ "):
            commands[-1][1].append(line)
            continue
        while line.endswith("\\"):
            line += "\n" + next(lines)
        commands.append((line[2:], []))
    return commands


def environment_of(page_folder, program, hub):
    home = page_folder / "home"
    home.mkdir()
    return environment(program, home) | {"HF_ENDPOINT": hub.address(), "HF_HUB_OFFLINE": "0", "COLUMNS": "100"}


def printed_by(command, work, env):
    done = subprocess.run(["bash", "-c", command], cwd=work, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=TIMEOUT_SECONDS)
    text = done.stdout.decode(errors="replace")
    for folder, name in ((str(work), "/Users/me"), (env["HOME"], "/Users/me"), (str(ROOT), "hf2mlx"), (env["HF_ENDPOINT"], "https://huggingface.co")):
        text = text.replace(folder, name)
    return text.rstrip("\n").splitlines()


def match(expected, found):
    if not expected:
        return not found
    if expected[0].strip() == ANY_LINES:
        return any(match(expected[1:], found[i:]) for i in range(len(found) + 1))
    same = bool(found) and VARYING.sub("#", expected[0].rstrip()) == VARYING.sub("#", found[0].rstrip())
    return same and match(expected[1:], found[1:])


def run_page(page, options, hub):
    text = page.read_text()
    complaints, parts, at = [], [], 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch).resolve()
        work = folder / "work"
        work.mkdir()
        env = environment_of(folder, options.program, hub)
        for block in BLOCK.finditer(text):
            lines = []
            for command, expected in commands_of(block[1]):
                found = printed_by(command, work, env)
                keep = match(expected, found)
                if not keep:
                    complaints += [f"$ {command}", *difflib.unified_diff(expected, found, page.name, "what was printed", lineterm="")]
                lines += [f"$ {command}", *(expected if keep else found)]
            parts += [text[at:block.start()], "```console\n", "".join(line + "\n" for line in lines), "```"]
            at = block.end()
    if options.update and complaints:
        page.write_text("".join(parts) + text[at:])
        complaints = []
    print(f"{'FAIL' if complaints else 'ok  '} {page.name}", *complaints, sep="\n" if complaints else " ")
    return not complaints


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=lambda text: Path(text).resolve(), required=True)
    parser.add_argument("--update", action="store_true", help="write what is printed now into the pages")
    parser.add_argument("pages", nargs="*", type=Path)
    options = parser.parse_args()
    pages = options.pages or sorted((ROOT / "docs").glob("*.md"))
    with Hub(TOKEN) as hub:
        hub.add_folder(MODEL, ROOT / "examples" / "tiny-qwen3")
        hub.add_folder(GATED, ROOT / "examples" / "tiny-qwen3", gated=True)
        results = [run_page(page, options, hub) for page in pages if BLOCK.search(page.read_text())]
    sys.exit(0 if results and all(results) else 1)


if __name__ == "__main__":
    main()
