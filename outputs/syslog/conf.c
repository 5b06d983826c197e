/*
 * conf.c - the options of the syslog output and their checks.
 */
#include <arpa/inet.h>

#include <ctype.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "outputs/format.h"
#include "outputs/syslog/conf.h"

#define OFFSET(member) offsetof(struct syslog_conf, member)

static const char *const transports[] = { "tls", "tcp", NULL };
static const char *const oversizes[] = { "dead-letter", "split", NULL };
static const char *const framings[] = { "octet-counting", "lf", NULL };
static const char *const receipts[] = { "relayed", "direct", "none", NULL };
static const char *const poisons[] = { "dead-letter", "wait", NULL };

static const struct setting link_settings[] = {
	{ .key = "address",
	    .type = SETTING_STRING,
	    .offset = OFFSET(address),
	    .required = true,
	    .help = "Receiver as host:port; the usual port of syslog is 6514, "
		    "of GELF 12201, of RELP 2514 or 20514. Write an IPv6 "
		    "address in brackets.",
	    .ask = "Receiver, as host:port" },
	{ .key = "transport",
	    .type = SETTING_CHOICE,
	    .offset = OFFSET(transport),
	    .def = "tls",
	    .choices = transports,
	    .help = "tls, or tcp, which is allowed to loopback only unless "
		    "insecure is set." },
	{ .key = "insecure",
	    .type = SETTING_BOOL,
	    .offset = OFFSET(insecure),
	    .def = "false",
	    .help = "Allow transport tcp to other machines. Anyone on the "
		    "network path can read and change the events." },
	{ .key = "tls.ca",
	    .type = SETTING_SECRET,
	    .offset = OFFSET(tls.ca),
	    .help = "Certificates of the authorities that may sign the "
		    "receiver's certificate, a file or PEM text. Default: the "
		    "system's, or none if tls.fingerprint is set.",
	    .ask = "File of the CA certificates (PEM)" },
	{ .key = "tls.cert",
	    .type = SETTING_SECRET,
	    .offset = OFFSET(tls.cert),
	    .help = "Client certificate and its chain for mutual TLS, a file "
		    "or PEM text." },
	{ .key = "tls.key",
	    .type = SETTING_SECRET,
	    .offset = OFFSET(tls.key),
	    .help = "Private key of tls.cert, a file or PEM text." },
	{ .key = "tls.name",
	    .type = SETTING_STRING,
	    .offset = OFFSET(tls.name),
	    .help = "Name or IP address that the receiver's certificate must "
		    "have. Default: the host of address." },
	{ .key = "tls.fingerprint",
	    .type = SETTING_LIST,
	    .offset = OFFSET(tls.fingerprint),
	    .help = "Accepted fingerprints of the receiver's certificate, "
		    "sha-256:AA:BB:…. Without tls.ca they replace the check of "
		    "authority and name." },
	{ .key = "timeout",
	    .type = SETTING_DURATION,
	    .offset = OFFSET(timeout),
	    .def = "30s",
	    .min = 1000000,
	    .max = INT64_C(3600) * 1000000,
	    .help = "Connect and stall timeout: how long to wait for a "
		    "connection, or for a receiver that takes no data." },
	SETTING_END
};

static const struct setting receipt_settings[] = {
	{ .key = "receipts",
	    .type = SETTING_CHOICE,
	    .offset = OFFSET(receipts),
	    .def = "relayed",
	    .choices = receipts,
	    .help =
		"What the receiver's answer to a TLS 1.3 KeyUpdate proves. "
		"relayed: that the other end of TLS has read the events, which "
		"may be a load balancer or TLS proxy, so they are held as "
		"below and sent again if the connection breaks. direct: that "
		"the SIEM has read them, because nothing ends TLS in front of "
		"it. none: no answer is asked for; events that have reached "
		"the other end's kernel are held." },
	{ .key = "hold.bytes",
	    .type = SETTING_SIZE,
	    .offset = OFFSET(hold.bytes),
	    .def = "64MiB",
	    .min = 64 << 10,
	    .max = 1 << 30,
	    .help = "A held event counts as delivered before hold.time when so "
		    "many bytes of later events have receipts, or a quarter of "
		    "store.max_size: set it to more than all buffers between "
		    "here and the SIEM take. Held events stay in the store, "
		    "not in memory." },
	{ .key = "hold.time",
	    .type = SETTING_DURATION,
	    .offset = OFFSET(hold.time),
	    .def = "60s",
	    .min = 0,
	    .max = INT64_C(3600) * 1000000,
	    .help = "How long events are held after their receipt; all that is "
		    "held is sent again when the connection breaks. Set it to "
		    "more than the longest time for which a SIEM behind a load "
		    "balancer can hang before it is found dead, and an idle "
		    "timeout there to more than this." },
	{ .key = "poison",
	    .type = SETTING_CHOICE,
	    .offset = OFFSET(poison),
	    .def = "dead-letter",
	    .choices = poisons,
	    .help = "What happens to an event that, sent alone, has ended ten "
		    "connections while others passed: it becomes a dead "
		    "letter, or delivery waits for it." },
	SETTING_END
};

static const struct setting message_settings[] = {
	{ .key = "facility",
	    .type = SETTING_INTEGER,
	    .offset = OFFSET(facility),
	    .def = "13",
	    .min = 0,
	    .max = 23,
	    .help = "Syslog facility; 13 is log audit." },
	{ .key = "severity",
	    .type = SETTING_INTEGER,
	    .offset = OFFSET(severity),
	    .def = "6",
	    .min = 0,
	    .max = 7,
	    .help = "Syslog severity; 6 is informational." },
	{ .key = "app_name",
	    .type = SETTING_STRING,
	    .offset = OFFSET(app_name),
	    .def = "sealfeed",
	    .help = "APP-NAME of every message, at most 48 printable "
		    "characters." },
	{ .key = "max_message",
	    .type = SETTING_SIZE,
	    .offset = OFFSET(max_message),
	    .def = "64KiB",
	    .min = 4096,
	    .max = 64 << 20,
	    .help = "Largest message, header included. It must not exceed the "
		    "receiver's own limit: a receiver truncates or drops "
		    "larger messages, and TLS or RELP confirms them "
		    "nevertheless, because they were read. The defaults of "
		    "receivers: "
		    "rsyslog maxMessageSize 8KiB (of imrelp, too) and imtcp "
		    "maxFrameSize "
		    "200,000 bytes, syslog-ng log-msg-size 64KiB." },
	{ .key = "oversize",
	    .type = SETTING_CHOICE,
	    .offset = OFFSET(oversize),
	    .def = "dead-letter",
	    .choices = oversizes,
	    .help = "What happens to an event larger than max_message: it "
		    "becomes a dead letter, or is split into several messages "
		    "numbered by part and parts." },
	{ .key = "enterprise",
	    .type = SETTING_INTEGER,
	    .offset = OFFSET(enterprise),
	    .def = "32473",
	    .min = 1,
	    .max = UINT32_MAX,
	    .help = "Private enterprise number in the name of the structured "
		    "data element, as in sealfeed@32473." },
	{ .key = "format",
	    .type = SETTING_CHOICE,
	    .offset = OFFSET(format),
	    .def = "raw",
	    .choices = format_names,
	    .help = FORMAT_HELP },
	SETTING_END
};

const struct setting syslog_settings[] = {
	{ .key = "link", .type = SETTING_TABLE, .table = link_settings },
	{ .key = "message", .type = SETTING_TABLE, .table = message_settings },
	{ .key = "framing",
	    .type = SETTING_CHOICE,
	    .offset = OFFSET(framing),
	    .def = "octet-counting",
	    .choices = framings,
	    .help = "How messages are told apart: octet-counting (RFC 5425, "
		    "RFC 6587), or lf, a line feed behind each, for receivers "
		    "that only split at line feeds: syslog-ng network(), "
		    "Graylog, many appliances. The wrong one gives messages "
		    "that are glued together or begin with a number." },
	{ .key = "receipts", .type = SETTING_TABLE, .table = receipt_settings },
	SETTING_END
};

const struct setting relp_settings[] = {
	{ .key = "link", .type = SETTING_TABLE, .table = link_settings },
	{ .key = "message", .type = SETTING_TABLE, .table = message_settings },
	SETTING_END
};

const struct setting graylog_tcp_settings[] = {
	{ .key = "link", .type = SETTING_TABLE, .table = link_settings },
	{ .key = "max_message",
	    .type = SETTING_SIZE,
	    .offset = OFFSET(max_message),
	    .def = "2MiB",
	    .min = 4096,
	    .max = 64 << 20,
	    .help = "Largest message, at most the \"Maximum message size\" of "
		    "the input, which drops larger ones; a larger event "
		    "becomes a dead letter." },
	{ .key = "receipts", .type = SETTING_TABLE, .table = receipt_settings },
	SETTING_END
};

int
syslog_address(const char *address, char host[256], char port[6])
{
	const char *end, *colon = strrchr(address, ':');
	size_t len;
	long number;

	if (colon == NULL || strlen(colon + 1) > 5 || colon[1] == '\0')
		return -1;
	if (strspn(colon + 1, "0123456789") != strlen(colon + 1))
		return -1;
	number = strtol(colon + 1, NULL, 10);
	end = colon;
	if (address[0] == '[') {
		address++;
		if (end[-1] != ']')
			return -1;
		end--;
	} else if (memchr(address, ':', (size_t)(end - address)) != NULL) {
		return -1;
	}
	len = (size_t)(end - address);
	if (number < 1 || number > 65535 || len == 0 || len > 255)
		return -1;
	memcpy(host, address, len);
	host[len] = '\0';
	memcpy(port, colon + 1, strlen(colon + 1) + 1);
	return 0;
}

bool
syslog_loopback(const char *host)
{
	struct in6_addr six;
	struct in_addr four;

	if (strcmp(host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET;
	return inet_pton(AF_INET6, host, &six) == 1 &&
	    IN6_IS_ADDR_LOOPBACK(&six);
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
syslog_fingerprint(const char *text, uint8_t out[32])
{
	static const char label[] = "sha-256:";
	int high, low;

	if (strncmp(text, label, sizeof(label) - 1) != 0)
		return -1;
	text += sizeof(label) - 1;
	for (size_t i = 0; i < 32; i++, text += 3) {
		high = hex_digit(text[0]);
		low = high < 0 ? -1 : hex_digit(text[1]);
		if (low < 0 || text[2] != (i < 31 ? ':' : '\0'))
			return -1;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

static void
check_tls(const struct syslog_conf *conf, const struct config_section *b)
{
	uint8_t digest[32];

	if (conf->tls.cert != NULL && conf->tls.key == NULL)
		config_error(b,
		    "tls.cert: a certificate needs its private key; set "
		    "tls.key");
	if (conf->tls.key != NULL && conf->tls.cert == NULL)
		config_error(b,
		    "tls.key: a private key needs its certificate; set "
		    "tls.cert");
	for (char **f = conf->tls.fingerprint; f != NULL && *f != NULL; f++) {
		if (syslog_fingerprint(*f, digest) != 0)
			config_error(b,
			    "tls.fingerprint: \"%s\" is not sha-256: and 32 "
			    "pairs of hexadecimal digits with colons between "
			    "them; `openssl x509 -fingerprint -sha256` prints "
			    "those",
			    *f);
	}
}

static void
check_address(const struct syslog_conf *conf, const struct config_section *b)
{
	char host[256], port[6];

	if (conf->address == NULL)
		return;
	if (syslog_address(conf->address, host, port) != 0)
		config_error(b,
		    "address: \"%s\" is not host:port; write an IPv6 address "
		    "in brackets",
		    conf->address);
	else if (conf->transport == SYSLOG_TCP && !conf->insecure &&
	    !syslog_loopback(host))
		config_error(b,
		    "transport: tcp to %s would send events in the clear; use "
		    "tls, or set insecure: true",
		    host);
}

static void
check_app_name(const char *name, const struct config_section *b)
{
	size_t len = strlen(name), good = 0;

	while (name[good] > 32 && name[good] < 127)
		good++;
	if (len == 0 || len > 48)
		config_error(b,
		    "app_name: has %zu characters; RFC 5424 allows 1 to 48",
		    len);
	else if (good < len)
		config_error(b,
		    "app_name: \"%s\" has a character that RFC 5424 does not "
		    "allow; use printable ASCII without spaces",
		    name);
}

void
syslog_check_link(const void *c, const struct config_section *b)
{
	const struct syslog_conf *conf = c;

	if (conf->receipts == SYSLOG_DIRECT && conf->transport == SYSLOG_TCP)
		config_error(b,
		    "receipts: direct needs TLS, and transport is tcp; use "
		    "transport: tls, or leave receipts out");
	check_address(conf, b);
	check_tls(conf, b);
}

int
syslog_format(const void *conf)
{
	return ((const struct syslog_conf *)conf)->format;
}

void
syslog_check(const void *c, const struct config_section *b)
{
	const struct syslog_conf *conf = c;

	syslog_check_link(conf, b);
	check_app_name(conf->app_name, b);
}
