#!/bin/bash
# packaging/container/Containerfile: buildah builds it from the package; what
# is in it runs as its user with a read-only root, writes only into its
# volumes, is healthy, and its events arrive.
. "${0%/*}/lib.sh"

recipe=$top/packaging/container/Containerfile
mounted="" container=""
export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs

buildah() {
	command buildah --root "$work/storage" --runroot "$work/run" "$@"
}

ending() {
	[ -z "$mounted" ] || umount -R "$mounted" 2>/dev/null
	[ -z "$container" ] || buildah rm "$container" >/dev/null 2>&1
	buildah rmi --all --force >/dev/null 2>&1
}

# of_image JQ: from its configuration
of_image() {
	buildah inspect --type image localhost/sealfeed | jq -r ".OCIv1.config.$1"
}

inside_script='
set -e
root=$1 etc=$2 state=$3 seal=$4 collect=$5
shift 5
mount --make-rprivate /
mount --bind "$root" "$root"
mount --bind "$etc" "$root/etc/sealfeed"
mount -o remount,bind,ro "$root/etc/sealfeed"
mount --bind "$state" "$root/var/lib/sealfeed"
mount --bind "$seal" "$root/var/lib/sealfeed-seal"
mount --bind "$collect" "$root/var/lib/sealfeed-collect"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/dev"
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 666 "$root/dev/urandom" c 1 9
mount -o remount,bind,ro "$root"
exec chroot "$root" setpriv --reuid 4711 --regid 4711 --clear-groups \
    --no-new-privs --bounding-set=-all "$@"
'

# As a container would: as the image's user, without capabilities, with a
# read-only root but for the volumes.
in_container=(unshare --mount --pid --ipc --uts --fork --kill-child
    bash -c "$inside_script" -- "$work/root" "$work/etc" "$work/state"
    "$work/seal" "$work/collect")

# first_process: of the container
first_process() {
	cat "/proc/$unshared/task/$unshared/children"
}

needs_install fleet_test || fail "buildah can't be installed"

say "build"
# The same Debian as on a registry, but for some packages more.
base=$(buildah from scratch) &&
    buildah add -q "$base" "$packages/root.tar" / >/dev/null &&
    buildah commit -q "$base" localhost/base >/dev/null &&
    buildah rm "$base" >/dev/null || fail "no base image"
mkdir "$work/context"
cp "$recipe" "$deb" "$work/context"
buildah build --network host --build-arg BASE=localhost/base \
    -t localhost/sealfeed "$work/context" >"$work/build.log" 2>&1 ||
    fail "the build: $(tail -n 20 "$work/build.log")"
expect "the user" 4711:4711 "$(of_image User)"
expect "the program" "sealfeed run" \
    "$(of_image 'Entrypoint[0]') $(of_image 'Cmd | join(" ")')"
expect "the volumes" \
    "/var/lib/sealfeed /var/lib/sealfeed-collect /var/lib/sealfeed-seal" \
    "$(of_image 'Volumes | keys | join(" ")')"
container=$(buildah from localhost/sealfeed)
mounted=$(buildah mount "$container")
[ -d "$mounted" ] || fail "the image can't be mounted"
ln -s "$mounted" "$work/root"
expect "the package" "ii  $version-1" "$(chroot "$mounted" dpkg-query -W \
    -f '${db:Status-Abbrev} ${Version}' sealfeed)"
[ -z "$(find "$mounted/var/lib/apt/lists" "$mounted/tmp" -type f)" ] ||
    fail "lists and packages are left in the image"
for folder in /var/lib/sealfeed{,-seal,-collect}; do
	expect "$folder" "4711:4711 700" "$(stat -c '%u:%g %a' "$mounted$folder")"
done

say "run"
sim --rate 100
rsyslog siem ossl
# The volumes as they are made for a new container: with what the image has.
mkdir -m 700 "$work/state" "$work/seal" "$work/collect"
chown 4711:4711 "$work/state" "$work/seal" "$work/collect"
mkdir -m 750 "$work/etc" "$work/etc/conf.d"
chmod 711 "$work"
cp "$work/ca.pem" "$work/secret" "$work/etc"
chroot "$mounted" sealfeed keygen /tmp/seal.pem --name fra1 >"$work/vkey" &&
    mv "$mounted/tmp/seal.pem" "$work/etc/" || fail "keygen"
cat >"$work/etc/sealfeed.yaml" <<END
agent:
  name: fra1
  key: /etc/sealfeed/seal.pem
  store: { min_free: 16MiB }
  watch: { listen: /var/lib/sealfeed/watch }
sources:
  contoso:
    type: office365
    login_url: $api
    api_url: $api
    tenant: $tenant
    client_id: $client
    client_secret: \${file:/etc/sealfeed/secret}
    interval: 250ms
    tls: { ca: /etc/sealfeed/ca.pem }
outputs:
  siem:
    type: syslog
    address: 127.0.0.1:$(cat "$work/siem/port")
    tls: { ca: /etc/sealfeed/ca.pem }
END
find "$work/etc" -type f -exec chmod 640 {} +
chgrp -R 4711 "$work/etc"
"${in_container[@]}" sealfeed check || fail "check"
! "${in_container[@]}" sh -c 'touch /var/lib/x || touch /etc/sealfeed/x' 2>/dev/null ||
    fail "the root can be written to"
# shellcheck disable=SC2046 # words
"${in_container[@]}" $(of_image 'Entrypoint | join(" ")') \
    $(of_image 'Cmd | join(" ")') >>"$work/agent.log" 2>&1 &
unshared=$!
echo "$unshared" >"$work/agent.pid"
grows siem
verified siem
healthy=$(sed -n 's/^HEALTHCHECK.* CMD //p' "$recipe" | jq -r 'join(" ")')
[ -n "$healthy" ] || fail "there is no health check"
# shellcheck disable=SC2086 # words
wait_for 20 "it is healthy" "${in_container[@]}" $healthy
# shellcheck disable=SC2046 # one number
kill -TERM $(first_process)
wait_for 6 "it stops" gone "$unshared"
# shellcheck disable=SC2086 # words
! "${in_container[@]}" $healthy >/dev/null || fail "it is healthy though it is stopped"
[ -z "$(find "$mounted" -xdev -newer "$work/vkey" -type f ! -path '*/tmp/*')" ] ||
    fail "it wrote into the image"
