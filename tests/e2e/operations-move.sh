#!/bin/bash
# An operator who has only the manual moves the agent to another machine: it
# goes on in the same trees, and nothing arrives twice.  And he goes back to the
# store as it was before an upgrade.
. "${0%/*}/lib.sh"
. "${0%/*}/manual.sh"

sim --rate 200
receiver lake
to_http lake
installed
agent_again
wait_for 20 "events arrive" holds lake 50
follow "Another machine" 1 2>"$work/said"
[ ! -e "$work/agent.pid" ] || fail "the old one runs"

# The old machine is out of sight while the new one has what was copied.
mkdir "$work/old"
mv "$etc" "$state" "$work/state-seal" "$work/old"
follow "Another machine" 2 >"$work/said"
wait_for 20 "more events arrive" holds lake 150
! log_has 'new tree' || fail "a new tree begins"
enough
settled lake
no_repeats lake
verified lake
agent_stop

# The old machine is wiped.
mkdir "$work/new"
mv "$etc" "$state" "$work/state-seal" "$work/new"
mv "$work"/old/* "$work"
follow "Another machine" 3
[ -z "$(find "$state" "$work/state-seal" -type f)" ] ||
    fail "something is left: $(ls -A "$state" "$work/state-seal")"

# The way back over an upgrade, with the backup that was made before it.
rm -r "$state" "$work/state-seal"
mv "$work"/new/state* "$work"
ask store backup "$store.version-1" >"$work/said"
agent_again
follow "Upgrade and downgrade" 1 >"$work/said"
wait_for 20 "the store is known for a backup" \
    log_has 'restored from a backup of 20.* feeds begin new trees'
verified lake
