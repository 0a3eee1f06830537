"""The files that go along: transformers sees in our output the tokenizer and the template that it sees in the source."""
import filecmp

import pytest
from transformers import AutoTokenizer

TEXTS = ["import os", "def f(x):\n    return x ** 2\n", "<|im_start|>user\nhéllo 世界 \t\n<|im_end|>", ""]
CHAT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is a list?"}]


@pytest.fixture(scope="module")
def tokenizers(pair, source):
    return AutoTokenizer.from_pretrained(source), AutoTokenizer.from_pretrained(pair[0])


@pytest.mark.parametrize("text", TEXTS)
def test_same_tokens(tokenizers, text):
    before, after = tokenizers
    assert after(text)["input_ids"] == before(text)["input_ids"]
    assert after.decode(after(text)["input_ids"]) == before.decode(before(text)["input_ids"])


def test_same_special_tokens(tokenizers):
    before, after = tokenizers
    assert type(after) is type(before)
    assert after.special_tokens_map == before.special_tokens_map
    assert len(after) == len(before)


def test_same_chat_template(tokenizers):
    before, after = tokenizers
    rendered = [t.apply_chat_template(CHAT, add_generation_prompt=True, tokenize=False) for t in (before, after)]
    assert rendered[0] == rendered[1]
    assert rendered[0].endswith("<|im_start|>assistant\n")


def test_side_files_are_the_same_bytes(pair, source):
    ours, _ = pair
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt", "generation_config.json"):
        assert filecmp.cmp(source / name, ours / name, shallow=False), name
