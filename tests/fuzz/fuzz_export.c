/*
 * fuzz_export.c - a well sealed feed as SIEMs export it.  The first four bytes
 * say how: in which record, with which columns or keys in which order, how its
 * quotes are written, in which encoding; the others are what the vendor and
 * the server wrote.  However it is packed, it is well, and when an event is
 * left out it is not.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/text.h"
#include "evidence/note.h"
#include "store/line.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/sealed.h"
#include "verify/verify.h"

#define MAX ((size_t)16 << 20)
#define EVENTS 3
#define LINES (EVENTS + 1)
#define FEED "contoso/Audit.Exchange"

/* A key of RFC 8032 section 7.1, so that what is found can be run again. */
static const char pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";

static struct signer *signer;
static struct verifier verifier;
static struct digest *digest;

/* A line of the feed, in the two forms in which it travels. */
static struct travelling {
	struct buf line;   /* NDJSON, without its LF */
	struct buf syslog; /* RFC 5424 */
	struct buf value;
	bool event;
	uint64_t number;
} lines[LINES];

static void
begin(void)
{
	struct err err = ERR_INIT;

	signer = signer_open("fra1", pem, &err);
	digest = digest_new();
	FUZZ_CHECK(signer != NULL && verifier_parse(pem, &verifier, &err) == 0);
}

/*
 * The feed.
 */

static void
travel(struct travelling *t)
{
	const enum line_kind kind = t->event ? LINE_EVENT : LINE_CHECKPOINT;

	buf_init(&t->line, MAX);
	buf_init(&t->syslog, MAX);
	FUZZ_CHECK(line_add(&t->line, kind,
		       (struct line_name){ "fra1", FEED, NULL }, t->number,
		       t->value.data, t->value.len) == 0);
	t->line.len--;
	FUZZ_CHECK(buf_addf(&t->syslog,
		       "<110>1 2026-11-26T10:00:00Z fra1 sealfeed - - "
		       "[sealfeed@32473 feed=\"" FEED "\" %s=\"%llu\"] ",
		       t->event ? "index" : "checkpoint",
		       (unsigned long long)t->number) == 0);
	FUZZ_CHECK(buf_add(&t->syslog, t->value.data, t->value.len) == 0);
}

/* Events with the text in them, which are cut out of it, and a checkpoint. */
static void
make_feed(const char *s, size_t len)
{
	struct sealed feed;

	sealed_begin(&feed, FEED);
	for (size_t i = 0; i < EVENTS; i++) {
		const size_t from = i * len / EVENTS,
			     to = (i + 1) * len / EVENTS;
		struct travelling *t = &lines[i];

		buf_init(&t->value, MAX);
		t->event = true;
		FUZZ_CHECK(buf_addf(&t->value, "{\"Id\":\"%zu\",\"x\":", i) ==
			0 &&
		    text_json_string(&t->value, s + from, to - from) == 0 &&
		    buf_adds(&t->value, "}") == 0);
		t->number =
		    sealed_event(digest, &feed, t->value.data, t->value.len);
		travel(t);
	}
	buf_init(&lines[EVENTS].value, MAX);
	lines[EVENTS].event = false;
	lines[EVENTS].number = sealed_checkpoint(digest, &feed, signer, "fra1",
	    &lines[EVENTS].value);
	travel(&lines[EVENTS]);
	sealed_end(&feed);
}

static void
free_feed(void)
{
	for (size_t i = 0; i < LINES; i++) {
		buf_release(&lines[i].line);
		buf_release(&lines[i].syslog);
		buf_release(&lines[i].value);
	}
}

/*
 * How it is packed.
 */

struct shape {
	unsigned char form;
	unsigned char quotes;
	unsigned char order;
	unsigned char encoding;
	struct slice aside; /* what the server has beside it, in UTF-8 */
};

enum { FORM_CSV, FORM_SPLUNK, FORM_ELASTIC, FORM_LOGSTASH, FORM_LOKI, FORMS };

/* Of columns and members: the names, and which one has the text. */
struct names {
	const char *name[3];
	bool syslog; /* the text is a syslog message */
};

static const struct names columns[] = {
	{ { "_time", "_raw", "host" }, false },
	{ { "_time", "_raw", "host" }, true },
	{ { "timestamp", "message", "source" }, true },
	{ { "timestamp", "full_message", "source" }, false },
	{ { "@timestamp", "event.original", "host.name" }, false },
	{ { "TimeGenerated [UTC]", "RawData", "Computer" }, false },
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static void
add_cell(struct buf *b, const struct shape *p, struct slice s)
{
	const bool backslash = (p->quotes & 1) != 0;

	FUZZ_CHECK(buf_adds(b, "\"") == 0);
	for (size_t i = 0; i < s.len; i++) {
		const char c = s.data[i];

		if (c == '"' || (backslash && c == '\\'))
			FUZZ_CHECK(buf_adds(b, backslash ? "\\" : "\"") == 0);
		FUZZ_CHECK(buf_add(b, &c, 1) == 0);
	}
	FUZZ_CHECK(buf_adds(b, "\"") == 0);
}

static void
add_csv(struct buf *b, const struct shape *p, size_t without)
{
	static const char delimiters[] = ",;\t|";
	const char delimiter[] = { delimiters[p->quotes >> 1 & 3], '\0' };
	const char *end = (p->quotes & 8) != 0 ? "\r\n" : "\n";
	const struct names *n = &columns[p->order % COLUMNS];
	const unsigned turn = p->order / COLUMNS % 3;

	for (unsigned k = 0; k < 3; k++)
		FUZZ_CHECK(buf_addf(b, "%s%s%s%s", k == 0 ? "" : delimiter,
			       (p->quotes & 16) != 0 ? "\"" : "",
			       n->name[(k + turn) % 3],
			       (p->quotes & 16) != 0 ? "\"" : "") == 0);
	FUZZ_CHECK(buf_adds(b, end) == 0);
	for (size_t i = 0; i < LINES; i++) {
		const struct buf *text =
		    n->syslog ? &lines[i].syslog : &lines[i].line;
		const struct slice cells[] = { { "2026-11-26", 10 },
			{ text->data, text->len }, p->aside };

		for (unsigned k = 0; k < 3 && i != without; k++) {
			FUZZ_CHECK(buf_adds(b, k == 0 ? "" : delimiter) == 0);
			add_cell(b, p, cells[(k + turn) % 3]);
		}
		FUZZ_CHECK(i == without || buf_adds(b, end) == 0);
	}
}

/* A member whose value is a string. */
static void
add_member(struct buf *b, const char *name, struct slice s)
{
	FUZZ_CHECK(buf_addf(b, "%s\"%s\":",
		       b->len > 0 && strchr("{[", b->data[b->len - 1]) != NULL
			   ? ""
			   : ",",
		       name) == 0 &&
	    text_json_string(b, s.data, s.len) == 0);
}

/* The members of a record around a line, in that order. */
static void
add_members(struct buf *b, const struct shape *p, const char *name,
    const struct buf *text)
{
	for (unsigned k = 0; k < 3; k++)
		switch ((k + p->order) % 3) {
		case 0:
			add_member(b, "host", p->aside);
			break;
		case 1:
			add_member(b, name,
			    (struct slice){ text->data, text->len });
			break;
		default:
			FUZZ_CHECK(buf_addf(b, "%s\"tags\":[\"a\",{\"b\":1}]",
				       strchr("{[", b->data[b->len - 1]) != NULL
					   ? ""
					   : ",") == 0);
		}
}

/* Feed and number beside the event, as fields of the agent's own. */
static void
add_beside(struct buf *b, const struct travelling *t, const char *before)
{
	FUZZ_CHECK(buf_addf(b,
		       ",\"%sfeed\":\"" FEED "\",\"%sindex\":\"%llu\","
		       "\"%sagent\":\"fra1\"",
		       before, before, (unsigned long long)t->number,
		       before) == 0);
}

static void
add_record(struct buf *b, const struct shape *p, const struct travelling *t)
{
	const bool beside = (p->quotes & 2) != 0 && t->event;
	const struct buf *text = beside ? &t->value
	    : (p->quotes & 1) != 0      ? &t->syslog
					: &t->line;

	FUZZ_CHECK(buf_adds(b,
		       p->form == FORM_SPLUNK
			   ? "{\"preview\":false,\"result\":{"
			   : p->form == FORM_ELASTIC
			   ? "{\"_index\":\"logs\",\"_source\":{"
			   : "{") == 0);
	add_members(b, p,
	    p->form == FORM_SPLUNK     ? "_raw"
		: p->form == FORM_LOKI ? "line"
		: (p->quotes & 4) != 0 ? "event.original"
				       : "message",
	    text);
	if (beside)
		add_beside(b, t,
		    (p->quotes & 8) != 0 ? "sealfeed_" : "sealfeed.");
	FUZZ_CHECK(buf_adds(b,
		       p->form == FORM_SPLUNK || p->form == FORM_ELASTIC
			   ? "}}"
			   : "}") == 0);
}

static void
add_records(struct buf *b, const struct shape *p, size_t without)
{
	const bool list = (p->quotes & 16) != 0;
	const bool hits = list && p->form == FORM_ELASTIC;
	bool first = true;

	if (list)
		FUZZ_CHECK(buf_adds(b,
			       hits ? "{\"took\":1,\"hits\":{\"hits\":["
				    : "[") == 0);
	for (size_t i = 0; i < LINES; i++) {
		if (i == without)
			continue;
		if (!first)
			FUZZ_CHECK(buf_adds(b, list ? ",\n" : "\n") == 0);
		first = false;
		add_record(b, p, &lines[i]);
	}
	FUZZ_CHECK(buf_adds(b, !list ? "\n" : hits ? "]}}\n" : "]\n") == 0);
}

/* One of UTF-8 and UTF-16, with and without a mark. */
static void
encode(const struct buf *text, unsigned char encoding, struct buf *out)
{
	const char *s = text->data, *end = s + text->len;
	const bool wide = (encoding & 2) != 0, big = (encoding & 4) != 0;

	if ((encoding & 1) != 0)
		FUZZ_CHECK(buf_adds(out,
			       !wide     ? "\xef\xbb\xbf"
				   : big ? "\xfe\xff"
					 : "\xff\xfe") == 0);
	if (!wide) {
		FUZZ_CHECK(buf_add(out, text->data, text->len) == 0);
		return;
	}
	while (s < end) {
		const size_t n = text_utf8(s, (size_t)(end - s));
		unsigned long c = (unsigned char)*s;
		unsigned short unit[2];
		size_t units = 1;

		FUZZ_CHECK(n > 0);
		c = n == 1 ? c : n == 2 ? c & 0x1f : n == 3 ? c & 0xf : c & 7;
		for (size_t i = 1; i < n; i++)
			c = c << 6 | ((unsigned char)s[i] & 0x3f);
		unit[0] = (unsigned short)c;
		if (c >= 0x10000) {
			units = 2;
			unit[0] =
			    (unsigned short)(0xd800 + ((c - 0x10000) >> 10));
			unit[1] = (unsigned short)(0xdc00 + (c & 0x3ff));
		}
		for (size_t i = 0; i < units; i++) {
			const char high = (char)(unit[i] >> 8),
				   low = (char)(unit[i] & 0xff);
			const char both[] = { big ? high : low,
				big ? low : high };

			FUZZ_CHECK(buf_add(out, both, 2) == 0);
		}
		s += n;
	}
}

/* Whether verify calls it well. */
static bool
is_well(const struct shape *p, size_t without)
{
	static const char *const feeds[] = { FEED };
	struct verify_options options = {
		.keys = &verifier, .n_keys = 1, .feeds = feeds, .n_feeds = 1
	};
	struct verify *v = verify_new(&options);
	struct buf text = BUF_INIT(MAX), bytes = BUF_INIT(MAX);
	struct err err = ERR_INIT;
	int fd = memfd_create("input", MFD_CLOEXEC);
	char path[64];
	bool well;

	if (p->form == FORM_CSV)
		add_csv(&text, p, without);
	else
		add_records(&text, p, without);
	encode(&text, p->encoding, &bytes);
	FUZZ_CHECK(fd != -1 &&
	    write(fd, bytes.data, bytes.len) == (ssize_t)bytes.len);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	FUZZ_CHECK(verify_input(v, path, &err) == 0);
	well = verify_finish(v);
	verify_free(v);
	(void)close(fd);
	if (without == LINES && !well)
		(void)fprintf(stderr, "%.*s\n", (int)text.len, text.data);
	buf_release(&text);
	buf_release(&bytes);
	return well;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct shape p = { .form = 0 };
	struct buf aside = BUF_INIT(MAX);
	const char *s = (const char *)data + 4;

	if (signer == NULL)
		begin();
	if (size < 5)
		return 0;
	size -= 4;
	p.form = data[0] % FORMS;
	p.quotes = data[1];
	p.order = data[2];
	p.encoding = data[3];
	/* What stands beside it is text, too. */
	for (size_t i = 0, n; i < size && i < 64; i += n) {
		n = text_utf8(s + i, size - i);
		if (n > 0 && s[i] != '\0')
			FUZZ_CHECK(buf_add(&aside, s + i, n) == 0);
		n += n == 0;
	}
	p.aside = (struct slice){ aside.len > 0 ? aside.data : "", aside.len };
	make_feed(s, size);
	FUZZ_CHECK(is_well(&p, LINES));
	FUZZ_CHECK(!is_well(&p, data[1] % EVENTS));
	free_feed();
	buf_release(&aside);
	return 0;
}
