# Several models of one read are those that single conversions make.
model="$ROOT/examples/tiny-qwen3"
hf2mlx convert "$model" out --variant 4 --variant 8:32 --variant mxfp4 --variant mixed_3_6 --variant none --quiet
ls
hf2mlx convert "$model" out-4 -q --quiet
hf2mlx convert "$model" out-8 -q --q-bits 8 --q-group-size 32 --quiet
hf2mlx convert "$model" out-mx -q --q-mode mxfp4 --quiet
hf2mlx convert "$model" out-mixed -q --quant-predicate mixed_3_6 --quiet
hf2mlx convert "$model" out-none --quiet
for pair in 4:4bit 8:8bit-g32 mx:mxfp4 mixed:mixed_3_6 none:unquantized; do
  for file in model.safetensors model.safetensors.index.json config.json; do cmp "out-${pair%%:*}/$file" "out-${pair#*:}/$file"; done
done
hf2mlx convert "$model" -q --q-bits 4,8 --json 2>/dev/null | python3 -c 'import json, sys; print([v["output"] for v in json.load(sys.stdin)["variants"]])'
