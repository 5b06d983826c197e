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
