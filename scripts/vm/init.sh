#!/bin/busybox sh
# The first process of the machine that runs the tests: the files of the host, read-only below an overlay in memory; the
# clone at its own path, whatever lies over it; and the runner inside. /told says where: clone, run (a folder
# below the clone), node, series.
export PATH=/bin:/sbin:/usr/bin:/usr/sbin
/bin/busybox mkdir -p /bin /sbin /proc /sys /dev /lower /upper /merged
/bin/busybox --install -s /bin
. /told
end() {
  [ -z "${1:-}" ] || echo "vm: $1"
  sync
  poweroff -f
}
mount -t proc proc /proc
mount -t devtmpfs dev /dev
while read -r module; do insmod "/modules/$module" || end "$module cannot be loaded"; done < /modules/order

share="trans=virtio,version=9p2000.L,msize=262144"
mount -t 9p -o "ro,cache=loose,$share" root /lower || end "the root cannot be mounted"
mount -t tmpfs upper /upper
mkdir /upper/files /upper/work
mount -t overlay -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work overlay /merged || end "no overlay"
mount -t proc proc /merged/proc
mount -t sysfs sys /merged/sys
mount -t devtmpfs dev /merged/dev
mkdir -p /merged/dev/pts /merged/dev/shm
mount -t devpts devpts /merged/dev/pts
for path in dev/shm run tmp; do mount -t tmpfs tmpfs "/merged/$path"; done
mkdir -p "/merged$clone"
mount -t 9p -o "ro,cache=loose,$share" clone "/merged$clone" || end "the clone cannot be mounted"
mount -t 9p -o "rw,cache=none,$share" run "/merged$clone/$run" || end "the folder for the results cannot be mounted"
mkdir -p /merged/usr/lib/modules
mount -t tmpfs modules /merged/usr/lib/modules
release=$(uname -r)
mkdir "/merged/usr/lib/modules/$release"
mount -o bind "/merged$clone/.vm/$series/lib/modules/$release" "/merged/usr/lib/modules/$release"
ip link set lo up
hostname vm

cd /merged
exec chroot /merged /bin/sh -c '
  cd "$1" && PIPEWORK_VM=$2 "$3" scripts/vm/inside/run.mjs "$4"
  echo "vm: ended with $?"
  sync
  exec /bin/busybox poweroff -f' init "$clone" "$series" "$node" "$run"
