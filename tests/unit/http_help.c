/*
 * http_help.c - a server of canned replies and a client that may ask it.
 */
#include "tests/unit/http_help.h"
#include "base/clock.h"
#include "base/err.h"
#include "http/access.h"
#include "tests/unit/unit.h"

struct http_rig http_rig;

void
http_help_begin(const struct canned_reply *table)
{
	/* The access borrows it. */
	static const struct http_conf conf = { .timeout = UNIT_TIMEOUT };
	struct err err = ERR_INIT;

	http_rig.server = canned_start(table);
	http_rig.access = http_access_open(&conf, &err);
	ck_assert_msg(http_rig.access != NULL, "%s", err.text);
	http_rig.http = http_new(http_rig.access, NULL, NULL);
}

void
http_help_end(void)
{
	http_free(http_rig.http);
	http_access_free(http_rig.access);
	canned_stop(http_rig.server);
}
