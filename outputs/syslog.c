/*
 * syslog.c - RFC 5424 over RFC 5425 TLS, with confirmed delivery.
 */
#include "syslog.h"
#include "output.h"

const struct output_type output_syslog = {
	.name = "syslog",
	.settings = syslog_settings,
	.conf_size = sizeof(struct syslog_conf),
	.check = syslog_check,
};
