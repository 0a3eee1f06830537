"""Chat templates in all the places where they are published: what transformers renders from the source, it renders from our output."""
import json

import pytest
from conftest import run_program
from tokenizer_material import model_folder, train_bytes, write_vocab
from transformers import AutoTokenizer
from transformers.processing_utils import ProcessorMixin

CHAT = [{"role": "system", "content": "Sei kürzer.\n"}, {"role": "user", "content": "Wie heißt 列表? 👍🏽"}]
TOOLS = [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}}}]


def template(mark):
    return ("{%- if tools %}[" + mark + ": {{ tools | length }}]{% endif -%}\n{% for message in messages %}{{ '<|im_start|>' + message['role'] + "
            "'\\n' + message['content'] | trim + '<|im_end|>' }}\r\n“" + mark + "”\r{% endfor %}\n{% if add_generation_prompt %}{{ '<|im_start|>' }}"
            "{% endif %}\n\n")


def named(*names):
    return [{"name": name, "template": template(name)} for name in names]


# name: (chat_template of tokenizer_config.json, chat_template.json, template files)
PLACES = {
    "string": (template("config"), None, {}),
    "empty": ("", None, {}),
    "list": (named("default", "tool_use", "rag.de"), None, {}),
    "list of one": (named("default"), None, {}),
    "list without default": (named("tool_use", "rag"), None, {}),
    "name that is no file's": (named("default", "tool_use", "a/b"), None, {}),
    "file": (None, None, {"chat_template.jinja": template("file")}),
    "file and string": (template("config"), None, {"chat_template.jinja": template("file")}),
    "folder": (None, None, {"chat_template.jinja": template("file"), "additional_chat_templates/tool_use.jinja": template("tool")}),
    "folder and string": (template("config"), None, {"additional_chat_templates/tool_use.jinja": template("tool")}),
    "folder and list": (named("default", "rag"), None, {"chat_template.jinja": template("file"), "additional_chat_templates/x.jinja": template("x")}),
    "processor and string": (template("config"), template("processor"), {}),
    "processor and list": (named("default", "tool_use"), template("processor"), {}),
    "none": (None, None, {}),
}


def render(folder):
    """What each way to ask for a template gives, or the kind of error."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    # A template alone has no name when it is read from a file.
    names = tokenizer.chat_template if isinstance(tokenizer.chat_template, dict) and len(tokenizer.chat_template) > 1 else []
    out = {}
    for name in {None, *names}:
        for tools in (None, TOOLS):
            try:
                text = tokenizer.apply_chat_template(CHAT, chat_template=name, tools=tools, add_generation_prompt=True, tokenize=False)
            except ValueError as error:
                text = type(error)
            out[name, tools is None] = text
    return out


def processors_template(folder):
    return ProcessorMixin.get_processor_dict(folder)[0].get("chat_template")


def make(folder, in_config, in_processor, files):
    config = {"tokenizer_class": "Qwen2Tokenizer"} | ({} if in_config is None else {"chat_template": in_config})
    source = model_folder(folder, "qwen2", config, **({"chat_template": {"chat_template": in_processor}} if in_processor else {}))
    write_vocab(source, *train_bytes())
    for path, text in files.items():
        (source / path).parent.mkdir(exist_ok=True)
        (source / path).write_bytes(text.encode())
    return source


@pytest.mark.parametrize("name", PLACES)
def test_what_is_rendered_is_the_same(name, tmp_path):
    source = make(tmp_path / "source", *PLACES[name])
    run_program("convert", source, tmp_path / "out")
    before, after = render(source), render(tmp_path / "out")
    assert before == after
    assert name == "none" or any(isinstance(text, str) for text in before.values())
    wanted = processors_template(source)
    assert processors_template(tmp_path / "out") == wanted or wanted is None


def test_a_processors_template_becomes_the_tokenizers(tmp_path):
    """transformers' tokenizers, mlx-lm and mlx-swift-lm do not read chat_template.json."""
    source = make(tmp_path / "source", None, template("processor"), {})
    assert AutoTokenizer.from_pretrained(source).chat_template is None
    run_program("convert", source, tmp_path / "out")
    assert "“processor”" in render(tmp_path / "out")[None, True]
    assert processors_template(tmp_path / "out") == template("processor")
