#!/usr/bin/env bash
# Installs what is missing, and does nothing when all is there: packages of Debian (apt) or macOS (Homebrew), and .venv for the tests.
#
#   scripts/setup.sh build    what compiles the program
#   scripts/setup.sh lint     the formatter
#   scripts/setup.sh test     build + GoogleTest + .venv with the reference (mlx-lm, pinned)
#   scripts/setup.sh bench    the same as test + google-benchmark
#   scripts/setup.sh libcxx   build + clang with LLVM's C++ library, and what unpacks Debian's sources
#   scripts/setup.sh arm64    build + Debian's cross compiler for arm64, the libraries of that architecture, and qemu to run what it makes
set -euo pipefail
cd "$(dirname "$0")/.."

# In step with cmake/Dependencies.cmake.
debian_build=(g++ make git cmake ninja-build libfmt-dev nlohmann-json3-dev libcli11-dev libtbb-dev libssl-dev libcurl4-openssl-dev libhwy-dev libyaml-cpp-dev libprotobuf-dev
              protobuf-compiler libncurses-dev ccache)
debian_lint=(clang-format-14 python3)
debian_test=(dpkg-dev file pkg-config libgtest-dev libgmock-dev python3 python3-dev python3-venv tmux zsh fish chromium)  # Chromium opens the page of verify --html
debian_bench=(libbenchmark-dev)
# Of arm64, beside our own. The package of yaml-cpp for programs cannot stand beside that of another architecture; its library can.
debian_arm64=(python3 g++-aarch64-linux-gnu qemu-user libc6-dev:arm64 libfmt-dev:arm64 libtbb-dev:arm64 libssl-dev:arm64 libcurl4-openssl-dev:arm64 libhwy-dev:arm64
              libncurses-dev:arm64 libyaml-cpp0.7:arm64 libprotobuf-dev:arm64 libgtest-dev:arm64 libgmock-dev:arm64)
debian_libcxx=(clang libc++-dev libc++abi-dev dpkg-dev python3)
brew_build=(cmake ninja fmt nlohmann-json cli11 tbb openssl@3 curl highway yaml-cpp protobuf ncurses ccache)
brew_lint=(python@3.12)
brew_test=(googletest pkgconf python@3.12 tmux fish)
brew_bench=(google-benchmark)

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

install_debian() {
  local missing=()
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  echo "setup: installing ${missing[*]}"
  as_root apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
}

install_brew() {
  local missing=()
  for package in "$@"; do
    [ -d "$(brew --prefix)/opt/$package" ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  echo "setup: installing ${missing[*]}"
  brew install "${missing[@]}"
}

# install GROUP: the packages of that group, by whichever package manager there is.
install() {
  local list
  if command -v apt-get >/dev/null; then
    list="debian_$1[@]"
    install_debian "${!list}"
  elif command -v brew >/dev/null; then
    list="brew_$1[@]"
    install_brew "${!list}"
  else
    echo "setup: neither apt-get nor brew here; install what cmake/Dependencies.cmake asks for by hand" >&2
  fi
}

# .venv holds exactly scripts/requirements.txt; a copy of the list inside says which one.
make_venv() {
  cmp -s scripts/requirements.txt .venv/requirements.txt && return 0
  echo "setup: making .venv"
  rm -rf .venv
  python3 -m venv .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -r scripts/requirements.txt
  cp scripts/requirements.txt .venv/requirements.txt
}

# A foreign architecture adds packages and changes none of our own.
add_arm64() {
  command -v dpkg >/dev/null || { echo "setup: the cross compiler is Debian's" >&2 && return 1; }
  dpkg --print-foreign-architectures | grep -qx arm64 || as_root dpkg --add-architecture arm64
}

case "${1:-}" in
  build) install build ;;
  lint) install lint ;;
  test) install build && install test && make_venv ;;
  libcxx) install build && install libcxx ;;
  arm64) install build && add_arm64 && install arm64 ;;
  bench) install build && install test && install bench && make_venv ;;
  *) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" && exit 2 ;;
esac
