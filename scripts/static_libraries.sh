#!/usr/bin/env bash
# Static builds of the libraries that Debian and Ubuntu ship shared only, oneTBB, Highway and fmt, out of the distribution's own source packages:
#
#   scripts/static_libraries.sh FOLDER     writes FOLDER/libtbb.a, libhwy.a and libfmt.a
#
# Apache-2.0 and MIT. For the preset `portable` alone, whose program is to run on other systems than the one it was built on; its objects are
# compiled with the headers of the packages that are installed, which are of the same version.
set -euo pipefail
command -v dpkg-source >/dev/null || { echo "static_libraries: no dpkg-source; apt install dpkg-dev" >&2; exit 1; }
mkdir -p "$1"
folder=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# The sources of the packages that are installed, without a change to the system's own lists.
sed -s 's/^Types: deb$/Types: deb-src/; s/^deb /deb-src /' /etc/apt/sources.list.d/{debian,ubuntu}.sources >sources.sources 2>/dev/null || true
[ -s sources.sources ] || { echo "static_libraries: only for Debian and Ubuntu with deb822 lists of packages" >&2; exit 1; }
mkdir lists
apt_source=(-o "Dir::Etc::sourcelist=$work/sources.sources" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$work/lists" -o APT::Sandbox::User=root)
apt-get "${apt_source[@]}" update -q
apt-get "${apt_source[@]}" source -q --download-only onetbb highway fmtlib

# build NAME TARGET ARCHIVE: of the source package NAME.
build() {
  local name=$1 target=$2 archive=$3
  shift 3
  dpkg-source --no-check -x "$name"_*.dsc "$name"
  cmake -S "$name" -B "$name/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DBUILD_TESTING=OFF \
    -DCMAKE_POSITION_INDEPENDENT_CODE=ON "$@"
  cmake --build "$name/build" --target "$target"
  find "$name/build" -name "$archive" -exec cp {} "$folder" \;
  [ -f "$folder/$archive" ]
}
build onetbb tbb libtbb.a -DTBB_TEST=OFF -DTBB_STRICT=OFF
build highway hwy libhwy.a -DHWY_ENABLE_TESTS=OFF -DHWY_ENABLE_EXAMPLES=OFF -DHWY_ENABLE_CONTRIB=OFF
build fmtlib fmt libfmt.a -DFMT_TEST=OFF -DFMT_DOC=OFF
