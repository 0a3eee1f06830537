# Each is refused with a message of its own, and nothing is written.
copy() { cp -r "$ROOT/examples/tiny-qwen3" "$1"; }
refused() { # NAME [OPTION]...
  status=0
  hf2mlx convert "$@" --mlx-path out -q --quiet || status=$?
  test -z "$(find . -name 'out' -o -name '.out*')"
  echo "$1: exit status $status"
}
copy no-config; rm no-config/config.json; refused no-config
copy unknown-type; sed -i.old 's/"model_type": "qwen3"/"model_type": "qwen33"/' unknown-type/config.json; refused unknown-type
copy endless; sed -i.old 's/"num_hidden_layers": [0-9]*/"num_hidden_layers": 1000000000/' endless/config.json; refused endless
copy cut; head -c 100000 "$ROOT/examples/tiny-qwen3/model-00002-of-00004.safetensors" > cut/model-00002-of-00004.safetensors; refused cut
copy no-shard; rm no-shard/model-00003-of-00004.safetensors; refused no-shard
copy twice; rm twice/model.safetensors.index.json; cp twice/model-00001-of-00004.safetensors twice/model-00005-of-00004.safetensors; refused twice
copy outside; sed -i.old 's|model-00001-of-00004.safetensors|../x.safetensors|' outside/model.safetensors.index.json; refused outside
copy no-utf8; printf '{"model_type":"\377"}' > no-utf8/config.json; refused no-utf8
copy loop; rm loop/config.json; ln -s config.json loop/config.json; refused loop
mkdir empty; refused empty
touch file; refused file
