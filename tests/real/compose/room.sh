#!/bin/sh
# Runs the shipped compose file with a real Docker, in namespaces of its own: nothing of it is left on the machine.
#   room.sh ROOT REPOSITORY FOLDER
# ROOT is a Debian tree with Docker, compose and Prometheus (tools.mk); REPOSITORY is mounted read-only; what it saw goes to
# files in FOLDER. Images cannot be pulled here, so they are made from the tree and the tools under test, by their public names.
set -eu
root=$1 repository=$2 folder=$3
mount --make-rprivate /
ip link set lo up
mkdir -p "$folder/room" "$folder/docker" "$folder/out"
# What Docker writes goes with the namespace.
mount -t tmpfs tmpfs "$folder/docker"
mkdir "$folder/docker/upper" "$folder/docker/work" "$folder/docker/lib"
mount -t overlay overlay -o "lowerdir=$root,upperdir=$folder/docker/upper,workdir=$folder/docker/work" "$folder/room"
room=$folder/room
mkdir -p "$room/repository" "$room/out" "$room/envoy" "$room/var/lib/docker"
mount -t proc proc "$room/proc"
mount -t sysfs sysfs "$room/sys"
mount --rbind /sys/fs/cgroup "$room/sys/fs/cgroup"
mount --rbind /dev "$room/dev"
mount -t tmpfs tmpfs "$room/run"
mount -t tmpfs tmpfs "$room/tmp"
mount --bind "$folder/docker/lib" "$room/var/lib/docker"
mount --rbind "$repository" "$room/repository"
mount --bind "$folder/out" "$room/out"
install -m 755 "$(readlink -f "$ENVOY_PATH")" "$room/envoy/envoy"
install -m 755 "$SIMULATOR" "$room/envoy/simulator"
install -m 644 "$WARMPATH_WASM" "$room/envoy/warmpath.wasm"
exec chroot "$room" /bin/sh /repository/tests/real/compose/inside.sh
