/*
 * test_rest_formats.c - the less usual forms of replies, one by one: CSV,
 * columns, lines, objects under keys, rows that are odd or cut, and errors in
 * place of events or beside them.
 */
#include "tests/unit/shape_help.h"
#include "tests/unit/unit.h"

static const struct shape shapes[] = {
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
};

START_TEST(shape)
{
	shape_play(&shapes[_i]);
}
END_TEST

Suite *
suite_rest_formats(void)
{
	Suite *s = suite_create("rest_formats");
	TCase *tc = tcase_create("rest_formats");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, shape, 0, sizeof(shapes) / sizeof(shapes[0]));
	suite_add_tcase(s, tc);
	return s;
}
