"""tokenizer.json for models that have none: what transformers makes of the same files, as JSON and on a large mixed text."""
import json

import pytest
import sentencepiece
from conftest import run_program
from tokenizer_material import model_folder, texts, train_bytes, train_spm, write_vocab
from tokenizers import Tokenizer
from transformers import AutoTokenizer

PAD = {"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1}
GEMMA = {"add_dummy_prefix": False, "pad_id": 0, "eos_id": 1, "bos_id": 2, "unk_id": 3, "pad_piece": "<pad>", "eos_piece": "<eos>",
         "bos_piece": "<bos>", "user_defined_symbols": ["<mask>", "<start_of_turn>", "<end_of_turn>", "\n\n"]}
SYMBOLS = {"user_defined_symbols": ["<|user|>", "\n\n", "<h1>", "dog"], "control_symbols": ["<ctl>"], "pad_id": 3}
NMT = {"normalization_rule_name": "nmt_nfkc", "remove_extra_whitespaces": True}
BOS = {"__type": "AddedToken", "content": "<s>", "lstrip": False, "normalized": True, "rstrip": False, "single_word": False}
ADDED = {"0": {"content": "<unk>", "special": True, "normalized": False}, "1": {"content": "<s>", "special": True, "normalized": True},
         "600": {"content": "<|im_start|>", "special": True, "normalized": False, "rstrip": True},
         "601": {"content": "new word", "special": False, "normalized": True, "lstrip": True}}

# name: (golden case, SentencePiece options, tokenizer_config.json, other files)
SPM = {
    "llama": ("llama", {}, {"tokenizer_class": "LlamaTokenizer"}, {}),
    "llama-bos": ("llama", {}, {"tokenizer_class": "LlamaTokenizerFast", "add_bos_token": True, "add_eos_token": True, "legacy": True,
                                "bos_token": BOS}, {}),
    "llama-modern": ("llama", {}, {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True, "legacy": False, "pad_token": "<pad>",
                                   "added_tokens_decoder": ADDED, "additional_special_tokens": ["<|im_start|>"]}, {}),
    "llama-no-prefix": ("llama", {}, {"tokenizer_class": "LlamaTokenizer", "add_prefix_space": False, "legacy": False}, {}),
    "llama-old": ("llama", {}, {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True},
                  {"special_tokens_map": {"bos_token": {k: v for k, v in BOS.items() if k != "__type"}, "pad_token": "<pad>"},
                   "added_tokens": {"<pad>": 600, "<|extra|>": 601}}),
    "llama-symbols": ("llama", SYMBOLS, {"tokenizer_class": "LlamaTokenizer"}, {}),
    "llama-nmt": ("llama", NMT, {"tokenizer_class": "LlamaTokenizer"}, {}),
    "code_llama": ("llama", {}, {"tokenizer_class": "CodeLlamaTokenizer"}, {}),
    "t5": ("llama", {"model_type": "unigram", "byte_fallback": False, **NMT, **PAD}, {"tokenizer_class": "T5Tokenizer"}, {}),
    "t5-extra": ("llama", {"model_type": "unigram", "byte_fallback": False, **PAD},
                 {"tokenizer_class": "T5Tokenizer", "extra_ids": 3, "eos_token": "</s>"}, {}),
    "gemma": ("gemma", GEMMA, {"tokenizer_class": "GemmaTokenizer", "add_bos_token": True}, {}),
    "gemma-special": ("gemma", GEMMA, {"tokenizer_class": "GemmaTokenizer", "add_bos_token": True, "added_tokens_decoder": {
        str(i): {"content": t, "special": i != 4, "normalized": False}
        for i, t in enumerate(["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<start_of_turn>", "<end_of_turn>", "\n\n"])}}, {}),
}
BYTES = {
    "gpt2": ("gpt2", {"tokenizer_class": "GPT2Tokenizer"}, {}),
    "gpt2-bos": ("gpt2", {"tokenizer_class": "GPT2Tokenizer", "add_bos_token": True, "add_prefix_space": True, "bos_token": "</s>"}, {}),
    "gpt_neox": ("gpt_neox", {"tokenizer_class": "GPTNeoXTokenizer"}, {}),
    "codegen": ("phi", {"tokenizer_class": "CodeGenTokenizer"}, {}),
    "qwen2": ("qwen2", {"tokenizer_class": "Qwen2Tokenizer", "added_tokens_decoder": {
        str(900 + i): {"content": t, "special": i < 3, "normalized": False} for i, t in enumerate(
            ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool_call>"])}, "additional_special_tokens": ["<|im_start|>", "<|im_end|>"],
        "eos_token": "<|im_end|>", "bos_token": None}, {}),
    "gpt_neox-both": ("gpt_neox", {"tokenizer_class": "GPTNeoXTokenizer", "additional_special_tokens": ["<|im_end|>"]},
                      {"special_tokens_map": {"additional_special_tokens": ["<|x|>", "<|y|>"], "pad_token": "<|z|>"}}),
    "qwen2-old": ("qwen2", {"tokenizer_class": "Qwen2Tokenizer"},
                  {"added_tokens": {"<|endoftext|>": 900, "<|im_start|>": 901},
                   "special_tokens_map": {"additional_special_tokens": ["<|im_start|>"], "eos_token": "<|endoftext|>"}}),
}

# name: (SentencePiece options, tokenizer_config.json). Classes that transformers does not have, or has for the other algorithm.
AS_TRAINED = {
    "no-class": ({}, {}),
    "internlm2": ({}, {"tokenizer_class": "InternLM2Tokenizer", "auto_map": {"AutoTokenizer": ["tokenization.InternLM2Tokenizer", None]}}),
    "baichuan": ({"add_dummy_prefix": False}, {"tokenizer_class": "BaichuanTokenizer", "add_bos_token": False}),
    "no-bytes": ({"byte_fallback": False}, {"tokenizer_class": "XTokenizer"}),
    "spaces": ({"remove_extra_whitespaces": True}, {}),
    "nmt": (NMT, {}),
    "nfkc": ({"normalization_rule_name": "nfkc", "add_dummy_prefix": False}, {}),
    "nmt_nfkc_cf": ({**NMT, "normalization_rule_name": "nmt_nfkc_cf"}, {}),
    "nfkc_cf": ({"normalization_rule_name": "nfkc_cf"}, {}),
    "unigram": ({"model_type": "unigram"}, {"tokenizer_class": "LlamaTokenizer"}),
    "unigram-nmt": ({"model_type": "unigram", **NMT}, {}),
    "unigram-no-bytes": ({"model_type": "unigram", "byte_fallback": False}, {}),
    "unigram-no-bytes-nmt": ({"model_type": "unigram", "byte_fallback": False, **NMT}, {}),
}


# InternLM2 and others: spare pieces that get their names from tokenizer_config.json.
SPARE = {"user_defined_symbols": [f"[UNUSED_TOKEN_{i}]" for i in range(4)]}


def assert_same(ours, theirs, special):
    """The same JSON, ids and texts. `theirs` is a tokenizer of transformers, `ours` a tokenizer.json."""
    raw = Tokenizer.from_file(str(ours))
    assert json.loads(ours.read_text()) == json.loads(theirs.backend_tokenizer.to_str())
    for text in texts(special):
        for add in (True, False):
            ids = raw.encode(text, add_special_tokens=add).ids
            assert ids == theirs(text, add_special_tokens=add)["input_ids"], repr(text[:80])
        assert raw.decode(ids, skip_special_tokens=False) == theirs.decode(ids)
        assert raw.decode(ids, skip_special_tokens=True) == theirs.decode(ids, skip_special_tokens=True)
    pair = raw.encode("hello", "world").ids
    assert pair == theirs("hello", "world")["input_ids"]


def convert(source, out):
    result = run_program("convert", source, out)
    assert "tokenizer.json was built from" in result.stdout + result.stderr
    return out / "tokenizer.json"


@pytest.mark.parametrize("name", SPM)
def test_sentencepiece(name, tmp_path):
    case, options, config, files = SPM[name]
    source = model_folder(tmp_path / "source", case, config, **files)
    train_spm(source / "tokenizer.model", **options)
    theirs = AutoTokenizer.from_pretrained(source)
    assert type(theirs).__name__ == config["tokenizer_class"].removesuffix("Fast")
    ours = convert(source, tmp_path / "out")
    # CodeLlamaTokenizer cuts texts at its <FILL_ME> in Python.
    assert_same(ours, theirs, [token for token in theirs.added_tokens_encoder if token != "<FILL_ME>"])
    # What programs in Python will see: transformers takes the vocabulary from our file.
    again = AutoTokenizer.from_pretrained(tmp_path / "out")
    assert json.loads(again.backend_tokenizer.to_str()) == json.loads(theirs.backend_tokenizer.to_str())


@pytest.mark.parametrize("name", BYTES)
def test_vocab_and_merges(name, tmp_path):
    case, config, files = BYTES[name]
    source = model_folder(tmp_path / "source", case, config, **files)
    write_vocab(source, *train_bytes())
    theirs = AutoTokenizer.from_pretrained(source)
    ours = convert(source, tmp_path / "out")
    assert_same(ours, theirs, list(theirs.added_tokens_encoder))


@pytest.mark.parametrize("name", AS_TRAINED)
def test_as_sentencepiece_reads_it(name, tmp_path):
    options, config = AS_TRAINED[name]
    source = model_folder(tmp_path / "source", "llama", config)
    train_spm(source / "tokenizer.model", **options)
    raw = Tokenizer.from_file(str(convert(source, tmp_path / "out")))
    theirs = sentencepiece.SentencePieceProcessor(model_file=str(source / "tokenizer.model"))
    different = []
    for text in texts():
        ids = theirs.encode(text)
        if raw.encode(text, add_special_tokens=False).ids != ids:
            different.append(text)
        # SentencePiece writes unknown tokens in its own way, and may drop several spaces at the beginning.
        elif theirs.unk_id() not in ids and not text.startswith("\u2581") and raw.decode(ids) != theirs.decode(ids):
            different.append(("decoded", text))
    assert different == []


@pytest.mark.parametrize("name", ["InternLM2Tokenizer", "InternLM3Tokenizer", "LlamaTokenizer"])
def test_spare_pieces_get_the_names_of_the_settings(name, tmp_path):
    source = model_folder(tmp_path / "source", "llama", {})
    train_spm(source / "tokenizer.model", **SPARE)
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(source / "tokenizer.model"))
    ids = {token: pieces.piece_to_id(f"[UNUSED_TOKEN_{i}]") for i, token in enumerate(["<|im_end|>", "<|im_start|>", "<|plugin|>"])}
    (source / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": name, "add_bos_token": False, "additional_special_tokens": list(ids),
        "added_tokens_decoder": {str(i): {"content": token, "special": True, "normalized": False} for token, i in ids.items()}}))
    raw = Tokenizer.from_file(str(convert(source, tmp_path / "out")))
    assert {token: raw.token_to_id(token) for token in ids} == ids
    assert raw.get_vocab_size() == pieces.get_piece_size()
    if name != "LlamaTokenizer":  # transformers gives that class new numbers, for which the model has no embeddings
        theirs = AutoTokenizer.from_pretrained(source)
        assert theirs.convert_tokens_to_ids(list(ids)) == list(ids.values())
    for text in texts():
        if "UNUSED" not in text:
            assert raw.encode(text).ids == pieces.encode(text) or name == "LlamaTokenizer", repr(text[:80])
    inside = raw.encode("<|im_start|>user hello<|im_end|>").ids
    assert [inside[0], inside[-1]] == [ids["<|im_start|>"], ids["<|im_end|>"]]
