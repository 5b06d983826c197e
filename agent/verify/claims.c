/*
 * claims.c - what the agent's own feed says about the others.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/mem.h"
#include "verify/claims.h"

/* More feeds or refused events than an agent can have; a forger's are passed
 * over. */
#define FEEDS_MAX 4096
#define DEAD_LETTERS_MAX 1000000
#define NAME_LEN_MAX 255
#define REASON_MAX 512

struct claims {
	struct claims_feed *feed;
	size_t n_feeds;
	struct claims_dead_letter *dead_letter;
	size_t n_letters;
};

struct claims *
claims_new(void)
{
	return xcalloc(1, sizeof(struct claims));
}

void
claims_free(struct claims *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; i < w->n_feeds; i++) {
		free(w->feed[i].agent_feed);
		free(w->feed[i].feed);
		free(w->feed[i].claim);
	}
	for (size_t i = 0; i < w->n_letters; i++) {
		free(w->dead_letter[i].agent_feed);
		free(w->dead_letter[i].feed);
		free(w->dead_letter[i].text);
	}
	free(w->feed);
	free(w->dead_letter);
	free(w);
}

bool
claims_is_agent(const char *feed)
{
	const char *slash = strchr(feed, '/');

	return slash != NULL && claims_is_tree_of(slash, "/agent");
}

bool
claims_is_agents(const char *agent_feed, const char *agent)
{
	size_t len = strlen(agent);

	return strncmp(agent_feed, agent, len) == 0 && agent_feed[len] == '/' &&
	    claims_is_tree_of(agent_feed + len, "/agent");
}

bool
claims_is_tree_of(const char *tree, const char *feed)
{
	size_t len = strlen(feed);

	return strncmp(tree, feed, len) == 0 &&
	    (tree[len] == '\0' || tree[len] == '~');
}

/* Room for one more in an array that doubles when n is a power of two. */
static void *
grow(void *list, size_t n, size_t size)
{
	if ((n & (n - 1)) != 0)
		return list;
	return xreallocarray(list, n == 0 ? 1 : 2 * n, size);
}

static struct claims_feed *
feed_of(struct claims *w, const char *agent_feed, const char *feed)
{
	struct claims_feed *f;

	for (size_t i = 0; i < w->n_feeds; i++) {
		f = &w->feed[i];
		if (strcmp(f->feed, feed) == 0 &&
		    strcmp(f->agent_feed, agent_feed) == 0)
			return f;
	}
	if (w->n_feeds == FEEDS_MAX)
		return NULL;
	w->feed = grow(w->feed, w->n_feeds, sizeof(*w->feed));
	f = &w->feed[w->n_feeds++];
	*f = (struct claims_feed){ .agent_feed = xstrdup(agent_feed),
		.feed = xstrdup(feed) };
	return f;
}

static void
claim(struct claims *w, const char *agent_feed, uint64_t index,
    const json_t *entry)
{
	const char *feed = json_string_value(json_object_get(entry, "feed"));
	json_int_t size = json_integer_value(json_object_get(entry, "size"));
	struct claims_feed *f;

	if (feed == NULL || strlen(feed) > NAME_LEN_MAX || size <= 0)
		return;
	f = feed_of(w, agent_feed, feed);
	/* A feed at rest is named by every heartbeat: one is enough. */
	if (f == NULL ||
	    (f->n > 0 && f->claim[f->n - 1].size == (uint64_t)size))
		return;
	f->claim = grow(f->claim, f->n, sizeof(*f->claim));
	f->claim[f->n++] =
	    (struct claim){ .size = (uint64_t)size, .index = index };
}

static void
dead_letter(struct claims *w, const char *agent_feed, const json_t *obj)
{
	const char *feed = json_string_value(json_object_get(obj, "feed"));
	const char *output = json_string_value(json_object_get(obj, "output"));
	const char *reason = json_string_value(json_object_get(obj, "reason"));
	const json_t *index = json_object_get(obj, "index");

	if (feed == NULL || output == NULL || !json_is_integer(index) ||
	    strlen(feed) > NAME_LEN_MAX || w->n_letters == DEAD_LETTERS_MAX)
		return;
	w->dead_letter =
	    grow(w->dead_letter, w->n_letters, sizeof(*w->dead_letter));
	w->dead_letter[w->n_letters++] = (struct claims_dead_letter){
		.agent_feed = xstrdup(agent_feed),
		.feed = xstrdup(feed),
		.index = (uint64_t)json_integer_value(index),
		.text = xasprintf("dead letter at output %.*s: %.*s",
		    NAME_LEN_MAX, output, REASON_MAX,
		    reason == NULL ? "no reason" : reason),
	};
}

void
claims_event(struct claims *w, const char *agent_feed, uint64_t index,
    struct slice event)
{
	json_t *obj = json_loadb(event.data, event.len, 0, NULL);
	const json_t *feeds = json_object_get(obj, "feeds");
	const char *type = json_string_value(json_object_get(obj, "type"));

	for (size_t i = 0; i < json_array_size(feeds); i++)
		claim(w, agent_feed, index, json_array_get(feeds, i));
	if (type != NULL && strcmp(type, "dead-letter") == 0)
		dead_letter(w, agent_feed, obj);
	json_decref(obj);
}

static int
by_feed(const void *a, const void *b)
{
	const struct claims_dead_letter *x = a;
	const struct claims_dead_letter *y = b;
	int order = strcmp(x->feed, y->feed);

	if (order != 0)
		return order;
	return x->index < y->index ? -1 : x->index > y->index;
}

void
claims_sort(struct claims *w)
{
	if (w->n_letters > 1)
		qsort(w->dead_letter, w->n_letters, sizeof(*w->dead_letter),
		    by_feed);
}

const struct claims_feed *
claims_feeds(const struct claims *w, size_t *n)
{
	*n = w->n_feeds;
	return w->feed;
}

const struct claims_dead_letter *
claims_dead_letter(const struct claims *w, const char *agent, const char *feed,
    uint64_t first, uint64_t end)
{
	size_t low = 0;
	size_t high = w->n_letters;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(w->dead_letter[mid].feed, feed);

		if (order < 0 ||
		    (order == 0 && w->dead_letter[mid].index < first))
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < w->n_letters; low++) {
		const struct claims_dead_letter *l = &w->dead_letter[low];

		if (strcmp(l->feed, feed) != 0 || l->index >= end)
			break;
		if (agent[0] == '\0' || claims_is_agents(l->agent_feed, agent))
			return l;
	}
	return NULL;
}
