"""tokenizer.json from tiktoken and tekken files: ids and texts of the tiktoken library with the pattern and the tokens of each model's code."""
import base64
import json
import unicodedata

import pytest
from conftest import run_program
from tokenizer_material import model_folder, texts, tiktoken_ranks, train_bytes, write_tiktoken
from tokenizers import Tokenizer
from transformers import AutoTokenizer

tiktoken = pytest.importorskip("tiktoken", reason="scripts/setup.sh test installs it")

QWEN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
GLM4 = QWEN.replace(r"|\p{N}|", r"|\p{N}{1,3}|")
SUFFIX = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
UPPER, LOWER = (rf"[\p{{L{case}}}\p{{Lt}}\p{{Lm}}\p{{Lo}}\p{{M}}&&[^\p{{Han}}]]" for case in "ul")
LOWER = LOWER.replace(r"\p{Lt}", "")
KIMI = "|".join([r"[\p{Han}]+", rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+{SUFFIX}", rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*{SUFFIX}",
                 r"\p{N}{1,3}", r" ?[^\s\p{L}\p{N}]+[\r\n]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+"])
EXTRA = [f"<|extra_{i}|>" for i in range(205)]
DUMMIES = [f"<|dummy_id_{i}|>" for i in range(87)]
BASE = 900  # ranks of the vocabulary that train_bytes makes


def by_id(*tokens, first=BASE):
    return {str(first + i): {"content": token, "special": True, "normalized": False} for i, token in enumerate(tokens)}


def reserved(names, count):
    return [names.get(i, f"<|reserved_token_{BASE + i}|>") for i in range(count)]


# file: (golden case, tokenizer_config.json, pattern, what follows the ranks, what begins every text)
FILES = {
    "qwen.tiktoken": ("qwen", {"tokenizer_class": "QWenTokenizer", "auto_map": {"AutoTokenizer": ["tokenization_qwen.QWenTokenizer", None]}},
                      QWEN, ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *EXTRA], []),
    "hy.tiktoken": ("llama", {"tokenizer_class": "HYTokenizer"}, QWEN,
                    ["<|endoftext|>", "<|startoftext|>", "<|bos|>", "<|eos|>", "<|pad|>", *EXTRA], []),
    "cl100k_base.tiktoken": ("llama", {"tokenizer_class": "Phi3SmallTokenizer"}, GLM4,
                             ["<|dummy_id_2|>", "<|endoftext|>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|system|>", "<|user|>",
                              "<|assistant|>", *DUMMIES[:2], "<|end|>", *DUMMIES[3:12], "<|endofprompt|>", *DUMMIES[12:]], []),
    "tiktoken.model": ("llama", {"tokenizer_class": "TikTokenTokenizer", "bos_token": "[BOS]", "eos_token": "[EOS]",
                                 "added_tokens_decoder": by_id("[BOS]", "[EOS]", "<|im_end|>")},
                       KIMI, reserved({0: "[BOS]", 1: "[EOS]", 2: "<|im_end|>"}, 256), []),
    "tokenizer.model": ("glm4", {"tokenizer_class": "ChatGLM4Tokenizer", "additional_special_tokens": ["<|user|>"], "eos_token": "<|endoftext|>",
                                 "added_tokens_decoder": by_id("<|endoftext|>", "[MASK]", "[gMASK]", "[sMASK]", "<sop>", "<eop>", "<|user|>")},
                        GLM4, ["<|endoftext|>", "[MASK]", "[gMASK]", "[sMASK]", "<sop>", "<eop>", "<|user|>"], [BASE + 2, BASE + 4]),
}


@pytest.fixture(scope="module")
def ranks():
    vocab, _ = train_bytes()
    assert len(vocab) == BASE
    return tiktoken_ranks(vocab)


def convert(source, out):
    result = run_program("convert", source, out)
    assert "tokenizer.json was built from" in result.stdout + result.stderr
    return Tokenizer.from_file(str(out / "tokenizer.json"))


@pytest.mark.parametrize("name", FILES)
def test_as_the_models_code(name, ranks, tmp_path):
    case, config, pattern, special, begin = FILES[name]
    source = model_folder(tmp_path / "source", case, config)
    write_tiktoken(source / name, ranks)
    ours = convert(source, tmp_path / "out")
    tokens = {token: BASE + i for i, token in enumerate(special)}
    theirs = tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=ranks, special_tokens=tokens)
    assert ours.get_vocab_size() == theirs.n_vocab
    for text in texts(special[:8]):
        ids = ours.encode(text).ids
        wanted = unicodedata.normalize("NFC", text) if pattern is QWEN else text
        assert ids == begin + theirs.encode(wanted, allowed_special="all"), repr(text[:80])
        assert ours.decode(ids[len(begin):], skip_special_tokens=False) == wanted


def test_as_transformers(ranks, tmp_path):
    """transformers reads tiktoken files of every kind in one way, which is that of Llama 3."""
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "add_bos_token": True, "bos_token": "<|begin|>",
              "added_tokens_decoder": by_id("<|begin|>", "<|end|>") | by_id("<|eot|>", first=BASE + 5)}
    source = model_folder(tmp_path / "source", "llama", config)
    write_tiktoken(source / "tokenizer.model", ranks)
    theirs = AutoTokenizer.from_pretrained(source)
    ours = convert(source, tmp_path / "out")
    assert json.loads(ours.to_str()) == json.loads(theirs.backend_tokenizer.to_str())
    for text in texts(["<|begin|>", "<|eot|>", "<|reserved_token_903|>"]):
        assert ours.encode(text).ids == theirs(text)["input_ids"], repr(text[:80])


OLD = """<unk> <s> </s> [INST] [/INST] [AVAILABLE_TOOLS] [/AVAILABLE_TOOLS] [TOOL_RESULTS] [/TOOL_RESULTS] [TOOL_CALLS] [IMG] <pad>
[IMG_BREAK] [IMG_END] [PREFIX] [MIDDLE] [SUFFIX] [SYSTEM_PROMPT] [/SYSTEM_PROMPT] [TOOL_CONTENT]""".split()


def write_tekken(path, ranks, special):
    tokens = [{"rank": rank, "token_bytes": base64.b64encode(token).decode(), "token_str": None} for token, rank in ranks.items()]
    config = {"pattern": KIMI, "num_vocab_tokens": BASE, "default_vocab_size": BASE, "default_num_special_tokens": 30, "version": "v7"}
    named = {"special_tokens": [{"rank": i, "token_str": t, "is_control": True} for i, t in enumerate(special)]} if special else {}
    path.write_text(json.dumps({"config": config, "vocab": tokens, **named}))


@pytest.mark.parametrize("config", [{}, {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True, "bos_token": "<s>"}])
def test_tekken(config, ranks, tmp_path):
    """More tokens than are used, special tokens that are not named, and one that is a token of the vocabulary too."""
    source = model_folder(tmp_path / "source", "mistral", config)
    special = ["<unk>", "<s>", "</s>", "[INST]", "hello"]
    write_tekken(source / "tekken.json", ranks, special)
    theirs = AutoTokenizer.from_pretrained(source)
    ours = convert(source, tmp_path / "out")
    assert json.loads(ours.to_str()) == json.loads(theirs.backend_tokenizer.to_str())
    for text in texts([*special, "<SPECIAL_7>"]):
        assert ours.encode(text).ids == theirs(text)["input_ids"], repr(text[:80])


def test_tekken_of_the_first_version(ranks, tmp_path):
    """Without the names of its special tokens, which transformers takes from mistral-common: the same as with them."""
    source = model_folder(tmp_path / "source", "mistral", {})
    write_tekken(source / "tekken.json", ranks, OLD)
    theirs = AutoTokenizer.from_pretrained(source)
    write_tekken(source / "tekken.json", ranks, [])
    ours = convert(source, tmp_path / "out")
    assert json.loads(ours.to_str()) == json.loads(theirs.backend_tokenizer.to_str())
