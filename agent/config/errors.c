/*
 * errors.c - what went wrong in the configuration, several at once.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/node.h"
#include "base/text.h"
#include "config/errors.h"

#define FAULT_TEXT_MOST 1024

/* Takes file. */
static void
add(struct faults *f, char *file, size_t line, const char *text)
{
	struct fault_place *place;
	char clean[FAULT_TEXT_MOST];
	size_t before = 0;

	/* It ends on terminals and in logs and repeats what a file says. */
	text_one_line(clean, sizeof(clean), text);
	f->line = xreallocarray(f->line, f->n + 1, sizeof(*f->line));
	f->place = xreallocarray(f->place, f->n + 1, sizeof(*f->place));
	if (file == NULL) {
		f->line[f->n] = xstrdup(clean);
	} else {
		f->line[f->n] = xasprintf("%s:%zu: %s", file, line, clean);
		before = strlen(f->line[f->n]) - strlen(clean);
	}
	place = &f->place[f->n];
	*place = (struct fault_place){
		.file = file, .line = line, .text = f->line[f->n] + before
	};
	f->n++;
}

/* Whether there is room for one more; says so where there is not. */
static bool
room(struct faults *f)
{
	if (f->n == FAULTS_MOST - 1)
		add(f, NULL, 0, "there are more faults than these");
	return f->n < FAULTS_MOST;
}

void
faults_add(struct faults *f, const struct node *at, const char *fmt, ...)
{
	char text[FAULT_TEXT_MOST];
	va_list ap;

	if (!room(f))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (at == NULL)
		add(f, NULL, 0, text);
	else
		add(f, xstrdup(at->file), at->line, text);
}

/* The line number in the ":NUMBER: " that p points to, 0: it is none. */
static size_t
number_at(const char *p, const char **text)
{
	unsigned long n;
	char *end;

	if (p[1] < '1' || p[1] > '9')
		return 0;
	n = strtoul(p + 1, &end, 10);
	if (strncmp(end, ": ", 2) != 0)
		return 0;
	*text = end + 2;
	return n;
}

void
faults_add_err(struct faults *f, const char *sentence)
{
	const char *text;
	size_t line;

	if (!room(f))
		return;
	for (const char *p = sentence; *p != '\0'; p++) {
		line = *p == ':' ? number_at(p, &text) : 0;
		if (line == 0)
			continue;
		add(f, xstrndup(sentence, (size_t)(p - sentence)), line, text);
		return;
	}
	add(f, NULL, 0, sentence);
}

void
faults_repeats(struct faults *f, const struct node *tree)
{
	for (const struct node *n = tree->child; n != NULL; n = n->next) {
		if (n->first != 0)
			faults_add(f, n,
			    "key \"%.60s\" is here twice; the first one is in "
			    "line %zu",
			    n->key, n->first);
		faults_repeats(f, n);
	}
}

void
faults_release(struct faults *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->line[i]);
		free(f->place[i].file);
	}
	free(f->line);
	free(f->place);
	*f = (struct faults)FAULTS_INIT;
}

static bool
before(const struct fault_place *a, const struct fault_place *b)
{
	const char *x = a->file == NULL ? "" : a->file;
	const char *y = b->file == NULL ? "" : b->file;
	int order = strcmp(x, y);

	return order < 0 || (order == 0 && a->line < b->line);
}

/* Insertion keeps equal ones in their order; FAULTS_MOST bounds it. */
void
faults_sort(struct faults *f)
{
	for (size_t i = 1; i < f->n; i++) {
		struct fault_place place = f->place[i];
		char *line = f->line[i];
		size_t j = i;

		for (; j > 0 && before(&place, &f->place[j - 1]); j--) {
			f->place[j] = f->place[j - 1];
			f->line[j] = f->line[j - 1];
		}
		f->place[j] = place;
		f->line[j] = line;
	}
}

/* Whether settings_fill() said something of the key. */
static bool
has_fault(const struct blame *b, const char *key)
{
	char *start = xasprintf("%s: \"%s\"", b->where, key);
	bool found = false;

	for (size_t i = 0; i < b->filled; i++)
		found = found ||
		    strncmp(b->faults->place[i].text, start, strlen(start)) ==
			0;
	free(start);
	return found;
}

void
blame(const struct blame *b, const char *fmt, ...)
{
	char text[FAULT_TEXT_MOST];
	const struct node *at;
	va_list ap;
	char *key;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	key = xstrndup(text, strcspn(text, ":, "));
	at = node_find(b->map, key);
	if (!has_fault(b, key))
		faults_add(b->faults, at == NULL ? b->map : at, "%s: \"%s\"%s",
		    b->where, key, text + strlen(key));
	free(key);
}
