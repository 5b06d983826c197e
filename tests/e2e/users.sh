#!/bin/bash
# Started by root: all roles run as one user, or each kind of role as its own,
# without groups and capabilities, and deliver; a user that is not there is
# told.
. "${0%/*}/lib.sh"

[ "$(id -u)" -eq 0 ] || skip "needs root"
cp -a /etc "$work/etc"
{
	grep -v '^_*sealfeed' /etc/passwd
	echo "sealfeed:x:64990:64990::/:/usr/sbin/nologin"
	n=64991
	for role in collect seal ship watch; do
		echo "_sealfeed-$role:x:$n:64990::/:/usr/sbin/nologin"
		n=$((n + 1))
	done
} >"$work/etc/passwd"
{
	grep -v '^sealfeed' /etc/group
	echo "sealfeed:x:64990:"
} >"$work/etc/group"
chmod 755 "$work"

# with_users COMMAND…: where these users are.
with_users() {
	unshare -m bash -c 'mount --make-rprivate / &&
	    mount --bind "$0/etc" /etc && exec "$@"' "$work" "$@"
}

agent_with_users() {
	write_config
	: >"$work/agent.log"
	# shellcheck disable=SC2016 # it is expanded there
	setsid unshare -m bash -c 'mount --make-rprivate / &&
	    mount --bind "$0/etc" /etc && exec "$@"' "$work" \
	    "$sealfeed" run --config "$work/sealfeed.yaml" >>"$work/agent.log" 2>&1 &
	echo $! >"$work/agent.pid"
}

# runs_as NAME UID: with no group but 64990 and no capability.
runs_as() {
	local pid status
	pid=$(pgrep -g "$(cat "$work/agent.pid")" -x "$1") || return 1
	status=$(cat "/proc/$pid/status")
	grep -qE "^Uid:	$2	$2	$2	$2\$" <<<"$status" &&
	    grep -qE "^Gid:	64990	64990	64990	64990\$" <<<"$status" &&
	    grep -qE '^Groups:	 ?$' <<<"$status" &&
	    grep -qE '^CapEff:	0+$' <<<"$status" &&
	    grep -qE '^CapPrm:	0+$' <<<"$status"
}

sim --events -1 --rate 100
to_file archive
store=$work/data/store.db
seal_log=$work/data-seal/store.db.log
watch_options="listen: 127.0.0.1:0"
write_config
chmod 644 "$work/secret" "$work/ca.pem"
chown 64990 "$work/seal.pem" "$work/archive"
chgrp 64990 "$work/seal.pem"
chmod 440 "$work/seal.pem"

agent_with_users
wait_for 20 "the agent is ready" log_has 'ready: '
for name in sealfeed sf-collect sf-seal "sf-ship archive" sf-watch; do
	runs_as "$name" 64990 ||
	    fail "$name: $(grep -E '^(Uid|Gid|Groups|Cap)' "/proc/$(pgrep -g "$(cat "$work/agent.pid")" -x "$name")/status")"
done
grows archive
! log_has 'they run as root' || fail "they do not run as root"
agent_stop
[ "$(stat -c '%U %a' "$work/data")" = "UNKNOWN 700" ] ||
    fail "the store's folder: $(stat -c '%u %a' "$work/data")"

# Each its own; the vendor's secret is readable for collect alone.
fresh_store
rm -rf "$work/data" "$work/data-seal" "$work/data-collect" "$work/archive/events"
chown 64991 "$work/secret" && chmod 400 "$work/secret"
chown 64992 "$work/seal.pem"
chown 64993 "$work/archive"
# An output that is added later gets all that there was.
agent_options="  users: per-role
  retain: 1d"
agent_with_users
wait_for 20 "the agent is ready" log_has 'ready: '
n=64991
for name in sf-collect sf-seal "sf-ship archive" sf-watch; do
	runs_as "$name" $n ||
	    fail "$name: $(grep -E '^(Uid|Gid|Groups|Cap)' "/proc/$(pgrep -g "$(cat "$work/agent.pid")" -x "$name")/status")"
	n=$((n + 1))
done
grows archive

# What a reload changes: an output is new, whose secret and CA are readable for
# ships alone; the vendor's secret is another one; an output is gone; the other's
# port and authority are others.
receiver lake
cp "$work/ca.pem" "$work/lake-ca.pem"
echo lake-secret >"$work/lake-secret"
chown 64993 "$work/lake-ca.pem" "$work/lake-secret"
chmod 400 "$work/lake-ca.pem" "$work/lake-secret"
output_tls="{ ca: $work/lake-ca.pem }"
lake_option="headers: { X-Key: \"\${file:$work/lake-secret}\" }"
to_http lake "$lake_option"
agent_reload
wait_for 20 "the new output's role is that of ships" runs_as "sf-ship lake" 64993
grows lake
echo second-secret >"$work/new-secret"
chown 64991 "$work/new-secret"
chmod 400 "$work/new-secret"
mv "$work/new-secret" "$work/secret"
steer expire-tokens
wait_for 20 "collect reads the new secret" log_has \
    'collect: a file that it reads was replaced'
grows lake 30
outputs=
stop_one lake
rm "$work/lake/port"
receiver lake
to_http lake "$lake_option"
agent_reload
wait_for 20 "the role of the output that is gone ends" eval \
    '! pgrep -g "$(cat "$work/agent.pid")" -x "sf-ship archive"'
grows lake 30
stop_one lake
authority other
certificate server "/CN=localhost" "subjectAltName=DNS:localhost"
receiver lake
wait_for 20 "the certificate is not trusted" log_has 'ship lake: .*certificate'
cp "$work/other.pem" "$work/new-ca.pem"
chown 64993 "$work/new-ca.pem"
chmod 400 "$work/new-ca.pem"
mv "$work/new-ca.pem" "$work/lake-ca.pem"
agent_reload
grows lake 30
enough
settled lake
verified lake
kill -KILL "$(pgrep -g "$(cat "$work/agent.pid")" -x sf-collect)"
wait_for 20 "collect comes back as its user" runs_as sf-collect 64991
agent_stop
[ "$(stat -c '%g %a' "$work/data")" = "64990 2770" ] ||
    fail "the store's folder: $(stat -c '%g %a' "$work/data")"

[ "$(stat -c '%u %a' "$work/data-collect")" = "64991 700" ] ||
    fail "what collect keeps: $(stat -c '%u %a' "$work/data-collect")"

# A user that is not there.
agent_options="  user: nobody-of-that-name"
write_config
with_users "$sealfeed" run --config "$work/sealfeed.yaml" >"$work/refused" 2>&1
[ $? -eq 78 ] && grep -q 'agent.user: there is no user "nobody-of-that-name"' \
    "$work/refused" || fail "an unknown user: $(cat "$work/refused")"
