# A signal in the middle of a conversion: status 130, nothing is left behind, and what was there before stays.
python3 - "$ROOT/examples/tiny-qwen3" <<'PYTHON'
# A model whose embedding is 8 GB of nothing: the file is sparse.
import json, pathlib, shutil, struct, sys
shutil.copytree(sys.argv[1], "big")
for path in pathlib.Path("big").glob("model*"):
    path.unlink()
config = json.loads(pathlib.Path("big/config.json").read_text())
config |= {"vocab_size": 1 << 24, "num_hidden_layers": 0, "tie_word_embeddings": True}
pathlib.Path("big/config.json").write_text(json.dumps(config))
size = (1 << 24) * 256 * 2
header = json.dumps({"model.embed_tokens.weight": {"dtype": "BF16", "shape": [1 << 24, 256], "data_offsets": [0, size]},
                     "model.norm.weight": {"dtype": "BF16", "shape": [256], "data_offsets": [size, size + 512]}}).encode()
with open("big/model.safetensors", "wb") as file:
    file.write(struct.pack("<Q", len(header)) + header)
    file.truncate(8 + len(header) + size + 512)
PYTHON
mkdir out
touch out/mine err
hf2mlx convert big out -q --force 2> err &
while ! grep -q converting err; do sleep 0.05; done
kill -TERM $!
status=0
wait $! || status=$?
test "$(ls out)" = mine
test "$(ls -A)" = "$(printf 'big\nerr\nout')"
grep -q interrupted err
exit $status
