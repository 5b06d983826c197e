/*
 * test_rest_shapes.c - the less usual shapes of vendors, one by one: each row
 * is a stream of a definition, what its vendor answers, what it must be asked,
 * and the events that the store has in the end.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "http/rate.h"
#include "http/server_clock.h"
#include "run/types.h"
#include "sources/rest/rest_private.h"
#include "store/batch.h"
#include "store/db.h"
#include "store/line.h"
#include "tests/unit/canned.h"
#include "tests/unit/store_help.h"
#include "tests/unit/unit.h"

#define TEXT_MAX (1 << 20)
#define JSON(body) \
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" body
#define TEXT(type, body) \
	"HTTP/1.1 200 OK\r\nContent-Type: " type "\r\n\r\n" body
#define FAIL(status, body)                          \
	"HTTP/1.1 " status " Bad\r\nContent-Type: " \
	"application/json\r\n\r\n" body
#define NOTHING "HTTP/1.1 204 No Content\r\n\r\n"

#define HEAD                                                             \
	"name: shape\ntitle: T\ndocs: https://docs.example.com\n"        \
	"variables: { token: { type: secret, help: The token } }\n"      \
	"hosts: { api: https://api.example.com, login: "                 \
	"https://login.example.com }\n"                                  \
	"auth: { kind: header, value: \"Bearer {token}\" }\n"            \
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

#define ITERATOR                                                              \
	"    request: { path: /list, query: { op: \"{start|epoch}\", index: " \
	"\"{iterator}\" } }\n    next: { query: { op: next, index: "          \
	"\"{iterator}\" } }\n    cursor: { kind: iterator }\n    page: { "    \
	"kind: none, wait: /w }\n    records: { at: [/a] }\n    id: /id\n"

#define ROW_MAX 12
static const struct shape {
	const char *name;
	const char *definition;
	struct canned_reply replies[ROW_MAX];
	const char *asked[ROW_MAX]; /* each is in the requests, in this order */
	const char *events;         /* a line each, sorted */
	unsigned polls;             /* 0: one */
	const char *trouble;        /* that is told of; NULL: none */
	bool again;                 /* opened anew behind the first poll */
	unsigned most;              /* requests in all; 0: any */
	const char *once;           /* it is in one request alone; or NULL */
	bool rests;                 /* and the last poll is followed by none */
	const char *full;    /* the disk is, from the request of it on, for the
				first poll */
	unsigned gaps;       /* in the store */
	const char *counted; /* how its window ends by the vendor's own count;
				NULL: that is not told */
} shapes[] = {
	{ .name = "a window has as many rows as its first page says",
	    .definition = HEAD WINDOW
	    "    page: { kind: url, from: [/next], total: /meta/all }\n    "
	    "records: { at: [/r] }\n    id: /id\n",
	    .replies = { { "/list",
			     JSON("{\"r\":[{\"id\":1}],\"next\":\"/p\","
				  "\"meta\":{\"all\":2}}"),
			     0 },
		{ "/p", JSON("{\"r\":[{\"id\":2}],\"meta\":{\"all\":1}}"),
		    0 } },
	    .events = "{\"id\":1}\n{\"id\":2}\n",
	    .counted = "complete" },
	{ .name = "a window has fewer rows than its first page says",
	    .definition = HEAD WINDOW
	    "    page: { kind: none, total: /all }\n    records: { at: "
	    "[/r] }\n    id: /id\n",
	    .replies = { { "/list", JSON("{\"r\":[{\"id\":1}],\"all\":\"2\"}"),
		0 } },
	    .events = "{\"id\":1}\n",
	    .counted = "unconfirmed" },
	{ .name = "a header says how many rows a window has: none",
	    .definition = HEAD WINDOW
	    "    page: { kind: none, total: X-Total-Count }\n    records: { "
	    "at: [/r] }\n    id: /id\n",
	    .replies = { { "/list",
		"HTTP/1.1 200 OK\r\nx-total-count: 0\r\n"
		"Content-Type: application/json\r\n\r\n{\"r\":[]}",
		0 } },
	    .events = "",
	    .counted = "complete" },
	{ .name = "what is no count of rows says nothing",
	    .definition = HEAD WINDOW
	    "    page: { kind: none, total: /all }\n    records: { at: "
	    "[/r] }\n    id: /id\n",
	    .replies = { { "/list", JSON("{\"r\":[{\"id\":1}],\"all\":-1}"),
		0 } },
	    .events = "{\"id\":1}\n" },
	{ .name = "a token of two parts",
	    .definition = HEAD WINDOW
	    "    page: { kind: token, from: [/meta/next], join: \",\", to: "
	    "next_offset }\n    records: { at: [/response/logs] }\n    id: "
	    "/id\n",
	    .replies = { { "/list",
			     JSON("{\"response\":{\"logs\":[{\"id\":\"a\","
				  "\"t\":"
				  "1},{\"id\":\"b\",\"t\":2}]},\"meta\":{"
				  "\"next\":[\"1532951895000\",\"af0ba235\"]}"
				  "}"),
			     0 },
		{ "/list",
		    JSON("{\"meta\":{\"next\":null},\"response\":{\"logs\":[{"
			 "\"id\":\"c\",\"t\":3}]}}"),
		    0 } },
	    .asked = { "GET /list?from=",
		"&next_offset=1532951895000%2Caf0ba235 HTTP" },
	    .events = "{\"id\":\"a\",\"t\":1}\n{\"id\":\"b\",\"t\":2}\n{\"id\":"
		      "\"c\",\"t\":3}\n" },
	{ .name = "a token that is refused in words that no rule knows",
	    .definition = HEAD WINDOW
	    "    page: { kind: token, from: [/next], to: cursor }\n    "
	    "records: { at: [/r] }\n    id: /id\n",
	    .replies = { { "/list",
			     JSON("{\"r\":[{\"id\":\"a\",\"t\":1}],\"next\":"
				  "\"one\"}"),
			     0 },
		{ "/list", FAIL("400", "{\"error\":\"what is this?\"}"), 0 },
		{ "/list",
		    JSON("{\"r\":[{\"id\":\"a\",\"t\":1}],\"next\":\"two\"}"),
		    0 },
		{ "/list", JSON("{\"r\":[{\"id\":\"b\",\"t\":2}]}"), 0 } },
	    .asked = { "&cursor=one HTTP",
		"GET /list?from=", "&cursor=two HTTP" },
	    .events = "{\"id\":\"a\",\"t\":1}\n{\"id\":\"b\",\"t\":2}\n" },
	{ .name = "parts by number, rows of values",
	    .definition = HEAD WINDOW
	    "    page: { kind: index, from: [/meta/parts], to: partition }\n"
	    "    records: { format: columns, at: [/data], columns: "
	    "/meta/rowType, column: /name }\n    id: /ID\n",
	    .replies = { { "/list",
			     JSON("{\"meta\":{\"rowType\":[{\"name\":\"ID\"},{"
				  "\"name\":\"a\\\"b\"}],\"parts\":[{},{},{}]},"
				  "\n\"data\":[[\"1\", null],\n[\"2\",{\"x\" "
				  ":\n"
				  "1}]]}"),
			     0 },
		{ "/list", JSON("{\"data\":[[\"3\",\"\\u0041\"]]}"), 0 },
		{ "/list", JSON("{\"data\":[]}"), 0 } },
	    .asked = { "GET /list?from=", "&partition=1 HTTP",
		"&partition=2 HTTP" },
	    .events =
		"{\"ID\":\"1\",\"a\\\"b\":null}\n{\"ID\":\"2\",\"a\\\"b\":"
		"{\"x\" :1}}\n{\"ID\":\"3\",\"a\\\"b\":\"\\u0041\"}\n" },
	{ .name = "files of CSV behind a list",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { at: [/records] }\n"
	    "    fetch: { url: /LogFile, records: { format: csv, at: [\"\"] } "
	    "}\n    id: hash\n",
	    .replies = { { "/list",
			     JSON("{\"records\":[{\"Id\":\"1\",\"LogFile\":\"/"
				  "file/1\"},{\"Id\":\"2\",\"LogFile\":\"/file/"
				  "2\"}]}"),
			     0 },
		{ "/file/1",
		    TEXT("text/csv",
			"\"NAME\",\"t\"\r\n\"a, \"\"b\"\"\nc\",\"1\"\r\nx,2\r\n"
			"x,2\r\n"),
		    0 },
		{ "/file/2", TEXT("text/csv", "NAME,t,NEW\nx,2,\n"), 0 } },
	    .asked = { "GET /list?", "GET /file/1 HTTP", "GET /file/2 HTTP",
		"GET /list?" },
	    .events = "{\"NAME\":\"a, \\\"b\\\"\\nc\",\"t\":\"1\"}\n{\"NAME\":"
		      "\"x\",\"t\":\"2\",\"NEW\":\"\"}\n{\"NAME\":\"x\","
		      "\"t\":\"2\"}\n{\"NAME\":\"x\",\"t\":\"2\"}\n",
	    .polls = 2 },
	{ .name = "equal rows of two files",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { at: [/records] }\n"
	    "    fetch: { url: /f, records: { format: csv, at: [\"\"] } }\n"
	    "    id: hash\n",
	    .replies = { { "/list",
			     JSON("{\"records\":[{\"f\":\"/file/1\"},{\"f\":\"/"
				  "file/2\"}]}"),
			     0 },
		{ "/file", TEXT("text/csv", "a\n1\n"), 0 } },
	    .events = "{\"a\":\"1\"}\n{\"a\":\"1\"}\n",
	    .polls = 2,
	    .again = true },
	{ .name = "lines",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { format: ndjson, at: "
	    "[\"\"] }\n    id: /id\n",
	    .replies = { { "/list",
		TEXT("application/x-ndjson",
		    "{\"id\":1,\"t\":1}\r\n\n{\"id\":2,\"t\":2}"),
		0 } },
	    .events = "{\"id\":1,\"t\":1}\n{\"id\":2,\"t\":2}\n" },
	{ .name = "objects under keys",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { format: keyed, at: "
	    "[/events] }\n    id: /id\n",
	    .replies = { { "/list",
		JSON("{\"events\":{\"x\":{\"id\":1},\"y}\":\n{\n\"id\":2}}}"),
		0 } },
	    .events = "{\"id\":1}\n{\"id\":2}\n" },
	{ .name = "JSON inside of a string",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { at: [/Events], inside: "
	    "/Event }\n    id: /id\n",
	    .replies = { { "/list",
		JSON("{\"Events\":[{\"Event\":\"{\\\"id\\\":\\\"a\\\",\\n"
		     "\\\"t\\\":1}\"},{\"id\":\"plain\"}]}"),
		0 } },
	    .events = "{\"id\":\"a\", \"t\":1}\n{\"id\":\"plain\"}\n" },
	{ .name = "ids, and batches of what they are of",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { at: [/ids] }\n    fetch: "
	    "{ max: 2, method: POST, path: /entities, body: "
	    "'{\"ids\":[{fetch.ids}]}', records: { at: [/resources] } }\n"
	    "    id: /id\n",
	    .replies = { { "/list", JSON("{\"ids\":[\"a\",\"b\\\"\",\"c\"]}"),
			     0 },
		{ "/entities",
		    JSON("{\"resources\":[{\"id\":\"a\"},{\"id\":\"b\"}]}"),
		    0 },
		{ "/entities", JSON("{\"resources\":[{\"id\":\"c\"}]}"), 0 } },
	    .asked = { "{\"ids\":[\"a\",\"b\\\"\"]}", "{\"ids\":[\"c\"]}" },
	    .events = "{\"id\":\"a\"}\n{\"id\":\"b\"}\n{\"id\":\"c\"}\n" },
	{ .name = "one by one, and one that is gone",
	    .gaps = 2,
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { at: [\"\"] }\n    fetch: "
	    "{ id: /_id, path: \"/one/{fetch.id}\", records: { at: [\"\"] } "
	    "}\n    id: /id\n",
	    .replies = { { "/list",
			     JSON("[{\"_id\":\"x/1\"},{\"_id\":\"y\"},{\"no\":"
				  "1}]"),
			     0 },
		{ "/one/x%2F1", JSON("{\"id\":\"x\",\"text\":1}"), 0 },
		{ "/one/y", FAIL("404", "{\"code\":\"x\"}"), 0 } },
	    .events = "{\"id\":\"x\",\"text\":1}\n",
	    .trouble = "leads to nothing" },
	{ .name = "a row that leads elsewhere",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { at: [\"\"] }\n    fetch: "
	    "{ url: /u, records: { at: [\"\"] } }\n    id: /id\n",
	    .replies = { { "/list",
		JSON("[{\"u\":\"https://evil.example.org/x\"}]"), 0 } },
	    .events = "",
	    .trouble = "leads to another host" },
	{ .name = "no content",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { at: [/a, /b] }\n    id: "
	    "/id\n",
	    .replies = { { "/list", NOTHING, 0 },
		{ "/list", JSON("{\"a\":[{\"id\":1}],\"b\":[{\"id\":2}]}"),
		    0 } },
	    .events = "{\"id\":1}\n{\"id\":2}\n",
	    .polls = 2 },
	{ .name = "more than a reply has: the window in halves",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { at: [/a], incomplete: { "
	    "at: /more, is: \"true\" } }\n    id: /id\n",
	    .replies = { { "/list", JSON("{\"a\":[{\"id\":1}],\"more\":true}"),
			     0 },
		{ "/list", FAIL("422", "{\"code\":\"x\"}"), 0 },
		{ "/list", JSON("{\"a\":[{\"id\":2}],\"more\":false}"), 0 },
		{ "/list", JSON("{\"a\":[{\"id\":3}]}"), 0 } },
	    .events = "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n" },
	{ .name = "a list without a window, newest first",
	    .definition = HEAD
	    "    request: { path: /list }\n    cursor: { kind: window, span: "
	    "10d, overlap: 1m, order: newest }\n    page: { kind: number, to: "
	    "page, row_older_than: window }\n    records: { at: [\"\"] }\n"
	    "    id: /id\n",
	    .replies = { { "/list", JSON("[{\"id\":2,\"t\":9999999999}]"), 0 },
		{ "/list",
		    JSON("[{\"id\":1,\"t\":9999999998},{\"id\":0,\"t\":5}]"),
		    0 },
		{ "/list", FAIL("500", "{}"), 0 } },
	    .asked = { "/list?page=1 HTTP", "/list?page=2 HTTP" },
	    .events = "{\"id\":0,\"t\":5}\n{\"id\":1,\"t\":9999999998}\n{"
		      "\"id\":2,\"t\":9999999999}\n" },
	{ .name = "a first cursor from elsewhere",
	    .definition = HEAD
	    "    bootstrap: { path: /first, take: /0/log_id }\n    request: { "
	    "path: /list, query: { from: none } }\n    next: { query: { from: "
	    "\"{page}\" } }\n    cursor: { kind: token }\n    page: { kind: "
	    "last_id }\n    records: { at: [\"\"] }\n    id: /id\n",
	    .replies = { { "/first", JSON("[]"), 0 },
		{ "/first", JSON("[{\"log_id\":\"L0\"}]"), 0 },
		{ "/list", JSON("[{\"id\":\"L1\"}]"), 0 },
		{ "/list", JSON("[]"), 0 } },
	    .asked = { "GET /first", "GET /first", "GET /list?from=L0",
		"GET /list?from=L1" },
	    .events = "{\"id\":\"L1\"}\n",
	    .polls = 3 },
	{ .name = "a lost cursor says where to begin again",
	    .definition = HEAD
	    "    request: { path: /list, query: { since: "
	    "\"{start|rfc3339}\" } }\n    next: { path: /more, query: { c: "
	    "\"{page}\" } }\n    cursor: { kind: token, restart_from: "
	    "/error/reset }\n    page: { kind: token, from: [/c], more: /m }\n"
	    "    records: { at: [/e] }\n    id: /id\n",
	    .replies = { { "/list",
			     JSON("{\"e\":[{\"id\":1}],\"c\":\"C1\",\"m\":"
				  "false}"),
			     0 },
		{ "/more",
		    FAIL("410",
			"{\"error\":{\"code\":\"reset\",\"reset\":\"<now>\"}}"),
		    0 },
		{ "/list",
		    JSON("{\"e\":[{\"id\":1},{\"id\":2}],\"c\":\"C2\",\"m\":"
			 "false}"),
		    0 },
		{ "/more", JSON("{\"e\":[],\"c\":\"C2\",\"m\":false}"), 0 } },
	    .asked = { "/list?since=", "/more?c=C1",
		"/list?since=", "/more?c=C2" },
	    .events = "{\"id\":1}\n{\"id\":2}\n",
	    .polls = 4 },
	{ .name = "an event of the next century, and then a lost cursor",
	    .definition = HEAD
	    "    request: { path: /list, query: { since: \"{start|epoch}\" } "
	    "}\n"
	    "    next: { path: /more, query: { c: \"{page}\" } }\n    cursor: "
	    "{ kind: token }\n    page: { kind: token, from: [/c], more: /m }\n"
	    "    records: { at: [/e] }\n    id: /id\n",
	    .replies = { { "/list",
			     JSON("{\"e\":[{\"id\":1,\"t\":4102444800}],"
				  "\"c\":\"C1\",\"m\":false}"),
			     0 },
		{ "/more", FAIL("410", "{}"), 0 },
		{ "/list", JSON("{\"e\":[],\"c\":\"C2\",\"m\":false}"), 0 },
		{ "/more", JSON("{\"e\":[],\"c\":\"C2\",\"m\":false}"), 0 } },
	    .asked = { "/list?since=1", "/more?c=C1", "/list?since=1",
		"/more?c=C2" },
	    .events = "{\"id\":1,\"t\":4102444800}\n",
	    .polls = 4 },
	{ .name = "a first page in the order of times leads on by its least id",
	    .definition = HEAD
	    "    request: { path: /list, query: { q: first } }\n    next: { "
	    "query: { from: \"{page}\" } }\n    cursor: { kind: token }\n    "
	    "page: { kind: last_id, least: true }\n    records: { at: [\"\"] "
	    "}\n    id: /id\n",
	    .replies = { { "/list",
			     JSON("[{\"id\":\"30\"},{\"id\":\"9\"},{\"id\":"
				  "\"10\"},{\"x\":1}]"),
			     0 },
		{ "/list", JSON("[{\"id\":\"30\"},{\"id\":\"10\"}]"), 0 },
		{ "/list", JSON("[]"), 0 } },
	    .asked = { "q=first", "from=9", "from=10" },
	    .events = "{\"id\":\"10\"}\n{\"id\":\"30\"}\n"
		      "{\"id\":\"9\"}\n{\"x\":1}\n" },
	{ .name = "an error under 200 in place of an object with events",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { at: [/r] }\n    id: /id\n"
	    "    rules: [{ code: too_fast, class: throttled, cause: too many "
	    "requests }]\n",
	    .replies = { { "/list",
			     JSON("{\"ok\":false,\"error\":\"too_fast\"}"), 0 },
		{ "/list", JSON("{\"r\":[{\"id\":1}]}"), 0 } },
	    .events = "{\"id\":1}\n",
	    .trouble = "status 200 too_fast: too many requests" },
	{ .name = "a cursor that is a number, a little back",
	    .definition = HEAD
	    "    request: { path: /list, query: { after: \"0\" } }\n    next: "
	    "{ query: { after: \"{page}\" } }\n    cursor: { kind: token, "
	    "back: 2 }\n    page: { kind: last_id }\n    records: { at: "
	    "[\"\"] }\n    id: /id\n",
	    .replies = { { "/list", JSON("[{\"id\":7},{\"id\":9}]"), 0 },
		{ "/list", JSON("[]"), 0 },
		{ "/list", JSON("[{\"id\":8},{\"id\":9}]"), 0 },
		{ "/list", JSON("[]"), 0 } },
	    .asked = { "after=0", "after=9", "after=7" },
	    .events = "{\"id\":7}\n{\"id\":8}\n{\"id\":9}\n",
	    .polls = 2 },
	{ .name = "a job, and a restart while it runs",
	    .definition = HEAD
	    "    job: { submit: { method: POST, path: /jobs, body: "
	    "'{\"from\":\"{window.start|rfc3339}\",\"to\":\"{window.end|"
	    "rfc3339}\"}' }, poll: { path: \"/jobs/{job.id}\" }, id: /id, "
	    "status: /status, running: [running], done: [succeeded] }\n"
	    "    request: { path: \"/result/{job.id}\" }\n    cursor: { kind: "
	    "window, span: 10d, overlap: 1m }\n    page: { kind: url, from: "
	    "[/next] }\n    records: { at: [/value] }\n    id: /id\n",
	    .replies = { { "/jobs/", JSON("{\"status\":\"running\"}"), 0 },
		{ "/jobs/", FAIL("400", "{\"code\":\"stop\"}"), 0 },
		{ "/jobs/", JSON("{\"status\":\"succeeded\"}"), 0 },
		{ "/jobs", FAIL("201", "{\"id\":\"J1\"}"), 0 },
		{ "/jobs", FAIL("500", "{}"), 0 },
		{ "/result/J1/2", JSON("{\"value\":[{\"id\":2}]}"), 0 },
		{ "/result/J1",
		    JSON("{\"value\":[{\"id\":1}],\"next\":\"/result/J1/2\"}"),
		    0 } },
	    .asked = { "POST /jobs", "GET /jobs/J1", "GET /jobs/J1",
		"GET /jobs/J1", "GET /result/J1 HTTP", "GET /result/J1/2" },
	    .events = "{\"id\":1}\n{\"id\":2}\n",
	    .polls = 2,
	    .trouble = "stop",
	    .again = true },
	{ .name = "a job without an id, and a report that begins otherwise",
	    .definition = HEAD
	    "    job: { submit: { method: POST, path: /report, body: "
	    "'{\"from\":{window.start|epoch_ms},\"to\":{window.end|"
	    "epoch_ms}}' }, poll: { path: /report }, status: /status, "
	    "running: [EXECUTING], done: [COMPLETE] }\n"
	    "    request: { path: /report/download }\n    cursor: { kind: "
	    "window, span: 10d, overlap: 1m }\n    page: { kind: none, size: "
	    "3 }\n    records: { format: csv, names: Time, at: [\"\"] }\n"
	    "    id: hash\n",
	    .replies = { { "/report/download",
			     TEXT("text/csv",
				 "Administrator,a@b\r\nStart,\"31 Dec\"\r\n"
				 "\"Time\",User\r\nnow,me\r\n"),
			     0 },
		{ "/report", NOTHING, 0 },
		{ "/report", JSON("{\"status\":\"EXECUTING\"}"), 0 },
		{ "/report", JSON("{\"status\":\"COMPLETE\"}"), 0 } },
	    .asked = { "POST /report", "GET /report HTTP", "GET /report HTTP",
		"GET /report/download" },
	    .events = "{\"Time\":\"now\",\"User\":\"me\"}\n" },
	{ .name = "a report without the names",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { format: csv, names: "
	    "Time, at: [\"\"] }\n    id: hash\n",
	    .replies = { { "/list", TEXT("text/csv", "Start,31 Dec\n"), 0 } },
	    .events = "",
	    .trouble = "no row of the CSV begins with" },
	{ .name = "a report that was cut",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { format: csv, at: [\"\"] "
	    "}\n    id: hash\n",
	    .replies = { { "/list", TEXT("text/csv", "a,b\n1,2\n3"), 0 },
		{ "/list", TEXT("text/csv", "a,b\n1,2\n3,4"), 0 } },
	    .events = "{\"a\":\"1\",\"b\":\"2\"}\n{\"a\":\"3\",\"b\":\"4\"}"
		      "\n",
	    .trouble = "ends within a row" },
	{ .name = "an odd row of CSV stops no other one",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { format: csv, at: [\"\"] "
	    "}\n    id: hash\n",
	    .replies = { { "/list",
		TEXT("text/csv",
		    "a,b\r1\"x\"1,'2\r\"x\"y,2\r1, \"2, 3\"\r3,4\r5\r"),
		0 } },
	    .events = "{\"a\":\"1\\\"x\\\"1\",\"b\":\"'2\"}\n{\"a\":\"3\","
		      "\"b\":\"4\"}\n{\"a\":\"5\"}\n",
	    .trouble = "event 1 of the page, counted from 0, is not JSON: it "
		       "has text behind a closing quote; its 6 bytes are in "
		       "the agent's own feed\nevent 2 of the page, counted "
		       "from 0, is not JSON: it has more values than there are "
		       "columns",
	    .gaps = 2 },
	{ .name = "quotes that CSV does not close, time and again",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { format: csv, at: [\"\"] "
	    "}\n    id: hash\n",
	    .replies = { { "/list",
		TEXT("text/csv", "a,b\n1,2\n3,4\n5,\"x\n6,7\n8,9\n"), 0 } },
	    .asked = { "/list", "/list", "/list" },
	    .events = "{\"a\":\"1\",\"b\":\"2\"}\n{\"a\":\"3\",\"b\":\"4\"}"
		      "\n",
	    .trouble = "the CSV ends within quotes\nevent 2 of the page, "
		       "counted from 0, is not JSON: its quotes are not closed "
		       "before the end of the CSV; its 12 bytes are in the "
		       "agent's own feed",
	    .gaps = 1,
	    .polls = 2 },
	{ .name = "CSV within quotes that was cut comes whole",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { format: csv, at: [\"\"] "
	    "}\n    id: hash\n",
	    .replies = { { "/list", TEXT("text/csv", "a,b\n1,2\n5,\"x\n6"), 0 },
		{ "/list", TEXT("text/csv", "a,b\n1,2\n5,\"x\n6,7\"\n8,9"),
		    0 } },
	    .events = "{\"a\":\"1\",\"b\":\"2\"}\n{\"a\":\"5\",\"b\":\"x"
		      "\\n6,7\"}\n{\"a\":\"8\",\"b\":\"9\"}\n",
	    .trouble = "ends within quotes" },
	{ .name = "quotes that another cut reply does not close",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { format: csv, at: [\"\"] "
	    "}\n    id: hash\n",
	    .replies = { { "/list", TEXT("text/csv", "a,b\n1,2\n5,\"x"), 0 },
		{ "/list", TEXT("text/csv", "a,b\n1,2\n5,\"x\n6"), 0 },
		{ "/list", TEXT("text/csv", "a,b\n1,2\n5,\"x\n6\"\n"), 0 } },
	    .events = "{\"a\":\"1\",\"b\":\"2\"}\n{\"a\":\"5\",\"b\":\"x"
		      "\\n6\"}\n",
	    .trouble = "ends within quotes" },
	{ .name = "a last row that is short, time and again",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { format: csv, at: [\"\"] "
	    "}\n    id: hash\n",
	    .replies = { { "/list", TEXT("text/csv", "a,b\n1,2\n3"), 0 } },
	    .asked = { "/list", "/list" },
	    .events = "{\"a\":\"1\",\"b\":\"2\"}\n{\"a\":\"3\"}\n",
	    .trouble = "ends within a row" },
	{ .name = "a last line that is none, time and again",
	    .definition = HEAD WINDOW "    page: { kind: none }\n    records: "
				      "{ format: ndjson, at: [\"\"] "
				      "}\n    id: hash\n",
	    .replies = { { "/list",
		TEXT("application/x-ndjson", "{\"a\":1}\n{\"a\":2"), 0 } },
	    .asked = { "/list", "/list" },
	    .events = "{\"a\":1}\n",
	    .trouble = "the document ends",
	    .gaps = 1 },
	{ .name = "CSV without a row of names is none",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { format: csv, at: [\"\"] "
	    "}\n    id: hash\n",
	    .replies = { { "/list", TEXT("text/csv", "\r\n"), 0 },
		{ "/list", TEXT("text/csv", "\"a\"x\n1\n"), 0 },
		{ "/list", TEXT("text/csv", "a\n1\n"), 0 } },
	    .events = "{\"a\":\"1\"}\n",
	    .trouble = "has no row with the names" },
	{ .name = "an odd line stops no other one",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { format: ndjson, at: "
	    "[\"\"] }\n    id: /id\n",
	    .replies = { { "/list",
		TEXT("application/x-ndjson",
		    "{\"id\":1}\noops\n{\"id\":7,\"a\":\"x}\nnull\n{\"id\":2}"),
		0 } },
	    .events = "{\"id\":1}\n{\"id\":2}\n",
	    .trouble = "event 1 of the page, counted from 0, is not JSON",
	    .gaps = 3 },
	{ .name = "lines that are cut, of something else, or an error",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { format: ndjson, at: "
	    "[\"\"] }\n    id: /id\n",
	    .replies = { { "/list",
			     TEXT("application/x-ndjson",
				 "{\"id\":1}\nodd\n{\"id\":"),
			     0 },
		{ "/list", TEXT("text/plain", "{\n\"id\":1\n}\n"), 0 },
		{ "/list",
		    JSON("{\"error\":{\"code\":\"busy\",\"message\":\"m\"}}"),
		    0 },
		{ "/list",
		    TEXT("application/x-ndjson", "{\"id\":1}\nodd\n{\"id\":2}"),
		    0 } },
	    .events = "{\"id\":1}\n{\"id\":2}\n",
	    .trouble = "no line of the reply is a JSON object",
	    .gaps = 1 },
	{ .name = "odd rows of columns and under keys stop no other one",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { format: columns, at: "
	    "[/rows], columns: /columns }\n    id: hash\n",
	    .replies = { { "/list",
		JSON("{\"columns\":[\"a\"],\"rows\":[[1],null,{\"x\":1},[2,3],"
		     "[4]]}"),
		0 } },
	    .events = "{\"a\":1}\n{\"a\":4}\n",
	    .trouble = "it is no array of values",
	    .gaps = 3 },
	{ .name = "an odd value under its key",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { format: keyed, at: "
	    "[/rows] }\n    id: /id\n",
	    .replies = { { "/list",
		JSON("{\"rows\":{\"a\":{\"id\":1},\"b\":null,\"c\":5,\"d\":{"
		     "\"id\":2}}}"),
		0 } },
	    .events = "{\"id\":1}\n{\"id\":2}\n",
	    .trouble = "event 1 of the page",
	    .gaps = 2 },
	{ .name = "what is odd in a page that breaks off is told again",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { at: [/v] }\n    id: "
	    "/id\n",
	    .replies = { { "/list",
			     JSON("{\"v\":[{\"id\":1},{\"a\":[}},{\"id\":2}"),
			     0 },
		{ "/list", JSON("{\"v\":[{\"id\":1},{\"a\":[}},{\"id\":2}]}"),
		    0 } },
	    .events = "{\"id\":1}\n{\"id\":2}\n",
	    .trouble = "event 1 of the page",
	    .gaps = 1 },
	{ .name = "an error beside an empty list",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { at: [/value] }\n    "
	    "id: /id\n",
	    .replies = { { "/list",
			     JSON("{\"value\":[],\"error\":\"try again\"}"),
			     0 },
		{ "/list",
		    JSON("{\"value\":[],\"error\":{\"message\":\"busy\"}}"),
		    0 },
		{ "/list", JSON("{\"value\":[{\"id\":1}]}"), 0 } },
	    .events = "{\"id\":1}\n",
	    .trouble = "the server says: try again" },
	{ .name = "an error where rows of columns should be",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { format: columns, at: "
	    "[/rows], columns: /columns, absent_is_empty: true }\n    id: "
	    "hash\n",
	    .replies = { { "/list", JSON("{\"error\":{\"message\":\"busy\"}}"),
			     0 },
		{ "/list",
		    JSON("{\"code\":\"090001\",\"message\":\"executed\"}"),
		    0 } },
	    .events = "",
	    .trouble = "the server says: busy",
	    .most = 2 },
	{ .name = "beside an empty list it says that all is well",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { at: [/value] }\n    "
	    "id: /id\n",
	    .replies = { { "/list",
		JSON("{\"value\":[],\"errors\":[],\"error\":{\"code\":0,"
		     "\"message\":\"Success\"}}"),
		0 } },
	    .events = "" },
	{ .name = "beside rows it says that all is well",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { at: [/value] }\n    "
	    "id: /id\n",
	    .replies = { { "/list",
		JSON("{\"ok\":true,\"error\":\"\",\"errors\":[],\"value\":[{"
		     "\"id\":1,\"error\":{\"code\":\"of the row\"}}],"
		     "\"fault\":{\"code\":null,\"message\":\"\",\"of\":[]},"
		     "\"Errors\":[null,{},{\"code\":200,\"message\":\"fine\"}],"
		     "\"Error\":false,\"odata.error\":null}"),
		0 } },
	    .asked = { "/list" },
	    .events = "{\"id\":1,\"error\":{\"code\":\"of the row\"}}\n" },
	{ .name = "rows, and beside them what a rule calls benign",
	    .definition = HEAD WINDOW
	    "    rules: [{ code: deprecated, class: benign, cause: old }]\n"
	    "    page: { kind: none }\n    records: { at: [/value] }\n    "
	    "id: /id\n",
	    .replies = { { "/list",
		JSON("{\"value\":[{\"id\":1}],\"errors\":[{\"code\":"
		     "\"deprecated\",\"message\":\"use v2\"}]}"),
		0 } },
	    .asked = { "/list" },
	    .events = "{\"id\":1}\n" },
	{ .name = "rows, and behind them an error",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { at: [/value] }\n    "
	    "id: /id\n",
	    .replies = { { "/list",
			     JSON("{\"value\":[{\"id\":1}],\"error\":{\"code\":"
				  "\"UnknownError\",\"message\":\"a shard is "
				  "down\"}}"),
			     0 },
		{ "/list",
		    JSON("{\"errors\":[{\"message\":\"two shards\"}],"
			 "\"value\":[{\"id\":2},{\"id\":1}]}"),
		    0 },
		{ "/list",
		    JSON("{\"value\":[{\"id\":2}],\"error\":\"timeout\"}"), 0 },
		{ "/list",
		    JSON("{\"value\":[{\"id\":3}],\"Errors\":[\"late\"]}"), 0 },
		{ "/list", JSON("{\"value\":[],\"error\":true}"), 0 },
		{ "/list", JSON("{\"value\":[{\"id\":4},{\"id\":1}]}"), 0 } },
	    .asked = { "/list", "/list", "/list", "/list", "/list", "/list" },
	    .events = "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n{\"id\":4}\n",
	    .trouble = "the reply has events, and says that it has failed: "
		       "status 200 UnknownError; the server says: a shard is "
		       "down" },
	{ .name = "rows and an error on a page that leads to another one",
	    .definition = HEAD WINDOW
	    "    page: { kind: url, from: [/next] }\n    records: { at: "
	    "[/value] }\n    id: /id\n",
	    .replies = { { "/list",
			     JSON("{\"value\":[{\"id\":1}],\"next\":\"/"
				  "more\"}"),
			     0 },
		{ "/more",
		    JSON("{\"next\":\"/last\",\"value\":[{\"id\":2}],"
			 "\"errors\":[{\"detail\":\"partial\"}]}"),
		    0 },
		{ "/more",
		    JSON("{\"next\":\"/last\",\"value\":[{\"id\":2},"
			 "{\"id\":3}]}"),
		    0 },
		{ "/last", JSON("{\"value\":[{\"id\":4}]}"), 0 } },
	    .asked = { "/list", "/more", "/more", "/last" },
	    .events = "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n{\"id\":4}\n",
	    .trouble = "the server says: partial" },
	{ .name = "rows of columns, and an error beside them",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { format: columns, at: "
	    "[/rows], columns: /columns }\n    id: hash\n",
	    .replies = { { "/list",
			     JSON("{\"columns\":[\"a\"],\"rows\":[[1]],"
				  "\"error\":{\"message\":\"cut\"}}"),
			     0 },
		{ "/list",
		    JSON("{\"columns\":[\"a\"],\"rows\":[[1],[2]],\"error\":"
			 "null}"),
		    0 } },
	    .asked = { "/list", "/list" },
	    .events = "{\"a\":1}\n{\"a\":2}\n",
	    .trouble = "the server says: cut" },
	{ .name = "a reply that is full is of a window too long",
	    .definition = HEAD WINDOW
	    "    page: { kind: none, size: 2 }\n    records: { at: [\"\"] }\n"
	    "    id: /id\n",
	    .replies = { { "/list",
			     JSON("[{\"id\":1,\"t\":1},{\"id\":2,\"t\":2}]"),
			     0 },
		{ "/list", JSON("[{\"id\":3,\"t\":3}]"), 0 },
		{ "/list", JSON("[{\"id\":2,\"t\":2}]"), 0 } },
	    .asked = { "GET /list", "GET /list", "GET /list" },
	    .events = "{\"id\":1,\"t\":1}\n{\"id\":2,\"t\":2}\n{\"id\":3,"
		      "\"t\":3}\n" },
	{ .name = "a full reply without an end goes on from its newest row",
	    .definition = HEAD
	    "    request: { path: /list, query: { from: "
	    "\"{window.start|epoch}\" } }\n    cursor: { kind: window, span: "
	    "10d, overlap: 1m, end: open, order: oldest }\n    page: { kind: "
	    "none, size: 2 }\n    records: { at: [\"\"] }\n    id: hash\n",
	    .replies = { { "/list",
			     JSON("[{\"id\":1,\"t\":1},{\"id\":2,\"t\":"
				  "<epoch>}]"),
			     0 },
		{ "/list", JSON("[{\"id\":3,\"t\":3}]"), 0 } },
	    .asked = { "GET /list?from=", "GET /list?from=<epoch> HTTP" },
	    .events = "{\"id\":1,\"t\":1}\n{\"id\":2,\"t\":<epoch>}\n"
		      "{\"id\":3,\"t\":3}\n" },
	{ .name = "a full reply without an end, and without times",
	    .gaps = 1,
	    .definition = HEAD
	    "    request: { path: /list, query: { from: "
	    "\"{window.start|epoch}\" } }\n    cursor: { kind: window, span: "
	    "10d, overlap: 1m, end: open, order: oldest }\n    page: { kind: "
	    "none, size: 2 }\n    records: { at: [\"\"] }\n    id: hash\n",
	    .replies = { { "/list", JSON("[{\"id\":1},{\"id\":1}]"), 0 } },
	    .asked = { "GET /list?from=" },
	    .events = "{\"id\":1}\n{\"id\":1}\n",
	    .trouble = "does not have all" },
	{ .name = "a link of the vendor's own, where another host is named",
	    .definition = HEAD WINDOW
	    "    page: { kind: url, from: [/next] }\n    records: { at: "
	    "[/value] }\n    id: /id\n",
	    .replies = { { "/list",
			     JSON("{\"value\":[{\"id\":1}],\"next\":"
				  "\"https://API.example.com/more?a=%2F\"}"),
			     0 },
		{ "/more", JSON("{\"value\":[{\"id\":2}]}"), 0 } },
	    .asked = { "GET /list?from=", "GET /more?a=%2F HTTP" },
	    .events = "{\"id\":1}\n{\"id\":2}\n" },
	{ .name = "rows of values that do not end, or are not there",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { format: columns, at: "
	    "[/rows], columns: /columns }\n    id: /id\n",
	    .replies = { { "/list",
			     JSON("{\"columns\":[\"id\"],\"rows\":[[\"1\"],["
				  "\"2"),
			     0 },
		{ "/list", JSON("{\"columns\":[\"id\"]}"), 0 },
		{ "/list", JSON("{\"columns\":[\"id\"],\"rows\":[[\"1\"]]}"),
		    0 } },
	    .asked = { "GET /list", "GET /list", "GET /list" },
	    .events = "{\"id\":\"1\"}\n",
	    .trouble = "cannot be parsed" },
	{ .name = "a job, and its result in parts by number",
	    .definition = HEAD
	    "    job: { submit: { method: POST, path: /jobs, body: "
	    "'{\"from\":\"{window.start|rfc3339}\",\"to\":\"{window.end|"
	    "rfc3339}\"}' }, poll: { path: \"/state/{job.id}\" }, id: /id, "
	    "status: /status, running: [running], done: [done] }\n"
	    "    request: { path: \"/result/{job.id}\" }\n    cursor: { kind: "
	    "window, span: 10d, overlap: 1m }\n    page: { kind: index, from: "
	    "[/parts], to: part }\n    records: { format: columns, at: "
	    "[/rows], columns: /columns }\n    id: /id\n",
	    .replies = { { "/jobs", JSON("{\"id\":\"J1\"}"), 0 },
		{ "/state/J1", JSON("{\"status\":\"done\"}"), 0 },
		{ "/result/J1?part=1", JSON("{\"rows\":[[\"2\"]]}"), 0 },
		{ "/result/J1",
		    JSON("{\"columns\":[\"id\"],\"rows\":[[\"1\"]],\"parts\":[{"
			 "}"
			 ",{}]}"),
		    0 } },
	    .asked = { "POST /jobs", "GET /state/J1", "GET /result/J1 HTTP",
		"GET /result/J1?part=1" },
	    .events = "{\"id\":\"1\"}\n{\"id\":\"2\"}\n" },
	{ .name = "rows of values at one place, then at another",
	    .definition = HEAD WINDOW
	    "    page: { kind: url, from: [/result/next, /next] }\n    "
	    "records: { format: columns, at: [/result/rows, /rows], columns: "
	    "/columns }\n    id: /id\n",
	    .replies = { { "/list",
			     JSON("{\"columns\":[\"id\"],\"result\":{\"rows\":["
				  "["
				  "\"1\"]],\"next\":\"/chunk/1\"}}"),
			     0 },
		{ "/chunk/1", JSON("{\"rows\":[[\"2\"],[\"3\"]]}"), 0 } },
	    .asked = { "GET /list", "GET /chunk/1 HTTP" },
	    .events = "{\"id\":\"1\"}\n{\"id\":\"2\"}\n{\"id\":\"3\"}\n" },
	{ .name = "an iterator, a cut reply and a restart",
	    .definition = HEAD ITERATOR
	    "    resend: { query: { op: resend, index: \"{iterator}\" } }\n",
	    .replies = { { "/list", JSON("{\"a\":[{\"id\":1}],\"w\":0}"), 0 },
		{ "/list", JSON("{\"a\":[{\"id\":2},{\"id\":3}"), 0 },
		{ "/list", JSON("{\"a\":[{\"id\":2},{\"id\":3}]}"), 0 },
		{ "/list", JSON("{\"a\":[],\"w\":\"30000\"}"), 0 },
		{ "/list", JSON("{\"a\":[{\"id\":2},{\"id\":3}]}"), 0 },
		{ "/list", JSON("{\"a\":[{\"id\":4}]}"), 0 },
		{ "/list", JSON("{\"a\":[]}"), 0 } },
	    .asked = { "/list?op=1", "&index=sealfeed-", "/list?op=next",
		"/list?op=resend", "/list?op=next", "/list?op=resend",
		"/list?op=next", "/list?op=next" },
	    .events = "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n{\"id\":4}\n",
	    .trouble = "the document ends",
	    .polls = 2,
	    .again = true },
	{ .name = "an iterator that was refused goes on, and one in doubt asks "
		  "again until it knows",
	    .definition = HEAD ITERATOR
	    "    resend: { query: { op: resend, index: \"{iterator}\" } }\n",
	    .replies = { { "/list", FAIL("500", "{}"), 0 },
		{ "/list", JSON("{\"a\":[{\"id\":1}]}"), 0 },
		{ "/list", FAIL("500", "{}"), 0 },
		{ "/list", JSON("{\"a\":[{\"id\":2"), 0 },
		{ "/list", FAIL("429", "{}"), 0 },
		{ "/list", JSON("{\"a\":[{\"id\":2}]}"), 0 },
		{ "/list", JSON("{\"a\":[]}"), 0 } },
	    .asked = { "/list?op=1", "/list?op=1", "/list?op=next",
		"/list?op=next", "/list?op=resend", "/list?op=resend",
		"/list?op=next" },
	    .events = "{\"id\":1}\n{\"id\":2}\n",
	    .trouble = "status 500" },
	{ .name = "an iterator that is lost begins anew under another name",
	    .definition = HEAD ITERATOR
	    "    resend: { query: { op: resend, index: \"{iterator}\" } }\n",
	    .replies = { { "/list", JSON("{\"a\":[{\"id\":1}]}"), 0 },
		{ "/list", FAIL("410", "{}"), 0 },
		{ "/list", JSON("{\"a\":[{\"id\":1},{\"id\":2}]}"), 0 },
		{ "/list", JSON("{\"a\":[]}"), 0 } },
	    .asked = { "/list?op=1", "/list?op=next", "/list?op=1",
		"/list?op=next" },
	    .events = "{\"id\":1}\n{\"id\":2}\n",
	    .polls = 2 },
	{ .name = "an iterator without resend: what a cut reply had is a gap",
	    .gaps = 1,
	    .definition = HEAD ITERATOR,
	    .replies = { { "/list", JSON("{\"a\":[{\"id\":1}]}"), 0 },
		{ "/list", JSON("{\"a\":[{\"id\":2}"), 0 },
		{ "/list", FAIL("500", "{}"), 0 },
		{ "/list", JSON("{\"a\":[{\"id\":3}]}"), 0 },
		{ "/list", JSON("{\"a\":[]}"), 0 } },
	    .asked = { "/list?op=1", "/list?op=next", "/list?op=next",
		"/list?op=next", "/list?op=next" },
	    .events = "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n",
	    .trouble = "a reply may have been lost" },
	{ .name = "an event that is none, on the first page of all",
	    .gaps = 1,
	    .definition = HEAD
	    "    request: { path: /list }\n    next: { path: /more, query: { "
	    "c: "
	    "\"{page}\" } }\n    cursor: { kind: token }\n    page: { kind: "
	    "token, from: [/c] }\n    records: { at: [/e] }\n    id: /id\n",
	    .replies = { { "/list",
			     JSON("{\"e\":[{\"id\":1},{\"id\":\"\n\"},"
				  "{\"id\":2}],\"c\":\"C1\"}"),
			     0 },
		{ "/more?c=C1", JSON("{\"e\":[],\"c\":\"C1\"}"), 0 } },
	    .asked = { "/list", "c=C1" },
	    .events = "{\"id\":1}\n{\"id\":2}\n",
	    .trouble = "is not JSON" },
	{ .name = "pages without rows that lead to some",
	    .definition = HEAD
	    "    request: { path: /list }\n    next: { path: /more, query: { "
	    "c: "
	    "\"{page}\" } }\n    cursor: { kind: token }\n    page: { kind: "
	    "token, from: [/c] }\n    records: { at: [/e] }\n    id: /id\n",
	    .replies = { { "/list", JSON("{\"e\":[],\"c\":\"C1\"}"), 0 },
		{ "/more?c=C1", JSON("{\"e\":[],\"c\":\"C2\"}"), 0 },
		{ "/more?c=C2", JSON("{\"e\":[],\"c\":\"C3\"}"), 0 },
		{ "/more?c=C3", JSON("{\"e\":[{\"id\":1}],\"c\":\"C4\"}"), 0 },
		{ "/more?c=C4", JSON("{\"e\":[],\"c\":\"C4\"}"), 0 } },
	    .asked = { "/list", "c=C1", "c=C2", "c=C3", "c=C4" },
	    .events = "{\"id\":1}\n" },
	{ .name = "a cursor that moves over nothing, for ever",
	    .definition = HEAD
	    "    request: { path: /list }\n    next: { path: /more, query: { "
	    "c: "
	    "\"{page}\" } }\n    cursor: { kind: token }\n    page: { kind: "
	    "token, from: [/c] }\n    records: { at: [/e] }\n    id: /id\n",
	    .replies = { { "/list", JSON("{\"e\":[],\"c\":\"<n>\"}"), 0 },
		{ "/more", JSON("{\"e\":[],\"c\":\"<n>\"}"), 0 } },
	    .events = "",
	    .polls = 7,
	    .most = 16 + 8 + 4 + 2 + 1 + 1 + 1 },
	{ .name = "a cursor that says more over nothing, for ever",
	    .definition = HEAD
	    "    request: { path: /list }\n    next: { path: /more, query: { "
	    "c: "
	    "\"{page}\" } }\n    cursor: { kind: token }\n    page: { kind: "
	    "token, from: [/c], more: /m }\n    records: { at: [/e] }\n    id: "
	    "/id\n",
	    .replies = { { "/list", JSON("{\"e\":[],\"c\":\"<n>\",\"m\":true}"),
			     0 },
		{ "/more", JSON("{\"e\":[],\"c\":\"<n>\",\"m\":true}"), 0 } },
	    .events = "",
	    .most = 200,
	    .rests = true },
	{ .name = "more, but not where",
	    .definition = HEAD WINDOW
	    "    page: { kind: token, from: [/c], to: c, more: /m }\n    "
	    "records: { at: [/e] }\n    id: /id\n",
	    .replies = { { "/list", JSON("{\"e\":[{\"id\":1}],\"m\":true}"),
			     0 },
		{ "/list", JSON("{\"e\":[{\"id\":1}],\"m\":false}"), 0 } },
	    .events = "{\"id\":1}\n",
	    .trouble = "says that more follows, but not where" },
	{ .name = "a cursor that has events and leads to itself",
	    .definition = HEAD
	    "    request: { path: /list }\n    next: { path: /more, query: { "
	    "c: "
	    "\"{page}\" } }\n    cursor: { kind: token }\n    page: { kind: "
	    "token, from: [/c], more: /m }\n    records: { at: [/e] }\n    id: "
	    "/id\n",
	    .replies = { { "/list",
			     JSON("{\"e\":[{\"id\":1}],\"c\":\"C1\",\"m\":"
				  "true}"),
			     0 },
		{ "/more",
		    JSON("{\"e\":[{\"id\":2}],\"c\":\"C1\",\"m\":false}"),
		    0 } },
	    .events = "{\"id\":1}\n{\"id\":2}\n",
	    .trouble = "is the one that led to it" },
	{ .name = "an empty page by number that is not the last one",
	    .definition = HEAD WINDOW
	    "    page: { kind: number, to: page, more: /m }\n    records: { "
	    "at: [/e] }\n    id: /id\n",
	    .replies = { { "/list", JSON("{\"e\":[],\"m\":true}"), 0 },
		{ "/list", JSON("{\"e\":[{\"id\":1}],\"m\":false}"), 0 } },
	    .asked = { "page=1 HTTP", "page=2 HTTP" },
	    .events = "{\"id\":1}\n" },
	{ .name = "an empty page by offset that says more",
	    .definition = HEAD WINDOW
	    "    page: { kind: offset, to: skip, more: /m }\n    records: { "
	    "at: [/e] }\n    id: /id\n",
	    .replies = { { "/list", JSON("{\"e\":[{\"id\":1}],\"m\":true}"),
			     0 },
		{ "/list", JSON("{\"e\":[],\"m\":true}"), 0 },
		{ "/list", JSON("{\"e\":[{\"id\":2}],\"m\":false}"), 0 } },
	    .asked = { "skip=0 HTTP", "skip=1 HTTP", "skip=1 HTTP" },
	    .events = "{\"id\":1}\n{\"id\":2}\n",
	    .trouble = "says that more follows, but not where" },
	{ .name = "a token that is an object, behind a page without rows",
	    .definition = HEAD
	    "    request: { method: POST, path: /list, body: "
	    "'{\"from\":\"{window.start|rfc3339}\",\"to\":\"{window.end|"
	    "rfc3339}\"}' }\n    next: { body: '{\"start\":{page|json}}' }\n"
	    "    cursor: { kind: window, span: 10d, overlap: 1m }\n    page: { "
	    "kind: token, from: [/LastKey] }\n    records: { at: [/Items] }\n"
	    "    id: /id\n",
	    .replies = { { "/list",
			     JSON("{\"Items\":[],\"LastKey\":{\"id\":{\"S\":"
				  "\"x\"}}}"),
			     0 },
		{ "/list", JSON("{\"Items\":[{\"id\":1}]}"), 0 } },
	    .asked = { "\"from\"", "{\"start\":{\"id\":{\"S\":\"x\"}}}" },
	    .events = "{\"id\":1}\n" },
	{ .name = "a page of a stream that could not be written",
	    .definition = HEAD
	    "    request: { path: /list }\n    next: { path: /more, query: { "
	    "c: "
	    "\"{page}\" } }\n    cursor: { kind: token }\n    page: { kind: "
	    "token, from: [/c] }\n    records: { at: [/e] }\n    id: /id\n",
	    .replies = { { "/list", JSON("{\"e\":[{\"id\":1}],\"c\":\"C1\"}"),
			     0 },
		{ "/more?c=C1", JSON("{\"e\":[{\"id\":2}],\"c\":\"C2\"}"), 0 },
		{ "/more?c=C2", JSON("{\"e\":[],\"c\":\"C2\"}"), 0 } },
	    .events = "{\"id\":1}\n{\"id\":2}\n",
	    .polls = 2,
	    .full = "/more",
	    .trouble = "disk" },
	{ .name = "a page of a window that could not be written",
	    .definition = HEAD WINDOW
	    "    page: { kind: url, from: [/n] }\n    records: { at: [/e] }\n"
	    "    id: /id\n",
	    .replies = { { "/list", JSON("{\"e\":[{\"id\":1}],\"n\":\"/p2\"}"),
			     0 },
		{ "/p2", JSON("{\"e\":[{\"id\":2}],\"n\":\"/p3\"}"), 0 },
		{ "/p3", JSON("{\"e\":[{\"id\":3}]}"), 0 } },
	    .events = "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n",
	    .polls = 2,
	    .full = "/p2",
	    .trouble = "disk" },
	{ .name = "the Link header leads to another host",
	    .definition = HEAD WINDOW "    page: { kind: link }\n    records: "
				      "{ at: [/v] }\n    id: /id\n",
	    .replies = { { "/list",
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLink: "
		"<https://api.example.com.evil.org/x?t=1>; "
		"rel=\"next\"\r\n\r\n{\"v\":[{\"id\":1}]}",
		0 } },
	    .events = "",
	    .trouble = "the link to the next page leads to another host than "
		       "hosts.api and is refused" },
	{ .name = "a header with a URL leads to another host",
	    .definition =
		HEAD WINDOW "    page: { kind: url_header, from: [NextPageUri] "
			    "}\n    records: { at: [/v] }\n    id: /id\n",
	    .replies = { { "/list",
		"HTTP/1.1 200 OK\r\nContent-Type: "
		"application/json\r\nNextPageUri: "
		"//evil.example.org/x\r\n\r\n{\"v\":[{\"id\":1}]}",
		0 } },
	    .events = "",
	    .trouble = "the link to the next page leads to another host than "
		       "hosts.api and is refused" },
	{ .name = "a URL in the body leads to another host",
	    .definition =
		HEAD WINDOW "    page: { kind: url, from: [/next] }\n    "
			    "records: { at: [/v] }\n    id: /id\n",
	    .replies = { { "/list",
		"HTTP/1.1 200 OK\r\nContent-Type: "
		"application/"
		"json\r\n\r\n{\"v\":[{\"id\":1}],\"next\":\"<url>@evil.example."
		"org/x\"}",
		0 } },
	    .events = "",
	    .trouble = "the link to the next page leads to another host than "
		       "hosts.api and is refused" },
	{ .name = "a URL in the body with another port leads to another host",
	    .definition =
		HEAD WINDOW "    page: { kind: url, from: [/next] }\n    "
			    "records: { at: [/v] }\n    id: /id\n",
	    .replies = { { "/list",
		"HTTP/1.1 200 OK\r\nContent-Type: "
		"application/json\r\n\r\n{\"v\":[{\"id\":1}],\"next\":\"http://"
		"127.0.0.1:1/x\"}",
		0 } },
	    .events = "",
	    .trouble = "the link to the next page leads to another host than "
		       "hosts.api and is refused" },
	{ .name = "a redirect of a page",
	    .definition = HEAD WINDOW "    page: { kind: none }\n    records: "
				      "{ at: [/v] }\n    id: /id\n",
	    .replies = { { "/list",
		"HTTP/1.1 302 Found\r\nContent-Type: "
		"application/json\r\nLocation: "
		"https://evil.example.org/x\r\n\r\n{}",
		0 } },
	    .events = "",
	    .trouble = "a redirect to https://evil.example.org/x, which is not "
		       "followed" },
	{ .name = "a redirect of a job",
	    .definition = HEAD
	    "    job: { submit: { method: POST, path: /jobs, body: "
	    "'{\"from\":\"{window.start|rfc3339}\",\"to\":\"{window.end|"
	    "rfc3339}\"}' }, poll: { path: \"/state/{job.id}\" }, id: /id, "
	    "status: /status, running: [running], done: [done] }\n"
	    "    request: { path: \"/result/{job.id}\" }\n    cursor: { kind: "
	    "window, span: 10d, overlap: 1m }\n    page: { kind: none }\n    "
	    "records: { at: [/rows] }\n    id: /id\n",
	    .replies = { { "/jobs",
		"HTTP/1.1 302 Found\r\nContent-Type: "
		"application/json\r\nLocation: "
		"https://evil.example.org/x\r\n\r\n{}",
		0 } },
	    .events = "",
	    .trouble = "a redirect to https://evil.example.org/x, which is not "
		       "followed" },
	{ .name = "a job whose id is a URL is asked for on the same host",
	    .definition = HEAD
	    "    job: { submit: { method: POST, path: /jobs, body: "
	    "'{\"from\":\"{window.start|rfc3339}\",\"to\":\"{window.end|"
	    "rfc3339}\"}' }, poll: { path: \"/state/{job.id}\" }, id: /id, "
	    "status: /status, running: [running], done: [done] }\n"
	    "    request: { path: \"/result/{job.id}\" }\n    cursor: { kind: "
	    "window, span: 10d, overlap: 1m }\n    page: { kind: none }\n    "
	    "records: { at: [/rows] }\n    id: /id\n",
	    .replies = { { "/jobs",
			     JSON("{\"id\":\"https://evil.example.org/../j\"}"),
			     0 },
		{ "/state/https:%2F%2Fevil.example.org%2F..%2Fj",
		    JSON("{\"status\":\"done\"}"), 0 },
		{ "/result/https:%2F%2Fevil.example.org%2F..%2Fj",
		    JSON("{\"rows\":[{\"id\":1}]}"), 0 } },
	    .events = "{\"id\":1}\n" },
	{ .name = "a redirect of the grant",
	    .definition =
		"name: shape\ntitle: T\ndocs: https://docs.example.com\n"
		"variables: { token: { type: secret, help: The token } }\n"
		"hosts: { login: https://login.example.com, api: "
		"https://api.example.com }\n"
		"auth: { kind: oauth2, host: login, path: /token, client_id: "
		"me, client_secret: \"{token}\" }\n"
		"rate: { requests: 600, per: 1s }\nstreams:\n  s:\n    title: "
		"S\n    retention: 30d\n    time: { at: /t, format: epoch "
		"}\n" WINDOW
		"    page: { kind: none }\n    records: { at: [\"\"] }\n"
		"    id: /id\n",
	    .replies = { { "/token",
		"HTTP/1.1 302 Found\r\nContent-Type: "
		"application/json\r\nLocation: "
		"https://evil.example.org/x\r\n\r\n{}",
		0 } },
	    .events = "",
	    .trouble = "a redirect to https://evil.example.org/x, which is not "
		       "followed" },
	{ .name = "files on another host, which their URLs have the proof for",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { at: [/v] }\n    fetch: "
	    "{ host: login, url: /u, records: { at: [\"\"] } }\n    id: /id\n",
	    .replies = { { "/list",
			     JSON("{\"v\":[{\"u\":\"<url>/f?sig=abc\"}]}"), 0 },
		{ "/f", JSON("[{\"id\":1}]"), 0 } },
	    .asked = { "Authorization: Bearer abcdefgh", "GET /f?sig=abc" },
	    .events = "{\"id\":1}\n",
	    .once = "Authorization:" },
	{ .name = "files on another host than that",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { at: [/v] }\n    fetch: "
	    "{ host: login, url: /u, records: { at: [\"\"] } }\n    id: /id\n",
	    .replies = { { "/list",
		JSON("{\"v\":[{\"u\":\"https://evil.example.org/f\"}]}"), 0 } },
	    .events = "",
	    .trouble =
		"the URL of a row leads to another host than hosts.login" },
	{ .name = "a URL that lives gets a restart's window on",
	    .definition = HEAD WINDOW
	    "    page: { kind: url, from: [/n], life: 1h }\n    records: { "
	    "at: [/e] }\n    id: /id\n",
	    .replies = { { "/list", JSON("{\"e\":[{\"id\":1}],\"n\":\"/p2\"}"),
			     0 },
		{ "/p2", FAIL("403", "{\"code\":\"stop\"}"), 0 },
		{ "/p2", JSON("{\"e\":[{\"id\":2}]}"), 0 },
		{ "/list", JSON("{\"e\":[]}"), 0 } },
	    .asked = { "GET /list", "GET /p2", "GET /p2", "GET /list" },
	    .events = "{\"id\":1}\n{\"id\":2}\n",
	    .polls = 2,
	    .trouble = "stop",
	    .again = true },
	{ .name = "a URL that has died is not asked for: the window is read "
		  "again",
	    .definition = HEAD WINDOW
	    "    page: { kind: url, from: [/n], life: 1ms }\n    records: { "
	    "at: [/e] }\n    id: /id\n",
	    .replies = { { "/list", JSON("{\"e\":[{\"id\":1}],\"n\":\"/p2\"}"),
			     0 },
		{ "/p2", FAIL("403", "{\"code\":\"stop\"}"), 0 },
		{ "/list", JSON("{\"e\":[{\"id\":1},{\"id\":2}]}"), 0 } },
	    .asked = { "GET /list", "GET /p2", "GET /list" },
	    .events = "{\"id\":1}\n{\"id\":2}\n",
	    .polls = 2,
	    .trouble = "stop",
	    .again = true },
	{ .name = "a token that is JSON, and a short page at the end",
	    .definition = HEAD
	    "    request: { method: POST, path: /list, body: "
	    "'{\"from\":\"{window.start|rfc3339}\",\"to\":\"{window.end|"
	    "rfc3339}\"}' }\n    next: { body: '{\"after\":{page|json},\"as\":"
	    "\"{page}\"}' }\n    cursor: { kind: window, span: 10d, overlap: "
	    "1m }\n    page: { kind: header, from: [X-After], size: 2, "
	    "short_is_last: true }\n    records: { at: [\"\"] }\n    id: /id\n",
	    .replies = { { "/list",
			     "HTTP/1.1 200 OK\r\nContent-Type: "
			     "application/json\r\nX-After: [1,\"a\"]\r\n\r\n"
			     "[{\"id\":1},{\"id\":2}]",
			     0 },
		{ "/list",
		    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
		    "X-After: [2,\"b\"]\r\n\r\n[{\"id\":3}]",
		    0 } },
	    .asked = { "POST /list",
		"{\"after\":[1,\"a\"],\"as\":\"[1,\\\"a\\\"]\"}" },
	    .events = "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n" },
	{ .name = "what changes behind a row that does not",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { at: [/ids] }\n    fetch: "
	    "{ always: true, max: 2, method: POST, path: /entities, body: "
	    "'{\"ids\":[{fetch.ids}]}', records: { at: [/resources] } }\n"
	    "    id: /id\n",
	    .replies = { { "/list", JSON("{\"ids\":[\"a\"]}"), 0 },
		{ "/entities",
		    JSON("{\"resources\":[{\"id\":\"a\",\"is\":1}]}"), 0 },
		{ "/entities",
		    JSON("{\"resources\":[{\"id\":\"a\",\"is\":2}]}"), 0 } },
	    .events = "{\"id\":\"a\",\"is\":1}\n{\"id\":\"a\",\"is\":2}\n",
	    .polls = 2 },
	{ .name = "a page that is forbidden for long is of a window read again",
	    .definition = HEAD WINDOW
	    "    page: { kind: url, from: [/next] }\n    records: { at: "
	    "[/value] }\n    id: /id\n    rules: [{ status: 403, class: "
	    "configuration, cause: forbidden }]\n",
	    .replies = { { "/list",
			     JSON("{\"value\":[{\"id\":1}],\"next\":\"/page/"
				  "2\"}"),
			     0 },
		{ "/list",
		    JSON("{\"value\":[{\"id\":1}],\"next\":\"/page/3\"}"), 0 },
		{ "/page/2", FAIL("403", "{\"code\":\"x\"}"), 0 },
		{ "/page/3", JSON("{\"value\":[{\"id\":2}]}"), 0 } },
	    .events = "{\"id\":1}\n{\"id\":2}\n",
	    .trouble = "forbidden",
	    .polls = 5 },
	{ .name = "a host that comes with the token",
	    .definition =
		"name: shape\ntitle: T\ndocs: https://docs.example.com\n"
		"variables: { token: { type: secret, help: The token } }\n"
		"hosts: { login: https://login.example.com, api: { "
		"from_token: /instance_url, suffixes: [.0.0.1] } }\n"
		"auth: { kind: oauth2, host: login, path: /token, client_id: "
		"me, client_secret: \"{token}\" }\n"
		"rate: { requests: 600, per: 1s }\nstreams:\n  s:\n    title: "
		"S\n    retention: 30d\n    time: { at: /t, format: epoch "
		"}\n" WINDOW
		"    page: { kind: none }\n    records: { at: [\"\"] }\n"
		"    id: /id\n",
	    .replies = { { "/token",
			     JSON("{\"access_token\":\"abcdef\",\"instance_"
				  "url\":\"<url>\"}"),
			     0 },
		{ "/list", JSON("[{\"id\":1}]"), 0 } },
	    .asked = { "POST /token", "GET /list",
		"Authorization: Bearer abcdef" },
	    .events = "{\"id\":1}\n" },
	{ .name = "a host that is none of the vendor's",
	    .definition =
		"name: shape\ntitle: T\ndocs: https://docs.example.com\n"
		"variables: { token: { type: secret, help: The token } }\n"
		"hosts: { login: https://login.example.com, api: { "
		"from_token: /instance_url, suffixes: [.salesforce.com] } }\n"
		"auth: { kind: oauth2, host: login, path: /token, client_id: "
		"me, client_secret: \"{token}\" }\n"
		"rate: { requests: 600, per: 1s }\nstreams:\n  s:\n    title: "
		"S\n    retention: 30d\n    time: { at: /t, format: epoch "
		"}\n" WINDOW
		"    page: { kind: none }\n    records: { at: [\"\"] }\n"
		"    id: /id\n",
	    .replies = { { "/token",
		JSON("{\"access_token\":\"abcdef\",\"instance_url\":\"https://"
		     "salesforce.com.example.org\"}"),
		0 } },
	    .events = "",
	    .trouble = "none of the vendor's" },
};

static struct {
	char dir[64], path[128], conf[160], epoch[24];
	char *texts[ROW_MAX];
	struct canned_reply replies[ROW_MAX + 1];
	struct canned *server;
	struct config *config;
	struct store *s;
	struct source source;
	struct stream stream;
	struct worker w;
	struct buf told;
} t;
static struct err err;

static bool
never(void *ctx)
{
	(void)ctx;
	return false;
}

/* Nobody waits here, and no vendor says for how long. */
static bool
rest(void *ctx, int64_t us)
{
	(void)ctx;
	ck_assert_int_le(us, 5 * CLOCK_MINUTE);
	rate_free(t.source.rate);
	t.source.rate = rate_new(600000, 600000);
	t.stream.hold = 0;
	return true;
}

static void
ignore(void *ctx, struct stream *st)
{
	(void)ctx;
	(void)st;
}

static void
trouble(void *ctx, struct stream *st, const struct outcome *r)
{
	(void)ctx;
	(void)st;
	ck_assert_int_eq(buf_addf(&t.told, "%s\n", r->text), 0);
}

/* A disk is full, or not any more. */
static void
fill_disk(bool full)
{
	struct rlimit limit;

	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = full ? 0 : limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* source_watch */
static bool
asks(void *ctx, const char *method, const char *url, const char *body)
{
	const char *full = ctx;

	(void)method;
	(void)body;
	if (strstr(url, full) != NULL)
		fill_disk(true);
	return true;
}

static void
answered(void *ctx, const struct http_reply *reply, const struct outcome *r)
{
	(void)ctx;
	(void)reply;
	(void)r;
}

/* Text with what is known only now in its place: to be freed. */
static char *
fill(const char *text, const char *place, const char *value)
{
	const char *at = text != NULL ? strstr(text, place) : NULL;

	if (at == NULL)
		return text != NULL ? xstrdup(text) : NULL;
	return xasprintf("%.*s%s%s", (int)(at - text), text, value,
	    at + strlen(place));
}

/* The server's table: the URL is known when it runs, and the table is read only
 * then. */
static void
start_server(const struct shape *shape)
{
	char now[CLOCK_TEXT];

	(void)clock_format(clock_now() - CLOCK_MINUTE, 0, now);
	(void)snprintf(t.epoch, sizeof(t.epoch), "%" PRId64,
	    (clock_now() - CLOCK_MINUTE) / CLOCK_SECOND);
	t.server = canned_start(t.replies);
	for (size_t i = 0; i < ROW_MAX && shape->replies[i].path != NULL; i++) {
		char *first = fill(shape->replies[i].bytes, "<now>", now);
		char *half = fill(first, "<epoch>", t.epoch);

		t.texts[i] = fill(half, "<url>", canned_url(t.server));
		free(first);
		free(half);
		t.replies[i].bytes = t.texts[i];
		t.replies[i].path = shape->replies[i].path;
	}
}

static void
write_config(const struct shape *shape)
{
	struct buf text = BUF_INIT(TEXT_MAX);
	char *folder = xasprintf("%s/sources.d", t.dir);
	char *file = xasprintf("%s/shape.yaml", folder);
	const bool own = strstr(shape->definition, "from_token") != NULL;

	ck_assert_int_eq(mkdir(folder, 0700), 0);
	ck_assert_int_eq(file_replace(file, shape->definition,
			     strlen(shape->definition), 0600, &err),
	    0);
	ck_assert_int_eq(
	    buf_addf(&text,
		"agent: { name: a, key: %s/seal.pem }\nsources:\n  v:\n    "
		"type: shape\n    initial: 4d\n    token: abcdefgh\n    hosts: "
		"{ login: \"%s\"%s%s%s }\noutputs: { f: { type: file, path: "
		"%s/out } }\n",
		t.dir, canned_url(t.server), own ? "" : ", api: \"",
		own ? "" : canned_url(t.server), own ? "" : "\"", t.dir),
	    0);
	(void)snprintf(t.conf, sizeof(t.conf), "%s/sealfeed.yaml", t.dir);
	ck_assert_int_eq(file_replace(t.conf, text.data, text.len, 0600, &err),
	    0);
	free(folder);
	free(file);
	buf_release(&text);
}

static void
remove_definition(void)
{
	char *folder = xasprintf("%s/sources.d", t.dir);
	char *file = xasprintf("%s/shape.yaml", folder);

	ck_assert_int_eq(unlink(file), 0);
	ck_assert_int_eq(rmdir(folder), 0);
	free(folder);
	free(file);
}

static void
open_all(void)
{
	const struct config_entry *e = &t.config->sources[0];
	struct source *s = &t.source;

	t.s = store_help_open(t.path, STORE_DURABLE);
	*s = (struct source){ .type = source_type_of(e->type),
		.name = e->name,
		.conf = e->conf,
		.rate = rate_new(600000, 600000),
		.clock = server_clock_new(),
		.stop = never,
		.rest = rest,
		.listed = ignore,
		.committed = ignore,
		.trouble = trouble };
	s->type->define(s->conf, &s->definition);
	s->access = http_access_open(s->definition.http, &err);
	ck_assert_ptr_nonnull(s->access);
	ck_assert_msg(s->type->open(s, &err) == 0, "%s", err.text);
	t.stream = (struct stream){ .source = s,
		.name = "s",
		.listed = INT64_MIN,
		.feed = store_help_feed(t.s, "v/s", s->definition.dedupe),
		.state = xcalloc(1, s->definition.stream_size) };
	feed_hours(t.stream.feed);
	t.w = (struct worker){ .source = s,
		.stream = &t.stream,
		.http = http_new(s->access, NULL, NULL) };
}

static void
close_all(void)
{
	struct source *s = &t.source;

	http_free(t.w.http);
	feed_close(t.stream.feed);
	free(t.stream.state);
	s->type->close(s);
	http_access_free(s->access);
	rate_free(s->rate);
	server_clock_free(s->clock);
	store_close(t.s);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The events of the store, sorted, a line each. */
static void
read_events(struct buf *out)
{
	struct buf lines = BUF_INIT(TEXT_MAX);
	struct gzip *g = gzip_new();
	char *list[64];
	struct batch b;
	int64_t at = 0;
	size_t n = 0;

	batch_init(&b);
	while (store_help_seal(t.s, &err) == 1)
		continue;
	while (batch_next_sealed(t.s, at, &b, &err) == 1) {
		at = b.id;
		ck_assert_int_eq(gzip_unpack(g, b.payload.data, b.payload.len,
				     &lines, &err),
		    0);
	}
	batch_release(&b);
	gzip_free(g);
	for (const char *s = lines.data; s != NULL && *s != '\0';
	     s = strchr(s, '\n') + 1) {
		struct line line;

		if (line_parse(s, strcspn(s, "\n"), &line) != 0 ||
		    line.kind != LINE_EVENT)
			continue;
		ck_assert_uint_lt(n, 64);
		list[n++] = xstrndup(line.value.data, line.value.len);
	}
	qsort(list, n, sizeof(*list), by_text);
	for (size_t i = 0; i < n; i++) {
		ck_assert_int_eq(buf_addf(out, "%s\n", list[i]), 0);
		free(list[i]);
	}
	buf_release(&lines);
}

/* Each text is in the requests, behind the one before it. */
static void
expect_asked(const struct shape *shape)
{
	const char *at = canned_requests(t.server);

	for (size_t i = 0; i < ROW_MAX && shape->asked[i] != NULL; i++) {
		char *asked = fill(shape->asked[i], "<epoch>", t.epoch);
		const char *found = strstr(at, asked);

		ck_assert_msg(found != NULL, "%s: not asked: %s\nin %s",
		    shape->name, shape->asked[i], canned_requests(t.server));
		at = found + 1;
		free(asked);
	}
}

/* How often is text in the requests? */
static unsigned
count_asked(const char *text)
{
	unsigned n = 0;

	for (const char *at = canned_requests(t.server);
	     (at = strstr(at, text)) != NULL; at++)
		n++;
	return n;
}

static void
poll_all(const struct shape *shape)
{
	enum poll_next next = POLL_REST;

	for (unsigned i = 0; i < shape->polls || i == 0; i++) {
		struct rest_stream *rs;
		struct outcome r = { .class = REPLY_OK };
		struct source_watch watch = { .asks = asks,
			.answered = answered,
			.ctx = (void *)(uintptr_t)shape->full };

		t.source.watch = shape->full != NULL && i == 0 ? &watch : NULL;
		next = t.source.type->poll(&t.w, &t.stream, &r);
		if (t.source.watch != NULL)
			fill_disk(false);
		if (r.class != REPLY_OK)
			trouble(NULL, NULL, &r);
		rs = *(struct rest_stream **)t.stream.state;
		rs->window.full = 0;
		if (shape->again && i == 0) {
			close_all();
			open_all();
		}
	}
	ck_assert_msg(!shape->rests || next == POLL_REST, "%s: more polls",
	    shape->name);
}

/* The store has a window that ends so, or none. */
static void
expect_counted(const struct shape *shape)
{
	int64_t n, all;

	db_lock(t.s);
	ck_assert_int_eq(db_number(t.s, &err, 0, &all,
			     "SELECT count(*) FROM span", ""),
	    0);
	ck_assert_int_eq(db_number(t.s, &err, 0, &n,
			     "SELECT count(*) FROM span WHERE chain = 's'"
			     " AND since < until AND how = ?",
			     "t", shape->counted != NULL ? shape->counted : ""),
	    0);
	db_unlock(t.s);
	ck_assert_msg(n == (shape->counted != NULL) && all == n, "%s: %d spans",
	    shape->name, (int)all);
}

START_TEST(shape)
{
	const struct shape *s = &shapes[_i];
	struct config_errors errors = CONFIG_ERRORS_INIT;
	struct buf events = BUF_INIT(TEXT_MAX);
	char *expected;
	int64_t backwards, gaps;

	memset(&t, 0, sizeof(t));
	buf_init(&t.told, TEXT_MAX);
	store_help_begin(t.dir, sizeof(t.dir), t.path, sizeof(t.path));
	start_server(s);
	write_config(s);
	t.config = config_load(t.conf, &agent_types, &errors);
	for (size_t i = 0; i < errors.n; i++)
		(void)fprintf(stderr, "%s: %s\n", s->name, errors.line[i]);
	ck_assert_ptr_nonnull(t.config);
	config_errors_release(&errors);
	open_all();
	poll_all(s);
	read_events(&events);
	expected = fill(s->events, "<epoch>", t.epoch);
	ck_assert_msg(strcmp(events.len > 0 ? events.data : "", expected) == 0,
	    "%s: %s\ninstead of %s; %s\nasked: %s", s->name,
	    events.len > 0 ? events.data : "", expected,
	    t.told.len > 0 ? t.told.data : "", canned_requests(t.server));
	ck_assert_int_eq(db_number(t.s, &err, 0, &backwards,
			     "SELECT count(*) FROM gap WHERE until < since",
			     ""),
	    0);
	ck_assert_int_eq(backwards, 0);
	ck_assert_int_eq(db_number(t.s, &err, 0, &gaps,
			     "SELECT count(*) FROM gap", ""),
	    0);
	ck_assert_msg(gaps == s->gaps, "%s: %d gaps", s->name, (int)gaps);
	expect_asked(s);
	ck_assert_msg(s->trouble == NULL ||
		(t.told.len > 0 && strstr(t.told.data, s->trouble) != NULL),
	    "%s: told %s", s->name, t.told.len > 0 ? t.told.data : "nothing");
	ck_assert_msg(s->trouble != NULL || t.told.len == 0 ||
		strstr(t.told.data, "lost the cursor") != NULL,
	    "%s: told %s", s->name, t.told.data);
	ck_assert_msg(s->once == NULL || count_asked(s->once) == 1,
	    "%s: %u times", s->name, count_asked(s->once));
	ck_assert_msg(s->most == 0 || canned_count(t.server) <= s->most,
	    "%s: %zu requests", s->name, canned_count(t.server));
	expect_counted(s);
	close_all();
	config_free(t.config);
	canned_stop(t.server);
	for (size_t i = 0; i < ROW_MAX; i++)
		free(t.texts[i]);
	remove_definition();
	store_help_end(t.dir);
	free(expected);
	buf_release(&events);
	buf_release(&t.told);
}
END_TEST

/* Requests are counted by credential: sources that have the same one share a
 * budget. */
START_TEST(credentials)
{
	struct config_errors errors = CONFIG_ERRORS_INIT;
	static const char text[] =
	    "agent: { name: a, key: /tmp/seal.pem }\nsources:\n"
	    "  a: { type: okta, domain: a.okta.com, token: \"${env:A}\" }\n"
	    "  b: { type: okta, domain: a.okta.com, token: \"${env:A}\", "
	    "interval: 1m }\n"
	    "  c: { type: okta, domain: a.okta.com, token: \"${env:B}\" }\n"
	    "  d: { type: okta, domain: b.okta.com, token: \"${env:A}\" }\n"
	    "outputs: { f: { type: file, path: /tmp/out } }\n";
	char *key[4], *folder, *link;

	memset(&t, 0, sizeof(t));
	store_help_begin(t.dir, sizeof(t.dir), t.path, sizeof(t.path));
	folder = xasprintf("%s/sources.d", t.dir);
	link = xasprintf("%s/okta.yaml", folder);
	ck_assert_int_eq(mkdir(folder, 0700), 0);
	ck_assert_int_eq(symlink(SRCDIR "/agent/sources/definitions/okta.yaml",
			     link),
	    0);
	(void)snprintf(t.conf, sizeof(t.conf), "%s/sealfeed.yaml", t.dir);
	ck_assert_int_eq(file_replace(t.conf, text, strlen(text), 0600, &err),
	    0);
	t.config = config_load(t.conf, &agent_types, &errors);
	for (size_t k = 0; k < errors.n; k++)
		(void)fprintf(stderr, "%s\n", errors.line[k]);
	ck_assert_ptr_nonnull(t.config);
	for (size_t i = 0; i < 4; i++)
		key[i] = rest_credential(t.config->sources[i].conf);
	ck_assert_str_eq(key[0], key[1]);
	ck_assert_str_ne(key[0], key[2]);
	ck_assert_str_ne(key[0], key[3]);
	for (size_t i = 0; i < 4; i++)
		free(key[i]);
	config_free(t.config);
	config_errors_release(&errors);
	ck_assert_int_eq(unlink(link), 0);
	ck_assert_int_eq(rmdir(folder), 0);
	free(folder);
	free(link);
	store_help_end(t.dir);
}
END_TEST

/* A definition that is right, with that auth. */
static char *
with_auth(const char *auth)
{
	static const char text[] = HEAD WINDOW
	    "    page: { kind: none }\n    records: { at: [\"\"] }\n    id: "
	    "/id\n";
	static const char was[] = "{ kind: header, value: \"Bearer {token}\" }";

	return fill(text, was, auth);
}

/* What a definition has for its auth, and the key that its token makes too
 * long; signed text has it within. */
static const struct {
	const char *auth;
	const char *key;
} long_ones[] = {
	{ "{ kind: header, value: \"Bearer {token}\" }", "value" },
	{ "{ kind: header, headers: { X-Key: \"k{token}\" } }", "headers" },
	{ "{ kind: basic, user: me, password: \"{token}\" }", "password" },
	{ "{ kind: digest, user: me, password: \"{token}\" }", "password" },
	{ "{ kind: oauth2, host: login, path: /t, client_id: me, "
	  "client_secret: \"{token}\" }",
	    "client_secret" },
	{ "{ kind: oauth2, host: login, path: /t, client_id: me, grant: "
	  "refresh_token, refresh_token: \"{token}\" }",
	    "refresh_token" },
	{ "{ kind: jwt, issuer: me, private_key: \"{token}\" }",
	    "private_key" },
	{ "{ kind: signature, algorithm: hmac-sha256, secret: \"{token}\", "
	  "user: me, text: [\"{request.method}\"] }",
	    "secret" },
};

/* A text that was cut would be other credentials: it is told, whatever it is
 * of, and one that just fits is taken. */
START_TEST(long_credentials)
{
	const struct config_type *type;

	for (int too_long = 0; too_long < 2; too_long++) {
		struct config_errors errors = CONFIG_ERRORS_INIT;
		struct shape s = { .name = "long" };
		struct buf text = BUF_INIT(TEXT_MAX);
		char *definition, *token;

		memset(&t, 0, sizeof(t));
		err_clear(&err);
		store_help_begin(t.dir, sizeof(t.dir), t.path, sizeof(t.path));
		start_server(&s);
		definition = with_auth(long_ones[_i].auth);
		s.definition = definition;
		write_config(&s);
		token = xcalloc(1, 64 * 1024 + 17);
		memset(token, 'x', 64 * 1024 - 16 + (too_long ? 32U : 0U));
		ck_assert_int_eq(file_read(t.conf, &text, &err), 0);
		free(definition);
		definition = fill(text.data, "abcdefgh", token);
		ck_assert_int_eq(file_replace(t.conf, definition,
				     strlen(definition), 0600, &err),
		    0);
		t.config = config_load(t.conf, &agent_types, &errors);
		for (size_t i = 0; i < errors.n; i++)
			(void)fprintf(stderr, "%s\n", errors.line[i]);
		ck_assert_ptr_nonnull(t.config);
		config_errors_release(&errors);
		type = t.config->sources[0].type;
		t.source = (struct source){ .type = source_type_of(type),
			.name = "v",
			.conf = t.config->sources[0].conf };
		if (too_long) {
			ck_assert_int_eq(t.source.type->open(&t.source, &err),
			    -1);
			ck_assert_msg(strstr(err.text, long_ones[_i].key) !=
				    NULL &&
				strstr(err.text, "more than 65536 bytes") !=
				    NULL &&
				strstr(err.text, "xxxx") == NULL,
			    "%s", err.text);
		} else {
			ck_assert_msg(t.source.type->open(&t.source, &err) == 0,
			    "%s", err.text);
			t.source.type->close(&t.source);
		}
		config_free(t.config);
		canned_stop(t.server);
		for (size_t i = 0; i < ROW_MAX; i++)
			free(t.texts[i]);
		remove_definition();
		store_help_end(t.dir);
		buf_release(&text);
		free(definition);
		free(token);
	}
}
END_TEST

Suite *
suite_rest_shapes(void)
{
	Suite *s = suite_create("rest_shapes");
	TCase *tc = tcase_create("rest_shapes");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, shape, 0, sizeof(shapes) / sizeof(shapes[0]));
	tcase_add_test(tc, credentials);
	tcase_add_loop_test(tc, long_credentials, 0,
	    sizeof(long_ones) / sizeof(long_ones[0]));
	suite_add_tcase(s, tc);
	return s;
}
