#!/usr/bin/env python3
"""Runs a command and prints its seconds and peak bytes of memory: measure.py COMMAND...

A process of its own, run with -S -E: Linux counts the memory of the parent at the time of the fork as the child's, so the parent must be small.
"""
import os
import sys
import time

devnull = os.open(os.devnull, os.O_RDWR)
begin = time.perf_counter()
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, devnull, fd) for fd in (0, 1, 2)])
_, status, usage = os.wait4(child, 0)
print(time.perf_counter() - begin, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))
sys.exit(os.waitstatus_to_exitcode(status) != 0)
