#!/usr/bin/env bash
# The sources of packages that are installed, from the distribution, without a change to the system's own lists:
#
#   scripts/debian_sources.sh PACKAGE...     unpacks each source package into ./PACKAGE
set -euo pipefail
command -v dpkg-source >/dev/null || { echo "debian_sources: no dpkg-source; apt install dpkg-dev" >&2; exit 1; }
sed -s 's/^Types: deb$/Types: deb-src/; s/^deb /deb-src /' /etc/apt/sources.list.d/{debian,ubuntu}.sources >sources.sources 2>/dev/null || true
[ -s sources.sources ] || { echo "debian_sources: only for Debian and Ubuntu with deb822 lists of packages" >&2; exit 1; }
mkdir -p lists
apt_source=(-o "Dir::Etc::sourcelist=$PWD/sources.sources" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$PWD/lists" -o APT::Sandbox::User=root)
apt-get "${apt_source[@]}" update -q
apt-get "${apt_source[@]}" source -q --download-only "$@"
for name in "$@"; do dpkg-source --no-check -x "$name"_*.dsc "$name"; done
