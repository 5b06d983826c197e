/*
 * finding.c - what verify has to say.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "verify/finding.h"

const struct found_rule found_rules[FOUND_KINDS] = {
	[FOUND_ALTERED] = { .name = "altered", .wrong = true },
	[FOUND_UNNARROWED] = { .name = "altered-somewhere", .wrong = true },
	[FOUND_MISSING] = { .name = "missing", .wrong = true },
	[FOUND_INCOMPLETE] = { .name = "incomplete", .wrong = true },
	[FOUND_FORGED] = { .name = "forged", .wrong = true },
	[FOUND_CONFLICT] = { .name = "conflict", .wrong = true },
	[FOUND_CHECKPOINT] = { .name = "checkpoint", .wrong = true },
	[FOUND_UNSEALED] = { .name = "unsealed", .wrong = true },
	[FOUND_GONE] = { .name = "feed-missing", .wrong = true },
	[FOUND_BROKEN] = { .name = "unreadable", .wrong = true },
	[FOUND_NOT_YET] = { .name = "not-yet-covered", .complete = true },
	[FOUND_BEGINS] = { .name = "begins-inside", .complete = true },
	[FOUND_UNPROVEN] = { .name = "unproven", .complete = true },
	[FOUND_KEY] = { .name = "key" },
	[FOUND_RENEWED] = { .name = "renewed", .complete = true },
	[FOUND_REPEATED] = { .name = "repeated" },
};

static void add(struct founds *f, struct found *one, const char *fmt,
    va_list ap) __attribute__((format(printf, 3, 0)));

static void
add(struct founds *f, struct found *one, const char *fmt, va_list ap)
{
	char subject[1024];
	char *said = NULL;

	f->of[one->kind]++;
	if (f->n == FOUND_MOST)
		return;
	(void)snprintf(subject, sizeof(subject), "%s", one->text);
	if (vasprintf(&said, fmt, ap) == -1)
		said = xstrdup(fmt);
	one->text = xasprintf("%s: %s", subject, said);
	free(said);
	one->feed = xstrdup(one->feed);
	/* Room doubles: n is a power of two when it is used up. */
	if ((f->n & (f->n - 1)) == 0)
		f->list = xreallocarray(f->list, f->n == 0 ? 1 : 2 * f->n,
		    sizeof(*f->list));
	f->list[f->n++] = *one;
}

void
found_events(struct founds *f, enum found_kind kind, const char *feed,
    uint64_t first, uint64_t last, const char *fmt, ...)
{
	char name[256 + 1];
	char subject[sizeof(name) + 64];
	struct found one = { .kind = kind,
		.feed = name,
		.first = first,
		.last = last,
		.text = subject };
	va_list ap;

	(void)snprintf(name, sizeof(name), "%s", feed);
	if (first == last)
		(void)snprintf(subject, sizeof(subject), "%s index %" PRIu64,
		    name, first);
	else
		(void)snprintf(subject, sizeof(subject),
		    "%s index %" PRIu64 "-%" PRIu64, name, first, last);
	va_start(ap, fmt);
	add(f, &one, fmt, ap);
	va_end(ap);
}

void
found_checkpoint(struct founds *f, const char *feed, uint64_t size,
    const char *fmt, ...)
{
	char name[256 + 1];
	char subject[sizeof(name) + 64];
	struct found one = { .kind = FOUND_CHECKPOINT,
		.feed = name,
		.first = size,
		.last = size,
		.text = subject };
	va_list ap;

	(void)snprintf(name, sizeof(name), "%s", feed);
	(void)snprintf(subject, sizeof(subject), "%s checkpoint %" PRIu64, name,
	    size);
	va_start(ap, fmt);
	add(f, &one, fmt, ap);
	va_end(ap);
}

void
found_feed(struct founds *f, enum found_kind kind, const char *feed,
    const char *fmt, ...)
{
	char name[256 + 1];
	char subject[sizeof(name)];
	struct found one = { .kind = kind, .feed = name, .text = subject };
	va_list ap;

	(void)snprintf(name, sizeof(name), "%s", feed);
	(void)snprintf(subject, sizeof(subject), "%s",
	    feed[0] == '\0' ? "input" : name);
	va_start(ap, fmt);
	add(f, &one, fmt, ap);
	va_end(ap);
}

static int
compare(const void *a, const void *b)
{
	const struct found *x = a;
	const struct found *y = b;
	int order = strcmp(x->feed, y->feed);

	if (order == 0)
		order = x->first < y->first ? -1 : x->first > y->first;
	return order != 0 ? order : (int)x->kind - (int)y->kind;
}

void
founds_sort(struct founds *f)
{
	if (f->n > 1)
		qsort(f->list, f->n, sizeof(*f->list), compare);
}

void
founds_release(struct founds *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->list[i].feed);
		free(f->list[i].text);
	}
	free(f->list);
	*f = (struct founds){ .n = 0 };
}

bool
found_run_extend(struct found_run *r, uint64_t first, uint64_t end)
{
	if (r->first != r->end && r->end != first)
		return false;
	if (r->first == r->end)
		r->first = first;
	r->end = end;
	return true;
}
