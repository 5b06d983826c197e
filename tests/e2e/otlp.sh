#!/bin/bash
# Logs by OTLP/HTTP, in both encodings, against OpenTelemetry's own message
# classes, which Debian's backports have.
. "${0%/*}/lib.sh"
command -v apt-get >/dev/null || skip "OpenTelemetry's classes come from Debian"
[ -x /usr/bin/python3 ] || skip "python3 is not there (tests/run gets it)"

classes=$build/tests/var/otlp
site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' |
    grep -m 1 '/debian/*$') || skip "apt knows no mirror of Debian"

# Into a folder, with lists of their own: nothing is installed.
fetch() {
	local lists=$work/apt
	[ ! -e "$classes/complete" ] || return 0
	mkdir -p "$classes" "$lists/lists/partial" "$lists/cache/archives/partial"
	printf 'deb [trusted=yes] %s %s main\n' "$site" bookworm-backports \
	    "$site" bookworm >"$lists/sources"
	set -- -qq -o Dir::Etc::SourceList="$lists/sources" \
	    -o Dir::Etc::SourceParts=/dev/null -o Dir::Cache="$lists/cache" \
	    -o Dir::State::Lists="$lists/lists" -o APT::Sandbox::User=root
	(cd "$lists" && apt-get "$@" update && apt-get "$@" download \
	    python3-opentelemetry-proto python3-protobuf/bookworm) \
	    >>"$work/agent.log" 2>&1 || return 1
	for package in "$lists"/*.deb; do
		dpkg -x "$package" "$classes" || return 1
	done
	touch "$classes/complete"
}
fetch || skip "OpenTelemetry's classes cannot be fetched"

export PYTHONPATH=$classes/usr/lib/python3/dist-packages
/usr/bin/python3 -c 'import opentelemetry.proto.collector.logs.v1.logs_service_pb2' ||
    skip "OpenTelemetry's classes do not work with this python3"

sim --events 600 --rate 600 --blob 20-40
mkdir -p "$work/otlp"
run_receiver otlp /usr/bin/python3 "$top/tests/e2e/otlp.py" "$work/otlp"
wait_for 30 "the receiver listens" listens otlp
for encoding in protobuf json; do
	outputs+="  $encoding:
    type: otlp
    url: http://127.0.0.1:$(cat "$work/otlp/port")/$encoding
    encoding: $encoding
    max_body: 64KiB
"
done
agent
settled otlp/protobuf otlp/json
no_repeats otlp/protobuf otlp/json
verified otlp/protobuf otlp/json
ask check --live >"$work/check" 2>&1 || fail "$(cat "$work/check")"
