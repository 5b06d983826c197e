/*
 * fuzz_verify.c - any bytes as an export; and, where the first byte is below
 * a space, the bytes as orders for a well sealed export and what happens to
 * it: what is only moved and repeated must be well, one event that is altered
 * or taken away must not.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "evidence/note.h"
#include "store/line.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/sealed.h"
#include "verify/verify.h"

#define MAX (16 * 1024 * 1024)
#define LINES 48
#define FEEDS 2

/* Bytes of a part of an event that the syslog forms split. */
#define PART 5

/* A key of RFC 8032 section 7.1, so that what is found can be run again. */
static const char pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";

static struct signer *signer;
static struct verifier verifier;
static FILE *nowhere;

static void
begin(void)
{
	struct err err = ERR_INIT;

	signer = signer_open("fra1", pem, &err);
	FUZZ_CHECK(signer != NULL);
	FUZZ_CHECK(verifier_parse(pem, &verifier, &err) == 0);
	nowhere = fopen("/dev/null", "w");
	FUZZ_CHECK(nowhere != NULL);
}

/*
 * The linker calls this in the place of verifier_check() (Makefile.am).  Most
 * of the time went into signatures, and the same ones come again and again:
 * what was found of one is kept by the hash of all that it depends on.
 */
#define KNOWN 4096

bool __real_verifier_check(const struct verifier *v, const uint8_t *signature,
    size_t n, const char *data, size_t len);
bool __wrap_verifier_check(const struct verifier *v, const uint8_t *signature,
    size_t n, const char *data, size_t len);

bool
__wrap_verifier_check(const struct verifier *v, const uint8_t *signature,
    size_t n, const char *data, size_t len)
{
	static struct {
		uint8_t hash[DIGEST_LEN];
		bool good;
	} known[KNOWN];
	static struct digest *d;
	uint8_t head[KEY_LEN_MAX + SIGNATURE_MAX] = { 0 }, hash[DIGEST_LEN];
	uint32_t at;

	if (d == NULL)
		d = digest_new();
	if (n > SIGNATURE_MAX)
		return __real_verifier_check(v, signature, n, data, len);
	memcpy(head, v->key.data, KEY_LEN_MAX);
	memcpy(head + KEY_LEN_MAX, signature, n);
	digest_sha256(d, head, KEY_LEN_MAX + n, data, len, hash);
	memcpy(&at, hash, sizeof(at));
	at %= KNOWN;
	if (memcmp(known[at].hash, hash, DIGEST_LEN) != 0) {
		known[at].good =
		    __real_verifier_check(v, signature, n, data, len);
		memcpy(known[at].hash, hash, DIGEST_LEN);
	}
	return known[at].good;
}

/* Whether verify calls the bytes well; both reports are written. */
static bool
is_well(const void *data, size_t size, bool only)
{
	static const char *const feeds[] = { "a/one", "a/two" };
	struct verify_options options = { .keys = &verifier,
		.n_keys = 1,
		.feeds = feeds,
		.n_feeds = only ? 2 : 0 };
	struct verify *v = verify_new(&options);
	struct buf json = BUF_INIT(MAX);
	struct err err = ERR_INIT;
	int fd = memfd_create("input", MFD_CLOEXEC);
	char path[64];
	bool well;

	FUZZ_CHECK(fd != -1);
	FUZZ_CHECK(write(fd, data, size) == (ssize_t)size);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	(void)verify_input(v, path, &err);
	well = verify_finish(v);
	FUZZ_CHECK(err.text[0] == '\0' || !well);
	FUZZ_CHECK(verify_text(v, nowhere) == 0);
	(void)verify_json(v, &json);
	verify_free(v);
	buf_release(&json);
	(void)close(fd);
	return well;
}

/* How a line stands in an export. */
enum form {
	FORM_NDJSON,
	FORM_SYSLOG,
	FORM_PARTS,
	FORM_SPLUNK, /* the line as a string of JSON */
	FORM_CSV,    /* the line as a cell */
	FORMS
};

/* The export: lines, in an order that changes. */
struct export
{
	struct digest *digest;
	enum form form;
	struct sealed feed[FEEDS];
	struct export_line {
		char *text;
		size_t len;
		size_t value; /* where the first byte of the value is */
		bool event;
	} line[LINES];
	size_t n;
};

/* One RFC 5424 message with value, as a file of a syslog server has it. */
static void
add_syslog(struct buf *b, enum line_kind kind, const char *feed,
    uint64_t number, const char *part, const char *value, size_t len)
{
	FUZZ_CHECK(buf_addf(b,
		       "<110>1 2026-11-26T10:00:00Z fra1 sealfeed - - "
		       "[sealfeed@32473 feed=\"%s\" %s=\"%llu\"%s] ",
		       feed, kind == LINE_EVENT ? "index" : "checkpoint",
		       (unsigned long long)number, part) == 0);
	FUZZ_CHECK(buf_add(b, value, len) == 0 && buf_adds(b, "\n") == 0);
}

static void
add_parts(struct buf *b, const char *feed, uint64_t number,
    const struct buf *value)
{
	size_t parts = (value->len + PART - 1) / PART;
	char part[64];

	for (size_t i = 0; i < parts; i++) {
		size_t len = value->len - i * PART;

		(void)snprintf(part, sizeof(part),
		    " part=\"%zu\" parts=\"%zu\"", i + 1, parts);
		add_syslog(b, LINE_EVENT, feed, number, part,
		    value->data + i * PART, len < PART ? len : PART);
	}
}

/* The NDJSON line as a value of somebody's own record. */
static void
wrap(struct buf *b, enum form form)
{
	struct buf line = *b;

	*b = (struct buf)BUF_INIT(MAX);
	line.len--; /* the LF */
	if (form == FORM_SPLUNK) {
		FUZZ_CHECK(buf_adds(b, "{\"result\":{\"_raw\":") == 0 &&
		    text_json_string(b, line.data, line.len) == 0 &&
		    buf_adds(b, "}}\n") == 0);
	} else {
		FUZZ_CHECK(buf_adds(b, "\"2026-11-26\",\"") == 0);
		for (size_t i = 0; i < line.len; i++)
			FUZZ_CHECK(buf_add(b, "\"\"", line.data[i] == '"') ==
				0 &&
			    buf_add(b, line.data + i, 1) == 0);
		FUZZ_CHECK(buf_adds(b, "\"\n") == 0);
	}
	buf_release(&line);
}

static void
add(struct export *e, enum line_kind kind, size_t feed, uint64_t number,
    const struct buf *value)
{
	const char *name = e->feed[feed].name, *mark = "] ", *at;
	struct buf b = BUF_INIT(MAX);

	if (e->form == FORM_SYSLOG ||
	    (e->form == FORM_PARTS && kind == LINE_CHECKPOINT)) {
		add_syslog(&b, kind, name, number, "", value->data, value->len);
	} else if (e->form == FORM_PARTS) {
		add_parts(&b, name, number, value);
	} else {
		mark = kind == LINE_EVENT ? "event\":" : "checkpoint\":";
		FUZZ_CHECK(line_add(&b, kind,
			       (struct line_name){ "fra1", name, NULL }, number,
			       value->data, value->len) == 0);
	}
	if (e->form == FORM_SPLUNK || e->form == FORM_CSV) {
		mark = e->form == FORM_CSV ? "\"\":{" : "\\\":{";
		wrap(&b, e->form);
	}
	at = strstr(b.data, mark);
	FUZZ_CHECK(at != NULL);
	e->line[e->n].value = (size_t)(at - b.data) + strlen(mark);
	if (mark[strlen(mark) - 1] == '{')
		e->line[e->n].value--;
	e->line[e->n].event = kind == LINE_EVENT;
	e->line[e->n].len = b.len;
	e->line[e->n++].text = buf_take(&b, NULL);
}

/* Events are the same in every export, and so are their trees. */
static void
add_event(struct export *e, size_t feed)
{
	struct buf value = BUF_INIT(100);
	uint64_t index = e->feed[feed].peaks.end;

	FUZZ_CHECK(buf_addf(&value, "{\"n\":%llu}",
		       (unsigned long long)(1000 * feed + index)) == 0);
	FUZZ_CHECK(sealed_event(e->digest, &e->feed[feed], value.data,
		       value.len) == index);
	add(e, LINE_EVENT, feed, index, &value);
	buf_release(&value);
}

/* The value of a checkpoint, by where it begins and ends: a signature costs
 * more than all the rest. */
static const struct buf *
checkpoint_of(struct export *e, size_t feed)
{
	static struct buf kept[FEEDS][LINES][LINES];
	struct sealed *s = &e->feed[feed];
	struct buf *b = &kept[feed][s->before.end][s->peaks.end];

	if (b->data == NULL) {
		buf_init(b, MAX);
		(void)sealed_checkpoint(e->digest, s, signer, "fra1", b);
	}
	s->before = s->peaks;
	buf_clear(&s->check);
	return b;
}

static void
add_checkpoint(struct export *e, size_t feed)
{
	uint64_t size = e->feed[feed].peaks.end;

	if (size != e->feed[feed].before.end)
		add(e, LINE_CHECKPOINT, feed, size, checkpoint_of(e, feed));
}

static void
swap(struct export *e, size_t a, size_t b)
{
	struct export_line line = e->line[a];

	e->line[a] = e->line[b];
	e->line[b] = line;
}

/* An order a byte: two bits say what, the others where. */
static void
build(struct export *e, const uint8_t *order, size_t n)
{
	add_event(e, 0);
	add_event(e, 1);
	for (size_t i = 0; i < n && e->n < LINES - 4; i++) {
		size_t feed = order[i] >> 2 & 1;

		if ((order[i] & 3) < 2)
			add_event(e, feed);
		else if ((order[i] & 3) == 2)
			add_checkpoint(e, feed);
		else
			swap(e, e->n - 1, order[i] / 4 % e->n);
	}
	add_checkpoint(e, 0);
	add_checkpoint(e, 1);
}

static bool
judge(const struct export *e, size_t without, size_t twice)
{
	struct buf all = BUF_INIT(MAX);
	bool well;

	if (e->form == FORM_CSV)
		FUZZ_CHECK(buf_adds(&all, "_time,_raw\n") == 0);
	for (size_t i = 0; i < e->n; i++) {
		const char *text = e->line[i].text;

		for (int k = 0; k < (i == without        ? 0
					    : i == twice ? 2
							 : 1);
		     k++)
			FUZZ_CHECK(buf_add(&all, text, e->line[i].len) == 0);
	}
	well = is_well(all.data, all.len, true);
	buf_release(&all);
	return well;
}

static void
orders(const uint8_t *data, size_t size)
{
	struct export *e = xcalloc(1, sizeof(*e));
	size_t at;

	e->digest = digest_new();
	e->form = data[0] % FORMS;
	sealed_begin(&e->feed[0], "a/one");
	sealed_begin(&e->feed[1], "a/two");
	build(e, data + 2, size - 2);
	at = data[1] % e->n;
	FUZZ_CHECK(judge(e, e->n, e->n));
	FUZZ_CHECK(judge(e, e->n, at));
	if (e->line[at].event) {
		FUZZ_CHECK(!judge(e, at, e->n));
		e->line[at].text[e->line[at].value] ^= 1;
		FUZZ_CHECK(!judge(e, e->n, e->n));
	}
	for (size_t i = 0; i < e->n; i++)
		free(e->line[i].text);
	sealed_end(&e->feed[0]);
	sealed_end(&e->feed[1]);
	digest_free(e->digest);
	free(e);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (signer == NULL)
		begin();
	if (size > 2 && data[0] < ' ')
		orders(data, size);
	else if (size > 0)
		(void)is_well(data, size, false);
	return 0;
}
