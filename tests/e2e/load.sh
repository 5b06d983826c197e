# load.sh - time as the machine grants it.  Sourced by the stories and by
# tests/run.
#
# A second on a machine where six processes want to run on two cores is a third
# of a second for each of them.  Time-outs count these: a test does not fail
# because others are at work, and one that hangs is still found.
# shellcheck shell=bash

load_cores=$(nproc)
granted=0 # ms, since this file was read
granted_at=
granted_share=$load_cores

# grant: bring $granted up to now.  Called at least a few times a second
# while it matters, since the load in between is taken from both ends.
grant() {
	local up running rest now spent before=$granted_share
	read -r up rest </proc/uptime
	read -r rest rest rest running rest </proc/loadavg
	now=$((10#${up/./} * 10))
	granted_share=${running%/*}
	[ "$granted_share" -ge "$load_cores" ] || granted_share=$load_cores
	spent=$((now - ${granted_at:-$now}))
	granted_at=$now
	granted=$((granted + spent * 2 * load_cores / (before + granted_share)))
}
grant
