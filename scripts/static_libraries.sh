#!/usr/bin/env bash
# Static builds of the libraries that Debian and Ubuntu ship shared only, oneTBB, Highway and fmt, out of the distribution's own source packages:
#
#   scripts/static_libraries.sh FOLDER     writes FOLDER/libtbb.a, libhwy.a and libfmt.a
#
# Apache-2.0 and MIT. For the preset `portable` alone, whose program is to run on other systems than the one it was built on; its objects are
# compiled with the headers of the packages that are installed, which are of the same version.
set -euo pipefail
mkdir -p "$1"
folder=$(cd "$1" && pwd)
project=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

"$project/scripts/debian_sources.sh" onetbb highway fmtlib

# build NAME TARGET ARCHIVE: of the source package NAME.
build() {
  local name=$1 target=$2 archive=$3
  shift 3
  cmake -S "$name" -B "$name/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DBUILD_TESTING=OFF \
    -DCMAKE_POSITION_INDEPENDENT_CODE=ON "$@"
  cmake --build "$name/build" --target "$target"
  find "$name/build" -name "$archive" -exec cp {} "$folder" \;
  [ -f "$folder/$archive" ]
}
build onetbb tbb libtbb.a -DTBB_TEST=OFF -DTBB_STRICT=OFF
build highway hwy libhwy.a -DHWY_ENABLE_TESTS=OFF -DHWY_ENABLE_EXAMPLES=OFF -DHWY_ENABLE_CONTRIB=OFF
build fmtlib fmt libfmt.a -DFMT_TEST=OFF -DFMT_DOC=OFF
