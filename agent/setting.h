/*
 * setting.h - options as rows of a table.
 *
 * A row is all there is to an option: parser, default, range check, nearest
 * known key, `sealfeed options`, `sealfeed check` and the manual page read
 * it.  A table fills a struct of its module by offset.
 */
#ifndef SETTING_H
#define SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct faults;
struct node;

enum setting_type {
	SETTING_STRING,   /* char *, owned; NULL when unset */
	SETTING_LIST,     /* char **, NULL-terminated, owned */
	SETTING_INTEGER,  /* int64_t */
	SETTING_BOOL,     /* bool */
	SETTING_SIZE,     /* int64_t, bytes ("64KiB") */
	SETTING_DURATION, /* int64_t, microseconds ("30m") */
	SETTING_CHOICE,   /* int: index into choices */
	SETTING_SECRET,   /* char *: the text with its ${…} unresolved; see
			     http/secret.h */
	SETTING_SECRETS,  /* struct setting_pair *: map of name to such a text,
			     ended by a NULL name */
	SETTING_TABLE     /* further rows at offset: .table */
};

struct setting_pair {
	char *name;
	char *value;
};

struct setting {
	const char *key; /* "tls.ca": a dot is a map in the file */
	enum setting_type type;
	size_t offset;
	bool required;
	const char *def; /* as it would stand in the file; NULL: none */
	int64_t min;     /* with max, for numbers; min == max: no range */
	int64_t max;
	const char *const *choices;  /* NULL-terminated */
	const struct setting *table; /* of SETTING_TABLE */
	const char *help; /* sentences, for the manual and `options` */
};

/* Every table ends so. */
#define SETTING_END         \
	{                   \
		.key = NULL \
	}

/*
 * Fill conf (zeroed, laid out as table says) from map, defaults first.  Every
 * fault is added to faults with its file and line (unknown key with the
 * nearest known one, wrong type, out of range, missing); the caller looks at
 * faults, not at a return value.  where is the path of map in messages,
 * "sources.contoso".  Keys in skip (NULL-terminated, may be NULL) belong to
 * the caller.
 */
void settings_fill(const struct setting *table, const struct node *map,
    const char *where, const char *const *skip, void *conf,
    struct faults *faults);

/* Free what settings_fill() allocated in conf, not conf itself. */
void settings_release(const struct setting *table, void *conf);

/* What went wrong in the configuration, several at once, each a line
 * "FILE:LINE: subject: cause; remedy". */
struct faults {
	char **line;
	size_t n;
};

void faults_add(struct faults *f, const struct node *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void faults_release(struct faults *f);

#endif /* SETTING_H */
