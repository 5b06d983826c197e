#!/bin/bash
# A store on a file system that is mounted for reading only, as a snapshot or
# an image is, is read to the last event of its WAL, which SQLite has no index
# of there; what would write to it names the cause and the remedy.  And through
# such a mount one sees what an agent goes on to write beside it.
if [ "${1:-}" != inside ]; then
	if ! unshare -m mount -t tmpfs none /mnt 2>/dev/null; then
		echo "read-only: skipped: unshare and mount are not allowed here"
		exit 77
	fi
	exec unshare -m --propagation private "$0" inside
fi
. "${0%/*}/lib.sh"
command -v sqlite3 >/dev/null || skip "sqlite3 is not there (tests/run gets it)"

disk=$work/disk
mkdir -p "$disk" "$work/seen"
mount -t tmpfs none "$disk" || fail "mount"
ending() {
	umount -l "$work/seen" "$disk" 2>/dev/null
}

# events FILE: how many of the vendor's, without checkpoints.
events() {
	grep -c '^{"feed":"contoso/[^"]*","index"' "$work/$1"
}

# answers FOLDER: what is read of the store there, as files beginning with it.
answers() {
	local out=$work/$1
	store=$disk/$1/store.db
	[ "$1" != seen ] || store=$work/seen/store.db
	write_config
	ask export >"$out-export" 2>"$out-err" || fail "$1: export: $(cat "$out-err")"
	ask gaps >"$out-gaps" 2>&1 || fail "$1: gaps: $(cat "$out-gaps")"
	ask store check >"$out-check" 2>&1 || fail "$1: check: $(cat "$out-check")"
	ask status --json >"$out-json" 2>&1
	grep -Eo '"(feed|events|sealed|output|delivered|backlog)": ?[^,]*' "$out-json" >"$out-status"
	grep -q delivered "$out-status" || fail "$1: status: $(cat "$out-json")"
}

# agrees FOLDER WITH: the same answers.
agrees() {
	local what
	answers "$1"
	for what in export gaps check status; do
		cmp "$work/$1-$what" "$work/$2-$what" || fail "$1: $what differs"
	done
}

# copy FOLDER TAIL…: of the store that was killed.
copy() {
	local folder=$disk/$1 tail
	shift
	mkdir "$folder"
	for tail in "$@"; do
		cp -p "$disk/live/store.db$tail" "$folder/" || fail "cp"
	done
}

agent_options="  retain: 1d"
mkdir "$disk/live"
store=$disk/live/store.db
sim --events 1000 --rate 500 --blob 20-50
to_file lake
agent
wait_for 30 "events arrive" test -s "$work/lake/events"
# Somebody who reads an old state has the rest stay in the WAL.
mkdir "$work/reader"
mkfifo "$work/reader/orders"
sqlite3 -readonly "$store" <"$work/reader/orders" >"$work/reader/log" 2>&1 &
echo $! >"$work/reader/pid"
exec 6>"$work/reader/orders"
echo "BEGIN; SELECT count(*) FROM batch;" >&6
wait_for 10 "a state is read" test -s "$work/reader/log"
settled lake

say "an agent runs, and is looked at through a mount"
mount --bind "$disk/live" "$work/seen" &&
    mount -o remount,bind,ro "$work/seen" || fail "bind"
answers seen
store=$disk/live/store.db
[ "$(events seen-export)" -eq 1000 ] ||
    fail "not all events are seen through the mount"
agent_kill
stop_one reader KILL

say "copies of a store that was killed"
odd='wal%41?immutable=0#x' # a name that a URI has to quote
copy writable "" -wal
copy wal "" -wal
copy "$odd" "" -wal
copy index "" -wal -shm
copy behind ""
copy whole "" -wal
sqlite3 "$disk/whole/store.db" "PRAGMA wal_checkpoint(TRUNCATE)" >/dev/null
rm -f "$disk/whole/store.db-wal" "$disk/whole/store.db-shm"
cp -rp "$disk/whole" "$disk/empty"
: >"$disk/empty/store.db-wal"
cp -rp "$disk/empty" "$disk/cut"
cp -p "$disk/live/store.db-shm" "$disk/cut/"
sqlite3 "$disk/live/store.db" "VACUUM INTO '$disk/whole/backup.db'"
mkdir "$disk/stale"
cp -p "$disk/whole/backup.db" "$disk/stale/store.db"
cp -p "$disk/wal/store.db-wal" "$disk/stale/"
answers writable
mount -o remount,ro "$disk" || fail "remount"
! touch "$disk/x" 2>/dev/null || fail "$disk can be written"
for folder in wal "$odd" index whole empty cut stale; do
	agrees "$folder" writable
done
[ "$(events wal-export)" -eq 1000 ] || fail "the WAL is not read"
# The copies would prove nothing if the file had all of it.
store=$disk/behind/store.db
write_config
! ask export 2>/dev/null | cmp -s - "$work/wal-export" ||
    fail "there was nothing in the WAL"

say "nothing can be written"
for folder in wal whole; do
	store=$disk/$folder/store.db
	write_config
	! ask replay --output lake --from 1h 2>"$work/err" || fail "a replay"
	grep -q "$store: .*file system is mounted for reading only; copy it, with its -wal" \
	    "$work/err" || fail "$(cat "$work/err")"
done
ask store backup "$work/backup.db" >/dev/null || fail "no backup"
"$sealfeed" store check "$work/backup.db" --config "$work/sealfeed.yaml" >"$work/out" ||
    fail "$(cat "$work/out")"
