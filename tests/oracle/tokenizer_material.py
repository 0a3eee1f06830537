"""Small vocabularies, model folders and texts for the tests of tokenizer.json.

Vocabularies are trained here, on words of our own and of random letters; nothing is downloaded.
"""
import base64
import io
import json
import random
import sys
from pathlib import Path

import sentencepiece
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "golden"))

WORDS = """hello world the quick brown fox jumps over lazy dog def return import function und der schön größe été naïve мир привет
世界 你好 こんにちは مرحبا שלום नमस्ते 안녕 ภาษา ελλάδα xx xxx xxxx aaaa 123 2024 3.14 don't it's we'll Hello World HTTPServer camelCase""".split()
# First and last character of a script or block, how many of them are taken.
RANGES = [(0x20, 0x7E), (0xA0, 0xFF), (0x100, 0x17F), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x4FF), (0x530, 0x58F), (0x590, 0x5FF),
          (0x600, 0x6FF), (0x900, 0x97F), (0xE00, 0xE7F), (0x10A0, 0x10FF), (0x1100, 0x11FF), (0x1E00, 0x1EFF), (0x2000, 0x206F),
          (0x20A0, 0x20CF), (0x2150, 0x218F), (0x2580, 0x259F), (0x3040, 0x30FF), (0x4E00, 0x4FFF), (0xAC00, 0xACFF), (0xFB00, 0xFB4F),
          (0xFE00, 0xFE0F), (0xFF00, 0xFFEF), (0x1D400, 0x1D4FF), (0x1F300, 0x1F64F), (0x20000, 0x200FF)]
CODE = 'def f(x: int) -> str:\n\tif x >= 10:\n        return f"{x!r}\\n" + \'a\' * 3  # done\n\n\n\nclass A:\r\n    pass\r\n'
EMOJI = "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 e\u0301 é \ufb01 ﬀ ① ㎏ Å \u212b \u00ad \u200b\u200d\ufeff"


def corpus():
    rng = random.Random(1)
    words = WORDS + ["".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(2, 9))) for _ in range(400)]
    return [" ".join(rng.choice(words) + rng.choice(["", ".", ",", "!", "\t", " ", " x"]) for _ in range(rng.randint(3, 20)))
            for _ in range(3000)]


def texts(special=()):
    """Many scripts, emoji, code, control characters, spaces in all places, special tokens, an empty and a very long text."""
    rng = random.Random(2)
    out = ["", " ", "  ", "\n", "\t\n \r\n", "a", " a", "a ", "  two  spaces  ", "\u2581", "\u2581x \u2581", "hello world", " Hello", "x" * 300]
    out += [CODE, EMOJI, "".join(map(chr, range(1, 32))) + "\x7f\x80\x9f", "don't I'LL we've 'S", "1234567890 3.14 1,000 ½ ٣", "\u00a0x\u3000y\u2028z"]
    for first, last in RANGES:
        letters = [chr(c) for c in range(first, last + 1)]
        out.append("".join(letters))
        out.append(" ".join("".join(rng.choice(letters) for _ in range(rng.randint(1, 8))) for _ in range(20)))
    for _ in range(40):
        out.append(rng.choice(["", " ", "\n"]).join(rng.choice(WORDS + CODE.split() + EMOJI.split()) for _ in range(rng.randint(1, 30))))
    for token in special:
        out += [token, f"a{token}b", f" {token} hello {token}{token}\nx", f"{token}  hello"]
    out.append(" ".join(rng.choice(WORDS + list(special)) for _ in range(6_000)))
    return out


def train_spm(path, **options):
    """A SentencePiece model; as Llama's unless the options say otherwise."""
    settings = {"model_type": "bpe", "byte_fallback": True, "vocab_size": 600, "character_coverage": 0.98, "hard_vocab_limit": False,
                "normalization_rule_name": "identity", "remove_extra_whitespaces": False, "minloglevel": 2, **options}
    if settings["model_type"] == "bpe":
        del settings["hard_vocab_limit"]
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(corpus()), model_writer=model, **settings)
    Path(path).write_bytes(model.getvalue())


def train_bytes():
    """(vocab, merges) of a byte-level BPE."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=900, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(corpus(), trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], [tuple(merge) for merge in model["merges"]]


def write_vocab(folder, vocab, merges):
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))


def tiktoken_ranks(vocab):
    """{bytes: rank}: single bytes in their order, then tokens in theirs. The alphabet is Latin-1 with its holes filled from U+0100."""
    keep = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    byte_of = {chr(b): b for b in keep}
    byte_of |= {chr(0x100 + i): b for i, b in enumerate(b for b in range(256) if b not in keep)}
    tokens = [bytes(byte_of[c] for c in token) for token, _ in sorted(vocab.items(), key=lambda item: item[1])]
    singles = sorted(token for token in tokens if len(token) == 1)
    return {token: rank for rank, token in enumerate(singles + [token for token in tokens if len(token) > 1])}


def write_tiktoken(path, ranks):
    path.write_text("".join(f"{base64.b64encode(token).decode()} {rank}\n" for token, rank in ranks.items()))


def model_folder(folder, case, tokenizer_config, **files):
    """A checkpoint of a golden case without its tokenizer, with this tokenizer_config.json and other JSON files."""
    import casefile
    import oracle
    oracle.materialize(casefile.load(casefile.path_of(case)), folder)
    for file in casefile.TOKENIZER.iterdir():
        (folder / file.name).unlink()
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer_config))
    for name, value in files.items():
        (folder / f"{name}.json").write_text(json.dumps(value))
    return folder
