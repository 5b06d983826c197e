/*
 * live.c - `check --live`: may each content type be listed and fetched?
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/splitter.h"
#include "http/server_clock.h"
#include "sources/office365/office365.h"

/* It looks back so far, and keeps a row of this length. */
#define LIVE_SPAN (CLOCK_DAY - CLOCK_MINUTE)
#define ROW_MAX (64 * 1024)

/* A document that is an array, read to its end. */
struct reading {
	struct splitter *splitter;
	size_t n;
	char *uri; /* of its first element that has a contentUri; owned */
};

/* splitter_fn */
static int
count_element(void *ctx, const struct element *el, struct err *err)
{
	struct reading *d = ctx;
	json_t *row;
	const char *uri;

	(void)err;
	d->n++;
	if (d->uri != NULL || el->data == NULL || el->len > ROW_MAX)
		return 0;
	row = json_loadb(el->data, el->len, JSON_ALLOW_NUL, NULL);
	uri = json_string_value(json_object_get(row, "contentUri"));
	if (uri != NULL && *uri != '\0')
		d->uri = xstrdup(uri);
	json_decref(row);
	return 0;
}

/* http_take_fn */
static int
take_reading(void *ctx, const char *data, size_t len, struct err *err)
{
	struct reading *d = ctx;

	return splitter_push(d->splitter, data, len, err);
}

/* Get such a document from url; what: the vendor's word for a URL of its own,
 * or NULL. */
static enum reply_class
read_array(struct worker *w, const char *url, const char *what,
    struct reading *d, struct outcome *r)
{
	static const struct splitter_spec spec = {
		.max = EVENT_MAX, .pass_longer = true, .repairs = true
	};
	const struct office365 *o = w->source->state;
	const struct request q = {
		.url = url, .what = what, .take = take_reading, .ctx = d
	};
	struct http_reply reply;
	struct err err = ERR_INIT;

	*d = (struct reading){ .splitter =
				   splitter_new(&spec, count_element, d) };
	http_reply_init(&reply);
	if (request_send(w, &o->api, &q, &reply, r) == REPLY_OK &&
	    splitter_end(d->splitter, &err) != 0)
		(void)outcome_set(r, REPLY_RETRY,
		    "the reply is not the JSON array that it should be: %s",
		    err.text);
	http_reply_release(&reply);
	splitter_free(d->splitter);
	return r->class;
}

/* Fetch a blob that was listed. */
static enum reply_class
try_blob(struct worker *w, const char *uri, size_t *events, struct outcome *r)
{
	const struct office365 *o = w->source->state;
	struct buf url = BUF_INIT(OFFICE365_URL_MAX);
	struct reading blob = { .n = 0 };

	if (office365_publish(o, uri, &url) != 0)
		(void)outcome_set(r, REPLY_RETRY, "contentUri is too long");
	else
		(void)read_array(w, url.data, "contentUri", &blob, r);
	*events = blob.n;
	free(blob.uri);
	buf_release(&url);
	return r->class;
}

/* May this content be read?  Lists what came of late, and fetches one blob of
 * it. */
static enum reply_class
try_content(struct worker *w, const char *content_type, char *how, size_t size,
    struct buf *message, struct outcome *r)
{
	const struct office365 *o = w->source->state;
	int64_t now = server_clock_now(w->source->clock);
	const struct window last = { .from = now - LIVE_SPAN, .to = now };
	struct buf url = BUF_INIT(OFFICE365_URL_MAX);
	struct reading list = { .n = 0 };
	struct office365_odd odd;
	size_t events = 0;

	if (office365_list_try(w, content_type, &last, &odd, r) != REPLY_OK)
		return r->class;
	if (odd.rows > 0 &&
	    buf_addf(message, "%s: %s\n", content_type, odd.sentence) != 0)
		return outcome_set(r, REPLY_RETRY, "too much to say");
	if (office365_list_url(o, content_type, &last, &url) != 0)
		(void)outcome_set(r, REPLY_CONFIG, "api_url: too long");
	else if (read_array(w, url.data, NULL, &list, r) == REPLY_OK &&
	    list.uri == NULL)
		(void)snprintf(how, size,
		    "enabled and can be listed; fetching is not tested, since "
		    "nothing to fetch was listed for the last day");
	else if (r->class == REPLY_OK &&
	    try_blob(w, list.uri, &events, r) == REPLY_OK)
		(void)snprintf(how, size,
		    "enabled and can be listed; a blob with %zu event%s was "
		    "fetched",
		    events, events == 1 ? "" : "s");
	else if (r->class == REPLY_GONE) {
		/* Whether what is there can be fetched is not doubted. */
		(void)snprintf(how, size,
		    "enabled and can be listed; the blob that was asked for "
		    "is gone (%.64s)",
		    r->code);
		*r = (struct outcome){ .class = REPLY_OK };
	}
	free(list.uri);
	buf_release(&url);
	return r->class;
}

/* One line about one content type; r says why it can't be collected. */
static enum reply_class
look(struct worker *w, const char *content_type, struct buf *message,
    struct outcome *r)
{
	char how[256];
	struct office365_subscription sub;

	if (office365_find(w, content_type, &sub, r) != REPLY_OK)
		return r->class;
	if (!sub.enabled)
		(void)snprintf(how, sizeof(how),
		    "%s, and the agent starts it; not tested: permission, "
		    "list and fetching",
		    sub.known ? "disabled" : "missing");
	else if (try_content(w, content_type, how, sizeof(how), message, r) !=
	    REPLY_OK)
		return r->class;
	if (buf_addf(message, "%s: the subscription is %s\n", content_type,
		how) != 0)
		return outcome_set(r, REPLY_RETRY, "too much to say");
	return REPLY_OK;
}

int
office365_live(struct worker *w, struct buf *message, struct err *err)
{
	const struct office365_conf *conf = w->source->conf;
	int rc = 0;

	for (size_t i = 0; conf->content[i] != NULL; i++) {
		struct outcome r;

		if (look(w, conf->content[i], message, &r) == REPLY_OK)
			continue;
		/* Behind a refused token or a throttle all are alike. */
		if (r.class == REPLY_STOPPED)
			break;
		if (rc != 0 &&
		    buf_addf(message, "%s: %s\n", conf->content[i], r.text) !=
			0)
			break;
		rc = err_set(err, "%s: %s", conf->content[i], r.text);
	}
	return rc;
}
