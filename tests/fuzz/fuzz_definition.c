/*
 * fuzz_definition.c - any bytes as a vendor's definition, as a time in each of
 * the forms that one may name, and as an event that values are picked from.
 */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/template.h"
#include "base/when.h"
#include "sources/rest/decode.h"
#include "sources/rest/definition.h"
#include "sources/rest/pick.h"
#include "tests/fuzz/fuzz.h"

/* What is loaded has all that a source relies on. */
static void
check(const struct definition *d)
{
	FUZZ_CHECK(d->name != NULL && d->title != NULL && d->docs != NULL);
	FUZZ_CHECK(d->n_streams > 0 && d->n_hosts > 0 && d->n_auth > 0);
	FUZZ_CHECK(d->rate.requests > 0 && d->rate.per > 0);
	for (size_t i = 0; i < d->n_streams; i++) {
		const struct def_stream *s = &d->streams[i];

		FUZZ_CHECK(s->request.path[0] == '/');
		FUZZ_CHECK(s->records.at[0] != NULL && s->time.at != NULL);
		FUZZ_CHECK(s->retention > 0 && s->rules != NULL);
		FUZZ_CHECK(definition_stream(d, s->name) == s);
		FUZZ_CHECK(s->cursor.kind != CURSOR_WINDOW ||
		    s->cursor.overlap < s->cursor.span);
	}
}

static void
load(const uint8_t *data, size_t size)
{
	struct config_errors errors = CONFIG_ERRORS_INIT;
	struct definition *d =
	    definition_parse(NULL, "f", (const char *)data, size, &errors);

	FUZZ_CHECK((d != NULL) == (errors.n == 0));
	for (size_t i = 0; i < errors.n && i < CONFIG_ERRORS_MAX - 1; i++)
		FUZZ_CHECK(errors.place[i].line > 0);
	if (d != NULL)
		check(d);
	definition_free(d);
	config_errors_release(&errors);
}

/* What was written is read as it was, as far as the format goes. */
static void
times(struct slice text)
{
	for (int f = 0; f < WHEN_FORMATS; f++) {
		struct buf out = BUF_INIT(100);
		int64_t when, again;

		if (when_read((enum when_format)f, text, &when) == 0) {
			FUZZ_CHECK(when >= 0);
			FUZZ_CHECK(when_write((enum when_format)f, when,
				       &out) == 0);
			FUZZ_CHECK(when_read((enum when_format)f,
				       (struct slice){ out.data, out.len },
				       &again) == 0);
			FUZZ_CHECK(again <= when);
		}
		buf_release(&out);
	}
}

static void
values(struct slice json)
{
	static const char *const pointers[] = { "", "/id", "/a/b", "/0", "/a/1",
		"/~0~1", "/" };

	for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
		struct slice v = pick(json, pointers[i]);

		FUZZ_CHECK(v.data == NULL ||
		    (v.data >= json.data &&
			v.data + v.len <= json.data + json.len));
	}
}

/* decode_fn */
static int
take(void *ctx, struct slice event, const char *bad, struct err *err)
{
	size_t *n = ctx;

	FUZZ_CHECK(event.data != NULL && event.len > 0);
	++*n;
	/* Each other one is no JSON. */
	if (bad == NULL && *n % 2 == 0)
		return err_set(err, "it is none") + 2;
	return 0;
}

/* The bytes as a reply in each of the forms that are read whole. */
static void
replies(struct slice body)
{
	for (int f = RECORDS_JSON + 1; f < RECORDS_FORMATS; f++) {
		char *const at[] = { (char[]){ "/rows" }, (char[]){ "/more" },
			NULL };
		struct buf kept = BUF_INIT(1 << 20);
		const struct decode d = { .format = (enum record_format)f,
			.at = at,
			.names = f % 2 == 0 ? "a" : NULL,
			.columns = "/columns",
			.column = f % 2 == 0 ? "/name" : NULL,
			.kept = &kept };
		struct err err = ERR_INIT;
		size_t n = 0;

		FUZZ_CHECK(decode(&d, body, take, &n, &err) == 0 ||
		    *err.text != '\0');
		buf_release(&kept);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy of its own, so that what reads behind its end is seen. */
	char *copy = malloc(size + 1);
	struct slice text = { copy, size };
	struct template_place p;

	FUZZ_CHECK(copy != NULL);
	memcpy(copy, data, size);
	copy[size] = '\0';
	load(data, size);
	times(text);
	for (size_t at = 0; template_next(copy, at, &p); at = p.end)
		FUZZ_CHECK(p.end > at && p.end <= strlen(copy));
	free(copy);
	copy = malloc(size > 0 ? size : 1);
	FUZZ_CHECK(copy != NULL);
	memcpy(copy, data, size);
	values((struct slice){ copy, size });
	replies((struct slice){ copy, size });
	free(copy);
	return 0;
}
