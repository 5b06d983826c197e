/*
 * sign_log.c - what seal has signed, remembered outside of the store.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "seal/sign_log.h"

#define TITLE "sealfeed seal log 1 "
#define TORN "#torn\n"
#define ID_BYTES 16
#define CHECK_BYTES 4
#define LINE_LEN_MAX 1024
#define COMPACT_AT (8 << 20)
#define REMEDY                                              \
	"put the true one back, or stop the agent and run " \
	"\"sealfeed store restored\", which begins a log and trees"

struct sign_log {
	int fd;
	char *path;
	char id[2 * ID_BYTES + 1];
	struct sign_head *head;
	size_t n;
	int64_t bytes;   /* of the file */
	int64_t compact; /* at this size */
	struct digest *digest;
};

/* The digits at the end of a line: of its text before them. */
static void
line_check(struct digest *d, const char *text, size_t len,
    char out[2 * CHECK_BYTES + 1])
{
	uint8_t hash[DIGEST_LEN];

	digest_sha256(d, "", 0, text, len, hash);
	text_hex(out, hash, CHECK_BYTES);
}

static int
put_head(struct buf *out, struct digest *d, const struct sign_head *head)
{
	const size_t start = out->len;
	char when[CLOCK_TEXT], check[2 * CHECK_BYTES + 1];

	(void)clock_format(clock_now(), 3, when);
	if (buf_addf(out, "%s %" PRIu64 " ", when, head->size) == -1 ||
	    text_base64(out, head->root, DIGEST_LEN) == -1 ||
	    buf_addf(out, " %s", head->origin) == -1)
		return -1;
	line_check(d, out->data + start, out->len - start, check);
	return buf_addf(out, " %s\n", check);
}

/* Remember a head: the last of its origin counts. */
static int
keep_head(struct sign_log *l, const struct sign_head *head)
{
	struct sign_head *to = NULL;

	for (size_t i = 0; i < l->n && to == NULL; i++)
		if (strcmp(l->head[i].origin, head->origin) == 0)
			to = &l->head[i];
	if (to == NULL) {
		if (l->n == SIGN_LOG_ORIGINS)
			return -1;
		if ((l->n & (l->n - 1)) == 0)
			l->head = xreallocarray(l->head,
			    l->n == 0 ? 1 : 2 * l->n, sizeof(*l->head));
		to = &l->head[l->n++];
		to->origin = xstrdup(head->origin);
	}
	to->size = head->size;
	memcpy(to->root, head->root, DIGEST_LEN);
	return 0;
}

/* Take the number of a tree's size: digits only. */
static int
take_size(const char *text, uint64_t *size)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return -1;
	errno = 0;
	*size = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' ? 0 : -1;
}

/* Take a line apart, which is written into: 0 or -1. */
static int
read_head(struct sign_log *l, char *line, size_t len)
{
	struct buf root = BUF_INIT(2 * DIGEST_LEN);
	struct sign_head head = { .size = 0 };
	char check[2 * CHECK_BYTES + 1];
	char *digits = strrchr(line, ' ');
	char *rest = line, *size, *hash;
	int rc = -1;

	if (digits == NULL || strlen(line) != len)
		return -1;
	line_check(l->digest, line, (size_t)(digits - line), check);
	if (strcmp(check, digits + 1) != 0)
		return -1;
	*digits = '\0';
	(void)strsep(&rest, " "); /* the time is for people */
	size = strsep(&rest, " ");
	hash = strsep(&rest, " ");
	head.origin = rest;
	if (rest != NULL && take_size(size, &head.size) == 0 &&
	    text_unbase64(&root, hash, strlen(hash)) == 0 &&
	    root.len == DIGEST_LEN) {
		memcpy(head.root, root.data, DIGEST_LEN);
		rc = keep_head(l, &head);
	}
	buf_release(&root);
	return rc;
}

static bool
is_torn(const char *line, size_t len)
{
	const size_t end = strlen(TORN) - 1;

	return len >= end && memcmp(line + len - end, TORN, end) == 0;
}

/* The first line. */
static int
read_title(struct sign_log *l, const char *line, size_t len)
{
	const size_t title = strlen(TITLE);

	if (len != title + 2 * ID_BYTES || strncmp(line, TITLE, title) != 0 ||
	    strspn(line + title, "0123456789abcdef") != 2 * ID_BYTES)
		return -1;
	memcpy(l->id, line + title, sizeof(l->id));
	return 0;
}

static int
damaged(const struct sign_log *l, size_t n, struct err *err)
{
	return err_set(err, "%s: damaged at line %zu; " REMEDY, l->path, n);
}

/* End a line that a crash cut off. */
static int
end_torn(struct sign_log *l, struct err *err)
{
	if (file_write_all(l->fd, TORN, strlen(TORN)) == 0 &&
	    fsync(l->fd) == 0) {
		l->bytes += (int64_t)strlen(TORN);
		return 0;
	}
	return err_set(err, "%s: cannot be written: %s", l->path,
	    strerror(errno));
}

/* Read all lines; the last may be torn. */
static int
read_lines(struct sign_log *l, FILE *in, struct err *err)
{
	char line[LINE_LEN_MAX];
	size_t n = 0, len = 0;
	int c;

	while ((c = getc(in)) != EOF) {
		l->bytes++;
		if (c != '\n') {
			/* A torn line may be longer than any that is read. */
			if (len == sizeof(line) - 1)
				memmove(line, line + 1, --len);
			line[len++] = (char)c;
			continue;
		}
		line[len] = '\0';
		n++;
		if (n == 1
			? read_title(l, line, len) != 0
			: !is_torn(line, len) && read_head(l, line, len) != 0)
			return damaged(l, n, err);
		len = 0;
	}
	if (ferror(in))
		return err_set(err, "%s: cannot be read: %s", l->path,
		    strerror(errno));
	if (n == 0)
		return damaged(l, 1, err);
	return len == 0 ? 0 : end_torn(l, err);
}

static int
load(struct sign_log *l, struct err *err)
{
	int fd = dup(l->fd);
	FILE *in = fd < 0 ? NULL : fdopen(fd, "r");
	int rc;

	if (in == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return err_set(err, "%s: %s", l->path, strerror(errno));
	}
	rc = read_lines(l, in, err);
	(void)fclose(in);
	l->compact = l->bytes > COMPACT_AT ? l->bytes : COMPACT_AT;
	return rc;
}

int
sign_log_open(const char *path, struct sign_log **log, struct err *err)
{
	struct sign_log *l;
	struct err why = ERR_INIT;
	int fd = file_open_regular(path, O_RDWR | O_APPEND, &why);

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_set(err, "%s", why.text);
	l = xcalloc(1, sizeof(*l));
	l->fd = fd;
	l->path = xstrdup(path);
	l->digest = digest_new();
	if (load(l, err) == 0) {
		*log = l;
		return 1;
	}
	sign_log_close(l);
	return -1;
}

void
sign_log_close(struct sign_log *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < l->n; i++)
		free(l->head[i].origin);
	free(l->head);
	digest_free(l->digest);
	(void)close(l->fd);
	free(l->path);
	free(l);
}

/* Put a log with that id and these heads in the place of path. */
static int
write_log(const char *path, const char *id, const struct sign_head *heads,
    size_t n, struct err *err)
{
	struct buf text = BUF_INIT((n + 1) * LINE_LEN_MAX);
	struct digest *d = digest_new();
	int rc = buf_addf(&text, TITLE "%s\n", id);

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = put_head(&text, d, &heads[i]);
	if (rc == 0)
		rc =
		    file_replace(path, text.data, text.len, SIGN_LOG_MODE, err);
	else
		(void)err_set(err, "%s: an origin is too long", path);
	digest_free(d);
	buf_release(&text);
	return rc;
}

int
sign_log_create(const char *path, const struct sign_head *heads, size_t n,
    struct err *err)
{
	uint8_t random[ID_BYTES];
	char id[2 * ID_BYTES + 1];

	if (RAND_bytes(random, sizeof(random)) != 1)
		return err_set(err, "%s: OpenSSL has no random numbers", path);
	text_hex(id, random, sizeof(random));
	if (file_parents(path, err) != 0)
		return -1;
	return write_log(path, id, heads, n, err);
}

const char *
sign_log_id(const struct sign_log *l)
{
	return l->id;
}

const struct sign_head *
sign_log_find(const struct sign_log *l, const char *origin)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->head[i].origin, origin) == 0)
			return &l->head[i];
	return NULL;
}

const struct sign_head *
sign_log_at(const struct sign_log *l, size_t i)
{
	return i < l->n ? &l->head[i] : NULL;
}

/* A log may be larger than it needs to be, so a failure only defers this. */
static void
compact(struct sign_log *l)
{
	struct err err = ERR_INIT;
	struct stat st;
	int fd = -1;

	if (write_log(l->path, l->id, l->head, l->n, &err) == 0)
		fd = file_open_regular(l->path, O_RDWR | O_APPEND, &err);
	if (fd >= 0 && fstat(fd, &st) == 0) {
		(void)close(l->fd);
		l->fd = fd;
		l->bytes = st.st_size;
	}
	l->compact = 2 * l->bytes > COMPACT_AT ? 2 * l->bytes : COMPACT_AT;
}

/* The file that is open is still the one at path: one that was moved away
 * would be gone at the next start. */
static int
still_there(const struct sign_log *l, struct err *err)
{
	struct stat here, there;

	if (fstat(l->fd, &here) == 0 && stat(l->path, &there) == 0 &&
	    here.st_dev == there.st_dev && here.st_ino == there.st_ino)
		return 0;
	return err_set(err, "%s: the seal log was moved or deleted; " REMEDY,
	    l->path);
}

int
sign_log_append(struct sign_log *l, const struct sign_head *head,
    struct err *err)
{
	struct buf line = BUF_INIT(LINE_LEN_MAX);
	int rc = -1;

	if (still_there(l, err) != 0)
		return -1;
	if (put_head(&line, l->digest, head) != 0) {
		(void)err_set(err, "%s: the origin is too long", l->path);
	} else if (file_write_all(l->fd, line.data, line.len) != 0 ||
	    fdatasync(l->fd) != 0) {
		(void)err_set(err,
		    "%s: the seal log cannot be written: %s; see to its disk "
		    "and its mode",
		    l->path, strerror(errno));
	} else if (keep_head(l, head) != 0) {
		(void)err_set(err, "%s: more than %d trees", l->path,
		    SIGN_LOG_ORIGINS);
	} else {
		l->bytes += (int64_t)line.len;
		rc = 0;
	}
	buf_release(&line);
	if (rc == 0 && l->bytes > l->compact)
		compact(l);
	return rc;
}
