/*
 * shape_help.h - a stream of a definition against a vendor of canned replies,
 * for the suites of what vendors do in unusual ways: a row each.
 */
#ifndef TESTS_UNIT_SHAPE_HELP_H
#define TESTS_UNIT_SHAPE_HELP_H

#include <stdbool.h>

#include "tests/unit/canned.h"

#define JSON(body) \
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" body
#define TEXT(type, body) \
	"HTTP/1.1 200 OK\r\nContent-Type: " type "\r\n\r\n" body
#define FAIL(status, body)                          \
	"HTTP/1.1 " status " Bad\r\nContent-Type: " \
	"application/json\r\n\r\n" body
#define NOTHING "HTTP/1.1 204 No Content\r\n\r\n"

/* The begin of a definition, and that of its stream, whose auth may be another;
 * then a request that lists a window. */
#define HEAD HEAD_WITH("{ kind: header, value: \"Bearer {token}\" }")
#define HEAD_WITH(auth)                                                  \
	"name: shape\ntitle: T\ndocs: https://docs.example.com\n"        \
	"variables: { token: { type: secret, help: The token } }\n"      \
	"hosts: { api: https://api.example.com, login: "                 \
	"https://login.example.com }\n"                                  \
	"auth: " auth "\n"                                               \
	"rate: { requests: 600, per: 1s }\n"                             \
	"rules:\n  - { status: 410, class: cursor, cause: lost }\n"      \
	"  - { status: 404, class: gone, cause: not there }\n"           \
	"  - { status: 422, class: incomplete, cause: too much }\n"      \
	"streams:\n  s:\n    title: S\n    retention: 30d\n    time: { " \
	"at: /t, format: epoch }\n"
#define WINDOW                                                       \
	"    request: { path: /list, query: { from: "                \
	"\"{window.start|epoch}\", to: \"{window.end|epoch}\" } }\n" \
	"    cursor: { kind: window, span: 10d, overlap: 1m }\n"

/* Replies have <now>, <epoch> (seconds, a minute ago), <old> (two hours ago)
 * and <url> in place of what is known only when they are given, asked <epoch>,
 * and events both. */
#define SHAPE_MAX 12
struct shape {
	const char *name;
	const char *definition;
	const char *options; /* of the source, as YAML; NULL: none more */
	struct canned_reply replies[SHAPE_MAX];
	const char *asked[SHAPE_MAX]; /* each is in the requests, so ordered */
	const char *events;           /* a line each, sorted */
	unsigned polls;               /* 0: one */
	const char *trouble;          /* that is told of; NULL: none */
	bool again;                   /* opened anew behind the first poll */
	unsigned most;                /* requests in all; 0: any */
	const char *once;             /* is in one request alone; or NULL */
	bool rests;                   /* behind the last poll */
	const char *full;             /* the disk is in the first poll, from the
					 request of this on */
	unsigned gaps;                /* in the store */
	const char *counted;          /* how its window ends by the vendor's own
					 count; NULL: that is not told */
};

/* Poll the stream, and compare. */
void shape_play(const struct shape *s);

/* The vendor, and a loaded configuration in which the source has that token:
 * all that a test needs which polls no stream. */
void shape_begin(const struct shape *s, const char *token);
void shape_end(void);

#endif /* TESTS_UNIT_SHAPE_HELP_H */
