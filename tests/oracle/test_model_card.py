"""The model card: what huggingface_hub reads of it is what it reads of the source's card, with what the conversion adds."""
import os
import shutil
import subprocess

import pytest
from huggingface_hub import ModelCard

REPO, COMMIT = "org/Model-Instruct", "a" * 40
ADDED = {"library_name": "mlx", "base_model": REPO, "base_model_relation": "quantized"}
TEXT = "# Model\n\nSome --- text.\n"
GATED = """license: gemma
extra_gated_heading: Access Gemma
extra_gated_prompt: >-
  To access: read
  and agree
extra_gated_fields:
  Name: text
  I agree: checkbox
extra_gated_button_content: Acknowledge license"""
RESULTS = """license: mit
model-index:
- name: M
  results:
  - task: {type: text-generation}
    dataset: {name: IFEval, type: org/ifeval}
    metrics:
    - {type: acc, value: 12.5, name: strict}
    source: {url: https://example.org, name: board}"""
# name: (the source's metadata or whole card, what of it is not the same afterwards)
CARDS = {
    "plain": ("license: apache-2.0\nlanguage:\n- en\n- de\npipeline_tag: text-generation\ntags:\n- chat\nbase_model: org/Base", {"tags": ["chat", "mlx"]}),
    "lines of Windows": ("license: mit\r\nlanguage: [en, 'no']\r\ntags:\r\n  - a", {"tags": ["a", "mlx"]}),
    "byte order mark": ("\ufeff---\nlicense: mit\n---\n" + TEXT, {}),
    "several ancestors": ("base_model:\n- org/A\n- org/B\nbase_model_relation: merge\nlicense: llama3.1", {}),
    "licence elsewhere": ("license: other\nlicense_name: qwen-research\nlicense_link: https://example.org/LICENSE", {}),
    "gated": (GATED, {}),
    "results": (RESULTS, {}),
    "widgets": ("license: mit\nwidget:\n- text: 'Hi: \"you\"'\n  example_title: a\ninference:\n  parameters:\n    temperature: 0.7\nlibrary_name: x", {}),
    "quoted": ("'license': 'mit'\n\"language\":\n- 'no'\n- \"yes\"\ntags: chat", {"tags": ["chat", "mlx"]}),
    "nothing in it": ("license: mit\ntags:\npipeline_tag:", {}),
    "anchors": ("license: &l mit\nx: *l", {}),
    "comments": ("# first\nlicense: mit # why\n# then\ntags:\n# in\n- a # b", {"tags": ["a", "mlx"]}),
    "a key twice": ("license: mit\nlicense: apache-2.0", {}),
    "other scripts": ("license: mit\ntags:\n- '🚀 x'\ntitle: \"é: ü\"", {"tags": ["🚀 x", "mlx"]}),
    "images": ("license: mit\npipeline_tag: image-text-to-text\nlibrary_name: transformers\ndatasets:\n- a/b", {}),
    "no metadata": (TEXT, {}),
    "no end": ("---\nlicense: mit\n" + TEXT, {}),
}
UNREADABLE = {
    "cut list": "license: mit\ntags: [a, b\nfoo: : x",
    "tabs": "license: mit\ntags:\n\t- a",
    "a list": "- a\n- b",
    "one line": "{license: mit}",
}


def card_of(metadata):
    ending = "\r\n" if "\r\n" in metadata else "\n"
    is_whole = metadata.startswith(("---", "\ufeff", TEXT))
    return metadata if is_whole else ending.join(["---", metadata, "---", TEXT])


def convert(source, tmp_path, card, *args, **files):
    """Converts a model of the cache whose card that is. Returns (the new card, what the program says)."""
    model = tmp_path / "hub" / "models--org--Model-Instruct"
    snapshot = model / "snapshots" / COMMIT
    shutil.copytree(source, snapshot, ignore=shutil.ignore_patterns("README.md"))
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text(COMMIT)
    cards = {} if card is None else {"README.md": card}
    for name, text in (cards | files).items():
        (snapshot / name).write_bytes(text.encode())
    done = subprocess.run([os.environ["HF2MLX"], "convert", REPO, tmp_path / "out", *args], check=True, capture_output=True, text=True,
                          env=os.environ | {"HF_HUB_CACHE": str(tmp_path / "hub"), "HOME": str(tmp_path)})
    return ModelCard.load(tmp_path / "out" / "README.md"), done.stderr


@pytest.mark.parametrize("name", CARDS)
def test_metadata_is_merged(name, source, tmp_path):
    metadata, changes = CARDS[name]
    before = ModelCard(card_of(metadata).removeprefix("\ufeff")).data.to_dict()
    wanted = {"tags": ["mlx"], "pipeline_tag": "text-generation"} | before | ADDED | changes
    card, said = convert(source, tmp_path, card_of(metadata), "-q")
    assert card.data.to_dict() == {key: value for key, value in wanted.items() if value is not None}
    assert "README.md of the source" not in said


@pytest.mark.parametrize("name", UNREADABLE)
def test_metadata_that_cannot_be_merged_is_named(name, source, tmp_path):
    card, said = convert(source, tmp_path, card_of(UNREADABLE[name]), "-q", LICENSE="text")
    assert "README.md of the source: front matter" in said
    assert card.data.to_dict() == ADDED | {"tags": ["mlx"], "pipeline_tag": "text-generation", "license": "other", "license_link": "LICENSE"}


def test_what_is_not_quantized_does_not_say_so(source, tmp_path):
    card, _ = convert(source, tmp_path, card_of("license: mit\nbase_model_relation: finetune"))
    assert card.data.to_dict() == {"license": "mit", "library_name": "mlx", "tags": ["mlx"], "pipeline_tag": "text-generation", "base_model": REPO}
    assert "The weights are not quantized" in card.text


def test_the_text_says_how_it_was_made_and_is_used(source, tmp_path):
    card, _ = convert(source, tmp_path, None, "-q", "--q-bits", "8")
    assert f"[{REPO}](https://huggingface.co/{REPO}) at commit `{COMMIT}`" in card.text
    # The command, without the name of the user.
    assert f"\nhf2mlx convert {REPO} ~/out -q --q-bits 8\n" in card.text
    assert str(tmp_path) not in card.text
    assert "8-bit affine, groups of 64" in card.text and "8.5" in card.text
    assert "mlx_lm.chat --model out" in card.text and "PUBLISHER/out" in card.text
