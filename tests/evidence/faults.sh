#!/bin/sh
# faults.sh - every fault that verify must find, in files as sealfeed writes
# them (ndjson) and as syslog servers keep them (syslog, header, split).
set -u
top=$(pwd)
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' TERM
cd "$dir" || exit 1
failed=0

fail() {
	echo "FAIL $syntax: $*"
	sed 's/^/	/' out | cut -c -300 | head -20
	failed=$((failed + 1))
}

# check STATUS WHAT [OPTION...] FILE...: run verify, keep what it says.
check() {
	want=$1
	what=$2
	shift 2
	"$top/sealfeed" verify --key pub.pem "$@" >out 2>&1
	got=$?
	[ "$got" -eq "$want" ] || fail "$what: status $got instead of $want"
}

# says TEXT: a line of it begins so.  silent TEXT: none does.
says() {
	awk -v t="$1" 'index($0, t) == 1 { f = 1 } END { exit !f }' out ||
		fail "$what: does not say \"$1\""
}

silent() {
	awk -v t="$1" 'index($0, t) == 1 { f = 1 } END { exit f }' out ||
		fail "$what: says \"$1\""
}

# keys ALGORITHM…: what the agent signs by, and somebody else.
keys() {
	openssl genpkey -algorithm "$@" -out key.pem 2>/dev/null
	openssl pkey -in key.pem -pubout -out pub.pem
	openssl genpkey -algorithm "$@" -out other.pem 2>/dev/null
}

ex=contoso/Audit.Exchange

for syntax in ndjson syslog header split; do
	stream() {
		"$top/tests/bin/stream" "$@" || {
			echo "no stream can be made" >&2
			kill $$
		}
	}
	case $syntax in
	ndjson | header) keys ed25519 ;;
	*) keys EC -pkeyopt ec_paramgen_curve:P-256 ;;
	esac
	stream key.pem fra1 $syntax 4 40 >good
	stream other.pem fra1 $syntax 4 40 >alien
	case $syntax in
	ndjson)
		index() { printf '"feed":"%s","index":%s,' "$1" "$2"; }
		size() { printf '"feed":"%s","size":%s,' "$1" "$2"; }
		;;
	split)
		index() { printf 'index="%s" feed="%s"' "$2" "$1"; }
		size() { printf 'feed="%s" checkpoint="%s"' "$1" "$2"; }
		;;
	*)
		index() { printf 'feed="%s" index="%s"' "$1" "$2"; }
		size() { printf 'feed="%s" checkpoint="%s"' "$1" "$2"; }
		;;
	esac
	without() { # FEED: the file without the lines of it
		case $syntax in
		ndjson) grep -v "^{\"feed\":\"$1\"" good ;;
		*) grep -v "sealfeed@32473.* feed=\"$1\"" good ;;
		esac
	}
	line() { # number of the first line that has TEXT
		grep -nF "$1" good | head -1 | cut -d: -f1
	}

	check 0 good good
	says "$ex: 160 events, proven 0-159; 4 checkpoints"
	says "all is well"
	says "0 of these events are not covered by a checkpoint"
	check 0 complete --complete good
	silent "0 of these events"

	gzip -c good >good.gz
	check 0 gzip good.gz
	gzip -c good | cat - good.gz >twice.gz
	check 0 members twice.gz
	says "$ex index 0-159: repeated, identical copies"
	head -c 900 good.gz >cut.gz
	check 1 cut-gzip cut.gz
	says "input: cut.gz: "
	"$top/sealfeed" verify --key pub.pem - <good >out || fail stdin
	says "all is well"

	n=$(line "$(index $ex 42)")
	sed "${n}s/CreationTime/creationTime/" good >bad
	check 1 altered bad
	case $syntax in
	split) says "$ex index 42: altered (bad line " ;;
	*) says "$ex index 42: altered (bad line $n)" ;;
	esac
	silent "$ex index 43: altered"
	silent "contoso/Audit.General index"
	# What its peak does not cover stays proven.
	says "$ex: 160 events, proven 0-39, 64-"

	grep -vF "$(index $ex 42)" good >bad
	check 1 removed bad
	says "$ex index 42: missing"
	says "$ex: 159 events, proven 0-39, 64-"

	awk -v a="$n" 'NR >= a && NR < a + 10 { held = $0 "\n" held; next }
		{ print } END { printf "%s", held }' good >bad
	check 0 swapped bad
	awk '{ held = $0 "\n" held } END { printf "%s", held }' good >bad
	check 0 reversed bad

	# The bytes of another event under an index that is there.
	sed -n "${n}p" good | sed 's/CreationTime/creationTime/' >forged
	sed "${n}r forged" good >bad
	check 1 forged bad
	says "$ex index 42: forged: bad line $((n + 1)) is not the sealed"
	says "$ex: 161 events, proven 0-159"
	sed "$((n - 1))r forged" good >bad
	check 1 forged-before bad
	says "$ex index 42: forged: bad line $n is not the sealed event, the one"
	# Under an index behind the end, and in a feed that is none.
	sed "s/\(index\"*[:=]\"*\)42/\1200/" forged >behind
	cat good behind >bad
	check 1 forged-behind bad
	if [ $syntax != split ]; then
		says "$ex index 160-199: missing, 40 events"
		says "$ex index 200: not yet covered by a checkpoint"
	fi
	sed 's/Exchange/Nothing/g' forged >nothing
	cat good nothing >bad
	check 1 forged-feed bad
	if [ $syntax = split ]; then
		says "contoso/Audit.Nothing index 42: incomplete"
	else
		says "contoso/Audit.Nothing: no valid checkpoint"
	fi

	# A checkpoint by another key in the place of the true one.
	c=$(line "$(size $ex 80)")
	sed -n "${c}p" alien >alien80
	sed -e "${c}r alien80" -e "${c}d" good >bad
	check 1 wrong-key bad
	says "$ex checkpoint 80: signed by none of the given keys (bad line $c)"
	check 1 all-wrong alien
	says "$ex: no valid checkpoint, so none of its events is proven"
	# One byte of the note.
	sed "${c}s/$(printf 'contoso\\/Audit.Exchange\\\\n80')/contoso\\/Audit.Exchange\\\\n81/" \
		good >bad
	check 1 altered-note bad
	says "$ex checkpoint 80: bad signature by key fra1"
	# A checkpoint of one feed under the name of another.
	sed "${c}s/\(feed\"*[:=]\"\)contoso.Audit.Exchange/\1contoso\/Audit.General/" \
		good >bad
	check 1 wrong-origin bad
	says "contoso/Audit.General checkpoint 80: its origin is another feed"
	# Peaks of another tree.
	sed "${c}s/\"before\":\[\"..../\"before\":[\"AAAA/" good >bad
	check 1 peaks bad
	says "$ex checkpoint 80: its peaks before do not hash to the root of"
	# A checkpoint removed: the next one proves its events.
	sed "${c}d" good >bad
	check 0 checkpoint-removed bad
	says "$ex: 160 events, proven 0-159; 3 checkpoints"
	# Another checkpoint of the same history does no harm; of another
	# history, signed with the same key, it does.
	stream key.pem fra1 $syntax 1 41 | grep -F "$(size $ex 41)" >fork
	cat good fork >bad
	check 0 more-checkpoints bad
	# shellcheck disable=SC2094 # an argument named as the file is
	stream key.pem fra1 $syntax 2 40 fork | grep -F "$(size $ex 80)" >fork
	cat good fork >bad
	check 1 two-histories bad
	says "$ex checkpoint 80: signed twice with different roots"
	cat fork good >bad
	check 1 two-histories-first bad
	says "$ex checkpoint 80: signed twice with different roots"
	says "$ex: 160 events, proven 0-159; 4 checkpoints"
	# Of a size of its own it discredits nothing else, wherever it stands.
	# shellcheck disable=SC2094 # an argument named as the file is
	stream key.pem fra1 $syntax 3 45 fork | grep -F "$(size $ex 90)" >fork
	for order in "fork good" "good fork"; do
		# shellcheck disable=SC2086 # two names
		cat $order >bad
		check 1 foreign bad
		says "$ex: 160 events, proven 0-159; 4 checkpoints"
		says "$ex checkpoint 90: two histories: "
		says "NOT well: 1 findings"
	done
	# Nor where an event beside it is altered, or the input begins inside.
	sed "${n}s/CreationTime/creationTime/" good | cat - fork >bad
	check 1 foreign-and-altered bad
	says "$ex checkpoint 90: two histories: "
	says "$ex: 160 events, proven 0-39, 64-159; 4 checkpoints"
	tail -n +$((n + 2)) good | cat fork - >bad
	check 1 foreign-inside bad
	says "$ex checkpoint 90: two histories: "
	silent "$ex index 80"
	# A whole second history in one archive.
	# shellcheck disable=SC2094 # an argument named as the file is
	stream key.pem fra1 $syntax 4 45 fork | grep -F "$ex" |
		grep -E 'checkpoint' >fork
	cat fork good >bad
	check 1 foreign-history bad
	says "$ex: 160 events, proven 0-159; 4 checkpoints"
	says "NOT well: 4 findings"

	head -n $((n + 5)) good >bad
	check 1 truncated --complete bad
	check 0 truncated bad
	says "$ex index 40-"
	n_bad=$(sed -n 's/^\([0-9]*\) of these events are not covered by.*/\1/p' out)
	[ "${n_bad:-0}" -gt 0 ] || fail truncated-counted
	check 1 truncated-counted --json bad --complete
	grep -q "\"uncovered\":$n_bad," out || fail truncated-json
	grep -q 'not yet covered' out || fail truncated-words
	head -c $(($(wc -c <good) - 30)) good >bad
	check 0 half-line bad

	# A file that begins inside: nobody can say what was before.
	tail -n +$((n + 2)) good >bad
	check 0 begins bad
	says "$ex: the input begins at index 4"
	check 1 begins-complete --complete bad
	cat bad good >both
	check 0 overlap both

	without $ex >bad
	check 1 feed-removed bad
	says "$ex: missing entirely: fra1/agent index "
	without fra1/agent >bad
	check 1 agent-removed bad
	says "fra1/agent: missing entirely"
	check 0 only --feed $ex --feed contoso/Audit.General bad
	check 1 absent --feed contoso/None good
	says "contoso/None: the input holds none of its lines"
	# A tail that the agent's own feed knows.
	k=$(line "$(index $ex 120)")
	head -n $((k - 1)) good >bad
	without $ex >rest
	cat rest >>bad
	check 1 tail-removed bad
	says "$ex index 120-159: missing, 40 events: fra1/agent index 3 says"

	printf 'Mar  1 10:00:00 host cron: nothing\n\n' | cat - good >bad
	check 0 others bad
	says "324 events of 3 feeds, 324 proven; 1 other lines"
	printf 'x\n' >bad
	check 1 nothing bad
	says "input: it holds no line of sealfeed"
	printf '{"feed":"a/b","index":x\n' | cat good - >bad
	check 1 broken bad
	says "input: bad line"
	check 1 unreadable nowhere

	"$top/sealfeed" verify --json --key pub.pem good >out || fail json
	json_pp <out >/dev/null 2>&1 || fail "json: not JSON" # of perl
done

# A split event without one of its parts.
grep -vF 'part="2" parts="2" index="42"' good >bad
check 1 part-removed bad
says "$ex index 42: incomplete, 1 of its 2 parts"
says "$ex index 42: missing"

# What rsyslog makes of a tab.
syntax=syslog
"$top/tests/bin/stream" key.pem fra1 syslog 2 60 | sed 's/	/#011/' >bad
grep -q '#0111' bad || fail "no tab in the stream"
check 0 escaped bad
says "all is well"

# A dead letter explains what is missing.
syntax=ndjson
"$top/tests/bin/stream" key.pem fra1 ndjson 2 20 letter >good
grep -v '^{"feed":"contoso/Audit.General","index":7,' good >bad
check 1 letter bad
says "contoso/Audit.General index 7: missing: dead letter at output siem: "

# The agent lost its store and went on in another tree.
"$top/tests/bin/stream" key.pem fra1 ndjson 3 20 renew >good
check 0 renewed good
says "$ex index 20-22: lost by the agent before it was shipped"
check 1 renewed-complete --complete good
check 0 renewed-feed --feed $ex good
says "$ex~2026-03-01T10-00-00.000000Z: 40 events, proven 0-39; 2 checkpoints; a new tree of $ex"
grep -v '^{"feed":"contoso/Audit.Exchange~' good >bad
check 1 renewed-removed bad
says "$ex index 20-22: missing, 3 events: fra1/agent index 1 says"

# Two agents with sources of one name, in one archive.
# shellcheck disable=SC2086 # $both is words
for syntax in ndjson plain syslog split; do
	"$top/tests/bin/stream" key.pem fra1 $syntax 4 40 >one
	"$top/tests/bin/stream" other.pem fra2 $syntax 3 50 fork >two
	openssl pkey -in other.pem -pubout -out pub2.pem
	cat one two >good
	check 0 two-agents --key pub2.pem good
	says "fra1/$ex: 160 events, proven 0-159; 4 checkpoints"
	says "fra2/$ex: 150 events, proven 0-149; 3 checkpoints"
	check 0 two-agents-complete --key pub2.pem --complete good
	# Line by line: of a split event the parts of one between those of the other.
	paste -d '\n' one two | sed '/^$/d' >good
	check 0 two-agents-mixed --key pub2.pem good
	if [ $syntax = split ]; then
		# As files have it, and behind the header of a relay.
		for form in 's/^<[0-9]*>1 //' 's/^<[0-9]*>/&/' 's/^<[0-9]*>//' \
			's/^/Nov 26 10:00:01 relay /'; do
			sed "$form" good >files
			check 0 two-agents-split-mixed --key pub2.pem --complete files
		done
		continue
	fi
	"$top/sealfeed" verify --json --key pub2.pem --key pub.pem good >out || fail json
	json_pp <out >/dev/null 2>&1 || fail "two-agents: not JSON"
	grep -n 'Audit.Exchange' good | grep '[^0-9]42[^0-9]' | grep -v chec |
		grep Delete | cut -d: -f1 >n
	sed "$(cat n)s/CreationTime/creationTime/" good >bad
	check 1 two-agents-altered --key pub2.pem bad
	says "fra2/$ex index 42: altered (bad line $(cat n))"
	silent "fra1/$ex index"
	sed "$(cat n)d" good >bad
	check 1 two-agents-removed --key pub2.pem bad
	says "fra2/$ex index 42: missing"
	silent "fra1/$ex index"
	sed -n "$(cat n)p" good | sed 's/CreationTime/creationTime/' >forged
	cat good forged >bad
	check 1 two-agents-forged --key pub2.pem bad
	grep -q "$ex index 42: forged: bad line $(wc -l <bad) is not" out ||
		fail "two-agents-forged: does not say so"
	# The tails, which no checkpoint covers yet.
	head -n 500 good >bad
	check 0 two-agents-tail --key pub2.pem bad
done

# The agent changed its key, twice.
what=keys
"$top/sealfeed" keygen one.pem --name fra1 >one
"$top/sealfeed" keygen two.pem --name fra1 --follows one.pem >two
"$top/sealfeed" keygen three.pem --name fra1 --follows two.pem >three
"$top/tests/bin/stream" three.pem fra1 ndjson 2 20 >good
for key in one two three; do
	"$top/sealfeed" verify --key $key good >out 2>&1 || fail "key $key"
	says "all is well"
done
silent "input: a new key"
"$top/sealfeed" verify --key one good >out 2>&1
says "input: a new key of fra1 is trusted, because a trusted key announces it"
# A key that signs on behind its successor, in the same tree or a later one.
"$top/tests/bin/stream" one.pem fra1 ndjson 3 20 >older
grep "$ex.*checkpoint" older | sed -n '3p' >late
"$top/tests/bin/stream" one.pem fra1 ndjson 1 20 >rotated
"$top/tests/bin/stream" two.pem fra1 ndjson 3 20 | tail -n +45 >>rotated
"$top/sealfeed" verify --key one rotated >out 2>&1 || fail "rotated in between"
says "all is well"
cat good older >bad
"$top/sealfeed" verify --key one bad >out 2>&1 && fail "retired key: well"
says "$ex checkpoint 60: signed by a retired key (key id "
"$top/tests/bin/stream" two.pem fra1 ndjson 3 20 >bad
sed -i "s/^.*\"feed\":\"contoso\/Audit.Exchange\",\"size\":60,.*$/LATE/" bad
sed -i -e "/^LATE$/r late" -e "/^LATE$/d" bad
"$top/sealfeed" verify --key one bad >out 2>&1 && fail "late key: well"
says "$ex checkpoint 60: signed by a retired key (key id "
says "NOT well: 1 findings"
silent "$ex checkpoint 20"
silent "$ex checkpoint 40"
# One that names two successors, whatever keys are given.
"$top/sealfeed" keygen second.pem --name fra1 --follows one.pem >second
"$top/tests/bin/stream" second.pem fra1 ndjson 1 20 >bad
cat good >>bad
for key in "--key one" "--key one --key two --key second"; do
	# shellcheck disable=SC2086 # words
	"$top/sealfeed" verify $key bad >out 2>&1 && fail "two successors: well"
	says "input: a key of fra1 names two successors (key ids "
done
# A key that names one before it: the circle is told, and nothing is asked
# for ever.  follows KEY NEXT: the note by KEY that NEXT follows.
follows() {
	printf 'sealfeed next key\n%s\n' "$(cat "$2")" >text
	openssl pkeyutl -sign -rawin -inkey "$1.pem" -in text -out signature
	id=$(cut -d+ -f2 "$1" | sed 's/../\\x&/g')
	cat text
	# shellcheck disable=SC2059 # the bytes of the key's id
	printf '\n— fra1 %s\n' \
	    "$( (env printf "$id" && cat signature) | base64 -w 0)"
}
(cat three.pem && follows three one) >circle.pem
"$top/tests/bin/stream" circle.pem fra1 ndjson 2 20 >bad
"$top/sealfeed" verify --key one bad >out 2>&1 && fail "circle: well"
says "input: keys of fra1 follow one another in a circle, which key id "
says "NOT well: 1 findings"
# Nobody else can say so.
check 1 alien-keys good
says "$ex checkpoint 20: signed by none of the given keys"
"$top/sealfeed" keygen alien.pem --name fra1 --follows other.pem >/dev/null
"$top/tests/bin/stream" alien.pem fra1 ndjson 2 20 >good
"$top/sealfeed" verify --key one good >out 2>&1 && fail "alien succession"
"$top/sealfeed" keygen bad.pem --name fra2 --follows missing.pem 2>/dev/null &&
	fail "keygen without the old key"
[ ! -e bad.pem ] || fail "keygen left a key behind"
(sed '/^sealfeed/,$d' other.pem && sed -n '/^sealfeed/,$p' two.pem |
	sed 's/^fra1+.*/fra1+00000000+AAAA/') >forged.pem
"$top/tests/bin/stream" forged.pem fra1 ndjson 2 20 >good
"$top/sealfeed" verify --key one good >out 2>&1 && fail "forged succession"

"$top/sealfeed" verify good >out 2>&1
[ $? -eq 64 ] || fail "without --key"

[ "$failed" -eq 0 ] && echo "faults: all found"
exit "$failed"
