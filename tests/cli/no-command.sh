# A script that names no command has a defect, and is told so.
hf2mlx
