#!/bin/bash
# packaging/cloud-init/user-data.yaml: cloud-init takes it, and what it says,
# done in its order on a booted Debian, ends in a running agent whose events
# arrive.
. "${0%/*}/lib.sh"
. "${0%/*}/fleet.sh"

secret_files=(contoso.secret)

begin_fleet
example=$top/packaging/cloud-init/user-data.yaml

say "cloud-init schema"
cp "$example" "$root/srv/user-data.yaml"
said=$(inside cloud-init schema -c /srv/user-data.yaml 2>&1) ||
    fail "cloud-init: $said"
grep -q 'Valid' <<<"$said" || fail "cloud-init: $said"

say "what it says"
# As a user would change it: vendor and receiver of this story.
sed -e "s,siem.example.com:6514,localhost:$(cat "$work/siem/port")," \
    -e "s/0873ee4d-d342-44f2-8961-74c442a2fad2/$tenant/" \
    -e "s/6f9f0d1c-1d3c-4b6e-9d51-0a3b5c7d9e10/$client/" "$example" |
    awk -v api="$api" '{ print }
	/client_secret:/ {
		print "          login_url: " api
		print "          api_url: " api
		print "          interval: 250ms"
		print "          tls: { ca: /etc/siem-ca.pem }"
	}
	/address:/ { print "          tls: { ca: /etc/siem-ca.pem }" }' |
    sed "s,agent: { name: fra1\,,& store: { min_free: 16MiB }\, watch: { listen: /run/sealfeed/watch }\,," \
    >"$root/srv/user-data.yaml"
cp "$work/ca.pem" "$root/etc/siem-ca.pem"
chmod 644 "$root/etc/siem-ca.pem"
cp "$work/secret" "$root/srv/secret"
printf '#!/bin/sh\nexec cat /srv/secret\n' >"$root/usr/local/sbin/fetch-secret"
chmod 755 "$root/usr/local/sbin/fetch-secret"
cp "$root/srv/repo/apt/sealfeed.sources" "$root/etc/apt/sources.list.d/"
inside sh -c 'apt-get -qq update && apt-get -qq -y install sealfeed' \
    >"$work/apt.log" 2>&1 || fail "$(tail "$work/apt.log")"
inside env PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin \
    python3 - <"$top/tests/packages/cloud-init.py" >"$work/done.log" 2>&1 ||
    fail "$(tail -n 20 "$work/done.log")"
vouched
inside systemctl is-enabled --quiet sealfeed || fail "it is not enabled"
no_secret "$work/done.log"
