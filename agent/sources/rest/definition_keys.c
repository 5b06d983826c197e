/*
 * definition_keys.c - the keys of a definition, block by block.
 */
#include "base/clock.h"
#include "sources/rest/decode.h"
#include "sources/rest/definition_private.h"

#define CENTURY (36500 * CLOCK_DAY)

#define AT(type, member) offsetof(struct type, member)

const struct setting definition_keys[] = {
	{ .key = "name",
	    .type = SETTING_STRING,
	    .offset = AT(definition, name),
	    .required = true,
	    .help = "Name of the source type, that of the file without "
		    "\".yaml\"." },
	{ .key = "title",
	    .type = SETTING_STRING,
	    .offset = AT(definition, title),
	    .required = true,
	    .help = "What is collected, for people." },
	{ .key = "docs",
	    .type = SETTING_STRING,
	    .offset = AT(definition, docs),
	    .required = true,
	    .help = "Link to the vendor's documentation of the API." },
	{ .key = "setup",
	    .type = SETTING_LIST,
	    .offset = AT(definition, setup),
	    .help = "What to create at the vendor, step by step." },
	{ .key = "limits",
	    .type = SETTING_STRING,
	    .offset = AT(definition, limits),
	    .help = "What the API limits, and what it cannot see." },
	{ .key = "noise",
	    .type = SETTING_STRING,
	    .offset = AT(definition, noise),
	    .help = "Events that the vendor makes of our own requests." },
	{ .key = "interval",
	    .type = SETTING_DURATION,
	    .offset = AT(definition, interval),
	    .def = "60s",
	    .min = CLOCK_SECOND,
	    .max = CLOCK_DAY,
	    .help = "Time between two polls of a stream." },
	{ .key = "initial",
	    .type = SETTING_DURATION,
	    .offset = AT(definition, initial),
	    .def = "24h",
	    .min = 0,
	    .max = CENTURY,
	    .help = "How far back a new feed begins." },
	SETTING_END,
};

static const char *const variable_types[] = {
	[VARIABLE_TEXT] = "text",
	[VARIABLE_HOST] = "host",
	[VARIABLE_SECRET] = "secret",
	[VARIABLE_PEM] = "pem",
	[VARIABLE_CHOICE] = "choice",
	[VARIABLE_TYPES] = NULL,
};

const struct setting variable_keys[] = {
	{ .key = "type",
	    .type = SETTING_CHOICE,
	    .offset = AT(def_variable, type),
	    .required = true,
	    .choices = variable_types,
	    .help = "What it is: text for paths, queries and bodies; a host "
		    "name for hosts; a secret or PEM text for auth; a choice "
		    "of values." },
	{ .key = "required",
	    .type = SETTING_BOOL,
	    .offset = AT(def_variable, required),
	    .def = "false",
	    .help = "Every source must set it." },
	{ .key = "default",
	    .type = SETTING_STRING,
	    .offset = AT(def_variable, def),
	    .help = "Its value where a source does not set it." },
	{ .key = "values",
	    .type = SETTING_LIST,
	    .offset = AT(def_variable, values),
	    .help = "Those of a choice." },
	{ .key = "help",
	    .type = SETTING_STRING,
	    .offset = AT(def_variable, help),
	    .required = true,
	    .help = "What it is and where it is found, for people." },
	SETTING_END,
};

const struct setting rate_keys[] = {
	{ .key = "requests",
	    .type = SETTING_INTEGER,
	    .offset = AT(def_rate, requests),
	    .required = true,
	    .min = 1,
	    .max = 1000000,
	    .help = "Requests that all streams of a source may make …" },
	{ .key = "per",
	    .type = SETTING_DURATION,
	    .offset = AT(def_rate, per),
	    .required = true,
	    .min = CLOCK_SECOND,
	    .max = CLOCK_DAY,
	    .help = "… in this time. Waits that the vendor asks for come on "
		    "top." },
	{ .key = "most",
	    .type = SETTING_INTEGER,
	    .offset = AT(def_rate, most),
	    .def = "0",
	    .min = 0,
	    .max = 1000000,
	    .help = "Requests that a large customer may get in that time; the "
		    "budget grows up to it while the vendor does not object. "
		    "0: no more than the others." },
	{ .key = "reset",
	    .type = SETTING_STRING,
	    .offset = AT(def_rate, reset),
	    .help = "Header of a throttled reply that says when the budget is "
		    "full again; Retry-After is always understood." },
	{ .key = "reset_format",
	    .type = SETTING_CHOICE,
	    .offset = AT(def_rate, reset_format),
	    .def = "epoch",
	    .choices = when_names,
	    .help = "Format of that time." },
	SETTING_END,
};

static const char *const class_names[] = { "benign", "retry", "throttled",
	"unauthorised", "credentials", "configuration", "clock", "cursor",
	"gone", "incomplete", NULL };
const enum reply_class rule_classes[] = { REPLY_BENIGN, REPLY_RETRY,
	REPLY_THROTTLED, REPLY_UNAUTHORISED, REPLY_CREDENTIALS, REPLY_CONFIG,
	REPLY_CLOCK, REPLY_CURSOR, REPLY_GONE, REPLY_INCOMPLETE };
_Static_assert(sizeof(class_names) / sizeof(class_names[0]) ==
	sizeof(rule_classes) / sizeof(rule_classes[0]) + 1,
    "a class has no name");

const struct setting rule_keys[] = {
	{ .key = "status",
	    .type = SETTING_INTEGER,
	    .offset = AT(def_rule, status),
	    .def = "0",
	    .min = 0,
	    .max = 599,
	    .help = "Status of the reply; 0: any." },
	{ .key = "code",
	    .type = SETTING_STRING,
	    .offset = AT(def_rule, code),
	    .help = "Error code in its body; a \"*\" at the end stands for "
		    "any rest." },
	{ .key = "header",
	    .type = SETTING_STRING,
	    .offset = AT(def_rule, header),
	    .help = "A header that it has, …" },
	{ .key = "value",
	    .type = SETTING_STRING,
	    .offset = AT(def_rule, value),
	    .help = "… with this value." },
	{ .key = "text",
	    .type = SETTING_STRING,
	    .offset = AT(def_rule, text),
	    .help = "Part of the error message in its body, in any case." },
	{ .key = "class",
	    .type = SETTING_CHOICE,
	    .offset = AT(def_rule, class),
	    .required = true,
	    .choices = class_names,
	    .help = "What it means: benign, no error (nor beside "
		    "events); retry, the same again later; throttled; "
		    "unauthorised, once more with a new token; "
		    "credentials and configuration, an administrator "
		    "must act; clock, times are refused; cursor, the "
		    "vendor has lost a cursor or page token; gone, what "
		    "was asked for is not kept any more, and of a window "
		    "the part that is not becomes a gap; incomplete, "
		    "there is more than can be had at once, and the "
		    "window is read in halves." },
	{ .key = "cause",
	    .type = SETTING_STRING,
	    .offset = AT(def_rule, cause),
	    .required = true,
	    .help = "What went wrong, a clause." },
	{ .key = "hint",
	    .type = SETTING_STRING,
	    .offset = AT(def_rule, hint),
	    .help = "What to do about it, a clause." },
	SETTING_END,
};

const struct setting stream_keys[] = {
	{ .key = "title",
	    .type = SETTING_STRING,
	    .offset = AT(def_stream, title),
	    .required = true,
	    .help = "What its events are, for people." },
	{ .key = "permissions",
	    .type = SETTING_LIST,
	    .offset = AT(def_stream, permissions),
	    .help = "What the credentials must be granted." },
	{ .key = "off",
	    .type = SETTING_BOOL,
	    .offset = AT(def_stream, off),
	    .def = "false",
	    .help = "Collected only by a source that names it in streams." },
	{ .key = "retention",
	    .type = SETTING_DURATION,
	    .offset = AT(def_stream, retention),
	    .required = true,
	    .min = CLOCK_HOUR,
	    .max = CENTURY,
	    .help = "How long the vendor keeps its events." },
	{ .key = "shape.sourcetype",
	    .type = SETTING_STRING,
	    .offset = AT(def_stream, shape.sourcetype),
	    .help = "Source type of its events in Splunk, that of the add-on "
		    "that knows them." },
	{ .key = "shape.dataset",
	    .type = SETTING_STRING,
	    .offset = AT(def_stream, shape.dataset),
	    .help = "Data set of its events in Elastic, that of the "
		    "integration that knows them, and …" },
	{ .key = "shape.record",
	    .type = SETTING_STRING,
	    .offset = AT(def_stream, shape.record),
	    .help = "… the member in which its pipeline expects the event." },
	{ .key = "shape.text",
	    .type = SETTING_STRING,
	    .offset = AT(def_stream, shape.text),
	    .help = "The member in which its pipeline expects the event's "
		    "text, where that is not event.original: message." },
	SETTING_END,
};

static const char *const methods[] = { "GET", "POST", NULL };

const struct setting request_keys[] = {
	{ .key = "method",
	    .type = SETTING_CHOICE,
	    .offset = AT(def_request, method),
	    .def = "GET",
	    .choices = methods,
	    .help = "Method of the request." },
	{ .key = "host",
	    .type = SETTING_STRING,
	    .offset = AT(def_request, host),
	    .def = "api",
	    .help = "Which of hosts is asked." },
	{ .key = "path",
	    .type = SETTING_STRING,
	    .offset = AT(def_request, path),
	    .required = true,
	    .help = "What follows the host's URL, without a query." },
	{ .key = "body",
	    .type = SETTING_STRING,
	    .offset = AT(def_request, body),
	    .help = "Body of a POST; values are written as inside of JSON "
		    "strings, and {page|json} as it is." },
	{ .key = "type",
	    .type = SETTING_STRING,
	    .offset = AT(def_request, type),
	    .def = "application/json",
	    .help = "Content-Type of the body." },
	SETTING_END,
};

static const char *const cursor_kinds[] = {
	[CURSOR_WINDOW] = "window",
	[CURSOR_TOKEN] = "token",
	[CURSOR_ITERATOR] = "iterator",
	NULL,
};
static const char *const bounds[] = {
	[BOUND_INCLUSIVE] = "inclusive",
	[BOUND_EXCLUSIVE] = "exclusive",
	[BOUND_OPEN] = "open",
	NULL,
};
static const char *const orders[] = {
	[ORDER_NONE] = "none",
	[ORDER_NEWEST] = "newest",
	[ORDER_OLDEST] = "oldest",
	NULL,
};

const struct setting cursor_keys[] = {
	{ .key = "kind",
	    .type = SETTING_CHOICE,
	    .offset = AT(def_cursor, kind),
	    .required = true,
	    .choices = cursor_kinds,
	    .help = "window: events of a span of time are asked for, an "
		    "overlap of it with every poll, and more of it by sweeps. "
		    "token: the vendor gives a cursor that stays good and "
		    "goes on in the order in which it processes events, so "
		    "that none comes late. Where there is one, it is to be "
		    "used. iterator: the vendor keeps the position of each "
		    "reader, {iterator}, and every request moves it: request "
		    "begins at a time, next goes on, and resend brings the "
		    "last batch again where a reply may have been lost." },
	{ .key = "granularity",
	    .type = SETTING_DURATION,
	    .offset = AT(def_cursor, granularity),
	    .def = "1s",
	    .min = 1000,
	    .max = CLOCK_DAY,
	    .help = "Bounds of a window are multiples of it: its start is "
		    "rounded down, its end up." },
	{ .key = "span",
	    .type = SETTING_DURATION,
	    .offset = AT(def_cursor, span),
	    .def = "24h",
	    .min = CLOCK_SECOND,
	    .max = CENTURY,
	    .help = "Longest window." },
	{ .key = "overlap",
	    .type = SETTING_DURATION,
	    .offset = AT(def_cursor, overlap),
	    .def = "0",
	    .min = 0,
	    .max = 30 * CLOCK_DAY,
	    .help = "How far every poll goes back, for events that appear "
		    "late." },
	{ .key = "lag",
	    .type = SETTING_DURATION,
	    .offset = AT(def_cursor, lag),
	    .def = "0",
	    .min = 0,
	    .max = CLOCK_DAY,
	    .help = "Windows end so long before now, where the vendor asks "
		    "for that." },
	{ .key = "start",
	    .type = SETTING_CHOICE,
	    .offset = AT(def_cursor, start),
	    .def = "inclusive",
	    .choices = bounds,
	    .help = "Does a window have the events of its first instant?" },
	{ .key = "end",
	    .type = SETTING_CHOICE,
	    .offset = AT(def_cursor, end),
	    .def = "inclusive",
	    .choices = bounds,
	    .help = "Does it have those of its last one? open: the request "
		    "has no end, and reads all that is newer." },
	{ .key = "order",
	    .type = SETTING_CHOICE,
	    .offset = AT(def_cursor, order),
	    .def = "none",
	    .choices = orders,
	    .help = "Which events the first page has. All pages of a window "
		    "are read before the next one begins, whatever it is." },
	{ .key = "restart_from",
	    .type = SETTING_STRING,
	    .offset = AT(def_cursor, restart_from),
	    .help = "token: pointer to the time at which to begin again, in "
		    "the reply that says that the cursor is lost. Default: the "
		    "newest event so far." },
	{ .key = "restart_format",
	    .type = SETTING_CHOICE,
	    .offset = AT(def_cursor, restart_format),
	    .def = "rfc3339",
	    .choices = when_names,
	    .help = "Format of that time." },
	{ .key = "back",
	    .type = SETTING_INTEGER,
	    .offset = AT(def_cursor, back),
	    .def = "0",
	    .min = 0,
	    .max = 1000000,
	    .help = "token: where the cursor is a growing number, how many of "
		    "them each poll goes back, for events that are numbered "
		    "before they can be seen." },
	SETTING_END,
};

const struct setting sweep_keys[] = {
	{ .key = "every",
	    .type = SETTING_DURATION,
	    .offset = AT(def_sweep, every),
	    .required = true,
	    .min = CLOCK_MINUTE,
	    .max = 30 * CLOCK_DAY,
	    .help = "How often …" },
	{ .key = "back",
	    .type = SETTING_DURATION,
	    .offset = AT(def_sweep, back),
	    .required = true,
	    .min = CLOCK_MINUTE,
	    .max = CENTURY,
	    .help = "… so much of the past is read again." },
	SETTING_END,
};

static const char *const page_kinds[] = {
	[PAGE_NONE] = "none",
	[PAGE_LINK] = "link",
	[PAGE_URL_HEADER] = "url_header",
	[PAGE_URL] = "url",
	[PAGE_TOKEN] = "token",
	[PAGE_HEADER] = "header",
	[PAGE_NUMBER] = "number",
	[PAGE_OFFSET] = "offset",
	[PAGE_LAST_ID] = "last_id",
	[PAGE_INDEX] = "index",
	[PAGE_KINDS] = NULL,
};

static const char *const older[] = { "none", "window", NULL };

const struct setting page_keys[] = {
	{ .key = "kind",
	    .type = SETTING_CHOICE,
	    .offset = AT(def_page, kind),
	    .required = true,
	    .choices = page_kinds,
	    .help = "What leads to the next page. none: a reply has all. link: "
		    "rel=next of the Link header. url_header: a header with a "
		    "URL. url: a URL in the body, absolute or not. token: a "
		    "token in the body. header: one in a header. number: 1, 2, "
		    "3. offset: rows so far. last_id: the id of the last "
		    "row. index: 0, 1, 2 of as many as the first page says, a "
		    "number or the elements of an array." },
	{ .key = "from",
	    .type = SETTING_LIST,
	    .offset = AT(def_page, from),
	    .help = "Pointers (RFC 6901) to the URL or token, the first that "
		    "is there counts; or the header's name." },
	{ .key = "to",
	    .type = SETTING_STRING,
	    .offset = AT(def_page, to),
	    .help = "Parameter of the query that gets it. Else the block next "
		    "says where {page} goes." },
	{ .key = "more",
	    .type = SETTING_STRING,
	    .offset = AT(def_page, more),
	    .help = "Pointer to what is true while more pages follow." },
	{ .key = "first",
	    .type = SETTING_INTEGER,
	    .offset = AT(def_page, first),
	    .def = "1",
	    .min = 0,
	    .max = 1,
	    .help = "number: that of the first page." },
	{ .key = "size",
	    .type = SETTING_INTEGER,
	    .offset = AT(def_page, size),
	    .def = "0",
	    .min = 0,
	    .max = 1000000,
	    .help = "Rows of a full page, as the request asks for. none: the "
		    "most that a reply has; a window with so many is read in "
		    "halves, or from its newest row on where its end is "
		    "open." },
	{ .key = "short_is_last",
	    .type = SETTING_BOOL,
	    .offset = AT(def_page, short_is_last),
	    .def = "false",
	    .help = "A page with fewer rows than size is the last one. An "
		    "empty one always is, but with more." },
	{ .key = "least",
	    .type = SETTING_BOOL,
	    .offset = AT(def_page, least),
	    .def = "false",
	    .help = "last_id of a cursor of kind token: the first page, which "
		    "is not in the order of ids as the others are, leads on "
		    "by the least of its ids, of which the shorter one is "
		    "less." },
	{ .key = "life",
	    .type = SETTING_DURATION,
	    .offset = AT(def_page, life),
	    .def = "0",
	    .min = 0,
	    .max = CENTURY,
	    .help = "How long a token or URL is good: an unfinished window is "
		    "gone on with within that, and read again after it. 0: "
		    "not known, the vendor will say." },
	{ .key = "join",
	    .type = SETTING_STRING,
	    .offset = AT(def_page, join),
	    .help = "token: it is an array, whose elements go into the "
		    "parameter with this between them." },
	{ .key = "wait",
	    .type = SETTING_STRING,
	    .offset = AT(def_page, wait),
	    .help = "Pointer to the seconds that the vendor wants to pass "
		    "before the next request." },
	{ .key = "total",
	    .type = SETTING_STRING,
	    .offset = AT(def_page, total),
	    .help = "What says how many rows all pages of a window have, in "
		    "its first one: a pointer, or the name of a header. "
		    "Compared with the rows that were read, it confirms hours "
		    "(sealfeed reconcile)." },
	{ .key = "row_older_than",
	    .type = SETTING_CHOICE,
	    .offset = AT(def_page, older),
	    .def = "none",
	    .choices = older,
	    .help = "window: a page with a row that is older than the window "
		    "is the last one. For lists that cannot be asked for a "
		    "span of time and are sorted by the events' time, newest "
		    "first." },
	SETTING_END,
};

static const char *const record_formats[] = {
	[RECORDS_JSON] = "json",
	[RECORDS_NDJSON] = "ndjson",
	[RECORDS_CSV] = "csv",
	[RECORDS_COLUMNS] = "columns",
	[RECORDS_KEYED] = "keyed",
	[RECORDS_FORMATS] = NULL,
};

const struct setting records_keys[] = {
	{ .key = "at",
	    .type = SETTING_LIST,
	    .offset = AT(def_records, at),
	    .required = true,
	    .help = "Pointers to the arrays whose elements are the events; "
		    "\"\" is the document itself. columns: the first one "
		    "counts that is there." },
	{ .key = "absent_is_empty",
	    .type = SETTING_BOOL,
	    .offset = AT(def_records, absent_is_empty),
	    .def = "false",
	    .help = "A reply without the array has no events; else it is an "
		    "error." },
	{ .key = "success.at",
	    .type = SETTING_STRING,
	    .offset = AT(def_records, success.at),
	    .help = "Pointer to what tells whether a reply under status 200 "
		    "is good, …" },
	{ .key = "success.is",
	    .type = SETTING_STRING,
	    .offset = AT(def_records, success.is),
	    .help = "… and what it says then." },
	{ .key = "incomplete.at",
	    .type = SETTING_STRING,
	    .offset = AT(def_records, incomplete.at),
	    .help = "Pointer to what tells that there is more than the reply "
		    "has and no page leads to it: the window is read in "
		    "halves then, …" },
	{ .key = "incomplete.is",
	    .type = SETTING_STRING,
	    .offset = AT(def_records, incomplete.is),
	    .help = "… and what it says then." },
	{ .key = "format",
	    .type = SETTING_CHOICE,
	    .offset = AT(def_records, format),
	    .def = "json",
	    .choices = record_formats,
	    .help = "json: arrays of events. ndjson: an event a line. csv: the "
		    "first row has names, which become the members of events. "
		    "columns: rows are arrays of values, likewise. keyed: an "
		    "object whose values are the events." },
	{ .key = "columns",
	    .type = SETTING_STRING,
	    .offset = AT(def_records, columns),
	    .help = "columns: pointer to the array of their names, …" },
	{ .key = "column",
	    .type = SETTING_STRING,
	    .offset = AT(def_records, column),
	    .help = "… and to the name in each of its elements. Default: the "
		    "element itself." },
	{ .key = "names",
	    .type = SETTING_STRING,
	    .offset = AT(def_records, names),
	    .help = "csv: what the row of the names begins with, where lines "
		    "stand before it. Default: it is the first row." },
	{ .key = "inside",
	    .type = SETTING_STRING,
	    .offset = AT(def_records, inside),
	    .help = "Pointer to the text in a row that is the event, as JSON "
		    "inside of a string. id and time are of the event." },
	SETTING_END,
};

const struct setting time_keys[] = {
	{ .key = "at",
	    .type = SETTING_STRING,
	    .offset = AT(def_time, at),
	    .required = true,
	    .help = "Pointer to an event's time." },
	{ .key = "format",
	    .type = SETTING_CHOICE,
	    .offset = AT(def_time, format),
	    .required = true,
	    .choices = when_names,
	    .help = "How it is written." },
	SETTING_END,
};

const struct setting bootstrap_keys[] = {
	{ .key = "take",
	    .type = SETTING_STRING,
	    .offset = AT(def_stream, take),
	    .required = true,
	    .help = "Pointer to the cursor in its reply; while there is none, "
		    "it is asked for again with the next poll." },
	SETTING_END,
};

const struct setting fetch_keys[] = {
	{ .key = "id",
	    .type = SETTING_STRING,
	    .offset = AT(def_fetch, id),
	    .help = "Pointer in a row to what {fetch.id} is in the request. "
		    "Default: the row itself, which is a text or number "
		    "then." },
	{ .key = "url",
	    .type = SETTING_STRING,
	    .offset = AT(def_fetch, url),
	    .help = "Pointer in a row to the URL of its events, absolute or "
		    "not, instead of a path. Where host is another one than "
		    "the list's, it is asked for without credentials: such "
		    "links are signed." },
	{ .key = "max",
	    .type = SETTING_INTEGER,
	    .offset = AT(def_fetch, max),
	    .def = "1",
	    .min = 1,
	    .max = 1000,
	    .help = "Rows that one request is for; with more than one, "
		    "{fetch.ids} in its body are their ids in quotes, with "
		    "commas in between." },
	{ .key = "always",
	    .type = SETTING_BOOL,
	    .offset = AT(def_fetch, always),
	    .def = "false",
	    .help = "What a row leads to changes while the row does not: it is "
		    "asked for each time, and not only once." },
	SETTING_END,
};

const struct setting job_keys[] = {
	{ .key = "id",
	    .type = SETTING_STRING,
	    .offset = AT(def_job, id),
	    .help = "Pointer to what {job.id} is, in the reply to submit. "
		    "Default: jobs have no id, and one begins where another "
		    "is forgotten." },
	{ .key = "status",
	    .type = SETTING_STRING,
	    .offset = AT(def_job, status),
	    .required = true,
	    .help = "Pointer to the job's state, in the reply to poll." },
	{ .key = "running",
	    .type = SETTING_LIST,
	    .offset = AT(def_job, running),
	    .required = true,
	    .help = "States in which it goes on." },
	{ .key = "done",
	    .type = SETTING_LIST,
	    .offset = AT(def_job, done),
	    .required = true,
	    .help = "States in which its result can be read. In any other the "
		    "job has failed, and is submitted again." },
	{ .key = "every",
	    .type = SETTING_DURATION,
	    .offset = AT(def_job, every),
	    .def = "10s",
	    .min = CLOCK_SECOND,
	    .max = CLOCK_HOUR,
	    .help = "Time between two polls." },
	{ .key = "deadline",
	    .type = SETTING_DURATION,
	    .offset = AT(def_job, deadline),
	    .def = "6h",
	    .min = CLOCK_MINUTE,
	    .max = 30 * CLOCK_DAY,
	    .help = "A job that takes longer is given up and submitted "
		    "again." },
	SETTING_END,
};

const struct setting bounded_keys[] = {
	{ .key = "retention",
	    .type = SETTING_DURATION,
	    .offset = AT(def_stream, retention),
	    .min = CLOCK_HOUR,
	    .max = CENTURY,
	    .help = "How far back they go. Default: the stream's." },
	SETTING_END,
};

const struct setting host_keys[] = {
	{ .key = "from_token",
	    .type = SETTING_STRING,
	    .offset = AT(def_host, from_token),
	    .required = true,
	    .help = "Pointer to the URL in the reply that grants an access "
		    "token." },
	{ .key = "suffixes",
	    .type = SETTING_LIST,
	    .offset = AT(def_host, suffixes),
	    .required = true,
	    .help = "What the host's name must end with, such as "
		    ".example.com; credentials go nowhere else." },
	SETTING_END,
};

const struct definition_block definition_blocks[] = {
	{ "", "The vendor.", definition_keys },
	{ "variables.NAME", "What a source of this type is configured with.",
	    variable_keys },
	{ "hosts.NAME",
	    "Base URL of a host: a text with the places of variables, or a map "
	    "of one for each value of the variable that its key \"by\" names, "
	    "or, where only the token server knows it:",
	    host_keys },
	{ "auth",
	    "How the credentials are shown, or a list of ways; that one is "
	    "taken whose variables are all set.",
	    auth_keys },
	{ "rate", "The budget of requests.", rate_keys },
	{ "rules",
	    "A list of what replies mean, of the vendor or of one stream: the "
	    "first that fits counts, then what every status means.",
	    rule_keys },
	{ "streams.NAME",
	    "A stream of events. What \"common\" says, every stream has "
	    "that does not say otherwise.",
	    stream_keys },
	{ "streams.NAME.request", "How its first page is asked for.",
	    request_keys },
	{ "streams.NAME.next",
	    "How the further ones are, where that is another request.",
	    request_keys },
	{ "streams.NAME.bootstrap",
	    "The request that gets the first cursor of kind token, where the "
	    "first page cannot be asked for without one; what is older than "
	    "that cursor is not read. Further keys: those of request.",
	    bootstrap_keys },
	{ "streams.NAME.resend",
	    "The request for the last batch of a cursor of kind iterator once "
	    "more: what differs from request. Without it a reply that is lost "
	    "is a gap.",
	    request_keys },
	{ "streams.NAME.fetch",
	    "The request for what a row leads to: an event, or an array of "
	    "them, in a reply whose own records say where. Further keys: those "
	    "of request, and records.",
	    fetch_keys },
	{ "streams.NAME.job",
	    "Work that the vendor does before request, which has {job.id}, "
	    "reads its result: submit and poll are blocks like request. The "
	    "job is durable: it is gone on with after a restart.",
	    job_keys },
	{ "streams.NAME.bounded",
	    "How spans of time are asked for, for sealfeed backfill and "
	    "reconcile, where the cursor is of kind token: blocks of the "
	    "stream that are others then, with a cursor of kind window. next "
	    "and bootstrap are none of the stream's.",
	    bounded_keys },
	{ "streams.NAME.cursor", "What says where it is.", cursor_keys },
	{ "streams.NAME.cursor.sweeps",
	    "A list of up to four, the shortest "
	    "first.",
	    sweep_keys },
	{ "streams.NAME.page", "How pages follow.", page_keys },
	{ "streams.NAME.records", "Where a reply has its events.",
	    records_keys },
	{ "streams.NAME.time", "Where an event has its time.", time_keys },
	{ .name = NULL },
};
