# --quiet says nothing, and the output is a whole model folder.
hf2mlx convert "$ROOT/examples/tiny-qwen3" out -q --quiet
for file in config.json model.safetensors model.safetensors.index.json tokenizer.json tokenizer_config.json chat_template.jinja; do
  test -s out/$file
done
