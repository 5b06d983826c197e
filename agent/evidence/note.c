/*
 * note.c - C2SP signed notes and checkpoints.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "evidence/note.h"

#define DASH "\xe2\x80\x94 " /* U+2014 and a space begin a signature line */

int
note_finish(const struct signer *s, struct buf *out, size_t start,
    struct err *err)
{
	uint8_t blob[KEY_ID_LEN + SIGNATURE_MAX];
	struct signature signature;

	if (signer_sign(s, out->data + start, out->len - start, &signature,
		err) == -1)
		return -1;
	memcpy(blob, signer_id(s), KEY_ID_LEN);
	memcpy(blob + KEY_ID_LEN, signature.data, signature.len);
	if (buf_addf(out, "\n" DASH "%s ", signer_name(s)) == -1 ||
	    text_base64(out, blob, KEY_ID_LEN + signature.len) == -1 ||
	    buf_adds(out, "\n") == -1)
		return err_set(err, "the note does not fit its buffer");
	return 0;
}

int
note_sign(const struct signer *s, const char *origin, uint64_t size,
    const uint8_t root[DIGEST_LEN], struct buf *out, struct err *err)
{
	size_t start = out->len;

	if (buf_addf(out, "%s\n%" PRIu64 "\n", origin, size) == -1 ||
	    text_base64(out, root, DIGEST_LEN) == -1 ||
	    buf_adds(out, "\n") == -1)
		return err_set(err, "the note does not fit its buffer");
	return note_finish(s, out, start, err);
}

/* The next line of [*at, end); *at moves behind it. */
static struct slice
next_line(const char **at, const char *end)
{
	struct slice line = { .data = *at };
	const char *lf = memchr(*at, '\n', (size_t)(end - *at));

	line.len = (size_t)((lf == NULL ? end : lf) - *at);
	*at = lf == NULL ? end : lf + 1;
	return line;
}

/* How many bytes the UTF-8 sequence at s has, 0: none that is valid. */
static size_t
utf8_sequence(const unsigned char *s, size_t len)
{
	static const struct {
		unsigned char first, last;
		uint32_t min; /* code point that needs so many bytes */
	} lead[] = {
		{ .first = 0x00, .last = 0x7f, .min = 0 },
		{ .first = 0xc2, .last = 0xdf, .min = 0x80 },
		{ .first = 0xe0, .last = 0xef, .min = 0x800 },
		{ .first = 0xf0, .last = 0xf4, .min = 0x10000 },
	};
	size_t n = 0;
	uint32_t c;

	while (n < 4 && (s[0] < lead[n].first || s[0] > lead[n].last))
		n++;
	if (n == 0)
		return 1;
	if (n == 4 || n >= len)
		return 0;
	c = s[0] & (0x3fu >> n);
	for (size_t i = 1; i <= n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fu);
	}
	if (c < lead[n].min || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	return n + 1;
}

static bool
characters_are_good(const char *s, size_t len)
{
	const unsigned char *u = (const unsigned char *)s;

	for (size_t i = 0; i < len;) {
		size_t n = utf8_sequence(u + i, len - i);

		if (n == 0 || (u[i] < ' ' && u[i] != '\n'))
			return false;
		i += n;
	}
	return true;
}

static int
parse_size(struct slice s, uint64_t *size)
{
	uint64_t n = 0;

	if (s.len == 0 || s.len > 20 || (s.len > 1 && s.data[0] == '0'))
		return -1;
	for (size_t i = 0; i < s.len; i++) {
		uint64_t digit = (uint64_t)(s.data[i] - '0');

		if (s.data[i] < '0' || s.data[i] > '9' ||
		    n > (UINT64_MAX - digit) / 10)
			return -1;
		n = n * 10 + digit;
	}
	*size = n;
	return 0;
}

/* The note's text: origin, size, root, extension lines that mean nothing
 * here. */
static int
parse_text(const char *s, size_t len, struct checkpoint *cp, struct err *err)
{
	const char *end = s + len;
	struct buf root = BUF_INIT(2 * DIGEST_LEN);
	struct slice line = next_line(&s, end);
	int rc = 0;

	if (line.len == 0 || line.len >= sizeof(cp->origin))
		return err_set(err,
		    "the checkpoint's origin is empty or too "
		    "long");
	memcpy(cp->origin, line.data, line.len);
	cp->origin[line.len] = '\0';
	if (parse_size(next_line(&s, end), &cp->size) == -1)
		return err_set(err,
		    "the checkpoint's tree size is not a "
		    "number");
	line = next_line(&s, end);
	if (text_unbase64(&root, line.data, line.len) == -1 ||
	    root.len != DIGEST_LEN)
		rc = err_set(err,
		    "the checkpoint's root is not a base64 "
		    "SHA-256");
	else
		memcpy(cp->root, root.data, DIGEST_LEN);
	buf_release(&root);
	while (rc == 0 && s < end)
		if (next_line(&s, end).len == 0)
			rc = err_set(err, "the checkpoint has an empty line");
	return rc;
}

/* "— name base64": the name and the bytes; -1 malformed. */
static int
parse_signature(struct slice line, char name[256], struct buf *raw)
{
	const char *s = line.data + strlen(DASH);
	const char *end = line.data + line.len;
	const char *space;

	if (line.len < strlen(DASH) ||
	    memcmp(line.data, DASH, strlen(DASH)) != 0)
		return -1;
	space = memchr(s, ' ', (size_t)(end - s));
	if (space == NULL || space == s || space - s >= 256 ||
	    memchr(s, '+', (size_t)(space - s)) != NULL)
		return -1;
	memcpy(name, s, (size_t)(space - s));
	name[space - s] = '\0';
	space++;
	if (text_unbase64(raw, space, (size_t)(end - space)) == -1 ||
	    raw->len <= KEY_ID_LEN)
		return -1;
	return 0;
}

/* One signature line over text: 1 good, 0 unknown key, -1 with err. */
static int
check_signature(struct slice line, struct slice text, struct trust trust,
    char signer[256], struct err *err)
{
	struct buf raw = BUF_INIT(NOTE_MAX);
	char name[256];
	int rc = 0;

	if (parse_signature(line, name, &raw) == -1) {
		buf_release(&raw);
		return err_set(err,
		    "a signature line of the note is "
		    "malformed");
	}
	for (size_t i = 0; i < trust.n && rc == 0; i++) {
		const uint8_t *id = (const uint8_t *)raw.data;

		if (!verifier_is(&trust.keys[i], name, id))
			continue;
		if (!verifier_check(&trust.keys[i], id + KEY_ID_LEN,
			raw.len - KEY_ID_LEN, text.data, text.len))
			rc = err_set(err, "bad signature by key %s", name);
		else
			rc = 1;
	}
	if (rc == 1)
		memcpy(signer, name, sizeof(name));
	buf_release(&raw);
	return rc;
}

/* Where the signatures begin: behind the last empty line. */
static const char *
signatures_of(const char *note, size_t len)
{
	for (size_t i = len; i >= 2; i--)
		if (note[i - 1] == '\n' && note[i - 2] == '\n')
			return note + i;
	return NULL;
}

int
note_split(const char *note, size_t len, struct slice *text, struct err *err)
{
	const char *at = len > NOTE_MAX ? NULL : signatures_of(note, len);

	if (at == NULL || at == note + len || note[len - 1] != '\n')
		return err_set(err, "not a signed note");
	if (!characters_are_good(note, len))
		return err_set(err,
		    "the note has characters that are not allowed");
	text->data = note;
	text->len = (size_t)(at - note) - 1;
	return 0;
}

int
note_check(const char *note, size_t len, struct slice text, struct trust trust,
    char signer[256], struct err *err)
{
	const char *end = note + len;
	const char *at = note + text.len + 1;
	bool good = false;

	for (size_t i = 0; at < end; i++) {
		int rc = -1;

		if (i < NOTE_SIGNATURES)
			rc = check_signature(next_line(&at, end), text, trust,
			    signer, err);
		if (rc == -1) {
			signer[0] = '\0';
			return err_set(err,
			    "the note has more than %d signatures",
			    NOTE_SIGNATURES);
		}
		good = good || rc == 1;
	}
	return good ? 0 : err_set(err, "signed by none of the given keys");
}

int
note_open(const char *note, size_t len, const struct verifier *keys, size_t n,
    struct checkpoint *cp, struct err *err)
{
	const struct trust trust = { .keys = keys, .n = n };
	struct slice text;

	*cp = (struct checkpoint){ .size = 0 };
	if (note_split(note, len, &text, err) == -1 ||
	    parse_text(text.data, text.len, cp, err) == -1)
		return -1;
	return note_check(note, len, text, trust, cp->signer, err);
}
