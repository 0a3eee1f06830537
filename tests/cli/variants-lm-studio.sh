# Names that the template does not tell apart get an ending.
hf2mlx convert "$ROOT/examples/tiny-qwen3" --lm-studio me -q --q-bits 4,8 --quiet
hf2mlx convert "$ROOT/examples/tiny-qwen3" --lm-studio me -q --q-bits 2,3 --name '{model}-{bits}bit' --quiet
ls $HOME/.lmstudio/models/me
