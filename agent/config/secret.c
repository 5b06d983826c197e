/*
 * secret.c - settings that stand for something kept elsewhere.
 *
 * Content goes through one buffer that is allocated at its full size, so
 * that growing leaves no copies behind, and is wiped.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "config/secret.h"

/* A key and its chain are some KiB, a system's bundle of CAs 250. */
#define SECRET_MAX (1024 * 1024)
#define NAME_LEN_MAX 1024

/* Locked memory of a process, a power of two, and the least that one takes of
 * it.  OpenSSL shares it, half a KiB for each thread that is random and some
 * for each connection, and fails where it ends: here is room for thousands.
 * What is not used of it is no memory. */
#define LOCKED_SIZE (4 * 1024 * 1024)
#define LOCKED_LEAST 256

static int append_file(const char *name, struct buf *out, struct err *err);
static int append_env(const char *name, struct buf *out, struct err *err);
static int append_credential(const char *name, struct buf *out,
    struct err *err);
static bool good_path(const char *name, size_t len);
static bool good_variable(const char *name, size_t len);
static bool good_credential(const char *name, size_t len);

static const struct form {
	const char *prefix;
	const char *what; /* stands before the name in messages */
	bool (*good)(const char *name, size_t len);
	int (*append)(const char *name, struct buf *out, struct err *err);
} forms[] = {
	{ .prefix = "${file:",
	    .what = "",
	    .good = good_path,
	    .append = append_file },
	{ .prefix = "${env:",
	    .what = "environment variable ",
	    .good = good_variable,
	    .append = append_env },
	{ .prefix = "${credential:",
	    .what = "credential ",
	    .good = good_credential,
	    .append = append_credential },
};

/* A reference within a text. */
struct reference {
	const struct form *form;
	const char *name;
	size_t len;
	const char *end; /* what follows the "}" */
};

static bool
good_path(const char *name, size_t len)
{
	return name[0] != '\0' && len > 0 && len < NAME_LEN_MAX;
}

static bool
good_variable(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '_')
			return false;
	return len > 0 && len < NAME_LEN_MAX &&
	    !isdigit((unsigned char)name[0]);
}

static bool
good_credential(const char *name, size_t len)
{
	if (len == 0 || len > 255 || memchr(name, '/', len) != NULL)
		return false;
	return name[0] != '.' || (len > 1 && strncmp(name, "..", len) != 0);
}

/* Take apart the reference that begins at s ("${"). */
static int
parse_reference(const char *s, struct reference *r)
{
	const char *end = strchr(s, '}');

	if (end == NULL)
		return -1;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		size_t skip = strlen(forms[i].prefix);

		if (strncmp(s, forms[i].prefix, skip) != 0)
			continue;
		*r = (struct reference){
			.form = &forms[i],
			.name = s + skip,
			.len = (size_t)(end - s) - skip,
			.end = end + 1,
		};
		return r->form->good(r->name, r->len) ? 0 : -1;
	}
	return -1;
}

/* The reference names a file as one does for a shell. */
static bool
wants_shell(const struct reference *r)
{
	char *path = xstrndup(r->name, r->len);
	const bool wants =
	    r->form->append == append_file && file_wants_shell(path);

	free(path);
	return wants;
}

int
secret_check(const char *text, struct err *err)
{
	struct reference r;
	const char *s = text;

	while ((s = strstr(s, "${")) != NULL) {
		if (parse_reference(s, &r) < 0)
			return err_set(err,
			    "has \"${\" at character %zu that does not begin "
			    "${file:PATH}, ${env:NAME} or ${credential:NAME}",
			    (size_t)(s - text) + 1);
		if (wants_shell(&r))
			return err_set(err,
			    "has a ${file:…} at character %zu whose path "
			    "begins with ~ or $, which a shell would replace, "
			    "but no shell reads it; write the whole path",
			    (size_t)(s - text) + 1);
		s = r.end;
	}
	return 0;
}

void
secret_keep_references(char *text)
{
	const char *s = text;
	struct reference r;
	char *to = text;

	while ((s = strstr(s, "${")) != NULL) {
		if (parse_reference(s, &r) < 0) {
			s += 2;
			continue;
		}
		memmove(to, s, (size_t)(r.end - s));
		to += r.end - s;
		s = r.end;
	}
	*to = '\0';
}

static int
append_file(const char *name, struct buf *out, struct err *err)
{
	size_t before = out->len;

	if (file_read(name, out, err) < 0)
		return -1;
	if (memchr(out->data + before, '\0', out->len - before) != NULL)
		return err_set(err, "%s: not text: it contains NUL bytes",
		    name);
	if (out->len > before && out->data[out->len - 1] == '\n')
		out->len--;
	if (out->len > before && out->data[out->len - 1] == '\r')
		out->len--;
	out->data[out->len] = '\0';
	return 0;
}

static int
append_env(const char *name, struct buf *out, struct err *err)
{
	const char *value = getenv(name);

	if (value == NULL)
		return err_set(err, "environment variable %s is not set", name);
	if (buf_adds(out, value) < 0)
		return err_set(err, "environment variable %s is too long",
		    name);
	return 0;
}

static int
append_credential(const char *name, struct buf *out, struct err *err)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	char *path;
	int rc;

	if (dir == NULL)
		return err_set(err,
		    "credential %s: no credentials were passed: "
		    "CREDENTIALS_DIRECTORY is not set; systemd sets it for "
		    "LoadCredential=",
		    name);
	path = xasprintf("%s/%s", dir, name);
	rc = append_file(path, out, err);
	free(path);
	return rc;
}

/* Append text with its references replaced. */
static int
expand(const char *text, struct buf *out, struct err *err)
{
	char name[NAME_LEN_MAX];
	struct reference r;
	const char *s;

	if (secret_check(text, err) < 0)
		return err_prefix(err, "a secret");
	while ((s = strstr(text, "${")) != NULL) {
		if (buf_add(out, text, (size_t)(s - text)) < 0)
			return err_set(err, "a secret is too long");
		if (parse_reference(s, &r) < 0)
			return err_set(err, "a secret is malformed");
		memcpy(name, r.name, r.len);
		name[r.len] = '\0';
		if (r.form->append(name, out, err) < 0)
			return -1;
		text = r.end;
	}
	if (buf_adds(out, text) < 0)
		return err_set(err, "a secret is too long");
	return 0;
}

/* A buffer that will not be moved while it fills. */
static int
open_buf(struct buf *b, struct err *err)
{
	buf_init(b, SECRET_MAX);
	if (buf_room(b, SECRET_MAX) == NULL)
		return err_set(err, "out of memory");
	return buf_adds(b, "");
}

static void
close_buf(struct buf *b)
{
	if (b->data != NULL)
		OPENSSL_cleanse(b->data, b->size);
	buf_release(b);
}

char *
secret_resolve(const char *text, struct err *err)
{
	char *secret = NULL;
	struct buf b;

	if (open_buf(&b, err) == 0 && expand(text, &b, err) == 0)
		secret = secret_copy(b.data);
	close_buf(&b);
	return secret;
}

/* "pkcs11:…", as OpenSSL's providers take it (RFC 3986 section 3.1). */
static bool
is_uri(const char *s)
{
	size_t n = 0;

	if (!isalpha((unsigned char)s[0]))
		return false;
	while (isalnum((unsigned char)s[n]) || strchr("+-.", s[n]) != NULL) {
		if (s[n] == '\0')
			return false;
		n++;
	}
	return s[n] == ':';
}

/* The content of the file named by a resolved text.  The message must not
 * repeat that text where it came from a reference: it may be a key in a form
 * that was not expected. */
static char *
read_named(const char *text, const char *name, struct err *err)
{
	struct err why = ERR_INIT;
	char *content = NULL;
	struct buf b;

	if (open_buf(&b, err) < 0)
		goto out;
	if (strchr(name, '\n') == NULL && strlen(name) < NAME_LEN_MAX &&
	    append_file(name, &b, &why) == 0)
		content = secret_copy(b.data);
	else if (strstr(text, "${") != NULL)
		(void)err_set(err,
		    "%.200s: its content is neither PEM nor the name of a "
		    "readable file",
		    text);
	else if (why.text[0] != '\0')
		(void)err_set(err, "%s", why.text);
	else
		(void)err_set(err,
		    "a key or certificate is neither PEM (\"-----BEGIN\") "
		    "nor the name of a file");
out:
	close_buf(&b);
	return content;
}

/* Whether a text that has no reference names a file, in place of PEM. */
static bool
names_file(const char *text)
{
	return text[0] != '\0' && !is_uri(text) &&
	    strstr(text, "-----BEGIN") == NULL;
}

int
secret_blame(const char *text, struct err *err)
{
	const char *at = strstr(text, "${");
	struct reference r;

	if (at != NULL && parse_reference(at, &r) == 0)
		return err_prefix(err, "%s%.*s", r.form->what, (int)r.len,
		    r.name);
	return at == NULL && names_file(text) ? err_prefix(err, "%s", text)
					      : -1;
}

void
secret_each_file(const char *text, bool pem, secret_file_fn *fn, void *ctx)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	struct reference r;

	if (pem && strstr(text, "${") == NULL && names_file(text))
		fn(ctx, text);
	while ((text = strstr(text, "${")) != NULL) {
		char *path = NULL;

		if (parse_reference(text, &r) < 0)
			return;
		if (r.form->append == append_file)
			path = xstrndup(r.name, r.len);
		else if (r.form->append == append_credential && dir != NULL)
			path = xasprintf("%s/%.*s", dir, (int)r.len, r.name);
		if (path != NULL)
			fn(ctx, path);
		free(path);
		text = r.end;
	}
}

void
secret_each_variable(const char *text, secret_variable_fn *fn, void *ctx)
{
	struct reference r;

	while ((text = strstr(text, "${")) != NULL) {
		if (parse_reference(text, &r) < 0)
			return;
		if (r.form->append == append_env)
			fn(ctx, r.name, r.len);
		text = r.end;
	}
}

bool
secret_has_credential(const char *text)
{
	struct reference r;

	while ((text = strstr(text, "${")) != NULL) {
		if (parse_reference(text, &r) < 0)
			return false;
		if (r.form->append == append_credential)
			return true;
		text = r.end;
	}
	return false;
}

char *
secret_resolve_pem(const char *text, struct err *err)
{
	char *secret = secret_resolve(text, err);
	char *content;

	if (secret == NULL || secret[0] == '\0' || is_uri(secret) ||
	    strstr(secret, "-----BEGIN") != NULL)
		return secret;
	content = read_named(text, secret, err);
	secret_free(secret);
	return content;
}

void
secret_lock(void)
{
	(void)CRYPTO_secure_malloc_init(LOCKED_SIZE, LOCKED_LEAST);
}

char *
secret_copy(const char *text)
{
	const size_t size = strlen(text) + 1;
	char *copy = CRYPTO_secure_malloc_initialized()
	    ? OPENSSL_secure_malloc(size)
	    : NULL;

	if (copy == NULL)
		copy = xmalloc(size);
	memcpy(copy, text, size);
	return copy;
}

void
secret_free(char *s)
{
	if (s != NULL && CRYPTO_secure_allocated(s)) {
		OPENSSL_secure_clear_free(s, strlen(s));
		return;
	}
	if (s != NULL)
		OPENSSL_cleanse(s, strlen(s));
	free(s);
}
