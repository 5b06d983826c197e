#!/bin/bash
# `sealfeed setup` from nothing to the first event: by flags, by a file of
# answers and by a dialogue on a terminal.  A second run changes nothing, an
# interrupted one goes on, a failure leaves nothing behind, nothing is ever
# overwritten, and a secret is never seen.
. "${0%/*}/lib.sh"
. "${0%/*}/terminal.sh"

# setup STATUS WHAT ARGUMENT…: what it says is in $work/out and $work/err.
setup() {
	local want=$1 what=$2 got
	shift 2
	"$sealfeed" setup "$@" >"$work/out" 2>"$work/err" </dev/null
	got=$?
	[ "$got" -eq "$want" ] ||
	    fail "$what: status $got and not $want: $(cat "$work/out" "$work/err")"
}

# says FILE REGEX
says() {
	grep -Eq -- "$2" "$work/$1" || fail "no \"$2\": $(cat "$work/$1")"
}

# files FOLDER: all that is there, with modes and sums.
files() {
	(cd "$1" && find . -path './store*' -prune -o -printf '%M %u %p\n' &&
	    find . -path './store*' -prune -o -type f -exec sha256sum {} +) |
	    sort
}

# Exactly this is left where nothing was made.
nothing() {
	[ ! -e "$1" ] || fail "something is left in $1: $(find "$1")"
}

source=(--source contoso type=office365 "tenant=$tenant" "client-id=$client"
    interval=250ms)
output=(--output siem type=syslog tls.ca=ca.pem)
cd "$work" || exit 1
sim --events -1 --rate 100
rsyslog siem ossl
source+=("login_url=$api" "api_url=$api" tls.ca=ca.pem)
output+=("address=localhost:$(cat siem/port)")
where=(--config here/sealfeed.yaml --name fra1)

say "what is refused leaves nothing"
setup 64 "nobody can be asked" "${where[@]}"
says err 'sources: there is none'
says err 'outputs: there is none'
setup 64 "a secret as an argument" "${where[@]}" "${source[@]}" \
    client_secret=open-sesame
says err 'client_secret_file=FILE'
! grep -q open-sesame err || fail "the secret is repeated"
setup 64 "two files on standard input" "${where[@]}" "${source[@]}" \
    client_secret_file=- --output lake type=http url=https://localhost:1/ \
    bearer_file=-
setup 78 "an option that does not exist" "${where[@]}" "${source[@]}" \
    client-secret-file=secret tenent=x "${output[@]}"
says err 'tenent.*did you mean "tenant"'
setup 78 "no credentials" "${where[@]}" "${source[@]}" "${output[@]}"
says err 'client_secret": missing'
echo wrong >wrong
setup 1 "a wrong secret" "${where[@]}" "${source[@]}" \
    client-secret-file=wrong "${output[@]}"
says err 'sources.contoso: .*client secret'
says err 'what was made is removed again'
setup 1 "nobody at the address" "${where[@]}" "${source[@]}" \
    client-secret-file=secret "${output[@]}" address=localhost:1
echo 'sources: [a]' >wrong
setup 78 "a list of sources" "${where[@]}" --answers wrong
says err '^sealfeed setup: wrong:1: sources: must be a map of names'
echo 'agent: { name: x }' >wrong
mkdir here && echo garbage >here/seal.pem
setup 1 "what can be seen offline" "${where[@]}" "${source[@]}" --no-live \
    client-secret-file=secret "${output[@]}" tls.ca=/nowhere/ca.pem
says err 'outputs.siem: tls.ca: /nowhere/ca.pem: cannot be opened'
says err 'agent: key: .*: no private key'
[ "$(find here -type f -exec cat {} +)" = garbage ] ||
    fail "the key that was there has gone, or not only it is there"
rm -r here
nothing here

# in_little ROOM WORD…: setup where the disk has no more room than that
in_little() {
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare -m sh -c 'mkdir -p disk && mount -t tmpfs -o "$0" none disk &&
		{ "$@" >out 2>err; echo $? >got; find disk -mindepth 1 >left; }' \
	    "$1" "$sealfeed" setup --config disk/etc/sealfeed.yaml --no-live \
	    "${source[@]}" client-secret-file=secret "${output[@]}"
}
if [ "$(id -u)" -eq 0 ] && in_little size=32k,nr_inodes=99 2>/dev/null; then
	say "a disk that is full, or can only be read"
	[ "$(cat got)" -eq 0 ] || fail "in 32 KiB: $(cat err)"
	for room in size=4k nr_inodes=2 nr_inodes=5 nr_inodes=7; do
		in_little "$room"
		says err '/disk/etc.* cannot be made: No space left on device; make room'
		[ "$(cat got)" -eq 1 ] || fail "$room: status $(cat got)"
		[ ! -s left ] || fail "$room: something is left: $(cat left)"
	done
	in_little ro
	says err '/disk/etc: cannot be made: Read-only file system; .* mount it'
fi

if [ "$(id -u)" -eq 0 ] &&
    setpriv --reuid 65534 --clear-groups "$sealfeed" version >/dev/null 2>&1
then
	say "an ordinary user is told what to do"
	! setpriv --reuid 65534 --clear-groups "$sealfeed" setup >out 2>err ||
	    fail "nobody may set up the service"
	says err 'run "sudo sealfeed setup"; to try it .*--config'
	mkdir -m 700 closed
	echo '{}' >closed/sealfeed.yaml
	! setpriv --reuid 65534 --clear-groups "$sealfeed" status \
	    --config "$work/closed/sealfeed.yaml" >out 2>err ||
	    fail "nobody may read the configuration"
	says err 'Permission denied; .* run this with sudo'
	[ "$(wc -l <err)" -eq 1 ] || fail "that in more than a line: $(cat err)"
	mkdir open
	! setpriv --reuid 65534 --clear-groups "$sealfeed" setup --no-live \
	    --config "$work/open/sealfeed.yaml" >out 2>err ||
	    fail "nobody may write there"
	says err '/open.*: cannot be made: Permission denied; run setup as a user'
fi

say "by flags; the secret by standard input"
"$sealfeed" setup --config sealfeed.yaml --name fra1 "${source[@]}" \
    client-secret-file=- "${output[@]}" <secret >out 2>err ||
    fail "setup: $(cat out err)"
says out '^contoso/[A-Za-z.]+, index 0$'
says out '^  (available|committed|sealed) +20[0-9-]+T'
says out '^  siem +.*delivered, relayed'
says out "^Next: sealfeed run --config $work/sealfeed.yaml$"
sed -n 's/^  \(fra1+[^ ]*\)$/\1/p' out >vkey
[ -s vkey ] || fail "no verifier key"
! grep -rq "$(cat secret)" out err conf.d || fail "the secret is to be seen"
[ "$(cat source-contoso.client_secret)" = "$(cat secret)" ] ||
    fail "the secret is another"
[ "$(stat -c %a source-contoso.client_secret)" = 600 ] ||
    fail "others may read the secret"
[ -z "$(pgrep -f "run --config $work/sealfeed.yaml")" ] ||
    fail "an agent was left"

say "again"
files . | grep -E 'conf.d|pem|yaml|client_secret' >before
setup 0 "a second run" --config sealfeed.yaml
says out 'nothing was changed'
says out "$(sed 's/+/[+]/g' vkey)"
setup 0 "the same flags" --config sealfeed.yaml --name fra1 "${source[@]}" \
    client-secret-file=secret "${output[@]}"
says out 'nothing was changed'
setup 1 "another secret" --config sealfeed.yaml "${source[@]}" \
    client-secret-file=wrong
says err '20-source-contoso.yaml:[0-9]+: .*"client_secret" is set to something'
says err 'overwrites nothing'
setup 1 "another name" --config sealfeed.yaml --name fra2
says err '10-agent.yaml:[0-9]+: agent: "name"'
files . | grep -E 'conf.d|pem|yaml|client_secret' | diff before - ||
    fail "a second run changed something"

say "with an agent that runs, nothing is lost between the two"
setsid "$sealfeed" run --config sealfeed.yaml >>agent.log 2>&1 &
echo $! >agent.pid
wait_for 20 "it is ready" log_has 'ready: '
setup 0 "while it runs" --config sealfeed.yaml
says out 'The agent runs'
enough
settled siem
verified siem
agent_stop

setup 64 "nobody can be asked, in JSON" --config none/sealfeed.yaml --json
says out '"exit_code": 64'
says out '"error": "sources: there is none'

say "by a file of answers, with JSON"
cat >answers.yaml <<END
agent: { name: fra2 }
sources:
  contoso:
    type: office365
    tenant: $tenant
    client_id: $client
    client_secret: $(cat secret)
    login_url: $api
    api_url: $api
    tls: { ca: $work/ca.pem }
outputs:
  archive: { type: file, path: $work/there/archive }
END
setup 0 "answers" --config there/sealfeed.yaml --json --answers answers.yaml
says out '"ok": true'
says out '"changed": true'
says out '"vkey": "fra2[+]'
says out '"state": "delivered"'
[ -s there/archive ] || fail "nothing was delivered"
setup 0 "answers again, offline" --config there/sealfeed.yaml --json \
    --no-live --answers - <answers.yaml
rm -r there

say "a vendor that has nothing, and somebody who does not want to wait"
source+=(initial=0 client-secret-file=secret)
where=(--config there/sealfeed.yaml --name fra2)
setup 0 "no event" "${where[@]}" "${source[@]}" "${output[@]}" --wait 3s
says out 'No event of a source has been delivered yet'
says out "^The agent's own first event shows that delivery works:"
says out '^fra2/agent, index 0'
rm -f out
setsid "$sealfeed" setup "${where[@]}" --wait 600s >out 2>err </dev/null &
pid=$!
wait_for 20 "it waits" grep -q '^Waiting up to 600 s' out
kill -INT -- "-$pid"
wait "$pid" || fail "not to wait is a failure: $(cat out err)"
says out '^Next: '
rm -r there

say "interrupted: what is there is not made or asked for again"
steer "faults?set=slow-token=100%"
rm -f out
"$sealfeed" setup --config there/sealfeed.yaml --answers answers.yaml \
    >out 2>err </dev/null &
pid=$!
wait_for 20 "it checks" grep -q '^Checking' out
kill -KILL "$pid"
wait "$pid" 2>/dev/null
[ -s there/seal.pem ] || fail "it had not begun"
sum=$(sha256sum <there/seal.pem)
steer "faults?set=none"
setup 0 "going on" --config there/sealfeed.yaml
says out 'nothing was changed'
[ "$sum" = "$(sha256sum <there/seal.pem)" ] || fail "there is another key"
rm -r there
steer "faults?set=slow-token=100%"
rm -f out
setsid "$sealfeed" setup --config there/sealfeed.yaml --answers answers.yaml \
    >out 2>err </dev/null &
pid=$!
wait_for 20 "it checks" grep -q '^Checking' out
kill -INT -- "-$pid"
! wait "$pid" || fail "an interrupted check is good"
says err 'interrupted'
nothing there
steer "faults?set=none"

say "other vendors and outputs, by a file of answers"
cat >others.yaml <<END
agent: { name: fra4 }
sources:
  okta: { type: okta, domain: example.okta.com, token: secret-1 }
  github: { type: github, org: example, token: secret-2 }
  aws: { type: aws-s3, aws: { region: eu-central-1, key: "AKIDEXAMPLE:secret-3" },
    queue_url: "https://sqs.eu-central-1.amazonaws.com/123456789012/cloudtrail" }
outputs:
  splunk: { type: splunk-hec, url: "https://splunk.example.com:8088", token: secret-4 }
  sentinel: { type: sentinel, rule: dcr-0123456789abcdef0123456789abcdef,
    url: "https://a.westeurope-1.ingest.monitor.azure.com", tenant: $tenant,
    client_id: $client, client_secret: secret-5 }
  archive: { type: s3, url: "https://s3.eu-central-1.amazonaws.com", bucket: audit,
    aws: { region: eu-central-1, key: "AKIDEXAMPLE:secret-6" } }
  kafka: { type: kafka, brokers: ["kafka1.example.com:9093"], topic: audit,
    user: sealfeed, password: secret-7 }
END
chmod 644 others.yaml
setup 0 "seven types" --config others/sealfeed.yaml --answers others.yaml --no-live
says err 'can be read by every user'
"$sealfeed" check --config others/sealfeed.yaml >out 2>err ||
    fail "what was made has faults: $(cat out err)"
n=0
for file in source-okta.token source-github.token source-aws.aws.key \
    output-splunk.token output-sentinel.client_secret output-archive.aws.key \
    output-kafka.password; do
	n=$((n + 1))
	grep -q "secret-$n\$" "others/$file" || fail "$file is another"
	[ "$(stat -c %a "others/$file")" = 600 ] || fail "others may read $file"
done
! grep -rq 'secret-[0-9]' others/conf.d out err || fail "a secret is to be seen"
sed -i 's/, password: secret-7//; s/, token: secret-1//' others.yaml
setup 78 "answers that lack something" --config less/sealfeed.yaml \
    --answers others.yaml --no-live
says err 'outputs.kafka: "?password"?: is missing'
says err 'sources.okta: .*token'
nothing less
rm -r others

say "on a terminal"
dialogue "$sealfeed setup --config dialogue/sealfeed.yaml"
answer "Name of this agent" "not a name"
shows '1 to 63 letters'
answer "Name of this agent" fra3
answer "Type, by number or name [office365]" office
answer "Type, by number or name [office365]" 1
answer "Name of this source [office365]" contoso
shows 'ActivityFeed.Read '
shows 'https://entra.microsoft.com'
answer "Directory (tenant) ID:" ""
answer "Directory (tenant) ID:" "?"
shows 'Directory .tenant. ID, a GUID'
answer "Directory (tenant) ID:" "contoso.com"
answer "Directory (tenant) ID:" "$tenant"
shows 'is a domain and not an ID'
answer "Application (client) ID:" "$client"
answer "Client secret" wrong-by-mistake
answer "Another option" "nonsense=1"
shows 'unknown key "nonsense"'
answer "Another option" "login_url=$api"
answer "Another option" "api_url=$api"
answer "Another option" "tls.ca=$work/ca.pem"
answer "Another option" ""
answer "Type, by number or name [syslog]" ""
answer "Name of this output [siem]" ""
answer "Receiver, as host:port" "localhost"
answer "Receiver, as host:port" "localhost:$(cat siem/port)"
answer "File of the CA certificates" "$work/ca.pem"
answer "Another option" ""
answer "Go on? [Y/n]" ""
answer "(t)ry again" c
shows 'sources.contoso: .*secret'
answer "Name of this agent [fra3]" ""
answer "Directory (tenant) ID [$tenant]" ""
answer "Application (client) ID [$client]" ""
answer "Client secret" "$(cat secret)"
shows 'is a placeholder'
answer "Client secret" "$(cat secret)"
answer "Another option" ""
answer "Receiver, as host:port [localhost:$(cat siem/port)]" ""
answer "File of the CA certificates" ""
answer "Another option" ""
answer "Go on? [Y/n]" ""
ends 0
shows '^contoso/[A-Za-z.]+, index 0'
shows 'fra3[+]'
! grep -qe wrong-by-mistake -e "$(cat secret)" shown ||
    fail "a secret was shown"
[ "$(cat dialogue/source-contoso.client_secret)" = "$(cat secret)" ] ||
    fail "the secret is another"

say "a vendor that a definition describes says what to create there"
mkdir -p ended/sources.d
cp "$top/agent/sources/definitions/okta.yaml" ended/sources.d
dialogue "$sealfeed setup --config ended/sealfeed.yaml"
answer "Name of this agent" ""
answer "Type, by number or name" okta
answer "Name of this source [okta]" ""
wait_for 20 "it asks" asked "domain:"
shows '^Once, at the vendor:'
shows '^  1. In the admin console, Security, API, Tokens, create a token'
shows '^  system-log: okta.logs.read or the role Read-Only Administrator'
shows '^More: https://developer.okta.com/docs/reference/system-log-query/'
answer "domain:" example.okta.com
answer "API token (token; Enter: none)" okta-token-by-keyboard
answer "Another option" ""
answer "Type, by number or name" kafka
answer "Name of this output [siem]" ""
shows '^A topic that exists, unless'
answer "Brokers, as host:port" "kafka1.example.com:9093,kafka2.example.com:9093"
answer "Topic:" audit
answer "File of the CA certificates" ""
answer "User name for SASL" ""
answer "Password of that user" kafka-pw-by-keyboard
answer "Another option" ""
shows 'user and password belong together'
answer "Brokers, as host:port with commas between them [kafka1.example.com:9093,kafka2.example.com:9093]" ""
answer "Topic [audit]" ""
answer "File of the CA certificates" ""
answer "User name for SASL" ""
answer "Password of that user (Enter: none) [as before, - for none]" "-"
answer "Another option" ""
wait_for 20 "it has all that it needs" asked "Go on?"
! grep -q by-keyboard shown || fail "a secret was shown"
printf '\003' >&7
ends 1
rm -r ended

say "a private key is pasted"
openssl genrsa -traditional -out app.pem 2048 2>/dev/null || fail "no key"
dialogue "$sealfeed setup --config app/sealfeed.yaml --no-live"
answer "Name of this agent" ""
answer "Type, by number or name" github
answer "Name of this source [github]" ""
answer "Name of the organisation" example
answer "Name of the enterprise" ""
answer "Token with read:audit_log" ""
answer "App ID or client ID" 123456
answer "ID of its installation" 789
answer "Its RSA private key" "$(cat app.pem)"
answer "Another option" private_key
answer "Its RSA private key, a file or PEM text (private_key; Enter: none) [as before, - for none]" ""
answer "Another option" ""
answer "Type, by number or name" file
answer "Name of this output [siem]" ""
answer "path:" "$work/app.ndjson"
answer "Another option" ""
answer "Go on? [Y/n]" ""
ends 0
shows 'PEM text .*: \(not shown\)'
sed '/-----/d' app.pem >lines
! grep -qFf lines shown || fail "a private key was shown"
cmp app.pem <(cat app/source-github.private_key && echo) ||
    fail "the key is another"
grep -q "private_key: .*app/source-github.private_key" app/conf.d/* ||
    fail "the key is not configured: $(cat app/conf.d/*)"
rm -r app app.pem

say "on a terminal, ended by Ctrl-C"
dialogue "$sealfeed setup --config ended/sealfeed.yaml"
answer "Name of this agent" ""
wait_for 20 "it asks" asked "Type"
printf '\003' >&7
ends 1
nothing ended
