/*
 * token.c - the body in which a server grants an access token.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "http/token.h"

/* Where the server does not say how long it lives. */
#define LIFE_UNSAID (5 * CLOCK_MINUTE)
#define LIFE_MAX CLOCK_DAY

/* "expires_in" is a number, or a string of one. */
static int64_t
read_life(const json_t *reply)
{
	const json_t *v = json_object_get(reply, "expires_in");
	const int64_t max = LIFE_MAX / CLOCK_SECOND;
	int64_t seconds = 0;

	/* No integer holds what a number of JSON may be. */
	if (json_is_real(v) && json_real_value(v) >= (double)max)
		seconds = max;
	else if (json_is_real(v) && json_real_value(v) > 0)
		seconds = (int64_t)json_real_value(v);
	else if (json_is_integer(v))
		seconds = json_integer_value(v);
	else if (json_is_string(v))
		seconds = strtoimax(json_string_value(v), NULL, 10);
	if (seconds <= 0)
		return LIFE_UNSAID;
	return seconds > max ? LIFE_MAX : seconds * CLOCK_SECOND;
}

/* RFC 6750 section 2.1 has fewer characters; a header can carry these. */
static bool
is_token(const char *s, size_t len)
{
	if (len == 0 || len > TOKEN_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (s[i] <= ' ' || s[i] > '~')
			return false;
	return true;
}

char *
token_read(const char *body, size_t len, int64_t *life)
{
	json_t *top = json_loadb(body, len, JSON_ALLOW_NUL, NULL);
	const json_t *v = json_object_get(top, "access_token");
	char *token = NULL;

	if (json_is_string(v) &&
	    is_token(json_string_value(v), json_string_length(v))) {
		token = xstrdup(json_string_value(v));
		*life = read_life(top);
	}
	json_decref(top);
	return token;
}
