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

#define ERROR_TEXT_MAX 1024

/* Takes file. */
static void
add(struct config_errors *f, char *file, size_t line, const char *text)
{
	struct config_error_place *place;
	char clean[ERROR_TEXT_MAX];
	size_t before = 0;

	/* The text repeats what a file says and goes to terminals and logs:
	 * make it printable. */
	text_one_line(clean, sizeof(clean), text);
	f->line = xreallocarray(f->line, f->n + 1, sizeof(*f->line));
	f->place = xreallocarray(f->place, f->n + 1, sizeof(*f->place));
	if (file == NULL) {
		f->line[f->n] = xstrdup(clean);
	} else {
		f->line[f->n] = xasprintf("%s:%zu: %s", file, line, clean);
		before = strlen(f->line[f->n]) - strlen(clean);
	}
	for (size_t i = 0; i < f->n; i++) {
		/* What several things share is read once for each. */
		if (strcmp(f->line[i], f->line[f->n]) == 0) {
			free(f->line[f->n]);
			free(file);
			return;
		}
	}
	place = &f->place[f->n];
	*place = (struct config_error_place){
		.file = file, .line = line, .text = f->line[f->n] + before
	};
	f->n++;
}

/* Whether there is room for another fault; if not, the last one says so. */
static bool
room(struct config_errors *f)
{
	if (f->n == CONFIG_ERRORS_MAX - 1)
		add(f, NULL, 0, "there are more faults");
	return f->n < CONFIG_ERRORS_MAX;
}

void
config_errors_add(struct config_errors *f, const struct node *at,
    const char *fmt, ...)
{
	char text[ERROR_TEXT_MAX];
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
config_errors_add_err(struct config_errors *f, const char *sentence)
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
config_errors_repeats(struct config_errors *f, const struct node *tree)
{
	for (const struct node *n = tree->child; n != NULL; n = n->next) {
		if (n->first != 0)
			config_errors_add(f, n,
			    "key \"%.60s\" appears twice; the first one is on "
			    "line %zu",
			    n->key, n->first);
		config_errors_repeats(f, n);
	}
}

void
config_errors_rename(struct config_errors *f, const char *file,
    const char *other)
{
	for (size_t i = 0; i < f->n; i++) {
		struct config_error_place *p = &f->place[i];
		char *line;

		if (p->file == NULL || strcmp(p->file, file) != 0)
			continue;
		line = xasprintf("%s:%zu: %s", other, p->line, p->text);
		p->text = line + strlen(line) - strlen(p->text);
		free(f->line[i]);
		f->line[i] = line;
		free(p->file);
		p->file = xstrdup(other);
	}
}

void
config_errors_release(struct config_errors *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->line[i]);
		free(f->place[i].file);
	}
	free(f->line);
	free(f->place);
	*f = (struct config_errors)CONFIG_ERRORS_INIT;
}

static bool
before(const struct config_error_place *a, const struct config_error_place *b)
{
	const char *x = a->file == NULL ? "" : a->file;
	const char *y = b->file == NULL ? "" : b->file;
	int order = strcmp(x, y);

	return order < 0 || (order == 0 && a->line < b->line);
}

/* Insertion keeps equal ones in their order; CONFIG_ERRORS_MAX bounds it. */
void
config_errors_sort(struct config_errors *f)
{
	for (size_t i = 1; i < f->n; i++) {
		struct config_error_place place = f->place[i];
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
has_fault(const struct config_section *b, const char *key)
{
	char *start = xasprintf("%s: \"%s\"", b->where, key);
	bool found = false;

	for (size_t i = 0; i < b->filled; i++)
		found = found ||
		    strncmp(b->errors->place[i].text, start, strlen(start)) ==
			0;
	free(start);
	return found;
}

/* Put text, which begins with its key, into list at that key's place. */
static void
add_at_key(const struct config_section *b, struct config_errors *list,
    const char *text)
{
	char *key = xstrndup(text, strcspn(text, ":, "));
	const struct node *at = node_find(b->map, key);

	if (list != NULL && !has_fault(b, key))
		config_errors_add(list, at == NULL ? b->map : at,
		    "%s: \"%s\"%s", b->where, key, text + strlen(key));
	free(key);
}

void
config_error(const struct config_section *b, const char *fmt, ...)
{
	char text[ERROR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	add_at_key(b, b->errors, text);
}

void
config_warning(const struct config_section *b, const char *fmt, ...)
{
	char text[ERROR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	add_at_key(b, b->warnings, text);
}
