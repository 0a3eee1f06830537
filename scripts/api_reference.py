#!/usr/bin/env python3
"""Writes docs/reference-cpp.md, reference-c.md and reference-python.md from the headers and from the package: every public name, with what is
said of it there.

    api_reference.py             writes the pages
    api_reference.py --check     fails when one of them is not current
"""
import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADERS = ROOT / "include" / "hf2mlx"
PACKAGE = ROOT / "python" / "hf2mlx"
NOT_API = ("export.h", "hf2mlx.h")
WRITTEN = "Made of {} by `scripts/api_reference.py`; do not edit. {}\n"


def prose(text):
    """Markdown that shows the text as it is; what stands in backticks stays."""
    parts = re.split(r"(`[^`]*`)", " ".join(text.split()))
    return "".join(part if part.startswith("`") else re.sub(r"([*<|\[])", r"\\\1", part) for part in parts)


def code(language, text):
    return f"```{language}\n{text.rstrip()}\n```\n"


# C and C++: a header is a list of groups, each a comment and the declarations that follow it.

def groups_of(lines, is_comment, is_whole):
    """[(comment, declarations)]. An empty line outside of a declaration ends a group; one that is a comment alone is about those that follow."""
    groups, comment, declared = [], [], []

    def end_group():
        if declared or comment:
            groups.append((" ".join(comment), "\n".join(declared)))
        comment.clear()
        declared.clear()

    for line in [*lines, ""]:
        inside = bool(declared) and not is_whole("\n".join(declared))
        if inside:
            declared.append(line)
        elif not line.strip():
            end_group()
        elif is_comment(line):
            if declared:
                end_group()
            comment.append(line.strip().removeprefix("///").strip())
        else:
            declared.append(line)
    if lost := [declaration for _, declaration in groups if declaration and not names_in(declaration)] + declared:
        raise SystemExit(f"api_reference: no name is found in: {lost[0]}")
    return groups


def names_in(declared):
    """Of what is declared at the outermost level."""
    names, depth = [], 0
    for line in declared.splitlines():
        if depth == 0:
            plain = re.sub(r"/\*.*?\*/|//.*", "", line)
            found = (re.search(r"^(?:struct|class|enum class|enum)\s+(?:HF2MLX_API )?(\w+)\s*[{:;]", plain) or re.search(r"^using (\w+)", plain)
                     or re.search(r"#define (\w+)", plain) or re.search(r"^typedef .*\(\*(\w+)\)", plain) or re.search(r"^typedef .*?(\w+);", plain)
                     or re.search(r"(\w+)\(", plain) or re.search(r"(\w+) =", plain))
            if found and line[:1] != " ":
                names.append(found[1])
        depth += line.count("{") - line.count("}")
    return names


def public_part(declared):
    declared = re.sub(r"\n private:\n.*?(?=\n\};)", "", declared, flags=re.S)
    declared = re.sub(r"^HF2MLX_API (.*\n) {11}(?= )", r"\1", declared, flags=re.M).replace("HF2MLX_API ", "")
    return re.sub(r"\n\n(?=\};)", "\n", declared)


def group_text(language, comment, declared):
    if not declared:
        return f"---\n\n{prose(comment)}\n"
    title = ", ".join(dict.fromkeys(names_in(declared)))
    return f"### {title}\n\n" + (prose(comment) + "\n\n" if comment else "") + code(language, public_part(declared))


def is_whole_cpp(declared):
    """A struct ends with its brace, anything else with a semicolon or a function's body."""
    plain = re.sub(r"//[^\n]*", "", declared).rstrip()
    return plain.count("{") == plain.count("}") and plain.count("(") == plain.count(")") and plain.endswith((";", "}"))


def cpp_header(path):
    text = path.read_text()
    about = " ".join(line.strip("/ ") for line in text.split("#pragma once")[0].splitlines()).replace("\\file", "")
    (body,) = re.findall(r"^namespace hf2mlx \{\n(.*)^\}  // namespace hf2mlx$", text, re.S | re.M)
    groups = groups_of(body.splitlines(), lambda line: line.startswith("///"), is_whole_cpp)
    names = [name for _, declared in groups for name in names_in(declared)]
    parts = [f"## hf2mlx/{path.name}\n\n{prose(about)}\n"]
    parts += [group_text("cpp", *group) for group in groups]
    return names, "\n".join(parts)


def cpp_page():
    headers = {path.name: cpp_header(path) for path in sorted(HEADERS.glob("*.h")) if path.name not in NOT_API}
    index = "".join(f"| [{name}](#hf2mlx{name.replace('.', '')}) | {', '.join(f'`{n}`' for n in dict.fromkeys(names))} |\n"
                    for name, (names, _) in headers.items())
    return ("# C++ reference\n\n" + WRITTEN.format("the headers", "[C++](api-cpp.md) shows how they are used. All names are in the namespace `hf2mlx`.")
            + f"\n| header | declares |\n| --- | --- |\n{index}\n" + "\n".join(text for _, text in headers.values()))


def c_page():
    text = (HEADERS / "hf2mlx.h").read_text()
    (body,) = re.findall(r'extern "C" \{\n#endif\n(.*)\n#ifdef __cplusplus\n\}', text, re.S)
    # Comments that fill lines of their own, as the one kind of comment that groups_of knows.
    body = re.sub(r"^/\*(.*?)\*/$", lambda m: "\n".join("///" + line.lstrip(" *") for line in m[1].splitlines()), body, flags=re.S | re.M)
    groups = groups_of(body.splitlines(), lambda line: line.startswith("///"), is_whole_c)
    return ("# C reference\n\n" + WRITTEN.format("`hf2mlx/hf2mlx.h`", "[C, Swift, and other languages](api-c.md) shows how it is used, and the keys of the options.")
            + "\n" + "\n".join(group_text("c", *group) for group in groups))


def is_whole_c(declared):
    return declared.startswith("#") or is_whole_cpp(re.sub(r"/\*.*?\*/", "", declared))


# Python: what __all__ names, from the syntax tree of the package.

def python_definitions():
    nodes = {}
    for name in ("_api.py", "_errors.py", "_results.py", "layers.py", "_hf2mlx.pyi"):
        for node in ast.parse((PACKAGE / name).read_text()).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                nodes.setdefault(node.name, node)
    return nodes


def public_python_names():
    for node in ast.parse((PACKAGE / "__init__.py").read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "__all__":
            return ast.literal_eval(node.value)
    raise SystemExit("python/hf2mlx/__init__.py has no __all__")


def borrowed_from(node):
    """The function whose parameters a decorator gives to this one, by the decorator's name."""
    found = [call for call in node.decorator_list if isinstance(call, ast.Call) and call.func.id.endswith("parameters_of")]
    return found[0].args[0].id if found else ""


def signature(node):
    if borrowed_from(node):
        first = "variants, /, " if "variants" in ast.unparse(node.decorator_list[0]) else ""
        return f"{node.name}({first}...) -> {ast.unparse(node.returns)}"
    arguments = node.args
    words = []
    with_defaults = [None] * (len(arguments.args) - len(arguments.defaults)) + arguments.defaults
    for argument, default in [*zip(arguments.args, with_defaults), (None, None), *zip(arguments.kwonlyargs, arguments.kw_defaults)]:
        if argument is None:
            words += ["*"] if arguments.kwonlyargs else []
        elif argument.arg != "self":
            kind = f": {ast.unparse(argument.annotation)}" if argument.annotation else ""
            words.append(argument.arg + kind + (f" = {ast.unparse(default)}" if default else ""))
    short = f"{node.name}({', '.join(words)})"
    text = short if len(short) <= 100 else f"{node.name}(\n" + "".join(f"    {word},\n" for word in words) + ")"
    return text + (f" -> {ast.unparse(node.returns)}" if node.returns else "")


def documented(docstring):
    """A docstring's paragraphs, its list of parameters as a table, its exceptions as a list."""
    text, _, rest = docstring.partition("\nArgs:\n")
    parameters, _, raised = rest.partition("\nRaises:\n")
    entries = [re.findall(r"^    (\S[^:\n]*): (.*(?:\n     +.*)*)", block, re.M) for block in (parameters, raised)]
    out = "\n\n".join(prose(paragraph) for paragraph in text.split("\n\n")) + "\n"
    if entries[0]:
        out += "\n| parameter | |\n| --- | --- |\n" + "".join(f"| `{name}` | {prose(about)} |\n" for name, about in entries[0])
    if entries[1]:
        out += "\nRaises:\n\n" + "".join(f"- `{name}` {prose(about)}\n" for name, about in entries[1])
    return out


def fields_of(node, nodes):
    inherited = [field for base in node.bases if getattr(base, "id", "") in nodes for field in fields_of(nodes[base.id], nodes)]
    return inherited + [item for item in node.body if isinstance(item, ast.AnnAssign)]


def class_text(node, nodes):
    bases = [base.id for base in node.bases if isinstance(base, ast.Name) and not base.id.startswith("_")]
    lines = [f"class {node.name}" + (f"({', '.join(bases)})" if bases else "") + ":"]
    lines += [f"    {ast.unparse(field)}" for field in fields_of(node, nodes)]
    lines += [f"    {ast.unparse(item)}" for item in node.body if isinstance(item, ast.Assign) and item.targets[0].id in ("code", "hint")]
    lines += [f"    {keyword.arg} = {ast.unparse(keyword.value)}" for keyword in node.keywords if keyword.arg == "code"]
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and not item.name.startswith("_"):
            is_property = any(getattr(decorator, "id", "") == "property" for decorator in item.decorator_list)
            lines.append(f"    {item.name}: {ast.unparse(item.returns)}" if is_property else f"    def {signature(item)}")
    return "\n".join(lines)


def python_page():
    nodes = python_definitions()
    names = [name for name in public_python_names() if not name.startswith("__")]
    kinds = {"Calls": [], "Exceptions": [], "Results": [], "Watching and choosing": []}
    for name in names:
        node = nodes[name]
        is_result = isinstance(node, ast.ClassDef) and any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)
        is_error = isinstance(node, ast.ClassDef) and any(getattr(base, "id", "") in ("Exception", "Error", "IoError") for base in node.bases)
        kind = "Calls" if isinstance(node, ast.FunctionDef) else "Exceptions" if is_error else "Results" if is_result else "Watching and choosing"
        shown = signature(node) if kind == "Calls" else class_text(node, nodes)
        others = f"`...` stands for the parameters of [{original}](#{original}).\n\n" if (original := borrowed_from(node)) else ""
        kinds[kind].append(f"### {name}\n\n{documented(ast.get_docstring(node) or '')}\n{others}" + code("python", shown))
    about = WRITTEN.format("the package", "[Python](api-python.md) shows how it is used. Results are frozen dataclasses.")
    return f"# Python reference\n\n{about}\n" + "\n".join(f"## {kind}\n\n" + "\n".join(parts) for kind, parts in kinds.items())


def main():
    pages = {"reference-cpp.md": cpp_page(), "reference-c.md": c_page(), "reference-python.md": python_page()}
    stale = [name for name, text in pages.items() if not (ROOT / "docs" / name).exists() or (ROOT / "docs" / name).read_text() != text]
    if sys.argv[1:] != ["--check"]:
        for name, text in pages.items():
            (ROOT / "docs" / name).write_text(text)
    elif stale:
        sys.exit(f"not current: docs/{', docs/'.join(stale)}; run scripts/api_reference.py")


if __name__ == "__main__":
    main()
