#!/usr/bin/env bash
# Prints the formula of a released version: fill.sh HOMEPAGE URL SHA256
set -euo pipefail
[ $# -eq 3 ] || { sed -n 2p "$0" >&2; exit 2; }
sed -e "s|@HOMEPAGE@|$1|g" -e "s|@URL@|$2|" -e "s|@SHA256@|$3|" "$(dirname "$0")/hf2mlx.rb"
