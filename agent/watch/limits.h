/*
 * limits.h - figures of a status that have limits: how much is too much.
 *
 * A row of a table in limits.c is a figure; --warning and --critical, perfdata
 * and the verdict follow from it.
 */
#ifndef WATCH_LIMITS_H
#define WATCH_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct status;

/* Those of monitoring plugins; the values are their exit statuses. */
enum level { LEVEL_OK, LEVEL_WARNING, LEVEL_CRITICAL, LEVEL_UNKNOWN };

/* "OK", "WARNING" … */
const char *level_name(enum level l);

/* Each is the worst of all feeds or outputs. */
enum figure {
	FIGURE_LAG,     /* of a feed behind its vendor */
	FIGURE_DELAY,   /* of the oldest event that an output has to deliver */
	FIGURE_BACKLOG, /* of an output, in events */
	FIGURE_HORIZON, /* until a vendor deletes what was not read */
	FIGURE_STORE,   /* how full it is */
	FIGURE_GAPS,    /* of the last day, and open */
	FIGURE_DEAD_LETTERS,
	FIGURE_CERTIFICATE, /* until the first one ends */
	FIGURES
};

enum figure_unit { FIGURE_SPAN, FIGURE_COUNT, FIGURE_PERCENT };

struct figure_kind {
	const char *name; /* "lag", in options and in perfdata */
	enum figure_unit unit;
	bool below;       /* a limit is passed downwards */
	int64_t limit[2]; /* warning, critical by default; -1: none */
	const char *remedy;
};
extern const struct figure_kind figure_kinds[FIGURES];

/* Warning, critical of each; -1: none.  Spans are microseconds. */
struct limits {
	int64_t limit[FIGURES][2];
};

void limits_default(struct limits *l);

/* Set limits as "lag=15m,backlog=1000,store=90%,gaps=none" says. */
int limits_set(struct limits *l, bool critical, const char *text,
    struct err *err);

/* What a value (-1: not known) is by the limits. */
enum level limits_level(const struct limits *l, enum figure f, int64_t value);

/* The figure, and whose it is in subject[size]; -1: not known, or there is
 * nothing of it. */
int64_t figure_read(const struct status *st, enum figure f, char *subject,
    size_t size);

/* Write "contoso/Audit.Exchange lags 2 h behind its vendor". */
void figure_words(enum figure f, int64_t value, const char *subject, char *out,
    size_t size);

#endif /* WATCH_LIMITS_H */
