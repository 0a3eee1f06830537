# The likeliest slip of someone who knows other tools.
hf2mlx Qwen/Qwen3-8B
