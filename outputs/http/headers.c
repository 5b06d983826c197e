/*
 * headers.c - headers of requests and answers.
 */
#include "outputs/http/headers.h"

#include <openssl/crypto.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "config/secret.h"
#include "outputs/http/conf.h"

/* Longest header line; servers take 8 KiB. */
#define HEADER_MAX 8192

static void
wipe(struct buf *b)
{
	if (b->data != NULL)
		OPENSSL_cleanse(b->data, b->size);
	buf_release(b);
}

static int
too_long(const char *name, struct err *err)
{
	return err_set(err, "%s: longer than a header may be", name);
}

/* Add "before" and the text that secret stands for, its base64 where encode
 * is set.  A line break would begin another header. */
static int
add(struct curl_slist **list, const char *setting, const char *before,
    const char *secret, bool encode, struct err *err)
{
	struct buf line = BUF_INIT(HEADER_MAX);
	struct curl_slist *grown = NULL;
	char *value = secret_resolve(secret, err);
	int rc;

	if (value == NULL)
		return err_prefix(err, "%s", setting);
	rc = buf_adds(&line, before);
	if (rc == 0)
		rc = encode ? text_base64(&line, value, strlen(value))
			    : buf_adds(&line, value);
	secret_free(value);
	if (rc != 0)
		rc = too_long(setting, err);
	else if (strpbrk(line.data, "\r\n") != NULL)
		rc = err_set(err,
		    "%s: contains a line break, which is not allowed in a "
		    "header",
		    setting);
	else
		grown = curl_slist_append(*list, line.data);
	wipe(&line);
	if (grown != NULL)
		*list = grown;
	else if (rc == 0)
		rc = err_set(err, "%s: out of memory", setting);
	return rc;
}

static int
add_headers(const struct http_output_conf *conf, struct curl_slist **list,
    struct err *err)
{
	const struct setting_pair *h = conf->headers;
	struct buf before = BUF_INIT(HEADER_MAX);
	int rc = 0;

	for (; rc == 0 && h != NULL && h->name != NULL; h++) {
		buf_clear(&before);
		if (buf_addf(&before, "%s: ", h->name) != 0)
			rc = too_long(h->name, err);
		else
			rc = add(list, h->name, before.data, h->value, false,
			    err);
	}
	buf_release(&before);
	return rc;
}

int
http_head(const struct http_head *h, struct curl_slist **list, struct err *err)
{
	const struct http_output_conf *conf = h->conf;
	const char *type = h->type;
	int rc = 0;

	*list = NULL;
	if (type != NULL)
		rc = add(list, "headers", "Content-Type: ", type, false, err);
	if (rc == 0 && type != NULL && h->compress)
		rc = add(list, "compress", "Content-Encoding: gzip", "", false,
		    err);
	if (rc == 0 && conf->bearer != NULL)
		rc = add(list, "bearer", "Authorization: Bearer ", conf->bearer,
		    false, err);
	if (rc == 0 && conf->basic != NULL)
		rc = add(list, "basic", "Authorization: Basic ", conf->basic,
		    true, err);
	if (rc == 0 && conf->token != NULL && h->token_header != NULL)
		rc = add(list, "token", h->token_header, conf->token, false,
		    err);
	if (rc == 0)
		rc = add_headers(conf, list, err);
	if (rc == 0)
		return 0;
	http_head_free(*list);
	*list = NULL;
	return -1;
}

void
http_head_free(struct curl_slist *list)
{
	for (struct curl_slist *l = list; l != NULL; l = l->next)
		OPENSSL_cleanse(l->data, strlen(l->data));
	curl_slist_free_all(list);
}

int
http_head_add(struct curl_slist **list, const char *name, const char *value)
{
	struct buf line = BUF_INIT(HEADER_MAX);
	struct curl_slist *grown = NULL;

	if (buf_addf(&line, "%s: %s", name, value) == 0 &&
	    strpbrk(line.data, "\r\n") == NULL)
		grown = curl_slist_append(*list, line.data);
	wipe(&line);
	if (grown == NULL)
		return -1;
	*list = grown;
	return 0;
}

int
http_head_join(struct curl_slist **list, const struct curl_slist *more)
{
	struct curl_slist *grown;

	for (; more != NULL; more = more->next) {
		grown = curl_slist_append(*list, more->data);
		if (grown == NULL)
			return -1;
		*list = grown;
	}
	return 0;
}

bool
http_head_find(const struct buf *lines, const char *name, char *out,
    size_t size)
{
	const char *at, *lf;
	size_t len;

	out[0] = '\0';
	for (size_t i = 0; i < lines->len; i += len) {
		at = lines->data + i;
		lf = memchr(at, '\n', lines->len - i);
		len = lf == NULL ? lines->len - i : (size_t)(lf - at) + 1;
		http_head_value(at, len, name, out, size);
	}
	return out[0] != '\0';
}

void
http_head_value(const char *line, size_t len, const char *name, char *out,
    size_t size)
{
	size_t n = strlen(name);

	if (len <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
		return;
	line += n + 1;
	len -= n + 1;
	while (len > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	while (len > 0 && strchr("\r\n \t", line[len - 1]) != NULL)
		len--;
	if (len >= size)
		len = size - 1;
	/* RFC 9110 section 5.5: as a space counts what ends lines or texts. */
	for (size_t i = 0; i < len; i++)
		out[i] = strchr("\r\n", line[i]) == NULL ? line[i] : ' ';
	out[len] = '\0';
}
