/*
 * kafka_conf.c - the options of the output kafka, and their checks.
 */
#ifdef HAVE_RDKAFKA

#include <stddef.h>

#include "config/setting.h"
#include "outputs/kafka_private.h"
#include "outputs/syslog/conf.h"

static const char *const transports[] = { "tls", "tcp", NULL };
static const char *const envelopes[] = { "none", "ndjson", NULL };
const char *const kafka_mechanisms[] = { "PLAIN", "SCRAM-SHA-256",
	"SCRAM-SHA-512", NULL };
const char *const kafka_codecs[] = { "none", "gzip", "lz4", "zstd", NULL };

#define OFFSET(member) offsetof(struct kafka_conf, member)

const struct setting kafka_settings[] = {
	{ .key = "brokers",
	    .type = SETTING_LIST,
	    .offset = OFFSET(brokers),
	    .required = true,
	    .help = "Brokers as host:port. Name all whose ports differ: a role "
		    "reaches no others.",
	    .ask = "Brokers, as host:port with commas between them" },
	{ .key = "topic",
	    .type = SETTING_STRING,
	    .offset = OFFSET(topic),
	    .required = true,
	    .help = "Topic that all feeds go to; it must exist unless brokers "
		    "make topics by themselves.",
	    .ask = "Topic" },
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
		    "brokers' certificates, a file or PEM text. Default: the "
		    "system's.",
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
	{ .key = "user",
	    .type = SETTING_STRING,
	    .offset = OFFSET(user),
	    .help = "User name for SASL.",
	    .ask = "User name for SASL (Enter: none)" },
	{ .key = "password",
	    .type = SETTING_SECRET,
	    .offset = OFFSET(password),
	    .help = "Password of user.",
	    .ask = "Password of that user (Enter: none)" },
	{ .key = "mechanism",
	    .type = SETTING_CHOICE,
	    .offset = OFFSET(mechanism),
	    .def = "SCRAM-SHA-512",
	    .choices = kafka_mechanisms,
	    .help = "How user logs in (SASL)." },
	{ .key = "compression",
	    .type = SETTING_CHOICE,
	    .offset = OFFSET(compression),
	    .def = "gzip",
	    .choices = kafka_codecs,
	    .help = "How batches of messages are packed." },
	{ .key = "envelope",
	    .type = SETTING_CHOICE,
	    .offset = OFFSET(envelope),
	    .def = "none",
	    .choices = envelopes,
	    .help = "none: a message is the vendor's event; ndjson: the line "
		    "with feed and index beside it, which sealfeed verify "
		    "reads from a file of values." },
	{ .key = "max_message",
	    .type = SETTING_SIZE,
	    .offset = OFFSET(max_message),
	    .def = "1000000",
	    .min = 4096,
	    .max = 64 << 20,
	    .help = "Largest message, at most the brokers' message.max.bytes; "
		    "a larger event becomes a dead letter." },
	{ .key = "timeout",
	    .type = SETTING_DURATION,
	    .offset = OFFSET(timeout),
	    .def = "30s",
	    .min = 1000000,
	    .max = INT64_C(3600) * 1000000,
	    .help = "How long to wait for a message's acknowledgement before "
		    "it is sent again." },
	SETTING_END
};

void
kafka_check(const void *c, const struct config_section *b)
{
	const struct kafka_conf *conf = c;
	char host[256], port[6];

	for (char **at = conf->brokers; at != NULL && *at != NULL; at++) {
		if (syslog_address(*at, host, port) != 0)
			config_error(b,
			    "brokers: \"%s\" is not host:port; write an IPv6 "
			    "address in brackets",
			    *at);
		else if (conf->transport == KAFKA_TCP && !conf->insecure &&
		    !syslog_loopback(host))
			config_error(b,
			    "transport: tcp to %s would send events in the "
			    "clear; use tls, or set insecure: true",
			    host);
	}
	if ((conf->user == NULL) != (conf->password == NULL))
		config_error(b,
		    "%s: is missing; user and password belong together",
		    conf->user == NULL ? "user" : "password");
	if ((conf->tls.cert == NULL) != (conf->tls.key == NULL))
		config_error(b,
		    "tls.cert: a certificate and its private key belong "
		    "together; set both");
}

#else

/* A translation unit is not empty. */
extern int kafka_is_left_out;

#endif
