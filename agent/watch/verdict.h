/*
 * verdict.h - how the agent does, in one line: for `sealfeed status` and its
 * --check, for /readyz, /healthz and the page, and for systemd.
 *
 * A pure function of a struct status and of limits.  Everything that is not
 * well is a remark; the worst comes first, and the line is that of the first.
 */
#ifndef WATCH_VERDICT_H
#define WATCH_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "watch/limits.h"

struct err;
struct json_put;
struct status;

struct remark {
	enum level level;
	unsigned rank;     /* among those of its level: the worst is 0 */
	bool idle;         /* the agent does not do (all of) its work */
	bool dead;         /* and that is the agent's own illness */
	int64_t since;     /* REPORT_NEVER: not known */
	char subject[256]; /* a feed, an output, a role …; "" the agent */
	char state[320];   /* what it is, the subject in it: "siem blocked for
			      5 min" */
	char text[1024];   /* cause and remedy; "" none */
};

struct verdict {
	enum level level;
	struct remark *remark; /* the worst first */
	size_t n;
	int64_t figure[FIGURES]; /* -1: not known, or nothing there */
	char line[1500];         /* "siem blocked for 5 min (1 more): …" */
};

/* Judge st; limits NULL: the default.  Release *v. */
void verdict_of(const struct status *st, const struct limits *limits,
    struct verdict *v);
void verdict_release(struct verdict *v);

/* The verdict where there is no status, since the store could not be read for
 * that reason: by the file of the roles and the life in st. */
void verdict_without_store(const struct status *st, const char *why,
    struct verdict *v);

/* 0 the agent does its work (/readyz); is alive (/healthz).  -1: err says what
 * is the matter. */
int verdict_works(const struct verdict *v, struct err *err);
int verdict_alive(const struct verdict *v, struct err *err);

/* Others to which the same applies: how many, and the names of the first. */
#define ALIKE_NAMED 6
struct alike {
	size_t n;
	char names[6 * 64]; /* with commas between them, cut where they are
			       long */
};

void alike_add(struct alike *a, const char *name);
/* "the same of 39 others: a, b and 37 more" to out. */
void alike_text(const struct alike *a, char *out, size_t size);

/* One cause lets many stand still, as all feeds of a source.  False: a remark
 * before this one has the same cause and level, so that it need not be told.
 * True, with those behind it that have. */
bool verdict_leads(const struct verdict *v, size_t i, struct alike *others);

/* Add "verdict" to an object. */
void verdict_json(const struct verdict *v, struct json_put *j);

#endif /* WATCH_VERDICT_H */
