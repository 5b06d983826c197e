/*
 * conf.h - what the syslog output is told by the configuration.
 */
#ifndef OUTPUTS_SYSLOG_CONF_H
#define OUTPUTS_SYSLOG_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "config/setting.h"

enum syslog_transport { SYSLOG_TLS, SYSLOG_TCP };
enum syslog_oversize { SYSLOG_DEAD_LETTER, SYSLOG_SPLIT };
/* SYSLOG_GELF is no choice: the output graylog-tcp has it. */
enum syslog_framing { SYSLOG_OCTETS, SYSLOG_LF, SYSLOG_GELF };
enum syslog_receipts { SYSLOG_RELAYED, SYSLOG_DIRECT, SYSLOG_NONE };
enum syslog_poison { SYSLOG_POISON_DEAD_LETTER, SYSLOG_POISON_WAIT };

struct syslog_conf {
	char *address; /* "host:port", "[::1]:6514" */
	int transport;
	bool insecure; /* TCP beyond loopback */
	struct {
		char *ca;
		char *cert;
		char *key;
		char *name;
		char **fingerprint;
	} tls;
	int64_t facility;
	int64_t severity;
	char *app_name;
	int64_t max_message; /* bytes of SYSLOG-MSG */
	int oversize;
	int64_t enterprise;
	int framing;
	int format; /* enum format_kind */
	int receipts;
	int poison;
	struct {
		int64_t bytes;
		int64_t time;
	} hold;
	int64_t timeout;
};

extern const struct setting syslog_settings[];
extern const struct setting graylog_tcp_settings[];
extern const struct setting relp_settings[];

/* The pure checks of these options; see output_type.check. */
struct config_section;
/* See output_type.format. */
int syslog_format(const void *conf);
void syslog_check(const void *conf, const struct config_section *b);
/* Of those that are not about messages. */
void syslog_check_link(const void *conf, const struct config_section *b);

/* Take "host:port" apart; an IPv6 address stands in brackets.  host and port
 * have room for 256 and 6 bytes.  -1 when it is not one. */
int syslog_address(const char *address, char host[256], char port[6]);

/* Whether host is a literal address of this machine's loopback, or
 * "localhost". */
bool syslog_loopback(const char *host);

/* Read "sha-256:AA:BB:…" (RFC 5425 section 4.2.2; either case of the digits)
 * into 32 bytes; -1 when it is not one. */
int syslog_fingerprint(const char *text, uint8_t out[32]);

#endif /* OUTPUTS_SYSLOG_CONF_H */
