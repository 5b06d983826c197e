# manual.sh - for stories that do what docs/operations.md says, and nothing else.
# Sourced behind lib.sh.
#
#	. "${0%/*}/manual.sh"
#	installed
#	follow "The signing key" 1
#
# The commands are those of the page.  Its paths are folders of $work; the
# service manager, and the user sealfeed, who is not on this machine, are
# played.
# shellcheck shell=bash

. "${BASH_SOURCE[0]%/*}/runbook.sh"
etc=$work/etc
state=$work/state
store=$state/store.db
seal_log=$work/state-seal/store.db.log
source_options[client_secret]="\${file:$etc/contoso.secret}"
output_tls="{ ca: $etc/siem-ca.pem }"

# installed: what the manual takes for granted, with a configuration.
installed() {
	mkdir -p "$etc" "$state" "$work/state-seal" "$work/root"
	cp "$work/ca.pem" "$etc/siem-ca.pem"
	cp "$work/secret" "$etc/contoso.secret"
	write_config
	mv "$work/seal.pem" "$etc/seal.pem"
	sed "s,$work/seal.pem,$etc/seal.pem," "$work/sealfeed.yaml" \
	    >"$etc/sealfeed.yaml"
	ln -sf "$etc/sealfeed.yaml" "$work/sealfeed.yaml"
}

# block HEADING N [KIND]: the N-th block of commands, or of KIND, of a chapter.
block() {
	awk -v heading="$1" -v n="$2" -v fence="\`\`\`${3:-sh}" '
	    /^#+ / { text = $0; sub(/^#+ /, "", text); here = text == heading }
	    here && $0 == fence { inside = ++count == n; next }
	    /^```$/ { inside = 0 }
	    inside { print }' "$manual"
}

# follow HEADING N: do what stands there; standard input is the operator's.
follow() {
	local commands
	commands=$(block "$1" "$2" |
	    sed -e "s,/etc/sealfeed,$etc,g" \
		-e "s,/var/lib/sealfeed,$state,g" \
		-e "s,/var/backups,$work/backups,g" \
		-e "s,/root/,$work/root/,g")
	[ -n "$commands" ] || fail "the manual has no block $2 of \"$1\""
	eval "set -e; $commands" || fail "$1, block $2, does not work"
	set +e
}

install() {
	[ "$1 $2 $3 $4" = "-o sealfeed -g sealfeed" ] ||
	    fail "for whom is that: install $*"
	shift 4
	command install "$@"
}

chown() {
	[[ "$*" =~ (^| )(root|sealfeed):sealfeed\  ]] || fail "chown $*"
}

chgrp() {
	[[ "$*" =~ (^| )sealfeed\  ]] || fail "chgrp $*"
}
