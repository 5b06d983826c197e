#!/bin/bash
# Names with two addresses.  The first one of twin.test swallows SYNs: the syslog
# output gets on with the second one at once, the HTTP output within its timeout.
# The first one of mute.test takes connections and never says a word: an HTTP
# output and the source try the other one.
. "${0%/*}/lib.sh"

unshare -rm true 2>/dev/null || unshare -m true 2>/dev/null ||
    skip "a file system of its own cannot be had here"
[ -e /etc/gai.conf ] || skip "the order of addresses cannot be set here"

# quiet PORT: 127.0.0.2 has a receiver with a full queue there, and 127.0.0.4 one
# that does not accept
quiet() {
	mkdir -p "$work/quiet$1"
	run_receiver "quiet$1" "$bin/odd" --dir "$work/quiet$1" \
	    --cert "$work/server.pem" --key "$work/server.key" \
	    --swallow 127.0.0.2 --mute 127.0.0.4 --at 127.0.0.3 --port "$1"
	wait_for 10 "port $1 is swallowed" test -s "$work/quiet$1/port"
}

certificate server "/CN=localhost" \
    "subjectAltName=DNS:localhost,DNS:twin.test,DNS:mute.test,IP:127.0.0.1"
sim --events 1000 --rate 500
odd siem
receiver lake
receiver pond
for port in "$(cat "$work/siem/port")" "$(cat "$work/lake/port")" \
    "$(cat "$work/pond/port")" "${api##*:}"; do
	quiet "$port"
done
to_syslog siem
to_http lake "timeout: 4s"
outputs=${outputs//localhost/twin.test}
to_http pond "timeout: 4s"
outputs=${outputs//localhost/mute.test}
source_options[timeout]=4s
api=${api/localhost/mute.test}
printf '%s\n' '127.0.0.2 twin.test' '127.0.0.1 twin.test localhost' \
    '127.0.0.4 mute.test' '127.0.0.1 mute.test' >"$work/hosts"
# Or the one that is its own source address would be first.
printf 'precedence ::ffff:%s/128 %s\n' 127.0.0.2 100 127.0.0.4 90 127.0.0.1 80 \
    >"$work/gai.conf"
cat >"$work/sealfeed" <<EOF
#!/bin/sh
[ \$(id -u) = 0 ] && map= || map=-r
exec unshare \$map -m sh -c 'mount --bind $work/hosts /etc/hosts && mount --bind $work/gai.conf /etc/gai.conf && exec "\$@"' sh $sealfeed "\$@"
EOF
chmod +x "$work/sealfeed"
sealfeed=$work/sealfeed
begun=$(date +%s%N)
agent
settled siem
settled lake
settled pond
ask check --live >"$work/check" 2>&1 || fail "$(cat "$work/check")"
say "took $((($(date +%s%N) - begun) / 1000000)) ms"
