#!/bin/bash
# `check --as-service` sees what the service would see: the credentials of its
# unit, its environment, its user's rights; and `check --as` judges a file as
# if it stood in its place.
. "${0%/*}/lib.sh"

# judged STATUS REGEX…: what check says of $etc
judged() {
	local want=$1 got regex
	shift
	"$sealfeed" check --as-service --config "$etc/sealfeed.yaml" \
	    >"$work/check" 2>&1
	got=$?
	[ "$got" -eq "$want" ] || fail "status $got: $(cat "$work/check")"
	for regex in "$@"; do
		grep -Eq -- "$regex" "$work/check" ||
		    fail "no \"$regex\": $(cat "$work/check")"
	done
	[ -z "$(find /dev/shm /tmp -maxdepth 1 -name 'sealfeed-credentials-*' \
	    -newer "$work/begin" 2>/dev/null)" ] || fail "credentials stay behind"
}

silent_about() {
	! grep -Eq -- "$1" "$work/check" || fail "\"$1\": $(cat "$work/check")"
}

# unit LINE…: its drop-in
unit() {
	printf '%s\n' "[Service]" "$@" >"$units/sealfeed.service.d/x.conf"
}

[ "$(id -u)" -eq 0 ] || skip "root is needed to become another user"
etc=$work/etc units=$work/units
mkdir -p "$etc/conf.d" "$units/sealfeed.service.d"
chmod 711 "$work"
touch "$work/begin"
export SYSTEMD_UNIT_PATH=$units
judged 78 'sealfeed.yaml: cannot be opened'
"$sealfeed" keygen "$etc/seal.pem" --name fra1 >"$work/vkey" || fail "keygen"
cat >"$etc/sealfeed.yaml" <<END
agent: { name: fra1, key: "\${credential:seal.pem}" }
outputs:
  siem:
    type: http
    url: https://localhost:1/
    bearer: \${file:$etc/token}
    headers: { X-Site: "\${env:SITE}" }
END
echo secret >"$etc/token"
chmod 640 "$etc/token" "$etc/sealfeed.yaml"
chmod 755 "$etc" "$etc/conf.d"
judged 1 'the unit is not installed'
# The unit itself, but for its user and the folder of this story.
sed -e '/^PrivateTmp=/d' -e 's/^User=.*/User=nobody/' -e 's/^Group=.*/Group=nogroup/' \
    "$build/sealfeed.service" >"$units/sealfeed.service"

say "what the service can't have"
unit
judged 1 '^agent: key: credential seal.pem: the unit passes no such credential' \
    "^outputs.siem: bearer: $etc/token: nobody cannot read it: Permission denied; $etc/token is root:root 0640; give it to the group of nobody" \
    '^outputs.siem: headers: environment variable SITE is not set' \
    "^configuration: file: $etc/sealfeed.yaml: nobody cannot read it"
SITE=shell judged 1 'variable SITE is not set'
unit "LoadCredential=seal.pem:$etc/none" "Environment=SITE=fra" "User=nosuchuser"
judged 1 'its user nosuchuser is not there'
unit "LoadCredential=seal.pem:$etc/none" "Environment=SITE=fra"
judged 1 "^credential seal.pem: $etc/none: .*No such file"
unit "LoadCredential=seal.pem:$etc/seal.pem" "Environment=SITE=fra" \
    PrivateTmp=yes
case $work in
/tmp/* | /var/tmp/*)
	judged 1 'bearer: .*does not see it, since its unit has PrivateTmp=' \
	    'credential seal.pem: loaded'
	;;
esac

say "what it can have"
chgrp nogroup "$etc/token" "$etc/sealfeed.yaml"
unit "LoadCredential=seal.pem:$etc/seal.pem" "EnvironmentFile=$etc/env"
echo "SITE='fra'" >"$etc/env"
judged 0 'agent: key: credential seal.pem: nobody can read it' \
    "bearer: $etc/token: nobody can read it" \
    "^configuration: file: $etc/sealfeed.yaml: nobody can read it"
silent_about 'warning: .*(read|changed|replaced)'
# By the name that the service's environment has, too.
sed 's,key: "${credential:seal.pem}",key: "${env:CREDENTIALS_DIRECTORY}/seal.pem",' \
    "$etc/sealfeed.yaml" >"$etc/conf.d/10-key.yaml"
chmod 640 "$etc/conf.d/10-key.yaml"
judged 1 'conf.d/10-key.yaml: nobody cannot read it'
chgrp nogroup "$etc/conf.d/10-key.yaml"
judged 0 '^agent: key: nobody can read it'
"$sealfeed" check --as-service --live --config "$etc/sealfeed.yaml" \
    >"$work/check" 2>&1
grep -q '^agent.key: verifier key fra1+' "$work/check" ||
    fail "the key is not loaded: $(cat "$work/check")"

say "what others must not have"
chmod 644 "$etc/token" "$etc/seal.pem"
judged 0 "bearer: $etc/token can be read by every user \(mode 0644\)" \
    "credential: seal.pem: $etc/seal.pem can be read by every user"
chmod 640 "$etc/token" "$etc/seal.pem"
chmod 777 "$etc"
judged 0 "$etc/token can be replaced by every user" \
    "warning: $etc/. can be changed by the service"
chmod 755 "$etc"
chown nobody "$etc/sealfeed.yaml" "$etc/conf.d"
judged 0 "$etc/sealfeed.yaml can be changed by the service" \
    "$etc/conf.d can be changed by the service"
chown root "$etc/sealfeed.yaml" "$etc/conf.d"
echo 'outputs: { siem: { bearer: abc0815def } }' >"$etc/conf.d/20-t.yaml"
chmod 644 "$etc/conf.d/20-t.yaml"
judged 0 'warning: .*20-t.yaml can be read by every user'

say "a file in its place"
mkdir "$work/tmp"
echo 'outputs: { siem: { paralel: 3 } }' >"$work/tmp/source"
"$sealfeed" check --config "$etc/sealfeed.yaml" --as conf.d/30-x.yaml \
    "$work/tmp/source" >"$work/check" 2>&1 && fail "a fault is passed over"
grep -q "^$etc/conf.d/30-x.yaml:1: outputs.siem: unknown key \"paralel\"; did you mean" \
    "$work/check" || fail "$(cat "$work/check")"
echo 'outputs: { siem: { parallel: 3 } }' >"$work/tmp/source"
chmod 600 "$work/tmp/source"
"$sealfeed" check --config "$etc/sealfeed.yaml" --as conf.d/30-x.yaml \
    "$work/tmp/source" --as-service >"$work/check" 2>&1 ||
    fail "$(cat "$work/check")"
[ ! -e "$etc/conf.d/30-x.yaml" ] || fail "check put it in place"
