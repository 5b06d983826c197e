#!/bin/sh
# cli.sh - the subcommands that need no agent, as an administrator and as a
# fleet tool call them: exit statuses, what goes where, what stays unread.
# Runs in the build folder.
set -u

here=$(cd "$(dirname "$0")" && pwd)
vectors=$here/vectors/config
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT INT TERM
failed=0

# expect STATUS WHAT COMMAND...: run it; output in $dir/out, $dir/err.
expect() {
	want=$1
	what=$2
	shift 2
	"$@" >"$dir/out" 2>"$dir/err"
	got=$?
	[ $got -eq "$want" ] && return
	echo "cli: $what: status $got, not $want" >&2
	cat "$dir/out" "$dir/err" >&2
	failed=1
}

# holds FILE PATTERN: $dir/FILE has a line that matches.
holds() {
	grep -Eq -- "$2" "$dir/$1" && return
	echo "cli: $what: no \"$2\" in $1:" >&2
	cat "$dir/$1" >&2
	failed=1
}

empty() {
	[ -s "$dir/$1" ] || return
	echo "cli: $what: there is something in $1:" >&2
	cat "$dir/$1" >&2
	failed=1
}

sf=./sealfeed

expect 0 "a good file" $sf check "$vectors/good/sealfeed.yaml"
holds out ': good: 1 source, 1 output$'
empty err
expect 0 "a good file by option" $sf check --config "$vectors/good/sealfeed.yaml"
expect 78 "several faults" $sf check "$vectors/several-at-once/sealfeed.yaml"
empty out
[ "$(wc -l <"$dir/err")" -eq 7 ] || { cat "$dir/err" >&2; failed=1; }
expect 78 "no file" $sf check "$dir/none.yaml"
holds err 'none.yaml: .*No such file.*sealfeed setup'
expect 0 "no entries" $sf check "$vectors/good-without-entries/sealfeed.yaml"
holds err 'warning: no sources'
holds err 'warning: no outputs'
expect 78 "faults as JSON" $sf check --json "$vectors/unknown-key/sealfeed.yaml"
holds out '"line": 6'
holds out '"ok": false'
empty err

# A mapping is missing for one type of two, and only where fields are made.
cat >"$dir/fields.yaml" <<-END
	agent: {name: a, key: /k}
	sources:
	  mapped: {type: okta, domain: acme.okta.com, token: "00abcdefghijklm"}
	  other: {type: tailscale, token: tskey-api-abcdef}
	outputs:
	  fields: {type: file, path: $dir/fields, format: leef}
	  whole: {type: file, path: $dir/whole, format: wazuh}
END
expect 0 "a mapping is missing" $sf check "$dir/fields.yaml"
holds err 'warning: outputs.fields: .* sources.other \(tailscale\), .* sealfeed[|]tailscale[|]1'
[ "$(grep -c 'no mapping' "$dir/err")" = 1 ] || { cat "$dir/err" >&2; failed=1; }

# Nothing but the configuration is opened: the files it names are FIFOs, which
# would block for ever, and a host that must not be asked for.
mkfifo "$dir/fifo"
cat >"$dir/pure.yaml" <<-END
	agent: {name: a, key: $dir/fifo, store: {path: $dir/store.db}}
	sources:
	  s:
	    type: office365
	    tenant: t
	    client_id: c
	    client_secret: \${file:$dir/fifo}
	outputs:
	  o: {type: syslog, address: "siem.invalid:6514", tls: {ca: $dir/fifo}}
	  f: {type: file, path: $dir/fifo}
END
expect 0 "no side effects" timeout 10 $sf check "$dir/pure.yaml"
[ ! -e "$dir/store.db" ] || { echo "cli: check made a store" >&2; failed=1; }

cat >"$dir/live.yaml" <<-END
	agent: {name: a, key: $dir/none.pem}
	outputs:
	  o: {type: file, path: $dir/none/x}
END
expect 1 "live, nothing works" $sf check --live "$dir/live.yaml"
holds err '^agent.key: .*none.pem'
holds err '^outputs.o: .*/none: No such file'

expect 0 "a new key" $sf keygen "$dir/seal.pem" --name fra1
holds out '^fra1\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*$'
[ "$(stat -c %a "$dir/seal.pem")" = 600 ] || { echo "cli: mode" >&2; failed=1; }
openssl pkey -in "$dir/seal.pem" -noout -text 2>&1 | grep >/dev/null -i ed25519 ||
	{ echo "cli: openssl does not read the key" >&2; failed=1; }
cp "$dir/out" "$dir/vkey"
cp "$dir/seal.pem" "$dir/kept.pem"
expect 1 "a key that is there" $sf keygen "$dir/seal.pem" --name fra1
holds err 'File exists'
empty out
cmp "$dir/seal.pem" "$dir/kept.pem" || failed=1
expect 0 "its verifier key" $sf keygen --public "$dir/seal.pem" --name fra1
cmp "$dir/out" "$dir/vkey" || failed=1
expect 64 "a key without a name" $sf keygen "$dir/other.pem"
expect 64 "a bad name" $sf keygen "$dir/other.pem" --name 'a b'
[ ! -e "$dir/other.pem" ] || { echo "cli: key without name" >&2; failed=1; }

# Another type, which follows the first one and is followed by a third.
expect 64 "an unknown type of key" $sf keygen "$dir/other.pem" --name fra1 --type rsa
holds err 'ed25519 or ecdsa-p256'
expect 64 "a type of a key that is there" $sf keygen "$dir/other.pem" --name fra1 \
	--type ed25519 --from "$dir/seal.pem"
expect 1 "a key that is not there" $sf keygen "$dir/other.pem" --name fra1 --from "$dir/none.pem"
expect 1 "a TPM that is not there" env TPM2OPENSSL_TCTI=device:/dev/null \
	$sf keygen "$dir/other.pem" --name fra1 --from handle:0x81000001
holds err 'the TPM cannot be reached'
[ ! -e "$dir/other.pem" ] || { echo "cli: a key of nothing" >&2; failed=1; }
expect 0 "an ECDSA key" $sf keygen "$dir/second.pem" --name fra1 --type ecdsa-p256 \
	--follows "$dir/seal.pem"
holds out '^fra1\+[0-9a-f]{8}\+AjBZMBMG'
openssl pkey -in "$dir/second.pem" -noout -text 2>&1 | grep >/dev/null P-256 ||
	{ echo "cli: openssl does not read the second key" >&2; failed=1; }
expect 0 "an Ed25519 key behind it" $sf keygen "$dir/third.pem" --name fra1 \
	--follows "$dir/second.pem"
[ "$(grep -c '^sealfeed next key$' "$dir/third.pem")" = 2 ] ||
	{ echo "cli: both keys before are not told" >&2; failed=1; }
openssl pkey -in "$dir/second.pem" -out "$dir/bare.pem"
expect 0 "a key of another tool" $sf keygen "$dir/fourth.pem" --name fra1 \
	--from "$dir/bare.pem" --follows "$dir/seal.pem"
sed 's/.*+//' "$dir/out" >"$dir/fourth"
$sf keygen --public "$dir/second.pem" --name fra1 | sed 's/.*+//' |
	cmp - "$dir/fourth" || failed=1
sed -i "s,none.pem,seal.pem,; s,/none/x,/x," "$dir/live.yaml"
sed -i "s,name: a,name: fra1," "$dir/live.yaml"
expect 0 "live, all works" $sf check --live "$dir/live.yaml"
holds out "^agent.key: verifier key $(sed 's/[+]/[+]/g' "$dir/vkey")"
holds out '^outputs.o: good'

expect 0 "options of a type" $sf options office365
holds out '^  tenant$'
expect 0 "options of a definition" $sf options okta
expect 0 "keys of definitions" $sf options definition
expect 0 "options as JSON" $sf options --json
holds out '"key": "store.max_size"'
expect 64 "options of no type" $sf options offce365
holds err 'did you mean "office365"'

# What is no file is said to be none, at once.
mkfifo "$dir/pipe"
for strange in pipe .; do
	expect 78 "a configuration that is $strange" \
		timeout 20 $sf check "$dir/$strange"
	holds err 'not a regular file'
done
expect 78 "a configuration without an end" timeout 20 $sf check /dev/zero
holds err 'a character device, not a regular file'

# Drop-ins that cannot be read are not as if there were none.
mkdir "$dir/odd"
echo 'agent: {name: a, key: /k}' >"$dir/odd/sealfeed.yaml"
expect 0 "no drop-ins" $sf check "$dir/odd/sealfeed.yaml"
ln -s "$dir/none" "$dir/odd/conf.d"
expect 78 "drop-ins behind a dangling link" $sf check "$dir/odd/sealfeed.yaml"
holds err 'odd/conf.d: cannot be read as a folder: No such file or directory'
rm "$dir/odd/conf.d"
for strange in touch mkfifo; do
	$strange "$dir/odd/conf.d"
	expect 78 "drop-ins that are a file" $sf check "$dir/odd/sealfeed.yaml"
	holds err 'odd/conf.d: cannot be read as a folder: Not a directory'
	rm "$dir/odd/conf.d"
done

# Nor are definitions: told by all that looks for them.
each_tells() {
	expect 78 "check: $1" $sf check "$dir/odd/sealfeed.yaml"
	holds err "$2"
	expect 78 "run: $1" $sf run --config "$dir/odd/sealfeed.yaml"
	holds err "$2"
	expect 78 "sources: $1" $sf sources --config "$dir/odd/sealfeed.yaml"
	holds err "$2"
	holds out '^office365 '
}
expect 0 "no definitions" $sf sources --config "$dir/odd/sealfeed.yaml"
empty err
ln -s "$dir/none" "$dir/odd/sources.d"
each_tells "definitions behind a dangling link" \
	'odd/sources.d: cannot be read as a folder: No such file .* remove it'
rm "$dir/odd/sources.d"
touch "$dir/odd/sources.d"
each_tells "definitions that are a file" \
	'odd/sources.d: cannot be read as a folder: Not a directory; make it'
rm "$dir/odd/sources.d"
mkdir "$dir/odd/sources.d"
expect 0 "a folder without definitions" $sf check "$dir/odd/sealfeed.yaml"
touch "$dir/odd/sources.d/.acme.yml" "$dir/odd/sources.d/acme.yaml.bak"
expect 0 "what is no definition" $sf sources --config "$dir/odd/sealfeed.yaml"
empty err
touch "$dir/odd/sources.d/acme.yml"
each_tells "a definition that is not read" \
	'sources.d/acme.yml: only [*].yaml is read here; rename it to acme.yaml'

# Without standard streams nothing is written into what takes their place.
printf 'outputs:\n  x: { type: file, path: %s/x }\n' "$dir" >"$dir/few.yaml"
(timeout 20 $sf check "$dir/few.yaml" <&- >&- 2>&-) || {
	echo "cli: check without standard streams fails" >&2
	failed=1
}

expect 0 "version" $sf version
holds out '^sealfeed [0-9]'
# The file has what the version says that it was built with.
hardened() {
	case " $hardening " in
	*" $1 "*) eval "$2" >/dev/null && return ;;
	*) return ;;
	esac
	echo "cli: version says $1, the program lacks it" >&2
	failed=1
}
hardening=$($sf version | sed -n 's/^hardening //p')
[ -n "$hardening" ] || {
	echo "cli: version does not say how the program is hardened" >&2
	failed=1
}
if command -v readelf >/dev/null; then
	hardened pie 'readelf -hW $sf | grep "Type: *DYN"'
	hardened relro 'readelf -lW $sf | grep GNU_RELRO'
	hardened now 'readelf -dW $sf | grep -E "BIND_NOW|Flags:.* NOW"'
	hardened stack-protector 'readelf -sW $sf | grep __stack_chk_fail'
	hardened fortify 'readelf -sW $sf | grep -E "__[a-z]+_chk(@|$)"'
fi
expect 0 "version, the usual option" $sf --version
expect 0 "help" $sf --help
holds out '^usage: sealfeed SUBCOMMAND'
expect 0 "help of one" $sf check --help
holds out '^usage: sealfeed check '

# narrow: no line of standard output is wider than a terminal.
narrow() {
	awk 'length > 80 { exit 1 }' "$dir/out" && [ -s "$dir/out" ] && return
	echo "cli: $what: wider than 80 columns, or empty:" >&2
	awk 'length == 0 || length > 80' "$dir/out" >&2
	failed=1
}
expect 0 "list of subcommands" $sf help
narrow
subs=$(sed -n 's/^  \([a-z-]*\) .*/\1/p' "$dir/out")
[ "$(echo "$subs" | wc -l)" -ge 12 ] || { echo "cli: too few" >&2; failed=1; }
for sub in $subs; do
	expect 0 "help $sub" $sf help "$sub"
	narrow
	cp "$dir/out" "$dir/help"
	expect 0 "$sub --help" $sf "$sub" --help
	cmp "$dir/out" "$dir/help" || failed=1
done

expect 64 "no subcommand" $sf
expect 64 "an unknown subcommand" $sf chekc
holds err 'did you mean "check"'
expect 64 "an unknown option" $sf check --lvie
holds err 'did you mean "--live"'
expect 1 "a full disk behind standard output" sh -c "$sf version >/dev/full"
expect 1 "a closed standard output" sh -c "$sf version >&-"
holds err 'standard output cannot be written'
expect 0 "nothing but standard output is closed" sh -c "$sf version <&- 2>&-"
$sf keygen --public "$dir/seal.pem" --name fra1 >"$dir/vkey"
for endless in /dev/zero /dev/urandom /dev/full; do
	expect 1 "verify $endless" $sf verify --key "$dir/vkey" "$endless"
	holds err "$endless: a character device, which does not end"
	expect 1 "verify standard input, $endless" sh -c "$sf verify --key $dir/vkey - <$endless"
	holds err 'standard input: a character device'
done
expect 1 "verify an empty device" $sf verify --key "$dir/vkey" /dev/null
holds out 'holds no line of sealfeed'
expect 1 "verify a line without end" sh -c "tr '\0' x </dev/zero | $sf verify --key $dir/vkey -"
holds err 'standard input: line 1 is longer than 1073741824 bytes'

[ $failed -eq 0 ] && echo "cli: all well"
exit $failed
