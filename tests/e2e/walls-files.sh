#!/bin/bash
# Walls stand, and what a role needs is changed under it as administrators do:
# hosts by rename, a secret by the swap of a link, a CA; with credentials of
# systemd, a configuration of OpenSSL, a time zone, and an archive that is
# rotated.
. "${0%/*}/lib.sh"

[ "$(id -u)" -eq 0 ] || skip "needs a mount namespace"
certificate siem "/CN=siem.story" "subjectAltName=DNS:siem.story"
cp -a /etc "$work/etc"
sed -i '/siem.story/d' "$work/etc/hosts"
sed 's/^hosts:.*/hosts: files/' /etc/nsswitch.conf >"$work/etc/nsswitch.conf"

# replace FILE: by what is on standard input, as a new file.
replace() {
	cat >"$1.new" && mv "$1.new" "$1"
}

# Secrets as Kubernetes mounts them.
mkdir -p "$work/secrets/..1" "$work/secrets/..2" "$work/credentials" "$work/tls"
echo first-secret | tee "$work/secret" >"$work/secrets/..1/contoso"
echo second-secret >"$work/secrets/..2/contoso"
ln -s ..1 "$work/secrets/..data"
ln -s ..data/contoso "$work/secrets/contoso"

sim --events -1 --rate 50
mkdir -p "$work/siem"
run_receiver siem "$bin/receiver" --dir "$work/siem" \
    --cert "$work/siem.pem" --key "$work/siem.key"
wait_for 30 "receiver siem listens" listens siem
cp "$work/ca.pem" "$work/tls/siem-ca.pem"
outputs="  siem:
    type: http
    url: https://siem.story:$(cat "$work/siem/port")/ingest
    tls: { ca: $work/tls/siem-ca.pem }
"
to_file archive
source_options[client_secret]="\${file:$work/secrets/contoso}"
write_config
mv "$work/seal.pem" "$work/credentials/seal.pem"
sed -i "s#key: .*seal.pem#key: \${credential:seal.pem}#" "$work/sealfeed.yaml"
printf 'openssl_conf = init\n[init]\n' >"$work/tls/openssl.cnf"
# shellcheck disable=SC2016 # it is expanded there
setsid env CREDENTIALS_DIRECTORY="$work/credentials" \
    OPENSSL_CONF="$work/tls/openssl.cnf" TZ=Europe/Berlin unshare -m \
    bash -c 'mount --make-rprivate / && mount --bind "$1/etc" /etc &&
	exec "$2" run --config "$1/sealfeed.yaml"' -- "$work" "$sealfeed" \
    >>"$work/agent.log" 2>&1 &
echo $! >"$work/agent.pid"
grows archive

# The name of the SIEM appears.
wait_for 30 "no host of that name" log_has 'ship siem: .*siem.story'
{ cat "$work/etc/hosts"; echo "127.0.0.1 siem.story"; } | replace "$work/etc/hosts"
wait_for 30 "the log says why it starts anew" \
    log_has 'ship siem: a file that it reads was replaced'
grows siem 30

# The secret is another one, and the vendor knows no other.
ln -s ..2 "$work/secrets/..new"
mv -T "$work/secrets/..new" "$work/secrets/..data"
echo second-secret >"$work/secret"
steer expire-tokens
wait_for 30 "collect starts anew" log_has 'collect: a file that it reads was replaced'
grows siem 30

# The SIEM gets a certificate of another CA; its file follows.
stop_one siem
authority other
certificate siem "/CN=siem.story" "subjectAltName=DNS:siem.story"
run_receiver siem "$bin/receiver" --dir "$work/siem" --port "$(cat "$work/siem/port")" \
    --cert "$work/siem.pem" --key "$work/siem.key"
wait_for 30 "receiver siem listens again" listens siem
wait_for 30 "the certificate is not trusted" log_has 'ship siem: .*certificate'
replace "$work/tls/siem-ca.pem" <"$work/other.pem"
grows siem 30

# The archive is rotated.
mv "$work/archive/events" "$work/archive/events.1"
kill -USR1 "$(cat "$work/agent.pid")"
grows archive
agent_stop
[ -s "$work/archive/events" ] || fail "the archive was not begun anew"
