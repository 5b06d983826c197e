# boot.sh - a system in a folder, booted by its own systemd as process 1 of
# namespaces of its own; the network is shared.  Sourced by tests.
# shellcheck shell=bash

# What process 1 does until it becomes systemd: the folder becomes the root.
boot_script='
set -e
root=$1
mount --make-rprivate /
mount --bind "$root" "$root"
cd "$root"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755 tmpfs run
mount --rbind /dev dev
mount -t cgroup2 cgroup2 sys/fs/cgroup
mkdir -p old
pivot_root . old
cd /
umount -l /old
rmdir /old
mount --make-rshared /
hostname sealfeed-test
exec env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --log-target=console --show-status=no
'

# boot ROOT: until systemd has started all that it wants to.
boot() {
	local unified unit
	unified=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	[ -n "$unified" ] || fail "cgroup2 is not mounted here: systemd needs it"
	boot_cgroup=$unified/sealfeed-$$
	mkdir "$boot_cgroup" || fail "no cgroup can be made in $unified"
	# It has no say in what it shares with the machine: kernel, devices and
	# network.
	for unit in systemd-sysctl.service systemd-modules-load.service \
	    systemd-udevd.service systemd-udev-trigger.service \
	    systemd-tmpfiles-setup-dev.service systemd-networkd.service \
	    systemd-timesyncd.service systemd-binfmt.service \
	    proc-sys-fs-binfmt_misc.automount console-getty.service; do
		ln -sf /dev/null "$1/etc/systemd/system/$unit"
	done
	(
		echo "$BASHPID" >"$boot_cgroup/cgroup.procs" &&
		    exec unshare --mount --pid --uts --ipc --cgroup --fork \
			--kill-child bash -c "$boot_script" -- "$1"
	) >"$work/boot.log" 2>&1 </dev/null &
	boot_unshare=$!
	within 60 eval 'booted || gone "$boot_unshare"'
	booted || fail "systemd does not boot; this needs root that may unshare,\
 mount and pivot_root: $(tail -n 3 "$work/boot.log")"
}

booted() {
	# shellcheck disable=SC2162 # a number
	read boot_pid _ <"/proc/$boot_unshare/task/$boot_unshare/children" ||
	    [ -n "$boot_pid" ] || return 1
	case $(inside systemctl is-system-running 2>/dev/null) in
	running | degraded) ;;
	*) return 1 ;;
	esac
}

# inside COMMAND…: as root of the booted system; as_inside says how.
inside() {
	$(as_inside) "$@"
}

as_inside() {
	echo "nsenter --target $boot_pid --all env -i HOME=/root" \
	    "LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive SYSTEMD_PAGER=" \
	    "PATH=/usr/sbin:/usr/bin:/sbin:/bin"
}

# power_off: with everything in it, whatever state it is in.
power_off() {
	[ -n "${boot_unshare:-}" ] || return 0
	kill -KILL "$boot_unshare" ${boot_pid:+"$boot_pid"} 2>/dev/null
	wait "$boot_unshare" 2>/dev/null
	within 10 no_cgroup
}

no_cgroup() {
	find "$boot_cgroup" -depth -type d -exec rmdir {} + 2>/dev/null
	[ ! -d "$boot_cgroup" ]
}
