/*
 * page.c - the status page.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/human.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/config.h"
#include "watch/history.h"
#include "watch/page.h"
#include "watch/status.h"
#include "watch/verdict.h"

/* Seconds after which a browser without scripts loads the page again. */
#define RELOAD 15

/* So many feeds are shown with their lines, and so many causes. */
#define FEEDS 50
#define CAUSES 20

#define WIDTH HISTORY_SAMPLES /* of a line; a unit a sample */
#define HEIGHT 20

static const char style[] = {
#include "agent/watch/page_css.inc"
	0
};
static const char script[] = {
#include "agent/watch/page_js.inc"
	0
};

struct out {
	struct buf *b;
	int rc; /* sticky */
};

static void put(struct out *o, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Markup of ours, with numbers in it. */
static void
put(struct out *o, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text) || buf_adds(o->b, text) != 0)
		o->rc = -1;
}

/* Text that may be anybody's, between tags and in attributes. */
static void
put_text(struct out *o, const char *text)
{
	static const struct {
		char c;
		const char *as;
	} escapes[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" },
		{ '"', "&quot;" }, { '\'', "&#39;" } };
	struct buf clean = BUF_INIT(1 << 20);
	const char *s, *as;

	if (text_printable(&clean, text, strlen(text)) != 0)
		o->rc = -1;
	for (s = clean.data; s != NULL && *s != '\0' && o->rc == 0; s++) {
		as = NULL;
		for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]);
		     i++)
			if (escapes[i].c == *s)
				as = escapes[i].as;
		if (as != NULL ? buf_adds(o->b, as) != 0
			       : buf_add(o->b, s, 1) != 0)
			o->rc = -1;
	}
	buf_release(&clean);
}

/* A class and a text in an element. */
static void
put_element(struct out *o, const char *tag, const char *class, const char *text)
{
	put(o, "<%s class=\"%s\">", tag, class);
	put_text(o, text);
	put(o, "</%s>", tag);
}

/* A cell with the name of its column, for narrow screens. */
static void put_cell(struct out *o, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
put_cell(struct out *o, const char *name, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put(o, "<td role=\"cell\" class=\"n\" data-name=\"%s\">", name);
	put_text(o, text);
	put(o, "</td>");
}

/* Begin a table with that name and these heads, ended by NULL; those that begin
 * with '>' are of numbers. */
static void
put_heads(struct out *o, const char *name, const char *const *heads)
{
	put(o,
	    "<table role=\"table\" aria-label=\"%s\"><thead role=\"rowgroup\">"
	    "<tr role=\"row\">",
	    name);
	for (; *heads != NULL; heads++)
		put(o, "<th role=\"columnheader\" scope=\"col\"%s>%s</th>",
		    **heads == '>' ? " class=\"n\"" : "",
		    *heads + (**heads == '>'));
	put(o, "</tr></thead><tbody role=\"rowgroup\">");
}

static void
put_row_head(struct out *o, const char *name)
{
	put(o, "<tr role=\"row\"><th role=\"rowheader\" scope=\"row\"><bdi>");
	put_text(o, name);
	put(o, "</bdi>");
}

static const char *
span(char *out, int64_t until, int64_t from)
{
	if (until == REPORT_NEVER || from == REPORT_NEVER)
		return "-";
	return human_words(out, until - from);
}

/* One that is not the first. */
static void
put_remark(struct out *o, const struct remark *r)
{
	put(o, "<li>%s: ", level_name(r->level));
	put_text(o, r->state);
	put(o, "%s", r->text[0] == '\0' ? "" : ": ");
	put_text(o, r->text);
	put(o, "</li>");
}

/* All but the first, each cause once. */
static void
put_others(struct out *o, const struct verdict *v)
{
	size_t causes = 0, told = 0;
	struct alike others;
	char same[600];

	for (size_t i = 0; i < v->n && causes < CAUSES; i++) {
		if (!verdict_leads(v, i, &others))
			continue;
		causes++;
		told += 1 + others.n;
		if (i > 0)
			put_remark(o, &v->remark[i]);
		if (others.n > 0) {
			alike_text(&others, same, sizeof(same));
			put_element(o, "li", "same", same);
		}
	}
	if (told < v->n)
		put(o, "<li>and %zu more</li>", v->n - told);
}

static void
put_remarks(struct out *o, const struct verdict *v)
{
	const struct remark *r = v->remark;

	put(o,
	    "<section id=\"verdict\" class=\"%s\" data-live role=\"status\">"
	    "<h2>%s: ",
	    level_name(v->level), level_name(v->level));
	put_text(o, v->n == 0 ? v->line : r->state);
	put(o, "</h2>");
	if (v->n > 0 && r->text[0] != '\0')
		put_element(o, "p", "why", r->text);
	if (v->n > 1)
		put(o, "<ul>");
	put_others(o, v);
	put(o, "%s</section>", v->n > 1 ? "</ul>" : "");
}

/* One line of a feed's past, with what it says in words. */
static void
put_line(struct out *o, const struct history *h, const struct feed_report *f,
    enum history_line line)
{
	/* What is next to nothing is to look so. */
	float v[HISTORY_SAMPLES], most = line == HISTORY_LAG ? 10 : 1;
	float highest = 0;
	size_t n = h == NULL ? 0 : history_read(h, f->id, line, v);
	size_t known = 0;

	for (size_t i = 0; i < n; i++) {
		known += v[i] >= 0;
		highest = v[i] > highest ? v[i] : highest;
	}
	if (known == 0)
		return;
	if (highest > most)
		most = highest;
	put(o,
	    " <svg role=\"img\" aria-label=\"%s in the last %d minutes: at "
	    "most "
	    "%.1f%s\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
	    "preserveAspectRatio=\"none\"><polyline points=\"",
	    line == HISTORY_LAG ? "lag" : "rate",
	    (int)(n * HISTORY_EVERY / CLOCK_MINUTE) + 1, (double)highest,
	    line == HISTORY_LAG ? " seconds" : " events a second", WIDTH,
	    HEIGHT, WIDTH, HEIGHT);
	for (size_t i = 0; i < n; i++) {
		int y = (int)(v[i] / most * (HEIGHT - 2));
		size_t x = HISTORY_SAMPLES - n + i;

		if (v[i] < 0)
			continue;
		/* One point alone would not be seen. */
		if (known == 1)
			put(o, "%zu,%d ", x - 1, HEIGHT - 1 - y);
		put(o, "%zu,%d ", x, HEIGHT - 1 - y);
	}
	put(o, "\"/></svg>");
}

/* Numbers that stand beside a line. */
static void
put_drawn(struct out *o, const char *name, const char *text,
    const struct history *h, const struct feed_report *f,
    enum history_line line)
{
	put(o, "<td role=\"cell\" class=\"n\" data-name=\"%s\">", name);
	put_text(o, text);
	put_line(o, h, f, line);
	put(o, "</td>");
}

static void
put_feed(struct out *o, const struct status *st, const struct history *h,
    const struct feed_report *f)
{
	const int64_t deletion = status_deletion(f);
	const int64_t lag = report_lag(f, st->now);
	char text[HUMAN_TEXT];

	put_row_head(o, f->tree);
	if (f->closed)
		put_element(o, "span", "note",
		    "an earlier tree; it no longer grows");
	if (f->error[0] != '\0')
		put_element(o, "span", "wrong", f->error);
	put(o, "</th>");
	put_drawn(o, "Lag", lag == REPORT_NEVER ? "-" : human_words(text, lag),
	    h, f, HISTORY_LAG);
	(void)snprintf(text, sizeof(text), "%.1f/s",
	    status_rate(st, f->recent));
	put_drawn(o, "Rate", text, h, f, HISTORY_RATE);
	put_cell(o, "Events", "%" PRIu64, f->size);
	put_cell(o, "Listed", "%" PRIu64, f->items);
	put_cell(o, "Deleted by the vendor in", "%s",
	    deletion == REPORT_NEVER  ? "-"
		: deletion <= st->now ? "now"
				      : human_words(text, deletion - st->now));
	put(o, "</tr>");
}

/* For qsort(), which gives no context. */
static int64_t sorted_at;

/* Those in trouble first, then the late ones, then the busy ones. */
static int
by_interest(const void *a, const void *b)
{
	const struct feed_report *x = *(const struct feed_report *const *)a;
	const struct feed_report *y = *(const struct feed_report *const *)b;
	int64_t lx = report_lag(x, sorted_at) / CLOCK_MINUTE;
	int64_t ly = report_lag(y, sorted_at) / CLOCK_MINUTE;

	if ((x->error[0] != '\0') != (y->error[0] != '\0'))
		return x->error[0] != '\0' ? -1 : 1;
	if (lx != ly)
		return lx > ly ? -1 : 1;
	if (x->recent != y->recent)
		return x->recent > y->recent ? -1 : 1;
	return strcmp(x->tree, y->tree);
}

static void
put_feeds(struct out *o, const struct status *st, const struct history *h)
{
	static const char *const heads[] = { "Feed", ">Lag", ">Rate", ">Events",
		">Listed", ">Deleted by the vendor in", NULL };
	const struct feed_report **order =
	    xcalloc(st->n_feeds + 1, sizeof(const struct feed_report *));

	for (size_t i = 0; i < st->n_feeds; i++)
		order[i] = &st->feeds[i];
	sorted_at = st->now;
	/* Few ones stay where they are, so that the eye finds them. */
	if (st->n_feeds > FEEDS)
		qsort(order, st->n_feeds, sizeof(*order), by_interest);
	put(o,
	    "<section id=\"feeds\" data-live tabindex=\"-1\">"
	    "<h2>Feeds (%zu)</h2>",
	    st->n_feeds);
	if (st->n_feeds == 0)
		put(o, "<p>Nothing has been collected yet.</p>");
	else
		put_heads(o, "Feeds", heads);
	for (size_t i = 0; i < st->n_feeds; i++) {
		if (i == FEEDS) {
			put(o,
			    "</tbody></table><details id=\"more\"><summary "
			    "id=\"more-head\">%zu more feeds, which are doing "
			    "no worse</summary>",
			    st->n_feeds - FEEDS);
			put_heads(o, "More feeds", heads);
		}
		put_feed(o, st, i < FEEDS ? h : NULL, order[i]);
	}
	put(o, "%s%s</section>", st->n_feeds > 0 ? "</tbody></table>" : "",
	    st->n_feeds > FEEDS ? "</details>" : "");
	free(order);
}

static void
put_output(struct out *o, const struct status *st,
    const struct output_report *r)
{
	const char *proves = status_proves(r->mode);
	char text[HUMAN_TEXT];

	put_row_head(o, r->name);
	if (r->error[0] != '\0')
		put_element(o, "span", "wrong", r->error);
	put(o, "</th><td role=\"cell\" data-name=\"Mode\">");
	put_text(o, r->mode[0] == '\0' ? "not connected yet" : r->mode);
	if (proves != NULL)
		put_element(o, "span", "note", proves);
	put(o, "</td>");
	put_cell(o, "Backlog", "%" PRIu64, r->backlog_events);
	put_cell(o, "Oldest", "%s",
	    r->backlog_events == 0 ? "-" : span(text, st->now, r->oldest));
	put_cell(o, "Rate", "%.1f/s", status_rate(st, r->recent));
	put_cell(o, "Delivered", "%" PRIu64, r->count[OUTPUT_EVENTS]);
	put_cell(o, "Dead letters", "%" PRIu64, r->dead_letters);
	put(o, "</tr>");
}

static void
put_outputs(struct out *o, const struct status *st)
{
	static const char *const heads[] = { "Output",
		"Mode, and what it proves", ">Backlog", ">Oldest", ">Rate",
		">Delivered", ">Dead letters", NULL };

	put(o, "<section id=\"outputs\" data-live><h2>Outputs (%zu)</h2>",
	    st->n_outputs);
	put_heads(o, "Outputs", heads);
	for (size_t i = 0; i < st->n_outputs; i++)
		put_output(o, st, &st->outputs[i]);
	put(o, "</tbody></table></section>");
}

static void
put_troubles(struct out *o, const struct status *st)
{
	static const char *const heads[] = { "Trouble", "Class and code",
		">For", "Cause", NULL };
	char text[HUMAN_TEXT];

	put(o, "<section id=\"troubles\" data-live>");
	if (st->n_troubles > 0) {
		put(o, "<h2>Troubles (%zu)</h2>", st->n_troubles);
		put_heads(o, "Troubles", heads);
	}
	for (size_t i = 0; i < st->n_troubles && i < FEEDS; i++) {
		const struct trouble *t = &st->troubles[i];

		put_row_head(o, t->subject);
		put(o, "</th><td role=\"cell\" data-name=\"Class and code\">");
		put_text(o, t->class);
		put(o, " ");
		put_text(o, t->code);
		put(o, "</td>");
		put_cell(o, "For", "%s", span(text, st->now, t->since));
		put(o, "<td role=\"cell\" data-name=\"Cause\">");
		put_text(o, t->text);
		put(o, "</td></tr>");
	}
	put(o, "%s</section>", st->n_troubles > 0 ? "</tbody></table>" : "");
}

static void
put_store(struct out *o, const struct status *st)
{
	const struct store_room *r = &st->room;
	const int64_t deletion = status_first_deletion(st);
	char a[HUMAN_TEXT], b[HUMAN_TEXT], c[HUMAN_TEXT], d[HUMAN_TEXT];

	put(o,
	    "<section id=\"store\" data-live><h2>Store</h2><dl "
	    "class=\"facts\"><dt>Used</dt><dd>%s of at most %s%s</dd>"
	    "<dt>Free on its disk</dt><dd>%s, of which %s must stay free</dd>",
	    human_bytes(a, (uint64_t)r->used),
	    human_bytes(b, (uint64_t)r->max_size),
	    r->full ? "; it is full, and collecting pauses" : "",
	    human_bytes(c, (uint64_t)r->free),
	    human_bytes(d, (uint64_t)r->min_free));
	put(o, "<dt>Horizon</dt><dd>");
	if (deletion == REPORT_NEVER)
		put(o, "not known");
	else if (deletion <= st->now)
		put(o, "vendors may have deleted unread events");
	else
		put(o,
		    "unread events are deleted by their vendors in %s at "
		    "the earliest",
		    human_words(a, deletion - st->now));
	put(o, "</dd><dt>Gaps</dt><dd>");
	if (st->gaps_open == 0)
		put(o, "none");
	else
		put(o,
		    "%" PRIu64 ", of which %" PRIu64 " in the last day; "
		    "<code>sealfeed gaps</code> lists them",
		    st->gaps_open, st->gaps_new);
	put(o, "</dd></dl></section>");
}

static void
put_roles(struct out *o, const struct status *st)
{
	char text[HUMAN_TEXT], walls[ROLES_WALLS];

	put(o,
	    "<section id=\"roles\" data-live><h2>Roles</h2><dl "
	    "class=\"facts\">");
	for (size_t i = 0; i < st->roles.n; i++) {
		const struct role_report *r = &st->roles.role[i];

		put(o, "<dt>");
		put_text(o, r->name);
		put(o, "</dt><dd>%s for %s", role_state_name(r->state),
		    span(text, st->now, r->since));
		if (r->deaths > 0)
			put(o, ", died %" PRIu64 " times: ", r->deaths);
		put_text(o, r->how);
		roles_walls(&r->walls, walls, sizeof(walls));
		put(o, "%s", walls[0] == '\0' ? "" : "; ");
		put_text(o, walls);
		put(o, "</dd>");
	}
	put(o, "</dl></section>");
}

static void
put_head(struct out *o, const struct status *st, const struct verdict *v)
{
	char when[CLOCK_TEXT], text[HUMAN_TEXT];

	(void)clock_format(st->now, 0, when);
	put(o,
	    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta "
	    "charset=\"utf-8\"><title>%s - sealfeed ",
	    level_name(v->level));
	put_text(o, st->config->agent.name);
	put(o,
	    "</title><meta name=\"viewport\" content=\"width=device-width, "
	    "initial-scale=1\"><meta name=\"color-scheme\" content=\"light "
	    "dark\"><noscript><meta http-equiv=\"refresh\" content=\"%d\">"
	    "</noscript><style>",
	    RELOAD);
	if (buf_adds(o->b, style) != 0)
		o->rc = -1;
	put(o,
	    "</style></head><body><a class=\"skip\" href=\"#feeds\">Skip to "
	    "the feeds</a><header><h1>sealfeed ");
	put_text(o, st->config->agent.name);
	put(o,
	    "</h1><span id=\"when\" data-live><time datetime=\"%s\">%s</time>, "
	    "running for %s</span><button id=\"pause\" type=\"button\" "
	    "hidden>Pause</button></header><main>",
	    when, when, span(text, st->now, st->roles.began));
}

int
page_write(const struct status *st, const struct verdict *v,
    const struct history *h, bool no_store, struct buf *out)
{
	struct out o = { .b = out };

	put_head(&o, st, v);
	put_remarks(&o, v);
	if (!no_store) {
		put_outputs(&o, st);
		put_troubles(&o, st);
		put_feeds(&o, st, h);
		put_store(&o, st);
	}
	put_roles(&o, st);
	put(&o,
	    "</main><footer><span>sealfeed " PACKAGE_VERSION "</span>"
	    "<span>Lines show the last %d minutes.</span>"
	    "<a href=\"/metrics\">metrics</a><a href=\"/readyz\">readyz</a>"
	    "<a href=\"/healthz\">healthz</a></footer><script>",
	    (int)(HISTORY_SAMPLES * HISTORY_EVERY / CLOCK_MINUTE));
	if (buf_adds(out, script) != 0)
		o.rc = -1;
	put(&o, "</script></body></html>\n");
	return o.rc;
}

/* "'sha256-…'" of a text, as a policy names it. */
static int
add_hash(struct buf *out, const char *text)
{
	struct digest *d = digest_new();
	uint8_t hash[DIGEST_LEN];
	int rc = buf_adds(out, " 'sha256-");

	digest_sha256(d, NULL, 0, text, strlen(text), hash);
	digest_free(d);
	if (rc == 0)
		rc = text_base64(out, hash, sizeof(hash));
	return rc == 0 ? buf_adds(out, "'") : rc;
}

const char *
page_policy(void)
{
	static char policy[400];
	struct buf text = BUF_INIT(sizeof(policy) - 1);

	if (policy[0] == '\0' &&
	    buf_adds(&text, "default-src 'none'; style-src") == 0 &&
	    add_hash(&text, style) == 0 &&
	    buf_adds(&text, "; script-src") == 0 &&
	    add_hash(&text, script) == 0 &&
	    buf_adds(&text,
		"; connect-src 'self'; base-uri 'none'; form-action 'none'; "
		"frame-ancestors 'none'") == 0)
		memcpy(policy, text.data, text.len + 1);
	buf_release(&text);
	return policy;
}
