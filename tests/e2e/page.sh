#!/bin/bash
# The status page in a real browser: on a phone and on a desktop, light and
# dark, by keyboard and for screen readers, with and without scripts, with texts
# of a hostile vendor, with a thousand feeds, and when the agent ends.
# Pictures are in $work; KEEP=1 leaves them.
. "${0%/*}/lib.sh"
. "$top/packaging/needs.sh"

command -v apt-get >/dev/null || skip "Chromium is taken from Debian"
needs_apt chromium fonts-dejavu-core python3 socat sqlite3 ||
    skip "Chromium cannot be installed"
patience=120

forward() {
	run_receiver "$1" socat "TCP-LISTEN:$2,bind=127.0.0.1,fork,reuseaddr" \
	    "UNIX-CONNECT:$work/watch.sock"
}

# seen STEP…
seen() {
	/usr/bin/python3 "$top/tests/e2e/page.py" /usr/bin/chromium \
	    "$work/pictures" "$url" "$@" 2>&1
}

header() {
	curl -sI "$url" | tr -d '\r' | grep >/dev/null -Ei "^$1"
}

sql() {
	sqlite3 -cmd ".timeout 20000" "$store" "$1"
}

mkdir "$work/pictures"
sim --events 400 --rate 100
to_file archive
agent
settled archive
run_on_some_port browser forward
url=http://127.0.0.1:$(cat "$work/browser/port")/
drawn() {
	curl -s "$url" | grep >/dev/null "<polyline points=.[0-9]"
}
wait_for 30 "the page has lines" drawn
header "Content-Security-Policy: default-src 'none';.*frame-ancestors 'none'" ||
    fail "no policy: $(curl -sI "$url")"
header 'X-Content-Type-Options: nosniff' || fail "types are guessed"
header 'Cache-Control: no-store' || fail "the page is stored"
! curl -s "$url" | grep >/dev/null -Ei '(src|href)="?(https?:)?//' || fail "it loads something"
said=$(seen looks reads refreshes) || fail "$said"

sql "INSERT INTO trouble (subject, class, code, text, since, until, stands)
    VALUES ('<img src=x onerror=alert(1)>', 'retry', '\"><script>alert(1)</script>',
    '</section><iframe src=/></iframe><a x=y>$(printf 'x%.0s' {1..300})', 1, 1, 1);
    INSERT INTO output (name, position, error, failed)
    VALUES ('$(printf 'n%.0s' {1..63})', 0, 'connection refused', 1);
    INSERT INTO gap (feed, item, key, since, until, recorded, cause)
    VALUES (1, 0, '', 1, 2, $(date +%s)000000, 'the vendor has it no more')"
said=$(seen hostile) || fail "$said"
sql "DELETE FROM trouble WHERE class = 'retry'; DELETE FROM gap;
    DELETE FROM output WHERE error != '';
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
    INSERT INTO feed (name, tree, error)
    SELECT 'tenant' || i || '/Audit.Exchange', 'tenant' || i || '/Audit.Exchange',
	iif(i % 100 = 0, 'connection refused', '') FROM n"
said=$(seen many) || fail "$said"
[ "$(curl -s "$url" | wc -c)" -lt 1500000 ] || fail "the page is too large"

seen gone >"$work/gone" &
looking=$!
wait_for 60 "the page is open" grep -q open "$work/gone"
agent_stop
wait "$looking" || fail "$(cat "$work/gone")"
