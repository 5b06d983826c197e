#!/bin/bash
# Every dialect of HTTP against a strict fake of its intake (tests/recv), all
# beside each other, through the same faults: whatever happens, each intake ends
# with exactly the events, and what comes twice has the same id.  A row of the
# table is all that a new dialect needs here.
. "${0%/*}/lib.sh"

# Three that would block in a row are got over, so they do not stand together.
common=401=#1,slow=#1,403=#1,lost-reply=#1,404=#1,close=#1,page=#1,429=#1
common+=,429-bare=#1,500=#1,503=#1,413=#1,partial=#1

# dialect RECEIVER TYPE URL FAULTS [YAML-LINE…]: the receiver's name begins with
# that of its fake; FAULTS are those of its own.
dialects=()
dialect() {
	local name=$1 type=$2 url=$3 faults=$4
	shift 4
	dialects+=("$name")
	mkdir -p "$work/intakes/$name"
	echo "$common${faults:+,$faults}" >"$work/intakes/$name/faults"
	echo abc >"$work/intakes/$name/token"
	to_intake "$name" "$type" "$url" "max_body: 16KiB" "$@"
}

# google_key ID: the key of a service account in $work/google.json, as Google
# makes it.
google_key() {
	[ -s "$work/google.pem" ] ||
	    openssl genrsa -out "$work/google.pem" 2048 2>/dev/null
	openssl pkey -in "$work/google.pem" -pubout \
	    -out "$work/intakes/login/public.pem"
	printf '{"type":"service_account","private_key_id":"%s",' "$1" \
	    >"$work/google.json"
	printf '"client_email":"sealfeed@siem-1.iam.gserviceaccount.com",' \
	    >>"$work/google.json"
	printf '"private_key":"%s"}\n' \
	    "$(sed 's/$/\\n/' "$work/google.pem" | tr -d '\n')" \
	    >>"$work/google.json"
}

table() {
	local secret="\"\${file:$work/token}\"" token
	token="token: $secret"
	dialect elasticsearch elasticsearch "" "" "api_key: $secret"
	local hec=/services/collector/event
	dialect splunk-hec splunk-hec $hec "" "$token" "index: m365"
	local login
	login=https://localhost:$(cat "$work/intakes/port")/login
	dialect sentinel sentinel "" "" \
	    "rule: dcr-00000000000000000000000000000007" "tenant: $tenant" \
	    "client_id: $client" "client_secret: $secret" "login_url: $login"
	dialect google-secops google-secops "" "" "project: siem-1" \
	    "location: eu" "instance: i-1" "forwarder: f-1" \
	    "key: $work/google.json" "token_url: $login/token" \
	    "own_log_type: SEALFEED"
	dialect s3 s3 "" "" "bucket: m365" \
	    "aws: { region: eu-central-1, key: \"AKID:\${file:$work/token}\" }"
	dialect azure-blob azure-blob "" "" "bucket: m365" "tenant: $tenant" \
	    "client_id: $client" "client_secret: $secret" "login_url: $login"
	dialect gcs gcs "" "" "bucket: m365" "key: $work/google.json" \
	    "token_url: $login/token"
	dialect splunk-hec-acks splunk-hec $hec forget=#1 "$token"
	dialect coralogix coralogix "" "" "key: $secret"
	dialect datadog datadog "" "" "api_key: $secret"
	dialect graylog graylog "" "" "bearer: $secret"
	dialect graylog-bulk graylog "" "" "bearer: $secret" "bulk: true"
	dialect loki loki "" "" "bearer: $secret" "tenant: t1"
	dialect loki-protobuf loki "" "" "bearer: $secret" "tenant: t1" \
	    "encoding: protobuf"
	dialect sumologic-deflate sumologic \
	    "/receiver/v1/http/\${file:$work/token}" "" "envelope: seal" \
	    "coding: deflate"
	dialect sumologic sumologic \
	    "/receiver/v1/http/\${file:$work/token}" "" "envelope: seal"
	dialect otlp otlp "" "" "bearer: $secret"
	dialect otlp-json otlp /v1/logs "" "bearer: $secret" "encoding: json"
}

sim --events 1200 --rate 600 --blob 20-40
echo abc >"$work/token"
own_receiver intake intakes
mkdir -p "$work/intakes/login"
google_key abc
table
echo 1 >"$work/intakes/splunk-hec-acks/acks"
echo m365 >"$work/intakes/splunk-hec/index"
echo t1 >"$work/intakes/loki/tenant"
echo t1 >"$work/intakes/loki-protobuf/tenant"
echo 1 >"$work/intakes/graylog-bulk/bulk"
agent
places=("${dialects[@]/#/intakes/}")

# Blips, refusals, lost answers, parts.
settled "${places[@]}"
for name in "${dialects[@]}"; do
	for fault in ${common//,/ }; do
		grep -q " ${fault%=*}\$" "$work/intakes/$name/requests" ||
		    fail "$name never had the fault ${fault%=*}"
	done
	output_is "$name" dead_letters -eq 0 ||
	    fail "$name: $(ask dead-letters)"
	rm "$work/intakes/$name/faults"
done

# Down, and one bad event in ten thousand that wait, which go in batches as large
# as they are by default: that one is found by a few requests, and nothing else
# goes twice.
stop_one intakes
outputs=$(grep -v 'max_body: 16KiB' <<<"$outputs")$'\n'
agent_reload
steer "make?type=Audit.Exchange&blobs=20&events=500&small=1"
wait_for 20 "it is noticed" \
    log_has "ship ${dialects[-1]}: .*events are kept and delivery is retried"
wait_for 30 "the events wait" \
    output_is "${dialects[0]}" backlog_events -ge 10000
index=$("$bin/tally" --ledger "$work/sim/ledger" |
    awk '$1 == "Audit.Exchange" { print $2 - 5000 }')
declare -A had twice
for name in "${dialects[@]}"; do
	had[$name]=$(wc -l <"$work/intakes/$name/requests")
	twice[$name]=$(repeats "intakes/$name")
	# As the envelope of the dialect has it.
	case $name in
	google-secops) poison="\"},\"sealfeed_index\":{\"value\":\"$index\"" ;;
	s3 | azure-blob | gcs) poison="\",\"index\":$index,\"agent\"" ;;
	sentinel) poison="\",\"sealfeed_index\":$index," ;;
	splunk-hec*) poison="\",\"sealfeed_index\":\"$index\"" ;;
	*) poison="\",\"index\":$index," ;;
	esac
	echo "Exchange$poison" >"$work/intakes/$name/poison"
done
own_receiver intake intakes
for name in "${dialects[@]}"; do
	wait_for 30 "$name goes on" output_is "$name" backlog_events -eq 0
	wait_for 10 "$name has one dead letter" \
	    output_is "$name" dead_letters -eq 1
	ask dead-letters --output "$name" >"$work/letters"
	grep -q "Exchange  *$index " "$work/letters" ||
	    fail "$name: $(cat "$work/letters")"
	rm "$work/intakes/$name/poison"
	refusals=$(sed "1,${had[$name]}d" "$work/intakes/$name/requests" |
	    grep -vc '^2')
	# The batch, its half, … down to the one of 10000: 15 with the batch.
	# That one is refused twice more before it is believed.
	[ "$refusals" -le 17 ] ||
	    fail "$name: $refusals requests were refused for one event"
	# Some keep the others of a batch and do not say which one they refused.
	case $name in
	loki* | graylog-bulk | otlp*) allowed=5000 ;;
	*) allowed=0 ;;
	esac
	again=$(($(repeats "intakes/$name") - twice[$name]))
	[ "$again" -le "$allowed" ] || fail "$name: $again events went twice"
done
ask dead-letters retry --all >"$work/letters" || fail "$(cat "$work/letters")"
settled "${places[@]}"

# The token changes there, and later here.
for name in "${dialects[@]}"; do
	echo new >"$work/intakes/$name/token"
done
steer "make?type=Audit.Exchange&blobs=2&events=50"
for name in "${dialects[@]}"; do
	wait_for 20 "$name is blocked" \
	    log_has "ship $name: blocked: .*(token|secret)"
done
ask check --live >"$work/check" 2>&1 && fail "check --live finds nothing"
for name in "${dialects[@]}"; do
	grep -Eq "^outputs.$name: .*(token|secret)" "$work/check" ||
	    fail "check --live: $(cat "$work/check")"
done
echo new >"$work/token"
google_key new
settled "${places[@]}"
verified "${places[@]}"
ask check --live >"$work/check" 2>&1 || fail "$(cat "$work/check")"
