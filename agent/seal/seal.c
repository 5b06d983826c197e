/*
 * seal.c - the role that holds the signing key.
 *
 * It joins what collect hashed to the feeds' trees, signs their new sizes
 * and roots, and so sets batches free for shipping.  It talks to nobody.
 * What it signs is in its log first, and must extend what the log has.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/role.h"
#include "config/config.h"
#include "config/secret.h"
#include "evidence/checkpoint.h"
#include "evidence/note.h"
#include "evidence/rotation.h"
#include "seal/continuity.h"
#include "seal/seal.h"
#include "seal/sign_log.h"
#include "seal/slow.h"
#include "store/batch.h"
#include "store/store.h"
#include "store/trouble.h"

#define REST_MS 10000         /* rest between looks when nobody wakes us */
#define RETRY_MS 5000         /* rest after a failure */
#define LEAN_MS 5000          /* … until what sealing needs is given back */
#define SUBJECT "seal"        /* of its troubles */
#define KEY_TOLD CLOCK_SECOND /* a key that is slow is told */
#define KEY_MAX (10 * CLOCK_MINUTE)  /* … and given up with its process */
#define COMPLAIN (10 * CLOCK_MINUTE) /* a lasting failure is said again */

struct seal {
	const struct role *role;
	struct store *store;
	struct signer *signer;
	struct sign_log *log;
	struct digest *digest;
	struct buf note;
	struct buf value;
	struct unsealed next;
	char message[sizeof(((struct err *)NULL)->text)]; /* last complaint */
	int64_t logged_at;
	int64_t slow_at; /* the log was told that the key is slow; 0: never */
	int64_t busy;    /* something was sealed then; 0: all is given back */
	bool slow;       /* … and so was status */
	bool late;       /* the key's last answer was, or will be */
	bool elsewhere;  /* the key answers from outside of this process */
	bool broken;     /* the store does not extend the log */
};

#define ORIGIN_LEN (sizeof(((struct unsealed *)NULL)->feed) + 256)

/* Let status and /readyz know; the log does already. */
static void
tell(struct seal *s, const char *what, const struct err *err)
{
	struct trouble t = {
		.subject = SUBJECT,
		.class = "seal",
		.since = clock_now(),
		.until = INT64_MIN,
		.stands = true,
	};
	struct err why = ERR_INIT;

	(void)snprintf(t.code, sizeof(t.code), "%s", what);
	(void)snprintf(t.text, sizeof(t.text), "%.511s", err->text);
	if (trouble_forget(s->store, SUBJECT, &why) == -1 ||
	    trouble_set(s->store, &t, &why) == -1)
		log_warn("%s", why.text);
}

/* All is well, or nothing is known yet. */
static void
tell_end(struct seal *s)
{
	struct err why = ERR_INIT;

	s->message[0] = '\0';
	s->slow = false;
	if (trouble_forget(s->store, SUBJECT, &why) == -1)
		log_warn("%s", why.text);
}

/* Tell of a failure once when it is new, and from time to time while it
 * lasts. */
static void
complain(struct seal *s, const char *what, const struct err *err)
{
	int64_t now = clock_monotonic();

	if (strcmp(s->message, err->text) == 0 && now - s->logged_at < COMPLAIN)
		return;
	memcpy(s->message, err->text, sizeof(s->message));
	s->logged_at = now;
	log_err("%s: %s; nothing is shipped until this succeeds", what,
	    s->message);
	tell(s, what, err);
}

/* slow.h: it may answer at any time, so this is no failure.  One that takes its
 * time for each signature is told in the log from time to time. */
static void
key_lasts(void *ctx)
{
	struct seal *s = ctx;
	struct err err = ERR_INIT;
	int64_t now = clock_monotonic();

	s->late = true;
	if (s->slow)
		return;
	s->slow = true;
	(void)err_set(&err,
	    "the key takes a second or longer to answer, if it does; sealing "
	    "waits for it, and collecting goes on");
	tell(s, "agent.key", &err);
	if (s->slow_at != 0 && now - s->slow_at < COMPLAIN)
		return;
	s->slow_at = now;
	log_warn("agent.key: %s", err.text);
}

/* Ask the key for something, which may take its time. */
static int
ask_key(struct seal *s, int (*fn)(void *ctx, struct err *err), void *ctx,
    struct err *err)
{
	const struct slow slow = { .role = s->role,
		.told = KEY_TOLD,
		.max = KEY_MAX,
		.lasts = key_lasts,
		.ctx = s };

	s->late = false;
	return s->elsewhere ? slow_do(&slow, fn, ctx, err) : fn(ctx, err);
}

struct opening {
	const char *name, *text;
	struct signer *signer;
};

static int
open_signer(void *ctx, struct err *err)
{
	struct opening *o = ctx;

	o->signer = signer_open(o->name, o->text, err);
	return o->signer != NULL ? 0 : -1;
}

/* The key as the configuration says: a URI, PEM, or a file of either. */
static struct signer *
load_key(struct seal *s, struct err *err)
{
	const struct agent_conf *a = &s->role->config->agent;
	char *text = secret_resolve_pem(a->key, err);
	struct opening o = { .name = a->name, .text = text };

	if (text != NULL) {
		s->elsewhere = signer_is_elsewhere(text);
		if (ask_key(s, open_signer, &o, err) != 0)
			(void)secret_blame(a->key, err);
	}
	secret_free(text);
	return o.signer;
}

struct signing {
	const struct signer *signer;
	const char *origin;
	uint64_t size;
	const uint8_t *root;
	struct buf *note;
};

static int
sign_note(void *ctx, struct err *err)
{
	const struct signing *g = ctx;

	return note_sign(g->signer, g->origin, g->size, g->root, g->note, err);
}

/* The next tree head must extend what was signed under that origin. */
static int
extends(struct seal *s, const char *origin, struct err *err)
{
	uint64_t until = 0;
	int rc = continuity_allows(s->log, origin, &s->next, &until, err);

	if (rc == 0 && until != 0) {
		s->next.until = until;
		if (batch_next_unsealed(s->store, &s->next, err) == -1)
			return -1;
		rc = continuity_allows(s->log, origin, &s->next, NULL, err);
	}
	s->broken = rc == 1;
	return rc == 0 ? 0 : -1;
}

/* Put the head into the log, durable, before anyone can see it signed. */
static int
remember(struct seal *s, char *origin, uint64_t size,
    const uint8_t root[DIGEST_LEN], struct err *err)
{
	struct sign_head head = { .origin = origin, .size = size };

	memcpy(head.root, root, DIGEST_LEN);
	if (sign_log_append(s->log, &head, err) == 0)
		return 0;
	sign_log_close(s->log);
	s->log = NULL;
	return -1;
}

/* Sign the tree of s->next with its new leaves: 0 or -1. */
static int
seal_one(struct seal *s, struct err *err)
{
	struct unsealed *u = &s->next;
	struct merkle_range after;
	const struct proof_parts parts = { .note = &s->note,
		.before = &u->peaks,
		.after = &after,
		.check = &u->check,
		.keys = signer_rotations(s->signer) };
	uint8_t root[DIGEST_LEN];
	char origin[ORIGIN_LEN];
	struct signing signing = { .signer = s->signer,
		.origin = origin,
		.root = root,
		.note = &s->note };

	if (snprintf(origin, sizeof(origin), "%s/%s",
		s->role->config->agent.name, u->feed) >= (int)sizeof(origin))
		return err_set(err, "%s: the agent's name is too long",
		    u->feed);
	if (extends(s, origin, err) == -1)
		return -1;
	after = u->peaks;
	if (merkle_join(s->digest, &after, &u->added) == -1)
		return err_set(err,
		    "%s: the batches from index %" PRIu64
		    " do not follow the sealed tree of %" PRIu64 " events",
		    u->feed, u->added.first, u->peaks.end);
	merkle_root(s->digest, &after, root);
	buf_clear(&s->note);
	buf_clear(&s->value);
	signing.size = after.end;
	if (ask_key(s, sign_note, &signing, err) == -1) {
		/* A token that was pulled needs a fresh session. */
		signer_free(s->signer);
		s->signer = NULL;
		return -1;
	}
	if (proof_build(&s->value, &parts, err) == -1 ||
	    remember(s, origin, after.end, root, err) == -1)
		return -1;
	return batch_seal(s->store, u, &after, s->value.data, err);
}

/* Seal everything that waits: 1 something was sealed, 0 nothing was there,
 * -1. */
static int
seal_all(struct seal *s, struct err *err)
{
	int sealed = 0;

	while (!role_stopping(s->role)) {
		int rc = batch_next_unsealed(s->store, &s->next, err);

		if (rc == 1)
			rc = seal_one(s, err) == -1 ? -1 : 1;
		if (rc == -1)
			return -1;
		if (rc == 0)
			break;
		log_debug("%s: sealed up to %" PRIu64, s->next.feed,
		    s->next.added.end);
		sealed = 1;
		role_alive(s->role);
		/* What is sealed can travel while the rest is signed. */
		role_wake(s->role, ROLE_SHIP);
	}
	return sealed;
}

/* Have the key and the log at hand: 0, or -1 and it was said what is wrong. */
static int
open_both(struct seal *s)
{
	const struct agent_conf *a = &s->role->config->agent;
	const struct continuity c = {
		.agent = a->name, .path = a->seal.log, .store = s->store
	};
	struct continuity_news news = { .text = "" };
	struct err err = ERR_INIT;

	if (s->signer == NULL) {
		s->signer = load_key(s, &err);
		if (s->signer == NULL) {
			complain(s, "agent.key", &err);
			return -1;
		}
		log_notice("signing key loaded");
	}
	if (s->log == NULL && continuity_open(&c, &s->log, &news, &err) == -1) {
		complain(s, "agent.seal.log", &err);
		return -1;
	}
	if (news.text[0] != '\0')
		log_notice("%s", news.text);
	return 0;
}

/* How long to rest now.  Between the events of a steady stream all is kept,
 * since what is given back must be found again. */
static int
rest(struct seal *s, bool sealed)
{
	const int64_t now = clock_monotonic();

	if (sealed) {
		s->busy = now;
	} else if (now - s->busy >= LEAN_MS * CLOCK_SECOND / 1000) {
		if (s->busy != 0) {
			store_rest(s->store);
			mem_give_back();
		}
		s->busy = 0;
	}
	return s->busy == 0 ? REST_MS : LEAN_MS;
}

/* One turn of the loop; returns how long to rest. */
static int
turn(struct seal *s)
{
	struct err err = ERR_INIT;
	int sealed;

	if (open_both(s) == -1)
		return RETRY_MS;
	role_ready(s->role);
	sealed = seal_all(s, &err);
	if (sealed == -1) {
		complain(s, "sealing", &err);
		return RETRY_MS;
	}
	if (sealed == 0)
		s->late = false;
	if (s->message[0] != '\0' || (s->slow && !s->late))
		tell_end(s);
	return rest(s, sealed == 1);
}

int
seal_run(const struct role *r)
{
	struct err err = ERR_INIT;
	struct seal s = {
		.role = r,
		.note = BUF_INIT(NOTE_MAX),
		.value = BUF_INIT(PROOF_MAX),
		.next = { .check = BUF_INIT(PROOF_MAX) },
	};

	s.store = store_open(r->config->agent.store.path, STORE_DURABLE, &err);
	if (s.store == NULL) {
		log_err("%s", err.text);
		return 1;
	}
	s.digest = digest_new();
	tell_end(&s);
	while (!role_stopping(r) && !s.broken) {
		role_alive(r);
		role_rest(r, turn(&s));
	}
	signer_free(s.signer);
	sign_log_close(s.log);
	digest_free(s.digest);
	buf_release(&s.note);
	buf_release(&s.value);
	buf_release(&s.next.check);
	store_close(s.store);
	return s.broken ? ROLE_DAMAGED : 0;
}
