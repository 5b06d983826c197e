/*
 * vendor.c - vendors after scripts (tests/lib/vendor.h) as a program, which
 * makes events while they are asked.
 *
 *   vendor DIR EVENTS SCRIPT...
 *
 * The first stream of each script is a vendor; others would share its budget of
 * requests.  DIR/sources.yaml has the sources of a configuration that reads
 * them all, DIR/made how many events each has, and once all are made
 * DIR/NAME.ledger those of the source NAME, one on a line, and then DIR/ledgers
 * how many sources there are.  One in four has the time of the one before,
 * pages are short or empty for a while, and now and then a request fails in one
 * of a vendor's ways.  At the end
 * DIR/complaints has what was wrong with requests.
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
#include "base/node.h"
#include "tests/lib/vendor.h"

#define PAUSE 20000 /* microseconds between two events */
#define TEXT_MAX ((size_t)1 << 28)

struct made {
	struct vendor *vendor;
	char *type; /* of its source */
	char *name;
};

static struct made *list;
static size_t n_list;
static volatile sig_atomic_t stopping;

static void
stop(int number)
{
	(void)number;
	stopping = 1;
}

static void
out_of_memory(int rc)
{
	if (rc == 0)
		return;
	(void)fprintf(stderr, "vendor: out of memory\n");
	exit(1);
}

/* Write a small file whole. */
static void
put(const char *dir, const char *name, const struct buf *text)
{
	char *path = xasprintf("%s/%s", dir, name);
	struct err err = ERR_INIT;

	if (file_replace(path, text->data, text->len, 0644, &err) != 0) {
		(void)fprintf(stderr, "vendor: %s\n", err.text);
		exit(1);
	}
	free(path);
}

static void
start(const char *script)
{
	const char *slash = strrchr(script, '/');
	const char *file = slash != NULL ? slash + 1 : script;
	struct made *m;

	list = xreallocarray(list, n_list + 1, sizeof(*list));
	m = &list[n_list++];
	m->vendor = vendor_start(script, 0, 0);
	m->type = xstrndup(file, strcspn(file, "."));
	m->name = xstrdup(m->type);
}

/* Where windows end before now, events are that old when they are made. */
static int64_t
lag_of(const struct made *m)
{
	const struct node *lag = node_get(vendor_script(m->vendor), "lag");

	return lag != NULL ? strtol(lag->text, NULL, 10) * CLOCK_SECOND : 0;
}

/* The source that reads a vendor. */
static void
put_source(const struct made *m, struct buf *out)
{
	const struct node *script = vendor_script(m->vendor);
	const struct node *hosts = node_get(script, "hosts");
	const struct node api = { .text = (char[]){ "api" } };
	int rc;

	rc = buf_addf(out,
	    "  \"%s\":\n    type: \"%s\"\n    streams: [\"%s\"]\n"
	    "    interval: 1s\n    initial: 10m\n    hosts:\n",
	    m->name, m->type, node_get(script, "stream")->text);
	for (const struct node *h = hosts != NULL ? hosts->child : &api;
	     h != NULL; h = h->next)
		rc |= buf_addf(out, "      %s: \"%s\"\n", h->text,
		    vendor_url(m->vendor));
	rc |= yaml_print(node_get(script, "source"), 4, out);
	out_of_memory(rc);
}

static void
put_sources(const char *dir)
{
	struct buf text = BUF_INIT(TEXT_MAX);

	out_of_memory(buf_adds(&text, "sources:\n"));
	for (size_t i = 0; i < n_list; i++)
		put_source(&list[i], &text);
	put(dir, "sources.yaml", &text);
	buf_release(&text);
}

static void
put_number(const char *dir, const char *name, size_t n)
{
	struct buf text = BUF_INIT(TEXT_MAX);

	out_of_memory(buf_addf(&text, "%zu", n));
	put(dir, name, &text);
	buf_release(&text);
}

static void
put_ledgers(const char *dir)
{
	for (size_t i = 0; i < n_list; i++) {
		struct vendor *v = list[i].vendor;
		char *name = xasprintf("%s.ledger", list[i].name);
		struct buf text = BUF_INIT(TEXT_MAX);

		for (size_t k = 0; k < vendor_count(v); k++)
			out_of_memory(buf_addf(&text, "%s\n",
			    vendor_event(v, k)));
		put(dir, name, &text);
		buf_release(&text);
		free(name);
	}
	put_number(dir, "ledgers", n_list);
}

static void
put_complaints(const char *dir)
{
	struct buf text = BUF_INIT(TEXT_MAX);

	for (size_t i = 0; i < n_list; i++)
		if (vendor_complaint(list[i].vendor) != NULL)
			out_of_memory(buf_addf(&text, "%s: %s\n", list[i].name,
			    vendor_complaint(list[i].vendor)));
	put(dir, "complaints", &text);
	buf_release(&text);
}

/* Pages of tokens may be short, and even empty, where others follow. */
static void
behave(const struct made *m, unsigned i)
{
	static const enum vendor_manner manners[] = { VENDOR_PLAIN,
		VENDOR_SHORT, VENDOR_EMPTY };
	const struct node *script = vendor_script(m->vendor);

	if (node_get(script, "pages") == NULL &&
	    node_get(script, "full") == NULL)
		vendor_behave(m->vendor, manners[i % 3]);
}

/* One more event each, and now and then something that goes wrong. */
static void
make(unsigned i, int64_t *when)
{
	static const enum vendor_fault faults[] = { VENDOR_THROTTLED,
		VENDOR_FAILED, VENDOR_BROKEN, VENDOR_LOST, VENDOR_PAGE,
		VENDOR_DENIED };
	char id[32];

	if (i % 4 != 3)
		*when = clock_now();
	(void)snprintf(id, sizeof(id), "made-%u", i);
	for (size_t k = 0; k < n_list; k++) {
		vendor_add(list[k].vendor, id, *when - lag_of(&list[k]), 1);
		behave(&list[k], i / 4 + (unsigned)k);
		if (i % 8 == 7)
			vendor_fail(list[k].vendor, faults[(i / 8 + k) % 6], 1,
			    1);
	}
}

int
main(int argc, char **argv)
{
	int64_t when = 0;
	unsigned n;

	if (argc < 4) {
		(void)fprintf(stderr, "usage: vendor DIR EVENTS SCRIPT...\n");
		return 64;
	}
	(void)signal(SIGTERM, stop);
	(void)signal(SIGINT, stop);
	n = (unsigned)strtoul(argv[2], NULL, 10);
	for (int i = 3; i < argc; i++)
		start(argv[i]);
	put_sources(argv[1]);
	for (unsigned i = 0; i < n && !stopping; i++) {
		make(i, &when);
		put_number(argv[1], "made", i + 1);
		(void)usleep(PAUSE);
	}
	for (size_t k = 0; k < n_list; k++)
		vendor_fail(list[k].vendor, VENDOR_NONE, 0, 0);
	put_ledgers(argv[1]);
	while (!stopping)
		(void)usleep(PAUSE);
	put_complaints(argv[1]);
	for (size_t k = 0; k < n_list; k++) {
		vendor_stop(list[k].vendor);
		free(list[k].type);
		free(list[k].name);
	}
	free(list);
	return 0;
}
