# peers.sh - the forwarders next to which the agent is measured: they read the
# same records from a file, which is the forwarding half of the job.
#
# Sourced by tests/bench/run behind tests/e2e/lib.sh.  Each peer_NAME CASE…
# writes $work/peer/conf and says in $peer how to start it; settings are those
# that were fastest (large queues, large batches).
# shellcheck shell=bash

peer_rsyslog_conf() {
	cat >"$work/peer/conf" <<EOF
global(workDirectory="$work/peer" maxMessageSize="64k"
    parser.escapeControlCharactersOnReceive="off"
    DefaultNetstreamDriver="ossl"
    DefaultNetstreamDriverCAFile="$work/ca.pem")
module(load="imfile")
module(load="omrelp" tls.tlslib="openssl")
ruleset(name="out" queue.type="LinkedList" queue.size="50000"
    queue.dequeueBatchSize="1024") {
    $1
}
input(type="imfile" file="$records" tag="bench" ruleset="out")
EOF
	peer=(rsyslog_exec "$work/peer")
}

peer_rsyslog_tls() {
	peer_rsyslog_conf "action(type=\"omfwd\" target=\"localhost\"
	port=\"$(cat "$work/sink/port")\" protocol=\"tcp\"
	TCP_Framing=\"octet-counted\" template=\"RSYSLOG_SyslogProtocol23Format\"
	StreamDriver=\"ossl\" StreamDriverMode=\"1\"
	StreamDriverAuthMode=\"x509/name\"
	StreamDriverPermittedPeers=\"localhost\")"
}

peer_rsyslog_relp() {
	peer_rsyslog_conf "action(type=\"omrelp\" target=\"localhost\"
	port=\"$(cat "$work/sink/port")\" tls=\"on\"
	template=\"RSYSLOG_SyslogProtocol23Format\"
	tls.caCert=\"$work/ca.pem\" tls.authMode=\"name\"
	tls.permittedPeer=\"localhost\"
	tls.myCert=\"$work/server.pem\" tls.myPrivKey=\"$work/server.key\")"
}

peer_syslogng_conf() {
	cat >"$work/peer/conf" <<EOF
@version: 3.38
options { log-msg-size(262144); stats-freq(0); keep-hostname(yes); };
source in {
    file("$records" follow-freq(0.05) flags(no-parse)
	log-fetch-limit(10000) log-iw-size(100000));
};
destination out { $1 };
log { source(in); destination(out); flags(flow-control); };
EOF
	peer=(syslogng_exec "$work/peer")
}

peer_syslogng_tls() {
	peer_syslogng_conf "syslog(\"127.0.0.1\"
	port($(cat "$work/sink/port")) transport(\"tls\")
	log-fifo-size(200000)
	tls(ca-file(\"$work/ca.pem\") peer-verify(required-trusted)));"
}

# 1 MB batches.  The version that Debian 12 has (3.38) can't compress.
peer_syslogng_http() {
	peer_syslogng_conf "http(
	url(\"https://localhost:$(cat "$work/sink/port")/ingest\")
	method(\"POST\") headers(\"Content-Type: application/x-ndjson\")
	body(\"\${MESSAGE}\") delimiter(\"\\n\") body-suffix(\"\\n\")
	batch-lines(100000) batch-bytes(1048576) batch-timeout(100)
	workers(1) log-fifo-size(200000)
	tls(ca-file(\"$work/ca.pem\")));"
}

# The sink for RELP; the others are those of the end-to-end stories.
sink_relp() {
	local try
	mkdir -p "$work/sink"
	for try in 1 2 3 4 5; do
		echo $((20000 + (RANDOM * 32768 + RANDOM) % 12000)) \
		    >"$work/sink/port"
		cat >"$work/sink/conf" <<EOF
global(workDirectory="$work/sink" maxMessageSize="256k"
    parser.escapeControlCharactersOnReceive="off")
module(load="imrelp" tls.tlslib="openssl")
template(name="whole" type="string" string="%rawmsg%\n")
ruleset(name="keep" queue.type="Direct") {
    action(type="omfile" file="$work/sink/events" template="whole")
}
input(type="imrelp" address="127.0.0.1" port="$(cat "$work/sink/port")"
    maxDataSize="256k" ruleset="keep" tls="on" tls.caCert="$work/ca.pem"
    tls.myCert="$work/server.pem" tls.myPrivKey="$work/server.key")
EOF
		run_receiver sink rsyslog_exec "$work/sink"
		within 10 eval "listens sink || ! alive sink"
		alive sink && listens sink && return
	done
	fail "rsyslog does not listen for RELP"
}

sink_tls() {
	rsyslog sink ossl
}

sink_http() {
	receiver sink
}

# -- Debian's unstable: for tests/bench/dialects ----------------------------

# peers_fetch DIR: DIR/rsyslog and DIR/syslog-ng with all that they need, down to
# the C library; nothing of it is installed.  Quiet when done before.
peers_fetch() {
	peers_dir=$1
	peers_unpack rsyslog rsyslog rsyslog-openssl rsyslog-http \
	    rsyslog-elasticsearch rsyslog-kafka &&
	    peers_unpack syslog-ng syslog-ng-core syslog-ng-mod-http
}

# peers_unpack NAME PACKAGE…
peers_unpack() {
	local dir=$peers_dir/$1 apt=$peers_dir/$1.apt p mirror
	[ ! -e "$dir/complete" ] || return 0
	shift
	mirror=$(apt-get indextargets --format '$(SITE)' \
	    'Created-By: Packages' 'Codename: bookworm' | head -n 1)
	rm -rf "$dir" "$apt"
	mkdir -p "$dir" "$apt/lists/partial" "$apt/archives/partial"
	: >"$apt/status"
	echo "deb ${mirror:-http://deb.debian.org/debian} sid main" \
	    >"$apt/sources.list"
	peers_apt "$apt" update && peers_apt "$apt" install --download-only "$@" ||
	    return 1
	for p in "$apt"/archives/*.deb; do
		dpkg -x "$p" "$dir" || return 1
	done
	rm -r "$apt"
	touch "$dir/complete"
}

peers_apt() {
	local apt=$1
	shift
	apt-get -qq -y -o Dir::Etc::sourcelist="$apt/sources.list" \
	    -o Dir::Etc::sourceparts=- -o Dir::Etc::preferencesparts=- \
	    -o Dir::State="$apt" -o Dir::State::status="$apt/status" \
	    -o Dir::Cache="$apt" -o APT::Sandbox::User=root \
	    -o APT::Install-Recommends=false \
	    -o Acquire::Check-Valid-Until=false "$@"
}

# peers_exec NAME LIBRARIES PROGRAM [ARGUMENT…]: become it, with the C library
# that it came with.
peers_exec() {
	local root=$peers_dir/$1 libs=$peers_dir/$1/usr/lib/x86_64-linux-gnu
	local more=$2 program=$3
	shift 3
	exec "$libs/ld-linux-x86-64.so.2" --library-path "$libs:$root$more" \
	    "$root/usr/sbin/$program" "$@"
}

# peer_new_rsyslog ACTION TEMPLATE
peer_new_rsyslog() {
	cat >"$work/peer/conf" <<END
global(workDirectory="$work/peer" maxMessageSize="64k"
    parser.escapeControlCharactersOnReceive="off")
module(load="imfile")
module(load="omhttp")
module(load="omelasticsearch")
module(load="omkafka")
template(name="line" type="string" string="$2")
ruleset(name="out" queue.type="LinkedList" queue.size="50000"
    queue.dequeueBatchSize="1024") {
    action($1 template="line")
}
input(type="imfile" file="$records" tag="bench" ruleset="out")
END
	peer=(peers_exec rsyslog /usr/lib rsyslogd -n -C -f "$work/peer/conf"
	    -i "$work/peer/rsyslogd.pid"
	    -M "$peers_dir/rsyslog/usr/lib/x86_64-linux-gnu/rsyslog")
}

# The cheap receiver, as an action over HTTP is told of it.
peer_cheap() {
	echo "server=\"localhost\" serverport=\"$(cat "$work/cheap/port")\"
	usehttps=\"on\" tls.cacert=\"$work/ca.pem\""
}

# Most bytes of a peer's request.
peer_batch=1048576

# peer_omhttp GZIP PATH FORMAT TEMPLATE
peer_omhttp() {
	local gzip='compress="off"'
	[ "$1" = false ] || gzip='compress="on" compress.level="1"'
	peer_new_rsyslog "type=\"omhttp\" restpath=\"$2\" batch=\"on\"
	batch.format=\"$3\" batch.maxbytes=\"$peer_batch\" batch.maxsize=\"10000\"
	$gzip httpcontenttype=\"application/json\" errorfile=\"$work/peer/errors\"
	$(peer_cheap)" \
	    "$4"
}

# It does not compress.
peer_omelasticsearch() {
	peer_new_rsyslog "type=\"omelasticsearch\" searchIndex=\"m365\"
	searchType=\"\" restpath=\"elasticsearch\" bulkmode=\"on\"
	writeoperation=\"create\" $(peer_cheap)" "%msg%"
}

# The same library, options and broker as the agent's output.
peer_omkafka() {
	peer_new_rsyslog "type=\"omkafka\" topic=\"audit\" dynatopic=\"off\"
	broker=[\"127.0.0.1:$(cat "$work/sink/port")\"]
	confParam=[\"compression.codec=gzip\", \"compression.level=1\",
	    \"enable.idempotence=true\", \"acks=all\", \"linger.ms=20\"]" "%msg%"
}

# peer_new_syslogng GZIP PATH BODY: as in Debian's unstable.
peer_new_syslogng() {
	local gzip=
	[ "$1" = false ] || gzip='content-compression("gzip")'
	cat >"$work/peer/conf" <<END
@version: 4.12
options { log-msg-size(262144); stats(freq(0)); keep-hostname(yes); };
source in {
    file("$records" follow-freq(0.05) flags(no-parse)
	log-fetch-limit(10000) log-iw-size(100000));
};
destination out { http(
	url("https://localhost:$(cat "$work/cheap/port")/$2")
	method("POST") headers("Content-Type: application/x-ndjson")
	body($3) delimiter("\n") body-suffix("\n") $gzip
	batch-lines(100000) batch-bytes($peer_batch) batch-timeout(100)
	workers(1) log-fifo-size(200000)
	tls(ca-file("$work/ca.pem"))); };
log { source(in); destination(out); flags(flow-control); };
END
	peer=(peers_exec syslog-ng /usr/lib/syslog-ng syslog-ng -F --no-caps
	    -f "$work/peer/conf" -R "$work/peer/persist" -p "$work/peer/syslogng.pid"
	    -c "$work/peer/control"
	    --module-path "$(echo "$peers_dir"/syslog-ng/usr/lib/syslog-ng/*/)")
}
