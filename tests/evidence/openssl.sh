#!/bin/sh
# openssl.sh - a checkpoint is checked, and its tree built again from the
# events, with sed, base64, openssl, sha256sum and xxd alone.
set -eu
top=$(pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

signature_fits() { # TEXT
	case $kind in
	ed25519) openssl pkeyutl -verify -pubin -inkey pub.pem -rawin -in "$1" \
		-sigfile signature ;;
	ecdsa) openssl dgst -sha256 -verify pub.pem -signature signature "$1" ;;
	esac
}
der() {
	openssl pkey -in key.pem -pubout -outform DER
}
for kind in ecdsa ed25519; do
	case $kind in
	ed25519)
		openssl genpkey -algorithm ed25519 -out key.pem
		# The first four bytes of SHA-256(name, LF, 01, key).
		id=$( (printf 'fra1\n\001' && der | tail -c 32) | sha256sum)
		public=$( (printf '\001' && der | tail -c 32) | base64 -w 0)
		;;
	ecdsa)
		openssl genpkey -algorithm EC \
			-pkeyopt ec_paramgen_curve:P-256 -out key.pem
		# The first four bytes of SHA-256(key).
		id=$(der | sha256sum)
		public=$( (printf '\002' && der) | base64 -w 0)
		;;
	esac
	id=$(printf '%s' "$id" | cut -c 1-8)
	openssl pkey -in key.pem -pubout -out pub.pem
	"$top/tests/bin/stream" key.pem fra1 ndjson 1 11 >sealed
	grep '^{"feed":"contoso/Audit.Exchange","size":11,' sealed >line

	# The signature.
	sed 's/.*"checkpoint":{"note":"\([^"]*\)".*/\1/;s/\\n/\n/g' line >note
	sed '/^$/,$d' note >text
	sed -n 's/^— [^ ]* //p' note | base64 -d | tail -c +5 >signature
	signature_fits text
	[ "$(sed -n 1p text)" = fra1/contoso/Audit.Exchange ]
	[ "$(sed -n 2p text)" = 11 ]
	sed 's/^11$/12/' text >altered
	if signature_fits altered; then
		echo "openssl: the signature fits an altered text" >&2
		exit 1
	fi

	# The key's name, and a verifier key made by hand.
	[ "$(sed -n 's/^— fra1 //p' note | base64 -d | head -c 4 | xxd -p)" = "$id" ]
	"$top/sealfeed" verify --key "fra1+$id+$public" sealed >out
	grep -q '^all is well$' out
	"$top/sealfeed" verify --complete --key pub.pem sealed >out
	grep -q '^all is well$' out
done

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
