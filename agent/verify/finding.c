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

const struct finding_rule finding_rules[FINDING_KINDS] = {
	[FINDING_ALTERED] = { .name = "altered", .wrong = true },
	[FINDING_PARSED] = { .name = "re-serialised", .wrong = true },
	[FINDING_TRUNCATED] = { .name = "truncated", .wrong = true },
	[FINDING_UNNARROWED] = { .name = "altered-somewhere", .wrong = true },
	[FINDING_MISSING] = { .name = "missing", .wrong = true },
	[FINDING_INCOMPLETE] = { .name = "incomplete", .wrong = true },
	[FINDING_FORGED] = { .name = "forged", .wrong = true },
	[FINDING_CONFLICT] = { .name = "conflict", .wrong = true },
	[FINDING_CHECKPOINT] = { .name = "checkpoint", .wrong = true },
	[FINDING_UNSEALED] = { .name = "unsealed", .wrong = true },
	[FINDING_GONE] = { .name = "feed-missing", .wrong = true },
	[FINDING_BROKEN] = { .name = "unreadable", .wrong = true },
	[FINDING_NOT_YET] = { .name = "not-yet-covered", .complete = true },
	[FINDING_BEGINS] = { .name = "begins-inside", .complete = true },
	[FINDING_UNPROVEN] = { .name = "unproven", .complete = true },
	[FINDING_KEY] = { .name = "key" },
	[FINDING_SUCCESSION] = { .name = "key-succession", .wrong = true },
	[FINDING_RENEWED] = { .name = "renewed", .complete = true },
	[FINDING_REPEATED] = { .name = "repeated" },
};

static void add(struct findings *f, struct finding *one, const char *fmt,
    va_list ap) __attribute__((format(printf, 3, 0)));

static void
add(struct findings *f, struct finding *one, const char *fmt, va_list ap)
{
	char subject[1024];
	char *message = NULL;

	f->of[one->kind]++;
	if (f->n == FINDING_MAX)
		return;
	(void)snprintf(subject, sizeof(subject), "%s", one->text);
	if (vasprintf(&message, fmt, ap) == -1)
		message = xstrdup(fmt);
	one->text = xasprintf("%s: %s", subject, message);
	free(message);
	one->feed = xstrdup(one->feed);
	/* Room doubles: n is a power of two when it is used up. */
	if ((f->n & (f->n - 1)) == 0)
		f->list = xreallocarray(f->list, f->n == 0 ? 1 : 2 * f->n,
		    sizeof(*f->list));
	f->list[f->n++] = *one;
}

void
finding_events(struct findings *f, enum finding_kind kind, const char *feed,
    uint64_t first, uint64_t last, const char *fmt, ...)
{
	char name[256 + 1];
	char subject[sizeof(name) + 64];
	struct finding one = { .kind = kind,
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
finding_checkpoint(struct findings *f, const char *feed, uint64_t size,
    const char *fmt, ...)
{
	char name[256 + 1];
	char subject[sizeof(name) + 64];
	struct finding one = { .kind = FINDING_CHECKPOINT,
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
finding_feed(struct findings *f, enum finding_kind kind, const char *feed,
    const char *fmt, ...)
{
	char name[256 + 1];
	char subject[sizeof(name)];
	struct finding one = { .kind = kind, .feed = name, .text = subject };
	va_list ap;

	(void)snprintf(name, sizeof(name), "%s", feed);
	(void)snprintf(subject, sizeof(subject), "%s",
	    feed[0] == '\0' ? "input" : name);
	va_start(ap, fmt);
	add(f, &one, fmt, ap);
	va_end(ap);
}

static int
compare_findings(const void *a, const void *b)
{
	const struct finding *x = a;
	const struct finding *y = b;
	int order = strcmp(x->feed, y->feed);

	if (order == 0)
		order = x->first < y->first ? -1 : x->first > y->first;
	return order != 0 ? order : (int)x->kind - (int)y->kind;
}

void
findings_sort(struct findings *f)
{
	if (f->n > 1)
		qsort(f->list, f->n, sizeof(*f->list), compare_findings);
}

void
findings_release(struct findings *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->list[i].feed);
		free(f->list[i].text);
	}
	free(f->list);
	*f = (struct findings){ .n = 0 };
}

bool
finding_run_extend(struct finding_run *r, uint64_t first, uint64_t end)
{
	if (r->first != r->end && r->end != first)
		return false;
	if (r->first == r->end)
		r->first = first;
	r->end = end;
	return true;
}
