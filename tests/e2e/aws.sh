#!/bin/bash
# CloudTrail in a bucket that tells a queue, at a server that looks at
# signatures and policies (moto).  The agent assumes a role; its collect role is
# killed again and again; objects that no message told of are found by listings,
# one that is gone is a gap, and a message that says nothing stays in the queue;
# digests have their files fetched, and confirm their hours or say why not.  In
# the end the output has each event, byte for byte.
. "${0%/*}/lib.sh"

. "$top/tests/e2e/moto.sh"
moto_use

moto_start() {
	# Six calls make the users, whose policies hold from then on.
	run_receiver "$1" env INITIAL_NO_AUTH_ACTION_COUNT=6 MOTO_ACCOUNT_ID=123456789012 \
	    "${moto_server[@]}" -H 127.0.0.1 -p "$2"
}

at_aws() {
	"$moto_python" "$top/tests/e2e/aws.py" "$url" "$work" "$@"
}

api=https://localhost:1 # of the source that is replaced below
receiver lake
to_http lake
write_config
run_on_some_port moto moto_start
url=http://127.0.0.1:$(cat "$work/moto/port")
at_aws setup || fail "moto cannot be set up"
{
	sed '/^sources:/,$d' "$work/sealfeed.yaml"
	cat <<EOF
sources:
  aws:
    type: aws-s3
    queue_url: $url/123456789012/trail
    s3_url: $url
    visibility: 10s
    digests: { validate: true, key: "\${file:$work/digest.pem}" }
    aws:
      region: eu-west-1
      key: "\${env:AGENT_KEY}"
      role: ["arn:aws:iam::123456789012:role/reader"]
      external_id: [an-id]
      sts_url: $url
outputs:
$outputs
EOF
} >"$work/aws.yaml"
mv "$work/aws.yaml" "$work/sealfeed.yaml"
agent_env+=("AGENT_KEY=$(sed -n 3p "$work/keys"):$(sed -n 4p "$work/keys")")
agent_again

arrived() {
	sed -n 's/^{"feed":"aws\/CloudTrail","index":[0-9]*,"agent":"fra1","event":\(.*\)}$/\1/p' \
	    "$work/lake/events" | sort
}

whole() {
	arrived | uniq | cmp -s - <(sort "$work/ledger")
}

put() {
	[ "$(cat "$work/put" 2>/dev/null || echo 0)" -ge "$1" ]
}

at_aws put 60 >"$work/put.log" 2>&1 &
for n in 10 25 40; do
	wait_for 60 "objects are written" put "$n"
	collect=$(pgrep -P "$(cat "$work/agent.pid")" -x sf-collect) &&
	    kill -KILL "$collect"
done
wait_for 60 "all objects are written" put 59
wait_for 90 "every event of these arrives" whole
# From here on nobody looks at signatures: moto has another idea of those over
# queries and over names that are encoded.
curl -fsS -H 'Content-Type: text/plain' -d 1000000000 \
    "$url/moto-api/reset-auth" >/dev/null ||
    fail "moto goes on looking at signatures"
at_aws lose odd digests || fail "no objects or digests"
sed -i 's/^    visibility: .*/&\n    buckets: [trail, quiet]/' "$work/sealfeed.yaml"
kill -HUP "$(cat "$work/agent.pid")"

gap() {
	"$sealfeed" gaps --config "$work/sealfeed.yaml" | grep >/dev/null 'AWSLogs/gone.json.gz'
}

wait_for 90 "every event arrives" whole
wait_for 90 "the object that is gone is a gap" gap
wait_for 90 "all messages are deleted but the odd one" at_aws settled
account() {
	"$sealfeed" reconcile --config "$work/sealfeed.yaml" --from 12h --json >"$work/out" 2>&1
	at_aws hours <"$work/out" 2>"$work/why"
}

within 90 account || fail "the hours: $(cat "$work/why" "$work/out")"
verified lake
log_has 'is not deleted: it is no JSON object' ||
    fail "nothing is said about the odd message"
