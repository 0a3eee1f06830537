"""python -m hf2mlx: the program."""
import os
import sys
import sysconfig

program = os.path.join(sysconfig.get_path("scripts"), "hf2mlx")
os.execv(program, [program, *sys.argv[1:]])
