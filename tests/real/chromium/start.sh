#!/bin/sh
# Starts the Chromium that is unpacked beside this file, with the libraries and the font that came with it and no other font:
# pictures look the same everywhere.
here=$(dirname "$(realpath "$0")")
fonts=$here/fonts.conf
[ -e "$fonts" ] || cat >"$fonts" <<EOF
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig><dir>$here/root/usr/share/fonts</dir><cachedir>$here/fonts.cache</cachedir></fontconfig>
EOF
libraries=$(find "$here/root/usr/lib" "$here/root/lib" -name '*.so*' -not -path '*/lib/chromium/*' -printf '%h\n' 2>/dev/null | sort -u | paste -sd:)
FONTCONFIG_FILE=$fonts LD_LIBRARY_PATH=$libraries exec "$here/root/usr/lib/chromium/chromium-headless-shell" "$@"
