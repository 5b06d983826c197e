/*
 * body.c - the body of a reply, whatever packed it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/body.h"

#define LAYERS 3 /* one inside the other */
#define LEAD 64  /* bytes of which one must not be white space */
#define QUOTED 160

static const char bom[] = "\xef\xbb\xbf";

/* What Content-Encoding may say (RFC 9110 section 8.4.1, and what is met). */
enum coding { CODING_NONE, CODING_GZIP, CODING_DEFLATE, CODING_OTHER };
static const struct {
	const char *name;
	enum coding coding;
} codings[] = {
	{ "gzip", CODING_GZIP },
	{ "x-gzip", CODING_GZIP },
	{ "deflate", CODING_DEFLATE },
	{ "br", CODING_OTHER },
	{ "zstd", CODING_OTHER },
	{ "compress", CODING_OTHER },
	{ "x-compress", CODING_OTHER },
};

struct layer {
	struct http_body *body;
	size_t depth;
	bool decided;
	bool packed;
	struct gunzip *gunzip; /* NULL until it is needed */
	char lead[LEAD];
	size_t lead_len;
};

struct http_body {
	gunzip_fn *take;
	void *ctx;
	struct layer layer[LAYERS];
	enum coding coding[LAYERS]; /* as said, the outermost first */
	size_t n_codings;
	char other[32]; /* the name of one that is not known here */
};

struct http_body *
http_body_new(void)
{
	struct http_body *b = xcalloc(1, sizeof(*b));

	for (size_t i = 0; i < LAYERS; i++)
		b->layer[i] = (struct layer){ .body = b, .depth = i };
	return b;
}

static void
free_gunzips(struct http_body *b)
{
	for (size_t i = 0; i < LAYERS; i++) {
		gunzip_free(b->layer[i].gunzip);
		b->layer[i].gunzip = NULL;
	}
}

void
http_body_free(struct http_body *b)
{
	if (b == NULL)
		return;
	free_gunzips(b);
	free(b);
}

/* Take one name of the list, which are in the order of packing. */
static void
add_coding(struct http_body *b, const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++) {
		if (strlen(codings[i].name) != len ||
		    strncasecmp(codings[i].name, name, len) != 0)
			continue;
		if (codings[i].coding == CODING_OTHER)
			text_one_line(b->other, sizeof(b->other),
			    codings[i].name);
		if (b->n_codings == LAYERS)
			return;
		memmove(b->coding + 1, b->coding,
		    b->n_codings * sizeof(b->coding[0]));
		b->coding[0] = codings[i].coding;
		b->n_codings++;
		return;
	}
}

void
http_body_begin(struct http_body *b, const char *coding, gunzip_fn *take,
    void *ctx)
{
	b->take = take;
	b->ctx = ctx;
	b->n_codings = 0;
	b->other[0] = '\0';
	for (size_t i = 0; i < LAYERS; i++) {
		b->layer[i].decided = false;
		b->layer[i].packed = false;
		b->layer[i].lead_len = 0;
	}
	while (*coding != '\0') {
		size_t len;

		coding += strspn(coding, " \t,");
		len = strcspn(coding, " \t,;");
		add_coding(b, coding, len);
		coding += strcspn(coding, ",");
	}
}

/* Past byte order marks and white space in any order; len: all of it is that,
 * or what of a mark is there. */
static size_t
significant(const char *data, size_t len)
{
	size_t at = 0;

	while (at < len) {
		const size_t left = len - at < 3 ? len - at : 3;

		if (memchr(" \t\r\n\v\f", data[at], 6) != NULL)
			at++;
		else if (memcmp(data + at, bom, left) == 0)
			at += left;
		else
			break;
	}
	return at;
}

/* A page in UTF-16, of either order, with its mark or without: an API's JSON is
 * UTF-8. */
static bool
is_wide_page(const char *data, size_t len)
{
	if (len >= 2 &&
	    (memcmp(data, "\xff\xfe", 2) == 0 ||
		memcmp(data, "\xfe\xff", 2) == 0)) {
		data += 2;
		len -= 2;
	}
	while (len >= 2 && memchr(data, '\0', 2) != NULL &&
	    memchr(" \t\r\n", data[data[0] == '\0'], 4) != NULL) {
		data += 2;
		len -= 2;
	}
	return len >= 2 &&
	    (memcmp(data, "<\0", 2) == 0 || memcmp(data, "\0<", 2) == 0);
}

enum http_shape
http_body_shape(const char *data, size_t len)
{
	size_t at = len > 0 ? significant(data, len) : 0;

	if (at == len)
		return HTTP_EMPTY;
	if (data[at] == '[')
		return HTTP_ARRAY;
	if (data[at] == '{')
		return HTTP_OBJECT;
	return data[at] == '<' || is_wide_page(data, len) ? HTTP_PAGE
							  : HTTP_OTHER;
}

/* RFC 1950: a deflate stream with a header. */
static bool
is_zlib(const uint8_t *p, size_t len)
{
	return len >= 2 && (p[0] & 0x0f) == 8 && (p[0] << 8 | p[1]) % 31 == 0;
}

/* Deflate may begin with a brace, but then does not go on as JSON does. */
static bool
is_binary(const struct layer *l)
{
	const unsigned char c = (unsigned char)l->lead[1];

	return l->lead_len == 2 && (c < 0x20 || c > 0x7e) &&
	    memchr("\t\r\n", c, 3) == NULL;
}

/* What the lead of layer l, which is not JSON or a page, was packed with. */
static enum coding
find_coding(const struct layer *l)
{
	const struct http_body *b = l->body;
	const uint8_t *lead = (const uint8_t *)l->lead;
	enum coding said =
	    l->depth < b->n_codings ? b->coding[l->depth] : CODING_NONE;

	if (l->lead_len >= 2 && lead[0] == 0x1f && lead[1] == 0x8b)
		return CODING_GZIP;
	return said;
}

static gunzip_fn take_layer;

static int
pass(struct layer *l, const char *data, size_t len, struct err *err)
{
	struct http_body *b = l->body;

	if (!l->packed)
		return b->take(b->ctx, data, len, err);
	return gunzip_push(l->gunzip, data, len, err);
}

/* Decide what the layer is packed with, and pass on its lead. */
static int
decide(struct layer *l, struct err *err)
{
	enum http_shape shape = http_body_shape(l->lead, l->lead_len);
	enum gunzip_kind kind = GUNZIP_GZIP;
	enum coding coding = CODING_NONE;

	if (shape == HTTP_OTHER || shape == HTTP_EMPTY || is_binary(l))
		coding = find_coding(l);
	if (coding == CODING_OTHER)
		return err_set(err,
		    "a body with Content-Encoding %s, although only gzip was "
		    "offered",
		    l->body->other);
	if (coding == CODING_DEFLATE)
		kind = is_zlib((const uint8_t *)l->lead, l->lead_len)
		    ? GUNZIP_ZLIB
		    : GUNZIP_DEFLATE;
	l->decided = true;
	l->packed = coding != CODING_NONE && l->depth + 1 < LAYERS;
	if (l->packed) {
		if (l->gunzip == NULL)
			l->gunzip = gunzip_new();
		gunzip_begin_as(l->gunzip, kind, take_layer,
		    &l->body->layer[l->depth + 1]);
	}
	return l->lead_len > 0 ? pass(l, l->lead, l->lead_len, err) : 0;
}

/* gunzip_fn: bytes of a layer. */
static int
take_layer(void *ctx, const char *data, size_t len, struct err *err)
{
	struct layer *l = ctx;

	while (!l->decided && len > 0) {
		l->lead[l->lead_len++] = *data++;
		len--;
		if (l->lead_len < LEAD &&
		    (l->lead_len < 2 ||
			http_body_shape(l->lead, l->lead_len) == HTTP_EMPTY))
			continue;
		if (decide(l, err) != 0)
			return -1;
	}
	return len > 0 ? pass(l, data, len, err) : 0;
}

int
http_body_push(struct http_body *b, const char *data, size_t len,
    struct err *err)
{
	return take_layer(&b->layer[0], data, len, err);
}

static int
end_layers(struct http_body *b, struct err *err)
{
	for (size_t i = 0; i < LAYERS; i++) {
		struct layer *l = &b->layer[i];

		/* Of a body without bytes nothing is missing. */
		if (!l->decided && l->lead_len == 0)
			return 0;
		if (!l->decided && decide(l, err) != 0)
			return -1;
		if (!l->packed)
			return 0;
		if (gunzip_end(l->gunzip, err) != 0)
			return -1;
	}
	return 0;
}

int
http_body_end(struct http_body *b, struct err *err)
{
	int rc = end_layers(b, err);

	/* Large, and not needed before the next body. */
	free_gunzips(b);
	return rc;
}

/* The text between <title> and its end; its length in *len. */
static const char *
find_title(const char *data, size_t len, size_t *title_len)
{
	static const char begin[] = "<title", end[] = "</title";
	const char *title = NULL;

	for (size_t i = 0; i + sizeof(begin) <= len; i++) {
		if (title == NULL &&
		    strncasecmp(data + i, begin, sizeof(begin) - 1) == 0)
			title = memchr(data + i, '>', len - i);
		else if (title != NULL && i + sizeof(end) <= len &&
		    data + i > title &&
		    strncasecmp(data + i, end, sizeof(end) - 1) == 0) {
			*title_len = (size_t)(data + i - title) - 1;
			return title + 1;
		}
	}
	return NULL;
}

void
http_body_quote(const char *data, size_t len, char *out, size_t size)
{
	const char *title = NULL;

	if (len > 0 && http_body_shape(data, len) == HTTP_PAGE)
		title = find_title(data, len, &len);
	text_quote(out, size < QUOTED ? size : QUOTED,
	    title != NULL ? title : data, len);
}
