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
#include "evidence/note.h"
#include "store/line.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/sealed.h"
#include "verify/verify.h"

#define MAX (16 * 1024 * 1024)
#define LINES 96

/* A key of RFC 8032 section 7.1, so that what is found can be run again. */
static const char pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";

static struct signer *signer;
static struct verifier verifier;

static void
begin(void)
{
	struct err err = ERR_INIT;

	signer = signer_open("fra1", pem, &err);
	FUZZ_CHECK(signer != NULL);
	FUZZ_CHECK(verifier_parse(pem, &verifier, &err) == 0);
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
	FILE *out = fopen("/dev/null", "w");
	int fd = memfd_create("input", MFD_CLOEXEC);
	char path[64];
	bool well;

	FUZZ_CHECK(fd != -1 && out != NULL);
	FUZZ_CHECK(write(fd, data, size) == (ssize_t)size);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	(void)verify_input(v, path, &err);
	well = verify_finish(v);
	FUZZ_CHECK(err.text[0] == '\0' || !well);
	FUZZ_CHECK(verify_text(v, out) == 0);
	(void)verify_json(v, &json);
	verify_free(v);
	buf_release(&json);
	(void)fclose(out);
	(void)close(fd);
	return well;
}

/* The export: lines, in an order that changes. */
struct export
{
	struct digest *digest;
	struct sealed feed[2];
	struct {
		char *text;
		size_t len;
		bool event;
	} line[LINES];
	size_t n;
};

static void
add(struct export *e, enum line_kind kind, size_t feed, uint64_t number,
    const struct buf *value)
{
	struct buf b = BUF_INIT(MAX);

	FUZZ_CHECK(line_add(&b, kind, e->feed[feed].name, number, value->data,
		       value->len) == 0);
	e->line[e->n].event = kind == LINE_EVENT;
	e->line[e->n].len = b.len;
	e->line[e->n++].text = buf_take(&b, NULL);
}

static void
add_event(struct export *e, size_t feed)
{
	struct buf value = BUF_INIT(100);
	uint64_t index = e->feed[feed].peaks.end;

	FUZZ_CHECK(buf_addf(&value, "{\"n\":%zu}", e->n) == 0);
	FUZZ_CHECK(sealed_event(e->digest, &e->feed[feed], value.data,
		       value.len) == index);
	add(e, LINE_EVENT, feed, index, &value);
	buf_release(&value);
}

static void
add_checkpoint(struct export *e, size_t feed)
{
	struct buf value = BUF_INIT(MAX);
	uint64_t size;

	if (e->feed[feed].peaks.end == e->feed[feed].before.end)
		return;
	size = sealed_checkpoint(e->digest, &e->feed[feed], signer, "fra1",
	    &value);
	add(e, LINE_CHECKPOINT, feed, size, &value);
	buf_release(&value);
}

static void
swap(struct export *e, size_t a, size_t b)
{
	char *text = e->line[a].text;
	size_t len = e->line[a].len;
	bool event = e->line[a].event;

	e->line[a] = e->line[b];
	e->line[b].text = text;
	e->line[b].len = len;
	e->line[b].event = event;
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
	sealed_begin(&e->feed[0], "a/one");
	sealed_begin(&e->feed[1], "a/two");
	build(e, data + 2, size - 2);
	at = data[1] % e->n;
	FUZZ_CHECK(judge(e, e->n, e->n));
	FUZZ_CHECK(judge(e, e->n, at));
	if (e->line[at].event) {
		char *digit = e->line[at].text + e->line[at].len - 4;

		FUZZ_CHECK(!judge(e, at, e->n));
		*digit = *digit == '1' ? '2' : '1';
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
