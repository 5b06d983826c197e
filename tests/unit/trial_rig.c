/*
 * trial_rig.c - see trial_rig.h.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tests/unit/trial_rig.h"
#include "tests/unit/unit.h"

struct trial_conf trial_conf;
static char url[128];

void
trial_set_up(void)
{
	rig_set_up(&output_trial);
	trial_conf = (struct trial_conf){ .http.url = url,
		.http.parallel = 2,
		.http.max_body = 1 << 20,
		.http.common.timeout = UNIT_TIMEOUT,
		.poll_every = CLOCK_SECOND / 50,
		.poll_timeout = 10 * CLOCK_SECOND,
		.path = "/bulk",
		.header = "7c" };
}

void
trial_expect(const char *path, int status, const char *body)
{
	if (status == 0)
		rig_expect_bytes(path, xstrdup(""), 0);
	else
		rig_expect(path, status, body);
}

void
trial_begin(size_t n, size_t large, size_t bytes)
{
	rig_listen();
	(void)snprintf(url, sizeof(url), "%s/in?key=1",
	    canned_url(intake_rig.server));
	rig_open(&trial_conf, "{\"Id\":0}");
	for (size_t i = 1; i < n; i++) {
		char *text = xasprintf("{\"Id\":%zu,\"pad\":\"%*s\"}", i,
		    i == large ? (int)bytes : 1, "");

		courier_add(&intake_rig.c, text);
		free(text);
	}
}
