#!/bin/sh
# openssl.sh - a checkpoint is checked, and its tree built again from the
# events, with sed, base64, openssl, sha256sum and xxd alone.
set -eu
top=$(pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

openssl genpkey -algorithm ed25519 -out key.pem
openssl pkey -in key.pem -pubout -out pub.pem
"$top/tests/bin/stream" key.pem fra1 ndjson 1 11 >sealed
grep '^{"feed":"contoso/Audit.Exchange","size":11,' sealed >line

# The signature.
sed 's/.*"checkpoint":{"note":"\([^"]*\)".*/\1/;s/\\n/\n/g' line >note
sed '/^$/,$d' note >text
sed -n 's/^— [^ ]* //p' note | base64 -d | tail -c +5 >signature
openssl pkeyutl -verify -pubin -inkey pub.pem -rawin -in text \
	-sigfile signature
[ "$(sed -n 1p text)" = fra1/contoso/Audit.Exchange ]
[ "$(sed -n 2p text)" = 11 ]
sed 's/^11$/12/' text >altered
if openssl pkeyutl -verify -pubin -inkey pub.pem -rawin -in altered \
	-sigfile signature; then
	echo "openssl: the signature fits an altered text" >&2
	exit 1
fi

# The key's name: the first four bytes of SHA-256(name, LF, 01, key).
id=$( (printf 'fra1\n\001' && openssl pkey -in key.pem -pubout -outform DER |
	tail -c 32) | sha256sum | cut -c 1-8)
[ "$(sed -n 's/^— fra1 //p' note | base64 -d | head -c 4 | xxd -p)" = "$id" ]

# A verifier key made by hand.
vkey="fra1+$id+$( (printf '\001' && openssl pkey -in key.pem -pubout \
	-outform DER | tail -c 32) | base64)"
"$top/sealfeed" verify --key "$vkey" sealed >out
grep -q '^all is well$' out

# The root, from the bytes of the events.
leaf() { # INDEX: SHA-256(00, event)
	(printf '\000' && sed -n "s/^{\"feed\":\"contoso\/Audit.Exchange\",\"index\":$1,\"agent\":\"[^\"]*\",\"event\":\(.*\)}\$/\1/p" \
		sealed | tr -d '\n') | sha256sum | cut -c 1-64
}
node() { # LEFT RIGHT: SHA-256(01, left, right)
	(printf '\001' && printf '%s%s' "$1" "$2" | xxd -r -p) |
		sha256sum | cut -c 1-64
}
tree() { # FIRST COUNT: RFC 6962 section 2.1
	if [ "$2" -eq 1 ]; then
		leaf "$1"
		return
	fi
	half=1
	while [ $((half * 2)) -lt "$2" ]; do
		half=$((half * 2))
	done
	node "$(tree "$1" "$half")" "$(tree $(($1 + half)) $(($2 - half)))"
}
[ "$(tree 0 11)" = "$(sed -n 3p text | base64 -d | xxd -p -c 32)" ]
echo "openssl: the checkpoint is good, and so is its tree"
