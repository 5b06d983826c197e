/*
 * shown.c - a URL as logs, the status page and the agent's own feed show it.
 */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "http/shown.h"

#define TOKEN_MIN 16
#define HIDDEN "…"

/* Of Azure Monitor and Google: behind them stands an id that lets nobody in. */
static const char *const ids[] = { "dataCollectionRules", "streams",
	"workspaces", "tenants", "subscriptions", "projects", "locations",
	"instances", "forwarders", "customers" };

/* A part between two slashes. */
struct part {
	const char *text;
	size_t len;
};

static bool
names_id(struct part p)
{
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		if (strlen(ids[i]) == p.len &&
		    strncasecmp(ids[i], p.text, p.len) == 0)
			return true;
	return false;
}

static bool
is_uuid(struct part p)
{
	static const char like[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	bool is = p.len == sizeof(like) - 1;

	for (size_t i = 0; is && i < p.len; i++)
		is = like[i] == '-' ? p.text[i] == '-'
				    : isxdigit((unsigned char)p.text[i]) != 0;
	return is;
}

enum kind { OTHER, SMALL, CAPITAL, DIGIT };

static enum kind
kind_of(char c)
{
	return islower((unsigned char)c) ? SMALL
	    : isupper((unsigned char)c)  ? CAPITAL
	    : isdigit((unsigned char)c)  ? DIGIT
					 : OTHER;
}

/* By chance every other character or so is of another kind than the one before
 * it; of words and numbers few are, and a capital that begins a word is none
 * of them. */
static bool
is_mixed(struct part p)
{
	enum kind before = OTHER;
	size_t changes = 0;
	bool digits = false;

	for (size_t i = 0; i < p.len; i++) {
		enum kind now = kind_of(p.text[i]);

		digits = digits || now == DIGIT;
		changes += now != before && now != OTHER && before != OTHER &&
		    !(before == CAPITAL && now == SMALL);
		before = now;
	}
	return changes >= 4 && changes * (digits ? 8 : 6) >= p.len;
}

static bool
is_token(struct part before, struct part p)
{
	if (names_id(before))
		return false;
	return is_uuid(p) || (p.len >= TOKEN_MIN && is_mixed(p));
}

/* Where the path begins; of a text without a scheme it is all of it. */
static size_t
path_begin(const char *url)
{
	size_t n = strcspn(url, ":/?#");

	if (strncmp(url + n, "://", 3) != 0)
		return 0;
	n += 3;
	return n + strcspn(url + n, "/?#");
}

/* The part that begins at *at, which goes behind it and its slash; false: the
 * path has ended. */
static bool
next_part(const char **at, struct part *p)
{
	p->text = *at;
	p->len = strcspn(*at, "/?#");
	*at += p->len + ((*at)[p->len] == '/');
	return p->len > 0 || *at > p->text;
}

/* Append scheme and host. */
static int
add_host(struct buf *b, const char *url, size_t len)
{
	const char *user = len == 0 ? NULL : strstr(url, "://") + 3;
	const char *at = len == 0 ? NULL : memrchr(url, '@', len);

	if (at == NULL || at < user)
		return buf_add(b, url, len);
	return buf_addf(b, "%.*s" HIDDEN "%.*s", (int)(user - url), url,
	    (int)(url + len - at), at);
}

char *
http_shown(const char *url)
{
	const char *at = url + path_begin(url);
	struct part p, before = { .len = 0 };
	struct buf b = BUF_INIT(2 * strlen(url) + sizeof(HIDDEN));
	int rc = buf_adds(&b, "") | add_host(&b, url, (size_t)(at - url));

	while (rc == 0 && next_part(&at, &p)) {
		rc = is_token(before, p) ? buf_adds(&b, HIDDEN)
					 : buf_add(&b, p.text, p.len);
		if (rc == 0 && at > p.text + p.len)
			rc = buf_adds(&b, "/");
		before = p;
	}
	if (rc != 0)
		mem_gone();
	return buf_take(&b, NULL);
}

static void
overwrite(struct buf *b, struct part p)
{
	char *at = b->data;

	while (at != NULL) {
		at = memmem(at, b->len - (size_t)(at - b->data), p.text, p.len);
		if (at != NULL) {
			memset(at, '*', p.len);
			at += p.len;
		}
	}
}

void
http_hide(const char *url, struct buf *text)
{
	const char *at = url + path_begin(url);
	struct part p, before = { .len = 0 };

	while (text->len > 0 && next_part(&at, &p)) {
		if (is_token(before, p))
			overwrite(text, p);
		before = p;
	}
}
