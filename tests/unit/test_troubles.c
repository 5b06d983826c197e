/*
 * test_troubles.c - what the store says of troubles, when several threads have
 * some at once.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "collect/collect_private.h"
#include "sources/agent_feed.h"
#include "store/store.h"
#include "store/trouble.h"
#include "tests/unit/store_help.h"
#include "tests/unit/unit.h"

#define ROUNDS 60

static char dir[64];
static char path[128];
static struct collector c;
static struct source_runner runner;
static struct feed_worker worker;
static struct err err;

static void
set_up(void)
{
	store_help_begin(dir, sizeof(dir), path, sizeof(path));
	c = (struct collector){ .store = store_help_open(path, STORE_DURABLE) };
	(void)pthread_mutex_init(&c.lock, NULL);
	(void)pthread_mutex_init(&c.telling, NULL);
	c.own = agent_feed_open(c.store, "fra1", &err);
	ck_assert_msg(c.own != NULL, "%s", err.text);
	runner = (struct source_runner){ .collector = &c };
	worker = (struct feed_worker){ .runner = &runner };
	worker.stream.feed =
	    store_help_feed(c.store, "contoso/Audit.General", CLOCK_DAY);
}

static void
tear_down(void)
{
	feed_close(worker.stream.feed);
	agent_feed_close(c.own);
	store_close(c.store);
	(void)pthread_mutex_destroy(&c.telling);
	(void)pthread_mutex_destroy(&c.lock);
	store_help_end(dir);
}

static pthread_barrier_t together;

/* A fetcher that is refused: once more to be tried, or for good. */
static void *
refused(void *class)
{
	struct outcome r;

	(void)outcome_set(&r, *(const enum reply_class *)class,
	    "status 401: the access token is rejected");
	(void)pthread_barrier_wait(&together);
	collect_trouble(&worker, TROUBLE_OF_FETCH, &r, INT64_MIN, NULL);
	return NULL;
}

/* How many the store has. */
static int
stored(void)
{
	struct trouble t = { .subject = "" };
	int n = 0;

	while (trouble_next(c.store, &t, &err) == 1) {
		ck_assert_str_eq(t.code, "status-401");
		n++;
	}
	return n;
}

/* A trouble that changes its class is one; when it has ended, none is left. */
START_TEST(nothing_is_left)
{
	static enum reply_class classes[] = { REPLY_RETRY, REPLY_CREDENTIALS,
		REPLY_RETRY, REPLY_CREDENTIALS };
	pthread_t thread[4];

	(void)pthread_barrier_init(&together, NULL, 4);
	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < 4; i++)
			ck_assert_int_eq(pthread_create(&thread[i], NULL,
					     refused, &classes[i]),
			    0);
		for (size_t i = 0; i < 4; i++)
			(void)pthread_join(thread[i], NULL);
		ck_assert_int_eq(stored(), 1);
		collect_trouble_ends(&worker, TROUBLE_OF_FETCH);
		ck_assert_int_eq(stored(), 0);
	}
	(void)pthread_barrier_destroy(&together);
}
END_TEST

Suite *
suite_troubles(void)
{
	Suite *s = suite_create("troubles");
	TCase *tc = tcase_create("troubles");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, nothing_is_left);
	suite_add_tcase(s, tc);
	return s;
}
