/*
 * json_put.c - writes JSON into a buffer, member by member.
 */
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json_put.h"
#include "base/text.h"

static void
put(struct json_put *j, const char *s)
{
	if (buf_adds(j->out, s) != 0)
		j->rc = -1;
}

/* Write the comma and the key of a member. */
static void
lead(struct json_put *j, const char *key)
{
	if (j->more)
		put(j, ",");
	j->more = true;
	if (key == NULL)
		return;
	if (text_json_string(j->out, key, strlen(key)) != 0)
		j->rc = -1;
	put(j, ":");
}

void
json_put_open(struct json_put *j, const char *key, char bracket)
{
	lead(j, key);
	j->more = false;
	if (buf_add(j->out, &bracket, 1) != 0)
		j->rc = -1;
}

void
json_put_close(struct json_put *j, char bracket)
{
	j->more = true;
	if (buf_add(j->out, &bracket, 1) != 0)
		j->rc = -1;
}

void
json_put_text(struct json_put *j, const char *key, const char *s)
{
	lead(j, key);
	if (text_json_string(j->out, s, strlen(s)) != 0)
		j->rc = -1;
}

void
json_put_count(struct json_put *j, const char *key, uint64_t n)
{
	lead(j, key);
	if (buf_addf(j->out, "%" PRIu64, n) != 0)
		j->rc = -1;
}

void
json_put_bool(struct json_put *j, const char *key, bool value)
{
	lead(j, key);
	put(j, value ? "true" : "false");
}

void
json_put_null(struct json_put *j, const char *key)
{
	lead(j, key);
	put(j, "null");
}

void
json_put_seconds(struct json_put *j, const char *key, int64_t us)
{
	uint64_t ms = (us < 0 ? 0 - (uint64_t)us : (uint64_t)us) / 1000;

	lead(j, key);
	if (buf_addf(j->out, "%s%" PRIu64 ".%03" PRIu64, us < 0 ? "-" : "",
		ms / 1000, ms % 1000) != 0)
		j->rc = -1;
}

void
json_put_time(struct json_put *j, const char *key, int64_t when)
{
	char text[CLOCK_TEXT];

	if (when == INT64_MIN || when == INT64_MAX) {
		json_put_null(j, key);
		return;
	}
	(void)clock_format(when, 6, text);
	json_put_text(j, key, text);
}
