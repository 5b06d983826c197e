/*
 * report.c - what verify prints.
 */
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "verify/verify_private.h"

/* Ranges that are listed for a feed. */
#define RANGES_MAX 10

/* Findings that are printed of one feed and kind; JSON has all. */
#define LINES_MAX 1000

/* Text from inputs must not drive a terminal. */
static void
print_safe(FILE *out, const char *s)
{
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (c < ' ' || c == 0x7f)
			(void)fprintf(out, "\\x%02x", c);
		else
			(void)putc(c, out);
	}
	(void)putc('\n', out);
}

static bool
is_shown(const struct stream *s)
{
	return s->asked && s->seen.n + s->n_marks > 0;
}

/* How much of the name is the feed's, of which it may be a later tree. */
static int
feed_len(const struct stream *s)
{
	return (int)strcspn(s->name, "~");
}

static bool
is_later_tree(const struct stream *s)
{
	return s->name[feed_len(s)] != '\0';
}

static void
print_stream(const struct stream *s, FILE *out)
{
	(void)fprintf(out, "%s: %zu events, ", s->label, s->seen.n);
	if (s->n_proven == 0)
		(void)fputs("none proven", out);
	for (size_t i = 0; i < s->n_proven && i < RANGES_MAX; i++) {
		const struct range *r = &s->proven[i];

		(void)fputs(i == 0 ? "proven " : ", ", out);
		(void)fprintf(out, "%" PRIu64 "-%" PRIu64, r->first,
		    r->end - 1);
	}
	if (s->n_proven > RANGES_MAX)
		(void)fprintf(out, " and %zu more ranges",
		    s->n_proven - RANGES_MAX);
	(void)fprintf(out, "; %zu checkpoints", s->n_marks);
	if (s->repeated > 0)
		(void)fprintf(out, "; %" PRIu64 " identical repeats",
		    s->repeated);
	if (is_later_tree(s))
		(void)fprintf(out,
		    "; a new tree of %.*s, begun because the one before could "
		    "not go on",
		    feed_len(s), s->name);
	(void)putc('\n', out);
}

static void
print_findings(const struct verify *v, FILE *out)
{
	const struct findings *f = &v->findings;
	const char *feed = "";
	size_t printed[FINDING_KINDS] = { 0 };
	size_t left_out = 0;
	size_t kept = 0;

	for (size_t i = 0; i < f->n; i++) {
		const struct finding *one = &f->list[i];

		if (strcmp(one->feed, feed) != 0) {
			feed = one->feed;
			memset(printed, 0, sizeof(printed));
		}
		if (printed[one->kind]++ < LINES_MAX)
			print_safe(out, one->text);
		else
			left_out++;
	}
	for (int kind = 0; kind < FINDING_KINDS; kind++)
		kept += f->of[kind];
	left_out += kept - f->n;
	if (left_out > 0)
		(void)fprintf(out, "and %zu more findings\n", left_out);
}

static uint64_t
proven(const struct verify *v)
{
	uint64_t n = 0;

	for (size_t i = 0; i < v->n_streams; i++)
		if (v->streams[i]->asked)
			n += stream_proven(v->streams[i]);
	return n;
}

/* Events that are there and that no checkpoint proves. */
static uint64_t
uncovered(const struct verify *v)
{
	uint64_t n = 0;

	for (size_t i = 0; i < v->n_streams; i++) {
		const struct stream *s = v->streams[i];
		const uint64_t sure = stream_proven(s);

		if (s->asked && s->seen.n > sure)
			n += s->seen.n - sure;
	}
	return n;
}

static size_t
wrong(const struct verify *v)
{
	size_t n = 0;

	for (int kind = 0; kind < FINDING_KINDS; kind++)
		if (tally_is_wrong(v, (enum finding_kind)kind))
			n += v->findings.of[kind];
	return n;
}

int
verify_text(const struct verify *v, FILE *out)
{
	size_t feeds = 0;
	size_t events = 0;

	for (size_t i = 0; i < v->n_streams; i++) {
		if (!is_shown(v->streams[i]))
			continue;
		feeds++;
		events += v->streams[i]->seen.n;
		print_stream(v->streams[i], out);
	}
	print_findings(v, out);
	if (v->cut)
		(void)fputs("the last line of an input is incomplete and was "
			    "skipped\n",
		    out);
	(void)fprintf(out,
	    "%zu events of %zu feeds, %" PRIu64 " proven; %" PRIu64
	    " other lines\n",
	    events, feeds, proven(v), v->n_other);
	if (!v->options.complete)
		(void)fprintf(out,
		    "%" PRIu64 " of these events are not covered by a "
		    "checkpoint, so nothing is proven of them; --complete "
		    "makes that a finding\n",
		    uncovered(v));
	if (v->well)
		(void)fputs("all is well\n", out);
	else
		(void)fprintf(out, "NOT well: %zu findings\n", wrong(v));
	return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}

static int
json_stream(const struct stream *s, struct buf *out)
{
	if (buf_addf(out, "{\"feed\":\"%s\",\"agent\":", s->name) == -1 ||
	    text_json_string(out, s->agent, strlen(s->agent)) == -1 ||
	    buf_addf(out,
		",\"events\":%zu,\"checkpoints\":%zu,\"repeated\":%" PRIu64
		",\"proven\":[",
		s->seen.n, s->n_marks, s->repeated) == -1)
		return -1;
	for (size_t i = 0; i < s->n_proven; i++)
		if (buf_addf(out, "%s[%" PRIu64 ",%" PRIu64 "]",
			i == 0 ? "" : ",", s->proven[i].first,
			s->proven[i].end - 1) == -1)
			return -1;
	if (is_later_tree(s))
		return buf_addf(out, "],\"tree_of\":\"%.*s\"}", feed_len(s),
		    s->name);
	return buf_adds(out, "]}");
}

static int
json_finding(const struct verify *v, const struct finding *one, struct buf *out)
{
	if (buf_addf(out, "{\"kind\":\"%s\",\"wrong\":%s,\"feed\":",
		finding_rules[one->kind].name,
		tally_is_wrong(v, one->kind) ? "true" : "false") == -1 ||
	    text_json_string(out, one->feed, strlen(one->feed)) == -1 ||
	    buf_addf(out,
		",\"first\":%" PRIu64 ",\"last\":%" PRIu64 ",\"text\":",
		one->first, one->last) == -1 ||
	    text_json_string(out, one->text, strlen(one->text)) == -1)
		return -1;
	return buf_adds(out, "}");
}

int
verify_json(const struct verify *v, struct buf *out)
{
	const char *comma = "";

	if (buf_addf(out,
		"{\"well\":%s,\"event_lines\":%" PRIu64
		",\"checkpoint_lines\":%" PRIu64 ",\"proven\":%" PRIu64
		",\"uncovered\":%" PRIu64 ",\"other_lines\":%" PRIu64
		",\"cut\":%s,\"feeds\":[",
		v->well ? "true" : "false", v->n_events, v->n_checkpoints,
		proven(v), uncovered(v), v->n_other,
		v->cut ? "true" : "false") == -1)
		return -1;
	for (size_t i = 0; i < v->n_streams; i++) {
		if (!is_shown(v->streams[i]))
			continue;
		if (buf_adds(out, comma) == -1 ||
		    json_stream(v->streams[i], out) == -1)
			return -1;
		comma = ",";
	}
	if (buf_adds(out, "],\"findings\":[") == -1)
		return -1;
	for (size_t i = 0; i < v->findings.n; i++)
		if (buf_adds(out, i == 0 ? "" : ",") == -1 ||
		    json_finding(v, &v->findings.list[i], out) == -1)
			return -1;
	return buf_adds(out, "]}\n");
}
