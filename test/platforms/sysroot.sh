#!/bin/sh
# sysroot.sh ARCH FOLDER PACKAGE...: unpacks packages of Debian 13 for another processor, with all they need, under FOLDER.
# With - for ARCH it only prints the mirror that this machine uses.
set -eu
arch="$1"
mirror="$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
	sed -n 's|^URIs: *\(http[^ ]*/debian\)/*\( .*\)*$|\1|p; s|^deb .*\(http[^ ]*/debian\)/* .*|\1|p' | head -n 1)"
[ -n "$mirror" ] || { echo "no Debian mirror among the sources of apt" >&2 && exit 1; }
[ "$arch" != - ] || { echo "$mirror" && exit; }
folder="$2"
shift 2

apt="$folder.apt"
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$folder/usr/lib"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$apt/sources.list"
: >"$apt/status"
cat >"$apt/conf" <<END
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "-";
Dir::State "$apt";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
END
APT_CONFIG="$apt/conf" apt-get update -qq
APT_CONFIG="$apt/conf" apt-get install -y -qq --download-only "$@" >/dev/null
ln -s usr/lib "$folder/lib"
for package in "$apt"/cache/archives/*.deb; do
	# The folder is no whole system: a link that Debian puts in the place of a folder is there already.
	dpkg-deb --fsys-tarfile "$package" | tar -x -C "$folder" --keep-directory-symlink
done
rm -rf "$apt"
