/*
 * errors.h - what is wrong with a configuration: all of it in one run, each
 * with its file and line.
 */
#ifndef CONFIG_ERRORS_H
#define CONFIG_ERRORS_H

#include <stddef.h>

struct node;

/* What went wrong in the configuration, several at once. */
struct config_errors {
	char **line; /* each "FILE:LINE: subject: cause; remedy" */
	struct config_error_place {
		char *file;       /* NULL: no place in a file */
		size_t line;      /* from 1 */
		const char *text; /* the part of line after the place */
	} * place;
	size_t n;
};

/* No more than these are kept; the last one says so. */
#define CONFIG_ERRORS_MAX 1000

#define CONFIG_ERRORS_INIT \
	{                  \
		.n = 0     \
	}

/* Add a fault; at NULL means that it has no place in a file.  Control
 * characters are escaped.  The place of the node is remembered, not the node.
 * What was said before, word for word, is not said again. */
void config_errors_add(struct config_errors *f, const struct node *at,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Add the sentence of an err that begins with "FILE:LINE: " itself. */
void config_errors_add_err(struct config_errors *f, const char *sentence);

/* Add a fault for each key in the tree that its map has twice. */
void config_errors_repeats(struct config_errors *f, const struct node *tree);

/* Name another file in the places of one. */
void config_errors_rename(struct config_errors *f, const char *file,
    const char *other);

/* Sort the faults by file and line. */
void config_errors_sort(struct config_errors *f);

void config_errors_release(struct config_errors *f);

/* For the cross-checks of a type: where its options stand. */
struct config_section {
	const struct node *map;
	const char *where; /* "sources.contoso" */
	struct config_errors *errors;
	struct config_errors *warnings; /* NULL: nobody wants them */
	size_t filled;                  /* errors->n after settings_fill() */
};

/* Add a fault; the sentence begins with the key that is at fault, "tls.cert:
 * a certificate is of no use without …", and gets that key's line, or the
 * map's where the key is not in it.  A key of which settings_fill() said
 * something is left alone. */
void config_error(const struct config_section *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Likewise of what is allowed, and yet most likely not what was meant. */
void config_warning(const struct config_section *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif /* CONFIG_ERRORS_H */
