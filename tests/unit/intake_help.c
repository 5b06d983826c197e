/*
 * intake_help.c - an output of a dialect in front of a receiver whose answers
 * are given.
 */
#include "tests/unit/intake_help.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/node.h"
#include "base/text.h"
#include "config/config.h"
#include "config/setting.h"
#include "tests/unit/unit.h"

#define REPLIES 16

struct intake_rig intake_rig;
static struct canned_reply replies[REPLIES + 1];
static const struct output_type *type;
static void *conf;

static void
forget_replies(void)
{
	for (size_t i = 0; i < REPLIES; i++)
		free((void *)(uintptr_t)replies[i].bytes);
	memset(replies, 0, sizeof(replies));
}

void
rig_set_up(const struct output_type *of)
{
	forget_replies();
	type = of;
}

void
rig_expect_bytes(const char *path, char *bytes, size_t len)
{
	size_t n = 0;

	while (n < REPLIES && replies[n].path != NULL)
		n++;
	ck_assert_uint_lt(n, REPLIES);
	replies[n].path = path;
	replies[n].bytes = bytes;
	replies[n].len = len;
}

void
rig_expect_with(const char *path, int status, const char *headers,
    const char *body)
{
	rig_expect_bytes(path,
	    xasprintf("HTTP/1.1 %d X\r\n%s\r\nContent-Length: %zu\r\n\r\n%s",
		status, headers, strlen(body), body),
	    0);
}

void
rig_expect(const char *path, int status, const char *body)
{
	rig_expect_with(path, status, "Server: x", body);
}

void *
rig_conf(const struct output_type *of, const char *options)
{
	struct config_errors errors = CONFIG_ERRORS_INIT;
	struct err err = ERR_INIT;
	struct node *map = yaml_parse("conf", options, strlen(options), &err);
	void *c;

	ck_assert_msg(map != NULL, "%s", err.text);
	c = xcalloc(1, of->type.conf_size);
	settings_fill(of->type.settings, map, "outputs.siem", NULL, c, &errors);
	ck_assert_msg(errors.n == 0, "%s", errors.n == 0 ? "" : errors.line[0]);
	config_errors_release(&errors);
	node_free(map);
	return c;
}

static void
configure(const char *options, const char *path)
{
	const char *url = canned_url(intake_rig.server),
		   *mark = strchr(options, '@');
	size_t n = mark == NULL ? strlen(options) : (size_t)(mark - options);
	bool packs = strstr(options, "compress:") != NULL;
	char *text = xasprintf("{url: \"%s%s\", %sparallel: 2%s%.*s%s%s}", url,
	    path, packs ? "" : "compress: false, ", n == 0 ? "" : ", ", (int)n,
	    options, mark == NULL ? "" : url, mark == NULL ? "" : mark + 1);

	conf = rig_conf(type, text);
	free(text);
}

void
rig_listen(void)
{
	intake_rig.server = canned_start(replies);
}

void
rig_open(const void *with, const char *event)
{
	courier_open(&intake_rig.c, type, with, event);
}

void
rig_begin(size_t n, const char *event, const char *options, const char *path)
{
	rig_listen();
	configure(options, path);
	rig_open(conf, event);
	while (--n > 0)
		courier_add(&intake_rig.c, "{\"Id\":\"b\"}");
}

void
rig_end(void)
{
	courier_close(&intake_rig.c);
	canned_stop(intake_rig.server);
	if (conf != NULL)
		settings_release(type->type.settings, conf);
	free(conf);
	conf = NULL;
	forget_replies();
}

size_t
rig_marked(enum chunk_mark m)
{
	size_t n = 0;

	for (size_t i = 0; i < chunk_lines(intake_rig.c.chunk); i++)
		n += chunk_mark(intake_rig.c.chunk, i) == m;
	return n;
}

char *
rig_google_key(void)
{
	/* Small: each test makes one. */
	EVP_PKEY *key = EVP_RSA_gen(1024);
	BIO *bio = BIO_new(BIO_s_mem());
	struct buf json = BUF_INIT(16384), quoted = BUF_INIT(32768);
	char *data, *text;
	long len;

	ck_assert_int_eq(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL,
			     NULL),
	    1);
	len = BIO_get_mem_data(bio, &data);
	ck_assert_int_eq(buf_adds(&json,
			     "{\"type\":\"service_account\",\"private_key_id\":"
			     "\"k1\",\"client_email\":\"s!p.iam\",\"private_"
			     "key\":"),
	    0);
	ck_assert_int_eq(text_json_string(&json, data, (size_t)len), 0);
	ck_assert_int_eq(buf_adds(&json, "}"), 0);
	ck_assert_int_eq(text_json_string(&quoted, json.data, json.len), 0);
	text = xstrdup(quoted.data);
	buf_release(&json);
	buf_release(&quoted);
	BIO_free(bio);
	EVP_PKEY_free(key);
	return text;
}

/* Where the next request begins, behind s; NULL: there is none. */
static const char *
next_request(const char *s)
{
	static const char *const begins[] = { "POST /", "PUT /", "GET /" };
	const char *found = NULL, *at;

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
		at = strstr(s, begins[i]);
		if (at != NULL && (found == NULL || at < found))
			found = at;
	}
	return found;
}

const char *
rig_request(size_t n)
{
	const char *s = canned_requests(intake_rig.server);

	while (s != NULL && n-- > 0)
		s = next_request(s + 1);
	ck_assert_ptr_nonnull(s);
	return s;
}

const char *
rig_body(size_t n)
{
	return strstr(rig_request(n), "\r\n\r\n") + 4;
}

char *
rig_timeless_body(size_t n, const char *mark)
{
	char *copy = xstrdup(rig_body(n)), *at = copy;

	while ((at = strstr(at, mark)) != NULL)
		for (at += strlen(mark); *at >= '0' && *at <= '9'; at++)
			*at = '0';
	return copy;
}
