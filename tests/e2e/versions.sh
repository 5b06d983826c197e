#!/bin/bash
# One id, several records: other bytes under a known id are events of their
# own, told and traced as versions of the first; an empty or zero id is none.
# The same blob under another name brings nothing again but what has no id.
. "${0%/*}/lib.sh"

zero=00000000-0000-0000-0000-000000000000
cat >"$work/records" <<END
{"Id":"5f0e","Operation":"first"}
{"Id":"5f0e","Operation":"second"}
{"Id":"5f0e","Operation":"third"}
{"Id":"77aa","Operation":"alone"}
{"Id":"$zero","Operation":"zero one"}
{"Id":"$zero","Operation":"zero two"}
{"Id":"","Operation":"empty one"}
{"Id":"","Operation":"empty two"}
{"Id":null,"Operation":"null"}
{"Operation":"none"}
END
sim --records "$work/records" --blob 10-10 --rate 100
rsyslog siem ossl
receiver lake
to_syslog siem
to_http lake
to_file archive
agent
settled siem lake archive
verified siem lake archive

# received N: so many lines with an index of the feed arrived
received() {
	[ "$(grep -c '"feed":"contoso/Audit.General","index"' \
	    "$work/archive/events")" -eq "$1" ]
}

received 10 || fail "not ten events, each once"
steer "again?type=Audit.General"
wait_for 20 "what has no id comes again" received 16
steer "make?type=Audit.General&events=1"
wait_for 20 "what was there is kept out" metric_is \
    'sealfeed_feed_duplicates_total{feed="contoso/Audit.General"}' -eq 5
received 16 || fail "a repeat came again"
metric_is 'sealfeed_feed_versions_total{feed="contoso/Audit.General"}' -eq 2 ||
    fail "not two versions are counted"
wait_for 20 "the agent's own feed tells of both" grep -Eq \
    '"type":"version".*"feed":"contoso/Audit.General","events":\[\{"index":[0-9]+,"version_of":"contoso/Audit.General:[0-9]+"\},\{' \
    "$work/archive/events"
ask trace 5f0e >"$work/trace" || fail "trace: $(cat "$work/trace")"
[ "$(grep -c '^contoso/Audit.General, index' "$work/trace")" -eq 3 ] &&
    [ "$(grep -c 'a version of ' "$work/trace")" -eq 2 ] ||
    fail "trace does not show three versions: $(cat "$work/trace")"
verified siem lake archive
