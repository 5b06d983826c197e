# receivers.sh - real receivers from the distribution, unpacked into a folder
# of the tests' own.
#
# rsyslog and syslog-ng conflict as Debian packages and start daemons when
# they are installed, so they are downloaded and unpacked, nothing more.
# Sourced by the stories, by tests/run and by packaging/try.
# shellcheck shell=bash

# Everything that these and tinyproxy need beyond a plain Debian or Ubuntu.
receiver_packages="rsyslog rsyslog-openssl rsyslog-gnutls rsyslog-relp
librelp0 libestr0 libfastjson4 liblognorm5 syslog-ng-core syslog-ng-mod-http
libivykis0 libnet1 libwrap0 libjson-c5 libpcre3 libglib2.0-0 tinyproxy-bin
haproxy liblua5.3-0 libopentracing-c-wrapper0 libopentracing1 stunnel4 nginx
libnginx-mod-stream prometheus"

# receivers_fetch DIR [PACKAGE…]: fill DIR with the files of the packages, by
# default of all; quiet when done before.  0, or 1 with a sentence on standard
# error.
receivers_fetch() {
	local dir=$1 wanted p
	shift
	wanted=${*:-$receiver_packages}
	[ "$(cat "$dir/complete" 2>&1)" != "$wanted" ] || return 0
	command -v apt-get >/dev/null && command -v dpkg >/dev/null || {
		echo "receivers: apt-get and dpkg are needed to fetch them" >&2
		return 1
	}
	rm -rf "$dir.part" && mkdir -p "$dir.part/packages" || return 1
	(
		cd "$dir.part/packages" || exit 1
		# Names differ a little between releases: take what there is.
		# shellcheck disable=SC2086 # a list of words
		known=$(apt-cache show $wanted 2>/dev/null |
		    sed -n 's/^Package: //p' | sort -u)
		# shellcheck disable=SC2086 # a list of words
		[ -n "$known" ] &&
		    apt-get -qq -o APT::Sandbox::User=root download $known
	) || {
		echo "receivers: a download failed; try apt-get update" >&2
		return 1
	}
	for p in "$dir.part"/packages/*.deb; do
		dpkg -x "$p" "$dir.part" || return 1
	done
	rm -r "$dir.part/packages"
	echo "$wanted" >"$dir.part/complete"
	rm -rf "$dir" && mv "$dir.part" "$dir"
}

# receivers_use DIR: set $rsyslogd, $rsyslog_modules, $syslogng, $receiver_libs,
# $tinyproxy and $haproxy, $stunnel, $nginx, $prometheus, $promtool.  An rsyslog with its ossl driver that the system has itself
# is as good.
receivers_use() {
	local dir=$1 found
	receiver_libs=
	haproxy='' stunnel='' nginx=''
	prometheus=$(command -v prometheus || ls "$dir/usr/bin/prometheus" \
	    2>/dev/null) || true
	promtool=$(command -v promtool || ls "$dir/usr/bin/promtool" \
	    2>/dev/null) || true
	tinyproxy=$(command -v tinyproxy || ls "$dir/usr/bin/tinyproxy" \
	    2>/dev/null) || true
	# shellcheck disable=SC2012 # plain names, the first that is there
	found=$(ls /usr/lib*/rsyslog/lmnsd_ossl.so \
	    /usr/lib/*/rsyslog/lmnsd_ossl.so 2>/dev/null | head -1) || true
	if [ -e "$dir/complete" ]; then
		rsyslogd=$dir/usr/sbin/rsyslogd
		rsyslog_modules=$(echo "$dir"/usr/lib/*/rsyslog)
		syslogng=$dir/usr/sbin/syslog-ng
		syslogng_modules=$(echo "$dir"/usr/lib/syslog-ng/*/)
		receiver_libs=$(echo "$dir"/usr/lib/*-linux-gnu*):$(echo \
		    "$dir"/lib/*-linux-gnu*)
		haproxy=$dir/usr/sbin/haproxy
		stunnel=$dir/usr/bin/stunnel4
		nginx=$dir/usr/sbin/nginx
		nginx_modules=$dir/usr/lib/nginx/modules
		syslogng_libs=$dir/usr/lib/syslog-ng:$receiver_libs
	elif [ -n "$found" ] && [ -x /usr/sbin/rsyslogd ]; then
		rsyslogd=/usr/sbin/rsyslogd
		rsyslog_modules=${found%/*}
		syslogng=
	else
		return 1
	fi
}

# rsyslog_write_conf DIR DRIVER CA CERT KEY [AUTH-MODE]: DIR/conf receives TLS
# syslog (ptcp: without TLS) on the port that DIR/port names (any, and written there, when it does
# not exist) and appends whole frames to DIR/events, one a line.
rsyslog_write_conf() {
	local dir=$1 driver=$2 ca=$3 cert=$4 key=$5 mode=${6:-anon} port=0
	local note="listenPortFileName=\"$dir/port\""
	[ ! -s "$dir/port" ] || { port=$(cat "$dir/port"); note=; }
	local tls=1
	[ "$driver" != ptcp ] || tls=0
	mkdir -p "$dir/work"
	cat >"$dir/conf" <<EOF
global(workDirectory="$dir/work" maxMessageSize="256k"
    parser.escapeControlCharactersOnReceive="off"
    DefaultNetstreamDriver="$driver"
    DefaultNetstreamDriverCAFile="$ca"
    DefaultNetstreamDriverCertFile="$cert"
    DefaultNetstreamDriverKeyFile="$key")
module(load="imtcp" StreamDriver.Name="$driver" StreamDriver.Mode="$tls"
    StreamDriver.AuthMode="$mode")
template(name="whole" type="string" string="%rawmsg%\n")
ruleset(name="keep" queue.type="Direct") {
    action(type="omfile" file="$dir/events" template="whole")
}
input(type="imtcp" address="127.0.0.1" port="$port" $note
    SupportOctetCountedFraming="on" ruleset="keep")
EOF
}

# rsyslog_exec DIR: become rsyslogd with DIR/conf.
rsyslog_exec() {
	exec env ${receiver_libs:+LD_LIBRARY_PATH="$receiver_libs"} \
	    "$rsyslogd" -n -C -f "$1/conf" -i "$1/rsyslogd.pid" \
	    -M "$rsyslog_modules"
}

# syslogng_write_conf DIR PORT CA CERT KEY [PEER-VERIFY [SSL-OPTIONS]]
syslogng_write_conf() {
	local dir=$1 port=$2 ca=$3 cert=$4 key=$5
	local verify=${6:-optional-untrusted} options=${7:-no-sslv3}
	cat >"$dir/conf" <<EOF
@version: 3.38
options { log-msg-size(262144); frac-digits(3); keep-hostname(yes); stats-freq(0); };
source in {
    syslog(ip("127.0.0.1") port($port) transport("tls") log-iw-size(10000)
	tls(key-file("$key") cert-file("$cert") ca-file("$ca")
	    peer-verify($verify) ssl-options($options)));
};
destination file {
    file("$dir/events" flush-lines(1) template(
	"<\${PRI}>1 \${ISODATE} \${HOST} \${PROGRAM} - \${MSGID} \${SDATA} \${MESSAGE}\n"));
};
log { source(in); destination(file); flags(flow-control); };
EOF
}

# syslogng_exec DIR: become syslog-ng with DIR/conf.
syslogng_exec() {
	exec env ${syslogng_libs:+LD_LIBRARY_PATH="$syslogng_libs"} \
	    "$syslogng" -F --no-caps -f "$1/conf" -R "$1/persist" \
	    -p "$1/syslog-ng.pid" -c "$1/control" \
	    ${syslogng_modules:+--module-path="$syslogng_modules"}
}

# What ends TLS in front of a receiver: each listens on PORT with CERT and KEY
# and passes the bytes on to BACKEND, a port of this machine.

# haproxy_write_conf DIR PORT BACKEND CERT KEY
haproxy_write_conf() {
	cat "$4" "$5" >"$1/both.pem"
	cat >"$1/conf" <<EOF
defaults
    mode tcp
    timeout connect 2s
    timeout client 10m
    timeout server 10m
listen siem
    bind 127.0.0.1:$2 ssl crt $1/both.pem
    server siem 127.0.0.1:$3
EOF
}

# stunnel_write_conf DIR PORT BACKEND CERT KEY
stunnel_write_conf() {
	cat >"$1/conf" <<EOF
foreground = yes
pid =
[siem]
accept = 127.0.0.1:$2
connect = 127.0.0.1:$3
cert = $4
key = $5
EOF
}

# nginx_write_conf DIR PORT BACKEND CERT KEY
nginx_write_conf() {
	cat >"$1/conf" <<EOF
load_module $nginx_modules/ngx_stream_module.so;
daemon off;
master_process off;
pid $1/nginx.pid;
error_log stderr;
events { }
stream {
    server {
	listen 127.0.0.1:$2 ssl;
	ssl_certificate $4;
	ssl_certificate_key $5;
	ssl_protocols TLSv1.2 TLSv1.3;
	proxy_pass 127.0.0.1:$3;
    }
}
EOF
}

# terminator_exec KIND DIR: become haproxy, stunnel or nginx with DIR/conf.
terminator_exec() {
	case $1 in
	haproxy) set -- "$haproxy" -db -f "$2/conf" ;;
	stunnel) set -- "$stunnel" "$2/conf" ;;
	nginx) set -- "$nginx" -e stderr -p "$2" -c "$2/conf" ;;
	esac
	exec env ${receiver_libs:+LD_LIBRARY_PATH="$receiver_libs"} "$@"
}

# tinyproxy_write_conf DIR PORT USER PASSWORD
tinyproxy_write_conf() {
	cat >"$1/conf" <<EOF
Port $2
Listen 127.0.0.1
Timeout 600
BasicAuth $3 $4
LogLevel Connect
EOF
}
