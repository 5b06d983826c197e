/*
 * pool.c - curl handles at rest.
 */
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "http/pool.h"

/* So many at most, a connection of TLS and its handle some 60 kB; and no more
 * than this part of the descriptors that the process may have, of which libcurl
 * takes three for each. */
#define ROOM 352
#define SHARE 8

/* curl uses no connection again that is older, and few servers keep one. */
#define LIFE (2 * CLOCK_MINUTE)

static struct {
	pthread_mutex_t lock;
	unsigned users;
	size_t n, room;
	struct rest {
		struct pooled handle;
		int64_t since; /* monotonic */
	} all[ROOM];           /* in the order in which they came */
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Take one out; with the lock held. */
static struct pooled
take_out(size_t i)
{
	const struct pooled p = pool.all[i].handle;

	memmove(&pool.all[i], &pool.all[i + 1],
	    (--pool.n - i) * sizeof(pool.all[0]));
	return p;
}

static size_t
find_room(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0 ||
	    files.rlim_cur / SHARE > ROOM)
		return ROOM;
	return (size_t)(files.rlim_cur / SHARE);
}

void
pool_enter(void)
{
	(void)pthread_mutex_lock(&pool.lock);
	if (pool.users++ == 0)
		pool.room = find_room();
	(void)pthread_mutex_unlock(&pool.lock);
}

void
pool_leave(void)
{
	(void)pthread_mutex_lock(&pool.lock);
	pool.users--;
	while (pool.users == 0 && pool.n > 0)
		curl_easy_cleanup(take_out(pool.n - 1).easy);
	(void)pthread_mutex_unlock(&pool.lock);
}

void
pool_take(struct pooled *p)
{
	const int64_t now = clock_monotonic();
	size_t i;

	p->easy = NULL;
	p->lay = POOL_NEVER;
	(void)pthread_mutex_lock(&pool.lock);
	/* The last that came first: the others may grow old and go. */
	for (i = pool.n; i > 0; i--)
		if (memcmp(pool.all[i - 1].handle.peer, p->peer, DIGEST_LEN) ==
		    0)
			break;
	if (i > 0) {
		p->lay = now - pool.all[i - 1].since;
		p->easy = take_out(i - 1).easy;
	}
	(void)pthread_mutex_unlock(&pool.lock);
}

/* The one that has to go for p: where each is used in turn and there are too
 * many, those that are here stay, or no one would ever find his own.  -1: p
 * itself; with the lock held. */
static ptrdiff_t
victim(const struct pooled *p)
{
	ptrdiff_t worst = 0;

	if (pool.n == 0)
		return -1;
	for (size_t i = 1; i < pool.n; i++)
		if (pool.all[i].handle.lay > pool.all[worst].handle.lay)
			worst = (ptrdiff_t)i;
	return p->lay < pool.all[worst].handle.lay / 2 ? worst : -1;
}

void
pool_put(struct pooled *p)
{
	const int64_t now = clock_monotonic();
	CURL *gone[2] = { NULL, NULL };
	ptrdiff_t i = 0;

	if (p->easy == NULL)
		return;
	/* It holds no pointer to what its user frees now. */
	curl_easy_reset(p->easy);
	(void)pthread_mutex_lock(&pool.lock);
	if (pool.n > 0 && now - pool.all[0].since > LIFE)
		gone[0] = take_out(0).easy;
	if (pool.n >= pool.room && (i = victim(p)) >= 0)
		gone[1] = take_out((size_t)i).easy;
	if (i >= 0)
		pool.all[pool.n++] = (struct rest){ *p, now };
	else
		gone[1] = p->easy;
	(void)pthread_mutex_unlock(&pool.lock);
	p->easy = NULL;
	for (size_t k = 0; k < 2; k++)
		curl_easy_cleanup(gone[k]);
}
