/*
 * setting.h - options as rows of a table.
 *
 * A row is all there is to an option: parser, default, range check, nearest
 * known key, `sealfeed options`, `sealfeed check` and the manual page read
 * it.  A table fills a struct of its module by offset.
 */
#ifndef CONFIG_SETTING_H
#define CONFIG_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/errors.h"

struct buf;
struct node;

enum setting_type {
	SETTING_STRING,   /* char *, owned; NULL when unset or "" */
	SETTING_LIST,     /* char **, NULL-terminated, owned */
	SETTING_INTEGER,  /* int64_t */
	SETTING_BOOL,     /* bool */
	SETTING_SIZE,     /* int64_t, bytes ("64KiB") */
	SETTING_DURATION, /* int64_t, microseconds ("30m") */
	SETTING_CHOICE,   /* int: index into choices */
	SETTING_SECRET,   /* char *: the text with its ${…} unresolved; see
			     config/secret.h */
	SETTING_SECRETS,  /* struct setting_pair *: map of name to such a text,
			     ended by a NULL name */
	SETTING_TABLE     /* the rows of .table, whose struct is at offset,
			     stand beside the others; key is only a label */
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
	bool writes;     /* of a text: the path of what is written, a file or a
			    folder */
	bool reads;      /* … of a file that is read whenever it is used */
	const char *def; /* as it would stand in the file; NULL: none */
	int64_t min;     /* with max, for numbers; min == max: no range */
	int64_t max;
	const char *const *choices;  /* NULL-terminated */
	const struct setting *table; /* of SETTING_TABLE */
	const char *help; /* sentences, for the manual and `options` */
	/* The question by which `setup` asks for it, without a mark at its end;
	 * NULL: it does not, unless the option is required.  Not asked where
	 * one of the options named in unless, with blanks between them, has
	 * been answered. */
	const char *ask;
	const char *unless;
};

/* The row that ends every table. */
#define SETTING_END         \
	{                   \
		.key = NULL \
	}

/*
 * Fill conf (zeroed, laid out as table says) from map, defaults first.  Every
 * fault is added to errors with its file and line (unknown key with the
 * nearest known one, wrong type, out of range, missing); the caller looks at
 * errors, not at a return value.  A value of null, or "" where text is meant,
 * is as if the key were not there.  where is the path of map in messages,
 * "sources.contoso".  Keys in skip (NULL-terminated, may be NULL) belong to
 * the caller.  Secrets are checked for their form only and never repeated in
 * a fault.  A path, or what may be one in place of PEM, is a fault where only a
 * shell would understand it (file_wants_shell()).  A value that has a fault
 * keeps its default.
 */
void settings_fill(const struct setting *table, const struct node *map,
    const char *where, const char *const *skip, void *conf,
    struct config_errors *errors);

/* Free what settings_fill() allocated in conf, not conf itself. */
void settings_release(const struct setting *table, void *conf);

/* A row, and where its value is in the struct of the whole table. */
struct setting_row {
	const struct setting *setting;
	size_t offset;
};

/* Call fn for each row of table, tables within in their place.  row is
 * borrowed for the call. */
typedef void setting_fn(void *ctx, const struct setting_row *row);
void settings_each(const struct setting *table, setting_fn *fn, void *ctx);

/* Is it a secret as it stands, and not PEM or a URL with one in it? */
bool setting_is_text_secret(const struct setting *s);

/* Is it PEM, or the name of a file that has it (secret_resolve_pem())? */
bool setting_is_pem(const struct setting *s);

/* For the manual and `options`: "duration", "list", …; and the range of a
 * number as the file would write it, "1 to 64", or the choices, "tls, tcp",
 * appended to out (nothing where there are none): 0, -1 at its ceiling. */
const char *setting_type_name(const struct setting *s);
int setting_range(const struct setting *s, struct buf *out);

#endif /* CONFIG_SETTING_H */
