# Neither folder exists.
hf2mlx list
