hf2mlx verify out --error
