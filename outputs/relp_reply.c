/*
 * relp_reply.c - what a server of RELP says.
 */
#include <stdlib.h>
#include <string.h>

#include "outputs/relp_reply.h"

/* Digits of a transaction's number, and of a length. */
#define DIGITS 9

size_t
relp_reader_add(struct relp_reader *r, const char *said, size_t len)
{
	size_t room;

	memmove(r->text, r->text + r->used, r->len - r->used);
	r->len -= r->used;
	r->used = 0;
	room = sizeof(r->text) - 1 - r->len;
	if (len > room)
		len = room;
	memcpy(r->text + r->len, said, len);
	r->len += len;
	return len;
}

/* A number at *at, with what stands behind it: 0, 1 it may go on, -1 it is
 * none.  *at goes behind the digits. */
static int
take_number(const char **at, const char *end, uint32_t *n)
{
	const char *from = *at;

	for (*n = 0; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
		if (*at - from == DIGITS)
			return -1;
		*n = *n * 10 + (uint32_t)(**at - '0');
	}
	if (*at == end)
		return 1;
	return *at == from ? -1 : 0;
}

/* "200 OK" and more, NUL-terminated. */
static enum relp_said
read_code(const char *data, struct relp_reply *reply)
{
	if (strspn(data, "0123456789") != 3)
		return RELP_WRONG;
	reply->code = (int)strtol(data, NULL, 10);
	reply->text = data + 3;
	while (*reply->text == ' ')
		reply->text++;
	return reply->code >= 200 && reply->code < 600 ? RELP_ANSWER
						       : RELP_WRONG;
}

/* The word at *at: 0, 1 it may go on, -1 it is none of a server's. */
static int
take_command(const char **at, const char *end, bool *closes)
{
	static const char *const words[] = { "rsp ", "serverclose " };
	size_t have = (size_t)(end - *at);

	for (size_t i = 0; i < 2; i++) {
		size_t len = strlen(words[i]);
		size_t n = have < len ? have : len;

		if (memcmp(*at, words[i], n) != 0)
			continue;
		*closes = i == 1;
		*at += len;
		return n < len ? 1 : 0;
	}
	return -1;
}

enum relp_said
relp_reader_next(struct relp_reader *r, struct relp_reply *reply)
{
	const char *at = r->text + r->used, *end = r->text + r->len;
	uint32_t len = 0;
	bool closes = false;
	char *data;
	int rc = take_number(&at, end, &reply->number);

	if (rc == 0)
		rc = *at++ == ' ' ? take_command(&at, end, &closes) : -1;
	if (rc == 0)
		rc = take_number(&at, end, &len);
	if (rc != 0)
		return rc > 0 ? RELP_MORE : RELP_WRONG;
	if (len > RELP_REPLY_MAX)
		return RELP_WRONG;
	/* Without data the space may be missing. */
	if (*at == ' ')
		at++;
	else if (len > 0 || *at != '\n')
		return RELP_WRONG;
	if ((size_t)(end - at) < len + 1U)
		return RELP_MORE;
	if (at[len] != '\n')
		return RELP_WRONG;
	data = r->text + (at - r->text);
	data[len] = '\0';
	r->used = (size_t)(at - r->text) + len + 1;
	return closes ? RELP_CLOSES : read_code(data, reply);
}
