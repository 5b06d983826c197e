/*
 * test_rest_shapes.c - the less usual ways of vendors from one page to the
 * next, one by one: windows and their counts, tokens, numbers, cursors that
 * are lost, jobs, iterators, and rows behind which there is more to fetch.
 */
#include "base/clock.h"
#include "sources/rest/rest_private.h"
#include "tests/unit/rest_rig.h"
#include "tests/unit/shape_help.h"
#include "tests/unit/unit.h"

#define ITERATOR                                                              \
	"    request: { path: /list, query: { op: \"{start|epoch}\", index: " \
	"\"{iterator}\" } }\n    next: { query: { op: next, index: "          \
	"\"{iterator}\" } }\n    cursor: { kind: iterator }\n    page: { "    \
	"kind: none, wait: /w }\n    records: { at: [/a] }\n    id: /id\n"

static const struct shape shapes[] = {
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
	{ .name = "no content",
	    .definition = HEAD WINDOW
	    "    page: { kind: none }\n    records: { at: [/a, /b] }\n    id: "
	    "/id\n",
	    .replies = { { "/list", NOTHING, 0 },
		{ "/list", JSON("{\"a\":[{\"id\":1}],\"b\":[{\"id\":2}]}"),
		    0 } },
	    .events = "{\"id\":1}\n{\"id\":2}\n",
	    .polls = 2 },
	{ .name = "a window that the vendor does not keep any more",
	    .gaps = 1,
	    .definition = HEAD WINDOW "    page: { kind: none }\n    records: "
				      "{ at: [/a] }\n    id: /id\n",
	    .replies = { { "/list", FAIL("404", "{\"code\":\"old\"}"), 0 },
		{ "/list", JSON("{\"a\":[{\"id\":1}]}"), 0 },
		{ "/list", FAIL("404", "{\"code\":\"old\"}"), 0 } },
	    .events = "{\"id\":1}\n",
	    .trouble = "status 404 old: not there",
	    .most = 3 },
	{ .name = "a window of which the vendor keeps the end",
	    .gaps = 1,
	    .definition = HEAD
	    "    request: { path: /list, query: { from: "
	    "\"{window.start|epoch}\", to: \"{window.end|epoch}\" } }\n"
	    "    cursor: { kind: window, span: 10d, overlap: 1m, granularity: "
	    "6h }\n    page: { kind: none }\n    records: { at: [/a] }\n"
	    "    id: /id\n",
	    .replies = { { "/list", FAIL("404", "{\"code\":\"old\"}"), 0 },
		{ "/list", JSON("{\"a\":[]}"), 0 },
		{ "/list", JSON("{\"a\":[{\"id\":3}]}"), 0 },
		{ "/list", FAIL("404", "{\"code\":\"old\"}"), 0 },
		{ "/list", JSON("{\"a\":[{\"id\":2},{\"id\":3}]}"), 0 } },
	    .events = "{\"id\":2}\n{\"id\":3}\n",
	    .trouble = "status 404 old: not there" },
	{ .name = "a vendor that says so of every window keeps all",
	    .definition = HEAD WINDOW "    page: { kind: none }\n    records: "
				      "{ at: [/a] }\n    id: /id\n",
	    .replies = { { "/list", FAIL("404", "{\"code\":\"old\"}"), 0 },
		{ "/list", FAIL("404", "{\"code\":\"old\"}"), 0 },
		{ "/list", JSON("{\"a\":[{\"id\":1}]}"), 0 } },
	    .events = "{\"id\":1}\n",
	    .polls = 2,
	    .trouble = "status 404 old: not there" },
	{ .name = "a page that ends within its first row",
	    .definition = HEAD WINDOW "    page: { kind: none }\n    records: "
				      "{ at: [/a] }\n    id: /id\n",
	    .replies = { { "/list", JSON("{\"c\":1,\"a\":[{\"id\":\"cut"), 0 },
		{ "/list", JSON("{\"a\":[{\"id\":1}]}"), 0 } },
	    .events = "{\"id\":1}\n",
	    .trouble = "the document ends inside an element",
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
	{ .name = "a cursor that is lost, whose events are kept",
	    .definition = HEAD
	    "    request: { path: /list }\n    next: { path: /more, query: { "
	    "c: "
	    "\"{page}\" } }\n    cursor: { kind: token }\n    page: { kind: "
	    "token, from: [/c] }\n    records: { at: [/e] }\n    id: /id\n",
	    .replies = { { "/list",
			     JSON("{\"e\":[{\"id\":1,\"t\":<old>}],\"c\":"
				  "\"C1\"}"),
			     0 },
		{ "/more?c=C1", JSON("{\"e\":[],\"c\":\"C1\"}"), 0 },
		{ "/more?c=C1", FAIL("410", "{}"), 0 },
		{ "/list", JSON("{\"e\":[{\"id\":2}],\"c\":\"C2\"}"), 0 },
		{ "/more?c=C2", JSON("{\"e\":[],\"c\":\"C2\"}"), 0 } },
	    .asked = { "/list", "c=C1", "c=C1", "/list", "c=C2" },
	    .events = "{\"id\":1,\"t\":<old>}\n{\"id\":2}\n",
	    .polls = 3 },
	{ .name = "a cursor that is lost, whose events the plan does not keep",
	    .options = "    retention: 65m\n",
	    .gaps = 1,
	    .definition = HEAD
	    "    request: { path: /list }\n    next: { path: /more, query: { "
	    "c: "
	    "\"{page}\" } }\n    cursor: { kind: token }\n    page: { kind: "
	    "token, from: [/c] }\n    records: { at: [/e] }\n    id: /id\n",
	    .replies = { { "/list",
			     JSON("{\"e\":[{\"id\":1,\"t\":<old>}],\"c\":"
				  "\"C1\"}"),
			     0 },
		{ "/more?c=C1", JSON("{\"e\":[],\"c\":\"C1\"}"), 0 },
		{ "/more?c=C1", FAIL("410", "{}"), 0 },
		{ "/list", JSON("{\"e\":[{\"id\":2}],\"c\":\"C2\"}"), 0 },
		{ "/more?c=C2", JSON("{\"e\":[],\"c\":\"C2\"}"), 0 } },
	    .asked = { "/list", "c=C1", "c=C1", "/list", "c=C2" },
	    .events = "{\"id\":1,\"t\":<old>}\n{\"id\":2}\n",
	    .polls = 3 },
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
	    .replies = { { "/list", JSON("{\"e\":[],\"c\":\"<n>\",\"m\":true}"), 0 }, { "/more", JSON("{\"e\":[],\"c\":\"<n>\",\"m\":true}"), 0 } },
	    .events = "",
	    .most = 200,
	    .rests = true },
	{ .name = "more, but not where",
	    .definition = HEAD WINDOW
	    "    page: { kind: token, from: [/c], to: c, more: /m }\n    "
	    "records: { at: [/e] }\n    id: /id\n",
	    .replies = { { "/list", JSON("{\"e\":[{\"id\":1}],\"m\":true}"), 0 }, { "/list", JSON("{\"e\":[{\"id\":1}],\"m\":false}"), 0 } },
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
	    .replies = { { "/list", JSON("{\"e\":[{\"id\":1}],\"m\":true}"), 0 }, { "/list", JSON("{\"e\":[],\"m\":true}"), 0 }, { "/list", JSON("{\"e\":[{\"id\":2}],\"m\":false}"), 0 } },
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
	    .replies = { { "/list", JSON("{\"e\":[{\"id\":1}],\"c\":\"C1\"}"), 0 }, { "/more?c=C1", JSON("{\"e\":[{\"id\":2}],\"c\":\"C2\"}"), 0 }, { "/more?c=C2", JSON("{\"e\":[],\"c\":\"C2\"}"), 0 } },
	    .events = "{\"id\":1}\n{\"id\":2}\n",
	    .polls = 2,
	    .full = "/more",
	    .trouble = "disk" },
	{ .name = "a page of a window that could not be written",
	    .definition = HEAD WINDOW
	    "    page: { kind: url, from: [/n] }\n    records: { at: [/e] }\n"
	    "    id: /id\n",
	    .replies = { { "/list", JSON("{\"e\":[{\"id\":1}],\"n\":\"/p2\"}"), 0 }, { "/p2", JSON("{\"e\":[{\"id\":2}],\"n\":\"/p3\"}"), 0 }, { "/p3", JSON("{\"e\":[{\"id\":3}]}"), 0 } },
	    .events = "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n",
	    .polls = 2,
	    .full = "/p2",
	    .trouble = "disk" },
	{ .name = "a URL that lives gets a restart's window on",
	    .definition = HEAD WINDOW
	    "    page: { kind: url, from: [/n], life: 1h }\n    records: { "
	    "at: [/e] }\n    id: /id\n",
	    .replies = { { "/list", JSON("{\"e\":[{\"id\":1}],\"n\":\"/p2\"}"), 0 }, { "/p2", FAIL("403", "{\"code\":\"stop\"}"), 0 }, { "/p2", JSON("{\"e\":[{\"id\":2}]}"), 0 }, { "/list", JSON("{\"e\":[]}"), 0 } },
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
	    .replies = { { "/list", JSON("{\"e\":[{\"id\":1}],\"n\":\"/p2\"}"), 0 }, { "/p2", FAIL("403", "{\"code\":\"stop\"}"), 0 }, { "/list", JSON("{\"e\":[{\"id\":1},{\"id\":2}]}"), 0 } },
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
};

START_TEST(shape)
{
	shape_play(&shapes[_i]);
}
END_TEST

/* What a plan keeps, of several streams the shortest, is what counts: for gaps,
 * warnings, backfills and how far sweeps go back. */
START_TEST(retention)
{
	struct source_bounds bounds;
	const struct window_spec *spec;
	struct outcome r;

	rest_rig_begin();
	rest_rig_link("github",
	    SRCDIR "/agent/sources/definitions/github.yaml");
	rest_rig_configure("github",
	    "    org: a\n    token: abcdefgh\n    retention: 36h\n");
	rest_rig_open("web");
	rest_rig.source.type->begin(&rest_rig.stream, &r);
	spec = &rest_rig_state()->spec;
	ck_assert_int_eq(spec->kept, 36 * CLOCK_HOUR);
	ck_assert_int_eq(spec->sweeps[0].back, 3 * CLOCK_HOUR);
	ck_assert_int_eq(spec->sweeps[1].back, 36 * CLOCK_HOUR);
	ck_assert_int_eq(rest_rig.source.definition.retention, 36 * CLOCK_HOUR);
	ck_assert(rest_rig.source.type->bounds(rest_rig.source.conf, "web",
		      &bounds) == NULL);
	ck_assert_int_eq(bounds.kept, 36 * CLOCK_HOUR);
	rest_rig_close();
	rest_rig_end();
}
END_TEST

Suite *
suite_rest_shapes(void)
{
	Suite *s = suite_create("rest_shapes");
	TCase *tc = tcase_create("rest_shapes");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, shape, 0, sizeof(shapes) / sizeof(shapes[0]));
	tcase_add_test(tc, retention);
	suite_add_tcase(s, tc);
	return s;
}
