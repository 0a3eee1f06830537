#!/usr/bin/env bash
# The C++ libraries that the project links, built by clang with libc++ out of the distribution's own source packages: what the distribution ships
# of them is made for libstdc++, and one program cannot use both standard libraries.
#
#   scripts/libcxx.sh PREFIX     installs static fmt, oneTBB, Highway, yaml-cpp, protobuf-lite and GoogleTest below PREFIX
#
# For the preset `libcxx` alone (make test-libcxx). Libraries of C and of headers alone are those of the system, and so is protoc.
set -euo pipefail
mkdir -p "$1"
prefix=$(cd "$1" && pwd)
project=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"$project/scripts/debian_sources.sh" onetbb highway fmtlib yaml-cpp protobuf googletest

launcher=()
if command -v ccache >/dev/null; then launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_C_COMPILER_LAUNCHER=ccache); fi

# build NAME [cmake options]: the source package NAME.
build() {
  local name=$1
  shift
  cmake -S "$name" -B "$name/build" -G Ninja -Wno-dev -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DBUILD_TESTING=OFF \
    -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_INSTALL_LIBDIR=lib \
    -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_CXX_FLAGS=-stdlib=libc++ "${launcher[@]}" "$@"
}
# whole NAME [cmake options]: builds and installs all of it.
whole() {
  build "$@"
  cmake --build "$1/build"
  cmake --install "$1/build"
}
whole onetbb -DTBB_TEST=OFF -DTBB_STRICT=OFF -DTBBMALLOC_BUILD=OFF
whole highway -DHWY_ENABLE_TESTS=OFF -DHWY_ENABLE_EXAMPLES=OFF -DHWY_ENABLE_CONTRIB=OFF
whole fmtlib -DFMT_TEST=OFF -DFMT_DOC=OFF
whole yaml-cpp -DYAML_CPP_BUILD_TESTS=OFF -DYAML_CPP_BUILD_TOOLS=OFF
whole googletest -DBUILD_GMOCK=ON
# Of protobuf only what generated code needs. Its package for CMake asks for all of it, so it is not installed: CMake's own module finds these files.
build protobuf -Dprotobuf_BUILD_TESTS=OFF -Dprotobuf_BUILD_PROTOC_BINARIES=OFF -Dprotobuf_WITH_ZLIB=OFF
cmake --build protobuf/build --target libprotobuf-lite
cmake --install protobuf/build --component libprotobuf-lite
cmake --install protobuf/build --component protobuf-headers
touch "$prefix/complete"
