/*
 * json_put.h - writes JSON into a buffer, member by member.
 *
 * For output only; nothing is built in memory but the text.  A key is NULL
 * inside an array and at the top.  Failures stick: rc is -1 once the buffer
 * refused something, and the caller looks at it once, at the end.
 */
#ifndef BASE_JSON_PUT_H
#define BASE_JSON_PUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

struct json_put {
	struct buf *out; /* borrowed */
	bool more;       /* a comma goes in front of what comes next */
	int rc;
};

/* For declarations: struct json_put j = JSON_PUT_INIT(&out); */
#define JSON_PUT_INIT(b)    \
	{                   \
		.out = (b), \
	}

/* bracket is '{' or '['. */
void json_put_open(struct json_put *j, const char *key, char bracket);
void json_put_close(struct json_put *j, char bracket); /* '}' or ']' */

void json_put_text(struct json_put *j, const char *key, const char *s);
void json_put_count(struct json_put *j, const char *key, uint64_t n);
void json_put_bool(struct json_put *j, const char *key, bool value);
void json_put_null(struct json_put *j, const char *key);

/* A span in microseconds, written in seconds with three decimals. */
void json_put_seconds(struct json_put *j, const char *key, int64_t us);

/* A time, written in RFC 3339 with six decimals; one that is not known
 * (INT64_MIN, INT64_MAX) is null. */
void json_put_time(struct json_put *j, const char *key, int64_t when);

#endif /* BASE_JSON_PUT_H */
