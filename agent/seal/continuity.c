/*
 * continuity.c - the store and the log of what was signed tell one history.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "seal/continuity.h"
#include "seal/sign_log.h"
#include "store/backup.h"
#include "store/batch.h"
#include "store/feed.h"
#include "store/tree.h"

#define CAUSE_LEN 256

static char *
origin_of(const struct continuity *c, const struct tree *t)
{
	return xasprintf("%s/%s", c->agent, t->name);
}

/* Heads of all trees that were signed so far, by the store. */
static int
heads_of(const struct continuity *c, struct sign_head **heads, size_t *n,
    struct err *err)
{
	struct digest *d = digest_new();
	struct tree t = { .id = 0 };
	int rc;

	while ((rc = tree_next(c->store, t.id, &t, err)) == 1) {
		struct sign_head *h;

		if (!t.sound || t.peaks.end == 0)
			continue;
		*heads = xreallocarray(*heads, *n + 1, sizeof(**heads));
		h = &(*heads)[(*n)++];
		h->origin = origin_of(c, &t);
		h->size = t.peaks.end;
		merkle_root(d, &t.peaks, h->root);
	}
	digest_free(d);
	return rc;
}

/* Begin a log with the trees as they are. */
static int
adopt(const struct continuity *c, size_t *n, struct err *err)
{
	struct sign_head *heads = NULL;
	int rc = heads_of(c, &heads, n, err);

	if (rc == 0)
		rc = sign_log_create(c->path, heads, *n, err);
	for (size_t i = 0; i < *n; i++)
		free(heads[i].origin);
	free(heads);
	return rc;
}

/* Open a log that was made a moment ago, and let the store know it. */
static int
open_new(const struct continuity *c, struct sign_log **log, struct err *err)
{
	const int rc = sign_log_open(c->path, log, err);

	if (rc == 1 && tree_set_log_id(c->store, sign_log_id(*log), err) == 0)
		return 0;
	if (rc == 1)
		sign_log_close(*log);
	return rc == 0 ? err_set(err, "%s: has vanished", c->path) : -1;
}

int
continuity_open(const struct continuity *c, struct sign_log **log,
    struct continuity_news *news, struct err *err)
{
	int rc = sign_log_open(c->path, log, err);
	char id[TREE_LOG_ID];
	size_t n = 0;

	if (rc != 0)
		return rc == 1 ? 0 : -1;
	if (tree_log_id(c->store, id, err) != 0)
		return -1;
	if (id[0] != '\0')
		return err_set(err,
		    "%s: the log of what was signed is gone; put it back, or "
		    "stop the agent and run \"sealfeed store restored\", which "
		    "begins a log and new trees",
		    c->path);
	if (adopt(c, &n, err) != 0 || open_new(c, log, err) != 0)
		return -1;
	if (n > 0)
		(void)snprintf(news->text, sizeof(news->text),
		    "%s: the log of what is signed begins with the %zu trees "
		    "of the store as they are",
		    c->path, n);
	return 0;
}

/* Why a tree with these peaks does not extend head, which is not beyond it:
 * 1 and cause, or 0. */
static int
differs(const struct sign_head *head, const struct merkle_range *peaks,
    char cause[CAUSE_LEN])
{
	struct digest *d = digest_new();
	const uint64_t size = head == NULL ? 0 : head->size;
	uint8_t root[DIGEST_LEN];
	int rc = 1;

	merkle_root(d, peaks, root);
	digest_free(d);
	if (size != peaks->end)
		(void)snprintf(cause, CAUSE_LEN,
		    "the store says that %" PRIu64 " of its events were "
		    "signed, the log of what was signed says %" PRIu64,
		    peaks->end, size);
	else if (head != NULL && memcmp(root, head->root, DIGEST_LEN) != 0)
		(void)snprintf(cause, CAUSE_LEN,
		    "the %" PRIu64 " events of the store are not those that "
		    "were signed",
		    size);
	else
		rc = 0;
	return rc;
}

static void
say_behind(const struct sign_head *head, uint64_t size, char cause[CAUSE_LEN])
{
	(void)snprintf(cause, CAUSE_LEN,
	    "%" PRIu64 " of its events were signed, of which the store has "
	    "only the first %" PRIu64 ": it was restored from an older copy, "
	    "or changed",
	    head->size, size);
}

/* Why the tree must not be signed any further: 1 and cause, 0 it may, -1. */
static int
judge(const struct continuity *c, const struct sign_log *log,
    const struct tree *t, char cause[CAUSE_LEN], struct err *err)
{
	char *origin = origin_of(c, t);
	const struct sign_head *head = sign_log_find(log, origin);
	uint8_t root[DIGEST_LEN];
	int rc;

	free(origin);
	if (head == NULL || head->size <= t->peaks.end)
		return differs(head, &t->peaks, cause);
	/* A crash between the log and the commit leaves the log ahead. */
	rc = tree_root(c->store, t, head->size, root, err);
	if (rc == 1 && memcmp(root, head->root, DIGEST_LEN) == 0)
		return 0;
	if (rc >= 0)
		say_behind(head, t->peaks.end, cause);
	return rc < 0 ? -1 : 1;
}

static void
note(struct continuity_news *news, size_t n, const char *tree,
    const char *cause)
{
	if (n == 1)
		(void)snprintf(news->text, sizeof(news->text),
		    "%s begins a new tree: %s", tree, cause);
	else
		(void)snprintf(news->text, sizeof(news->text),
		    "%zu feeds begin new trees, among them %s: %s", n, tree,
		    cause);
}

/* Retire the trees of the store that do not extend the log. */
static int
check_trees(const struct continuity *c, const struct sign_log *log, size_t *n,
    struct continuity_news *news, struct err *err)
{
	struct tree t = { .id = 0 };
	char cause[CAUSE_LEN];
	int rc;

	while ((rc = tree_next(c->store, t.id, &t, err)) == 1) {
		/* A damaged one is for the recovery; one that is closed and
		 * wholly signed will not be signed again. */
		if (!t.sound || (t.closed && t.size <= t.peaks.end))
			continue;
		rc = judge(c, log, &t, cause, err);
		if (rc == 1) {
			note(news, ++*n, t.name, cause);
			rc = tree_renew(c->store, &t, cause, err);
		}
		if (rc != 0)
			return -1;
	}
	return rc < 0 ? -1 : 0;
}

/* Retire the trees that were signed and of whose feed the store has none. */
static int
check_log(const struct continuity *c, const struct sign_log *log, size_t *n,
    struct continuity_news *news, struct err *err)
{
	static const char cause[] =
	    "the store has none of the events that were signed: it was begun "
	    "anew";
	const size_t len = strlen(c->agent);
	const struct sign_head *h;

	for (size_t i = 0; (h = sign_log_at(log, i)) != NULL; i++) {
		char *feed;
		int rc;

		if (strncmp(h->origin, c->agent, len) != 0 ||
		    h->origin[len] != '/')
			continue;
		feed = xstrndup(h->origin + len + 1,
		    strcspn(h->origin + len + 1, "~"));
		rc = tree_known(c->store, feed, err);
		/* Where no feed may begin under its own name, all is said. */
		if (rc == 0)
			rc = tree_known(c->store, TREE_ANY, err);
		if (rc == 0) {
			if (strcmp(feed, TREE_ANY) != 0)
				note(news, ++*n, feed, cause);
			rc = tree_retire(c->store, feed, cause, err);
		}
		free(feed);
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* Move what is no log out of the way. */
static int
move_aside(const char *path, struct err *err)
{
	char *aside = xasprintf("%s.unusable-%lld", path,
	    (long long)(clock_now() / CLOCK_SECOND));
	int rc = rename(path, aside);

	if (rc != 0 && errno == ENOENT)
		rc = 0;
	else if (rc != 0)
		(void)err_set(err, "%s: cannot be renamed: %s", path,
		    strerror(errno));
	else
		rc = file_sync_folder(path, err);
	free(aside);
	return rc;
}

/* A log that does not know what was signed before it: by its first head no tree
 * may begin that has the name of its feed, in this store or another. */
static int
begin_unknowing(const struct continuity *c, struct err *err)
{
	struct sign_head any = { .size = 0 };
	int rc;

	any.origin = xasprintf("%s/" TREE_ANY, c->agent);
	rc = sign_log_create(c->path, &any, 1, err);
	free(any.origin);
	return rc;
}

/* Put back the log that a backup of the store has kept, where there is one: it
 * knows what was signed until then, and says that it does not know the rest. */
static int
put_back_log(const struct continuity *c, struct sign_log **log, struct err *err)
{
	struct buf text = BUF_INIT(SIGN_LOG_MAX);
	struct sign_head any = { .size = 0 };
	struct err damaged = ERR_INIT;
	int rc = backup_log(c->store, &text, err);

	if (rc == 0 && text.len > 0 &&
	    (file_parents(c->path, err) != 0 ||
		file_replace(c->path, text.data, text.len, SIGN_LOG_MODE,
		    err) != 0))
		rc = -1;
	if (rc == 0 && text.len > 0 &&
	    sign_log_open(c->path, log, &damaged) == 1) {
		any.origin = xasprintf("%s/" TREE_ANY, c->agent);
		rc = sign_log_append(*log, &any, err);
		free(any.origin);
	}
	buf_release(&text);
	return rc;
}

/* Have a log: the one there is, the backup's, or one that knows nothing. */
static int
open_any(const struct continuity *c, struct sign_log **log, struct err *err)
{
	struct err unusable = ERR_INIT;

	if (sign_log_open(c->path, log, &unusable) == 1)
		return 0;
	if (move_aside(c->path, err) != 0 || put_back_log(c, log, err) != 0)
		return -1;
	if (*log != NULL)
		return 0;
	if (begin_unknowing(c, err) != 0)
		return -1;
	return open_new(c, log, err);
}

/* Retire every tree in use: of one that has no events here, some may have been
 * signed after this copy was made. */
static int
retire_all(const struct continuity *c, const char *cause, size_t *n,
    struct err *err)
{
	struct sign_log *log = NULL;
	struct tree t = { .id = 0 };
	int rc = open_any(c, &log, err);

	*n = 0;
	/* What the store has no events of may have been signed, too. */
	if (rc == 0)
		rc = tree_retire(c->store, TREE_ANY, cause, err);
	while (rc == 0 && (rc = tree_next(c->store, t.id, &t, err)) == 1) {
		rc = 0;
		if (t.closed && t.size <= t.peaks.end)
			continue;
		if (t.size == 0) {
			rc = tree_retire(c->store, t.name, cause, err);
			continue;
		}
		rc = tree_renew(c->store, &t, cause, err);
		*n += rc == 0 && !t.closed;
	}
	if (rc == 0)
		rc = tree_set_log_id(c->store, sign_log_id(log), err);
	if (rc == 0)
		rc = backup_adopt(c->store, err);
	sign_log_close(log);
	return rc;
}

int
continuity_restored(const struct continuity *c, size_t *n, struct err *err)
{
	return retire_all(c,
	    "the administrator says that the store was restored", n, err);
}

/* The store is a backup from then: what was signed later, nobody here knows. */
static int
adopt_backup(const struct continuity *c, int64_t made,
    struct continuity_news *news, struct err *err)
{
	char when[CLOCK_TEXT], cause[CAUSE_LEN];
	size_t n;

	(void)clock_format(made, 0, when);
	(void)snprintf(cause, sizeof(cause),
	    "the store was restored from a backup of %s", when);
	if (retire_all(c, cause, &n, err) != 0)
		return -1;
	(void)snprintf(news->text, sizeof(news->text),
	    "%s; %zu feeds begin new trees", cause, n);
	return 0;
}

int
continuity_check(const struct continuity *c, struct continuity_news *news,
    struct err *err)
{
	struct sign_log *log;
	int64_t made;
	size_t n = 0;
	int rc;

	news->text[0] = '\0';
	rc = backup_is(c->store, &made, err);
	if (rc != 0)
		return rc == 1 ? adopt_backup(c, made, news, err) : -1;
	if (continuity_open(c, &log, news, err) != 0)
		return -1;
	rc = check_trees(c, log, &n, news, err);
	if (rc == 0)
		rc = check_log(c, log, &n, news, err);
	if (rc == 0)
		rc = tree_set_log_id(c->store, sign_log_id(log), err);
	sign_log_close(log);
	return rc;
}

int
continuity_allows(const struct sign_log *log, const char *origin,
    const struct unsealed *u, uint64_t *until, struct err *err)
{
	const struct sign_head *head = sign_log_find(log, origin);
	struct merkle_range tree = u->peaks;
	char cause[CAUSE_LEN];
	struct digest *d;
	int rc = 1;

	if (head == NULL || head->size <= tree.end) {
		rc = differs(head, &tree, cause);
	} else if (u->added.end != head->size && until != NULL) {
		*until = head->size;
		rc = 0;
	} else if (u->added.end != head->size) {
		say_behind(head, tree.end, cause);
	} else {
		d = digest_new();
		if (merkle_join(d, &tree, &u->added) == 0)
			rc = differs(head, &tree, cause);
		else
			say_behind(head, tree.end, cause);
		digest_free(d);
	}
	if (rc == 1)
		(void)err_set(err, "%s: %s", origin, cause);
	return rc;
}
