/*
 * generate.c - made-up Microsoft 365 audit records, from templates.
 *
 * In a template ' stands for ", $x for a value of class x (table below), and
 * $<3-9|text$> for 3 to 9 copies of text with commas between.  What a value
 * class yields is escaped for a JSON string already.
 *
 * As in a tenant, someone does several things of a kind in a row, to sites,
 * lists and devices that exist and from one address: records in a row share
 * these.  What belongs to one event is new each time.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "tests/sim/generate.h"

#define ORGANIZATION "0fd4a6f1-95a8-4e43-9f43-3a7b5b9c2d11"
#define BASE64                                           \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst" \
	"uvwxyz0123456789+/"
#define DEPTH_MAX 4 /* repeats inside repeats */
#define THINGS 600  /* that a tenant has of a class */
#define BURST 6     /* records in a row, by one user */
#define LARGE 12000 /* bytes: more than a syslog message of 8 KiB takes */

const char *const content_names[CONTENTS] = {
	[CONTENT_AAD] = "Audit.AzureActiveDirectory",
	[CONTENT_EXCHANGE] = "Audit.Exchange",
	[CONTENT_SHAREPOINT] = "Audit.SharePoint",
	[CONTENT_GENERAL] = "Audit.General",
	[CONTENT_DLP] = "DLP.All",
};

/* What one record is made from. */
struct maker {
	struct rng rng;
	struct rng burst; /* the same in all records of a burst */
	struct buf *out;
	int64_t when;
	unsigned user; /* the actor, the same in the whole record */
	bool was_long;
};

static const char *const people[] = { "adele.vance", "alex.wilber",
	"amélie.dupont", "bianca.pisani", "christie.cline", "diego.siciliani",
	"grady.archie", "henrietta.mueller", "isaiah.langer", "johanna.lorenz",
	"joni.sherman", "lee.gu", "lidia.holloway", "lynne.robbins",
	"megan.bowen", "miriam.graham", "nestor.wilke", "patti.fernandez",
	"pradeep.gupta", "raul.razo", "søren.ågård", "svc-backup",
	"svc-mailflow", "zoë.nowak" };
static const char *const domains[] = { "northwind.example", "fabrikam.example",
	"contoso.example", "northwind.onmicrosoft.example" };
/* Texts as people write them and as services escape them. */
static const char *const phrases[] = { "Quarterly report", "Angebot für Müller",
	"会議の議事録", "Re: FW: Invoice 20417", "Отчёт за октябрь",
	"Plan \\\"B\\\" (final)", "budget 50% \\u2013 draft",
	"caf\\u00e9 \\ud83d\\ude80 launch", "🚀 launch checklist 🧑‍🚀",
	"C:\\\\Users\\\\Public\\\\notes", "and\\/or", "tab\\there",
	"line one\\r\\nline two", "{not: [json]}", "a,b;c|d", "عقد الإيجار",
	"Ünïcödé", "\\u0000 byte", "price < 5 & > 3", "ends with backslash\\\\",
	"null", "[]", "naïve résumé", "Team sync" };
static const char *const extensions[] = { "docx", "xlsx", "pptx", "pdf", "aspx",
	"msg", "zip", "one", "png", "csv" };
static const char *const numbers[] = { "1E5", "1e-7", "-0.0", "1.0", "0.10",
	"12345678901234567890123", "6.02214076E+23", "100000000000000000000",
	"-9223372036854775808", "3.14159265358979323846264338327950288" };
static const char *const names[] = { "Name", "DisplayName", "AccountEnabled",
	"RoleAssignments", "StrongAuthenticationMethod", "Identity",
	"PrimarySmtpAddress", "LitigationHoldEnabled", "ForwardingSmtpAddress",
	"AppAddress", "RedirectUri", "UsageLocation", "MaxReceiveSize" };

uint64_t
rng_next(struct rng *r)
{
	uint64_t z;

	r->state += UINT64_C(0x9e3779b97f4a7c15);
	z = r->state;
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint64_t
rng_below(struct rng *r, uint64_t n)
{
	return rng_next(r) % n;
}

/* A simulator that is out of memory has nothing left to test. */
static void
put(struct maker *m, const char *s, size_t len)
{
	if (buf_add(m->out, s, len) == -1)
		abort();
}

static void puts_fmt(struct maker *m, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
puts_fmt(struct maker *m, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put(m, text, n < (int)sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

static void
put_text(struct maker *m, const char *s)
{
	put(m, s, strlen(s));
}

static const char *
pick(struct maker *m, const char *const *from, size_t n)
{
	return from[rng_below(&m->rng, n)];
}

#define PICK(m, table) pick((m), (table), sizeof(table) / sizeof((table)[0]))

static void
put_digits(struct maker *m, const char *alphabet, unsigned bits, size_t n)
{
	char text[96];
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++) {
		if (i % 8 == 0)
			v = rng_next(&m->rng);
		text[i] = alphabet[v & ((1U << bits) - 1)];
		v >>= bits;
	}
	put(m, text, n);
}

static void
put_hex(struct maker *m, size_t n)
{
	put_digits(m, "0123456789abcdef", 4, n);
}

static void
put_guid(struct maker *m)
{
	static const size_t part[] = { 8, 4, 4, 4, 12 };

	for (size_t i = 0; i < 5; i++) {
		if (i > 0)
			put(m, "-", 1);
		put_hex(m, part[i]);
	}
}

/* The state for one of the tenant's things: some are met often, most seldom. */
static struct rng
thing(struct maker *m)
{
	uint64_t n = rng_below(&m->burst, THINGS);

	return (struct rng){ .state = n * n / THINGS + 1 };
}

static void
put_thing_guid(struct maker *m)
{
	struct rng it = thing(m), own = m->rng;

	m->rng = it;
	put_guid(m);
	m->rng = own;
}

static void
put_user(struct maker *m, unsigned who)
{
	put_text(m, people[who % (sizeof(people) / sizeof(people[0]))]);
	put(m, "@", 1);
	put_text(m, domains[who % (sizeof(domains) / sizeof(domains[0]))]);
}

static void
put_actor(struct maker *m)
{
	put_user(m, m->user);
}

static void
put_other(struct maker *m)
{
	put_user(m, (unsigned)rng_next(&m->rng));
}

static void
put_address(struct maker *m)
{
	struct rng it = thing(m);
	unsigned r = (unsigned)rng_next(&it);

	switch (r % 8) {
	case 0:
		puts_fmt(m, "2001:db8:%x:%x::%x", r >> 16, (r >> 8) & 0xfff,
		    r & 0xffff);
		break;
	case 1:
		puts_fmt(m, "[2001:db8::%x]:%u", r >> 16, 1024 + (r & 0x7fff));
		break;
	case 2:
		puts_fmt(m, "203.0.113.%u:%u", r >> 24, 1024 + (r & 0x7fff));
		break;
	case 3:
		puts_fmt(m, "::ffff:10.11.%u.%u", r >> 24, (r >> 16) & 255);
		break;
	default:
		puts_fmt(m, "198.51.%u.%u", 100 + (r >> 28), (r >> 16) & 255);
		break;
	}
}

static void
put_time(struct maker *m, int64_t when, const char *zone)
{
	char text[40];
	time_t t = (time_t)when;
	struct tm tm;

	(void)gmtime_r(&t, &tm);
	put(m, text, strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm));
	put_text(m, zone);
}

static void
put_now(struct maker *m)
{
	put_time(m, m->when, "");
}

static void
put_before(struct maker *m)
{
	put_time(m, m->when - 7, "Z");
}

static void
put_words(struct maker *m, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			put(m, " ", 1);
		put_text(m, PICK(m, phrases));
	}
}

static void
put_file(struct maker *m)
{
	static const char *const stems[] = { "Budget", "Übersicht", "計画",
		"notes_v2", "Offer%20A", "contract-2026", "org chart", "résumé",
		"Q3" };

	put_text(m, PICK(m, stems));
	puts_fmt(m, "-%u.", (unsigned)rng_below(&m->rng, 10000));
	put_text(m, PICK(m, extensions));
}

/* Now and then, a service puts a whole document into one field: 5 to 30 KB,
 * once a record at most. */
static void
put_long(struct maker *m)
{
	if (m->was_long || rng_below(&m->rng, 60) != 0) {
		put_words(m, 2);
		return;
	}
	put_words(m, 350 + (size_t)rng_below(&m->rng, 1500));
	m->was_long = true;
}

static void
put_message_id(struct maker *m)
{
	put(m, "<", 1);
	put_hex(m, 24);
	put(m, "@", 1);
	put_text(m, PICK(m, domains));
	put(m, ">", 1);
}

/* The classes that yield numbers and digits; false: another class. */
static bool
put_number(struct maker *m, char class)
{
	struct rng *r = &m->rng;

	switch (class) {
	case 'n':
		puts_fmt(m, "%u", (unsigned)rng_below(r, 10000));
		return true;
	case 'k':
		puts_fmt(m, "%u", (unsigned)rng_below(r, 10));
		return true;
	case 'b':
		puts_fmt(m, "9%018llu",
		    (unsigned long long)(rng_next(r) % 1000000000000000000));
		return true;
	case 'e':
		put_text(m, PICK(m, numbers));
		return true;
	case 'x':
		put_hex(m, 16);
		return true;
	case 'h':
		put_hex(m, 64);
		return true;
	case 's':
		put_digits(m, BASE64, 6, 72);
		return true;
	default:
		return false;
	}
}

/* Classes of text, by their letter. */
static void
put_text_class(struct maker *m, char class)
{
	struct rng *r = &m->rng;

	switch (class) {
	case 'o':
		put_text(m, ORGANIZATION);
		break;
	case 'p':
		put_text(m, PICK(m, people));
		break;
	case 'd':
		put_text(m, PICK(m, domains));
		break;
	case 'a':
		put_text(m, PICK(m, names));
		break;
	case 'w':
		put_words(m, 1);
		break;
	case 'z':
		put_words(m, 2 + (size_t)rng_below(r, 9));
		break;
	case 'q':
		put_text(m, rng_below(r, 2) ? "true" : "false");
		break;
	case 'Q':
		put_text(m, rng_below(r, 2) ? "True" : "False");
		break;
	default:
		abort(); /* a mistake in kinds.c */
	}
}

/* One letter behind a dollar sign. */
static void
put_value(struct maker *m, char class)
{
	static const struct {
		char class;
		void (*put)(struct maker *m);
	} makers[] = { { 'g', put_thing_guid }, { 'G', put_guid },
		{ 'i', put_address }, { 'L', put_long }, { 'f', put_file },
		{ 'm', put_message_id }, { 'u', put_actor }, { 'v', put_other },
		{ 't', put_now }, { 'T', put_before } };

	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		if (makers[i].class == class) {
			makers[i].put(m);
			return;
		}
	}
	if (!put_number(m, class))
		put_text_class(m, class);
}

static void put_template(struct maker *m, const char *t, size_t len, int depth);

/* s is behind "$<": "3-9|text$>".  Returns what is behind its "$>". */
static const char *
put_repeat(struct maker *m, const char *s, int depth)
{
	unsigned low = (unsigned)strtoul(s, NULL, 10);
	unsigned high = (unsigned)strtoul(strchr(s, '-') + 1, NULL, 10);
	unsigned n = low + (unsigned)rng_below(&m->rng, high - low + 1);
	const char *text = strchr(s, '|') + 1;
	const char *end = text;

	for (int open = 1; open > 0; end++) {
		if (end[0] == '$' && end[1] == '<')
			open++;
		else if (end[0] == '$' && end[1] == '>')
			open--;
	}
	end--;
	for (unsigned i = 0; i < n; i++) {
		if (i > 0)
			put(m, ",", 1);
		put_template(m, text, (size_t)(end - text), depth + 1);
	}
	return end + 2;
}

static void
put_template(struct maker *m, const char *t, size_t len, int depth)
{
	const char *end = t + len;

	if (depth > DEPTH_MAX)
		abort();
	while (t < end) {
		const char *run = t;

		while (t < end && *t != '$' && *t != '\'')
			t++;
		put(m, run, (size_t)(t - run));
		if (t == end)
			return;
		if (*t == '\'') {
			put(m, "\"", 1);
			t++;
		} else if (t[1] == '<') {
			t = put_repeat(m, t + 2, depth);
		} else {
			put_value(m, t[1]);
			t += 2;
		}
	}
}

static void
put_string(struct maker *m, const char *template)
{
	put_template(m, template, strlen(template), 0);
}

/* The n-th of the operations, n at random. */
static void
put_operation(struct maker *m, const char *operations)
{
	const char *s = operations;
	size_t n = 1;

	for (const char *p = s; *p != '\0'; p++)
		n += *p == '|';
	for (size_t skip = (size_t)rng_below(&m->rng, n); skip > 0; skip--)
		s = strchr(s, '|') + 1;
	put(m, s, strcspn(s, "|"));
}

static const struct kind *
choose_kind(struct maker *m, enum content content)
{
	unsigned total = 0, at;

	for (size_t i = 0; i < n_kinds; i++)
		total += kinds[i].content == content ? kinds[i].weight : 0;
	at = (unsigned)rng_below(&m->burst, total);
	for (size_t i = 0; i < n_kinds; i++) {
		if (kinds[i].content != content)
			continue;
		if (at < kinds[i].weight)
			return &kinds[i];
		at -= kinds[i].weight;
	}
	abort();
}

static void
maker_begin(struct maker *m, uint64_t seed, uint64_t number, int64_t when,
    struct buf *out)
{
	m->rng.state = seed * UINT64_C(0x2545f4914f6cdd1d) +
	    number * UINT64_C(0xd1342543de82ef95);
	(void)rng_next(&m->rng);
	m->burst.state = seed * UINT64_C(0x2545f4914f6cdd1d) +
	    number / BURST * UINT64_C(0xd1342543de82ef95);
	(void)rng_next(&m->burst);
	m->out = out;
	m->when = when;
	m->was_long = false;
	m->user = (unsigned)rng_below(&m->burst, THINGS);
}

void
generate_record(uint64_t seed, enum content content, uint64_t number,
    int64_t when, struct buf *out)
{
	const struct kind *k;
	struct maker m;

	maker_begin(&m, seed, number, when, out);
	k = choose_kind(&m, content);
	put_string(&m, "{'CreationTime':'$t','Id':'$G','Operation':'");
	put_operation(&m, k->operations);
	puts_fmt(&m,
	    "\",\"OrganizationId\":\"" ORGANIZATION "\","
	    "\"RecordType\":%d,",
	    k->record_type);
	if (rng_below(&m.rng, 4) != 0)
		put_string(&m, "'ResultStatus':'Succeeded',");
	puts_fmt(&m,
	    "\"UserKey\":\"1003%012llx\",\"UserType\":%d,\"Version\":1,",
	    (unsigned long long)m.user * UINT64_C(0x9e3779b97f4a7c15) >> 16,
	    k->user_type);
	puts_fmt(&m, "\"Workload\":\"%s\",", k->workload);
	put_string(&m,
	    rng_below(&m.rng, 16) == 0 ? "'ClientIP':null,"
				       : "'ClientIP':'$i',");
	if (k->object != NULL) {
		put_string(&m, "'ObjectId':'");
		put_string(&m, k->object);
		put_string(&m, "',");
	}
	put_string(&m, "'UserId':'$u'");
	put_string(&m, k->body);
	put(&m, "}", 1);
}

void
generate_small(uint64_t seed, enum content content, uint64_t number,
    int64_t when, struct buf *out)
{
	struct maker m;

	(void)content;
	maker_begin(&m, seed, number, when, out);
	put_string(&m,
	    "{'CreationTime':'$t','Id':'$G','Operation':'FileAccessed',"
	    "'OrganizationId':'$o','RecordType':6,'UserType':0,"
	    "'UserKey':'i:0h.f|membership|1003$x','Workload':'SharePoint',"
	    "'ClientIP':'$i','UserId':'$u'}");
}

void
generate_large(uint64_t seed, enum content content, uint64_t number,
    int64_t when, struct buf *out)
{
	size_t before = out->len;
	struct maker m;

	generate_record(seed, content, number, when, out);
	maker_begin(&m, seed + 1, number, when, out);
	out->len--; /* the closing brace */
	put_string(&m, ",'Document':'");
	while (out->len - before < LARGE)
		put_words(&m, 20);
	put_string(&m, "'}");
}
