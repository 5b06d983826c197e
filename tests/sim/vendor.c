/*
 * vendor.c - a vendor after a script (tests/lib/vendor.h) as a program, which
 * makes events while it is asked.
 *
 *   vendor SCRIPT DIR EVENTS
 *
 * DIR/port has its port, DIR/made how many events there are, DIR/ledger each
 * of them on a line once all are made; one in four has the time of the one
 * before, and every seventh request fails in one of a vendor's ways.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "tests/lib/vendor.h"

#define PAUSE 20000 /* microseconds between two events */

static volatile sig_atomic_t stopping;

static void
stop(int number)
{
	(void)number;
	stopping = 1;
}

/* Write a small file whole. */
static void
put(const char *dir, const char *name, const char *text, size_t len)
{
	char *path = xasprintf("%s/%s", dir, name);
	struct err err = ERR_INIT;

	if (file_replace(path, text, len, 0644, &err) != 0) {
		(void)fprintf(stderr, "vendor: %s\n", err.text);
		exit(1);
	}
	free(path);
}

static void
put_ledger(struct vendor *v, const char *dir)
{
	struct buf text = BUF_INIT((size_t)1 << 28);

	for (size_t i = 0; i < vendor_count(v); i++)
		if (buf_addf(&text, "%s\n", vendor_event(v, i)) != 0)
			exit(1);
	put(dir, "ledger", text.data, text.len);
	buf_release(&text);
}

/* One more event, and now and then something that goes wrong. */
static void
make(struct vendor *v, unsigned i, int64_t *when)
{
	static const enum vendor_fault faults[] = { VENDOR_THROTTLED,
		VENDOR_FAILED, VENDOR_BROKEN, VENDOR_LOST, VENDOR_PAGE };
	char id[32];

	if (i % 4 != 3)
		*when = clock_now();
	(void)snprintf(id, sizeof(id), "made-%u", i);
	vendor_add(v, id, *when, 1);
	if (i % 20 == 19)
		vendor_fail(v, faults[i / 20 % 5], 2, 1);
}

int
main(int argc, char **argv)
{
	struct vendor *v;
	const char *port;
	int64_t when = 0;
	char made[16];
	unsigned n;

	if (argc != 4) {
		(void)fprintf(stderr, "usage: vendor SCRIPT DIR EVENTS\n");
		return 64;
	}
	(void)signal(SIGTERM, stop);
	(void)signal(SIGINT, stop);
	n = (unsigned)strtoul(argv[3], NULL, 10);
	v = vendor_start(argv[1], 0);
	port = strrchr(vendor_url(v), ':') + 1;
	put(argv[2], "port", port, strlen(port));
	for (unsigned i = 0; i < n && !stopping; i++) {
		make(v, i, &when);
		(void)snprintf(made, sizeof(made), "%u", i + 1);
		put(argv[2], "made", made, strlen(made));
		(void)usleep(PAUSE);
	}
	vendor_fail(v, VENDOR_NONE, 0, 0);
	put_ledger(v, argv[2]);
	while (!stopping)
		(void)usleep(PAUSE);
	if (vendor_complaint(v) != NULL)
		put(argv[2], "complaint", vendor_complaint(v),
		    strlen(vendor_complaint(v)));
	vendor_stop(v);
	return 0;
}
