# Without --fix-eos a note tells what it would do.
cp -r "$ROOT/examples/tiny-qwen3" in
sed -i.old 's/"eos_token_id": 0/"eos_token_id": 7/' in/config.json && rm in/config.json.old
printf '{"eos_token_id": 0, "do_sample": true}' > in/generation_config.json
hf2mlx convert in plain >/dev/null 2>plain.err
grep -v '^converting' plain.err
grep -A1 eos_token_id plain/config.json
hf2mlx convert in fixed --fix-eos --quiet
grep -A4 eos_token_id fixed/config.json
cat fixed/generation_config.json
cmp in/generation_config.json plain/generation_config.json
