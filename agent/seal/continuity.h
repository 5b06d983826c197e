/*
 * continuity.h - the store and the log of what was signed tell one history.
 *
 * Each tree must extend the last head that the log has of it.  One that does
 * not, because a backup was restored, the store is older, or someone changed
 * it, is retired, and its feed goes on in a new tree: never a second history
 * under a name that was signed.
 */
#ifndef SEAL_CONTINUITY_H
#define SEAL_CONTINUITY_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct sign_log;
struct store;
struct tree;
struct unsealed;

struct continuity {
	const char *agent; /* its name, the first part of each origin */
	const char *path;  /* of the log */
	struct store *store;
};

/* What a check found, a sentence, "" where there is nothing to say. */
struct continuity_news {
	char text[1024];
};

/*
 * Open the log.  Where there is none and the store knows of none either, which
 * is so at the first start with one, a log begins with the trees as they are.
 * -1: the log is gone, damaged or cannot be written; nothing may be signed.
 */
int continuity_open(const struct continuity *c, struct sign_log **log,
    struct continuity_news *news, struct err *err);

/* Compare every tree with the log, and retire those that do not extend it.  A
 * store that is a backup (store/backup.h) is taken for restored.  By the
 * supervisor, before the roles start.  -1: see continuity_open(). */
int continuity_check(const struct continuity *c, struct continuity_news *news,
    struct err *err);

/* Retire every tree, since the administrator says that the store was restored;
 * *n says of how many the store has events.  A log that is gone or damaged is
 * replaced by the one that a backup has kept, or begun anew.  The agent must
 * not run. */
int continuity_restored(const struct continuity *c, size_t *n, struct err *err);

/*
 * Before u is signed under origin: 0 it extends the log; 1 it does not, err
 * says why, and the supervisor must check.  A crash between the log and the
 * store leaves the log ahead: then *until is set, and u must be gathered again
 * to end there, and asked about with until NULL.
 */
int continuity_allows(const struct sign_log *log, const char *origin,
    const struct unsealed *u, uint64_t *until, struct err *err);

#endif /* SEAL_CONTINUITY_H */
