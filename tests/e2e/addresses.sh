#!/bin/bash
# A name with two addresses, the first of which swallows SYNs: the syslog output,
# the HTTP output and the source get on with the second one, the first of these
# at once.
. "${0%/*}/lib.sh"

unshare -rm true 2>/dev/null || unshare -m true 2>/dev/null ||
    skip "a file system of its own cannot be had here"

# quiet PORT: 127.0.0.2 has a receiver with a full queue there
quiet() {
	mkdir -p "$work/quiet$1"
	run_receiver "quiet$1" "$bin/odd" --dir "$work/quiet$1" \
	    --cert "$work/server.pem" --key "$work/server.key" \
	    --swallow 127.0.0.2 --at 127.0.0.3 --port "$1"
	wait_for 10 "port $1 is swallowed" test -s "$work/quiet$1/port"
}

certificate server "/CN=localhost" \
    "subjectAltName=DNS:localhost,DNS:twin.test,IP:127.0.0.1"
sim --events 1000 --rate 500
odd siem
receiver lake
for port in "$(cat "$work/siem/port")" "$(cat "$work/lake/port")" "${api##*:}"; do
	quiet "$port"
done
to_syslog siem
to_http lake "timeout: 4s"
source_options[timeout]=4s
outputs=${outputs//localhost/twin.test}
api=${api/localhost/twin.test}
printf '127.0.0.2 twin.test\n127.0.0.1 twin.test localhost\n' >"$work/hosts"
cat >"$work/sealfeed" <<EOF
#!/bin/sh
[ \$(id -u) = 0 ] && map= || map=-r
exec unshare \$map -m sh -c 'mount --bind $work/hosts /etc/hosts && exec "\$@"' sh $sealfeed "\$@"
EOF
chmod +x "$work/sealfeed"
sealfeed=$work/sealfeed
begun=$(date +%s%N)
agent
settled siem
settled lake
ask check --live >"$work/check" 2>&1 || fail "$(cat "$work/check")"
say "took $((($(date +%s%N) - begun) / 1000000)) ms"
