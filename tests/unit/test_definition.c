/*
 * test_definition.c - definitions of vendors: what is right, and that nothing
 * else is taken.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/template.h"
#include "base/text.h"
#include "sources/rest/definition.h"
#include "sources/rest/pick.h"
#include "sources/rest/rest_private.h"
#include "tests/unit/unit.h"

#define SHIPPED SRCDIR "/agent/sources/definitions/"
#define SAMPLE VECTORS "definition/"
#define TEXT_MAX 65536

static void
read_text(const char *path, struct buf *text)
{
	struct err err = ERR_INIT;

	buf_init(text, TEXT_MAX);
	ck_assert_msg(file_read(path, text, &err) == 0, "%s", err.text);
}

static void
print_errors(const struct config_errors *errors)
{
	for (size_t i = 0; i < errors->n; i++)
		(void)fprintf(stderr, "%s\n", errors->line[i]);
}

/* Call fn for each file of a folder; how many there were. */
static size_t
each_file(const char *folder, void (*fn)(const char *path, const char *name))
{
	DIR *dir = opendir(folder);
	struct dirent *e;
	size_t n = 0;

	ck_assert_ptr_nonnull(dir);
	while ((e = readdir(dir)) != NULL) {
		char *path = xasprintf("%s%s", folder, e->d_name);
		char *name = xstrdup(e->d_name);
		char *dot = strstr(name, ".yaml");

		if (dot != NULL && dot != name) {
			*dot = '\0';
			fn(path, name);
			n++;
		}
		free(path);
		free(name);
	}
	(void)closedir(dir);
	return n;
}

static void
load_one(const char *path, const char *name)
{
	struct config_errors errors = CONFIG_ERRORS_INIT;
	struct definition *d = definition_load(name, path, &errors);

	print_errors(&errors);
	ck_assert_ptr_nonnull(d);
	ck_assert_str_eq(d->name, name);
	/* What `sealfeed sources --describe` has to tell. */
	ck_assert_ptr_nonnull(d->setup);
	ck_assert_ptr_nonnull(d->limits);
	ck_assert_ptr_nonnull(d->noise);
	for (size_t i = 0; i < d->n_streams; i++)
		ck_assert_msg(d->streams[i].permissions != NULL,
		    "%s: %s has no permissions", name, d->streams[i].name);
	definition_free(d);
	config_errors_release(&errors);
}

/* The vendor that the suite rest reads with it. */
static void
find_script(const char *path, const char *name)
{
	char *script = xasprintf("%ssource/%s.yaml", VECTORS, name);

	ck_assert_msg(access(script, R_OK) == 0, "%s has no %s", path, script);
	free(script);
}

START_TEST(those_that_ship_are_right)
{
	ck_assert_uint_ge(each_file(SHIPPED, load_one), 40);
	(void)each_file(SHIPPED, find_script);
}
END_TEST

/* Every application of Google Workspace is asked for by its own name, and as
 * far back as its events are late. */
START_TEST(applications_of_google)
{
	static const struct {
		int64_t overlap; /* minutes */
		const char *names;
	} rows[] = {
		{ 30,
		    "access_evaluation access_transparency admin "
		    "admin_data_action assignments chat chrome classroom "
		    "contacts context_aware_access data_migration "
		    "directory_sync drive gmail meet saml" },
		{ 60,
		    "data_studio gcp gemini_in_workspace_apps gplus "
		    "graduation groups groups_enterprise jamboard keep "
		    "ldap login meet_hardware profile rules tasks "
		    "user_accounts vault" },
		{ 240, "calendar cloud_search mobile takeout token" },
	};
	struct config_errors errors = CONFIG_ERRORS_INIT;
	struct definition *d = definition_load("google-workspace",
	    SHIPPED "google-workspace.yaml", &errors);
	size_t n = 0;

	ck_assert_ptr_nonnull(d);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (const char *at = rows[i].names; *at != '\0'; n++) {
			size_t len = strcspn(at, " ");
			char *name = xstrndup(at, len);
			char *path = xasprintf("/admin/reports/v1/activity/"
					       "users/all/applications/%s",
			    name);
			const struct def_stream *s = definition_stream(d, name);

			ck_assert_msg(s != NULL, "%s is missing", name);
			ck_assert_str_eq(s->request.path, path);
			ck_assert_msg(s->cursor.overlap ==
				rows[i].overlap * CLOCK_MINUTE,
			    "%s", name);
			ck_assert_int_ge(s->cursor.sweeps[1].back,
			    3 * CLOCK_DAY);
			free(path);
			free(name);
			at += len + (at[len] == ' ');
		}
	ck_assert_uint_eq(n, d->n_streams);
	definition_free(d);
	config_errors_release(&errors);
}
END_TEST

/* As Splunk's add-ons and Elastic's integrations have them. */
static const struct {
	const char *definition, *stream;
	const char *sourcetype, *dataset, *record, *text;
} shapes[] = {
	{ "okta", "system-log", "OktaIM2:log", "okta.system", NULL, "message" },
	{ "jira", "audit", "jira:cloud:audit:log", NULL, NULL, NULL },
	{ "microsoft-graph", "directoryAudits", "azure:aad:audit", NULL, NULL,
	    NULL },
	{ "microsoft-graph", "signIns", "azure:aad:signin", NULL, NULL, NULL },
	{ "microsoft-graph", "signIns.nonInteractiveUser", "azure:aad:signin",
	    NULL, NULL, NULL },
	{ "microsoft-graph", "signIns.servicePrincipal", "azure:aad:signin",
	    NULL, NULL, NULL },
	{ "microsoft-graph", "signIns.managedIdentity", "azure:aad:signin",
	    NULL, NULL, NULL },
	{ "microsoft-graph", "riskyUsers",
	    "azure:aad:identity_protection:risky_user", NULL, NULL, NULL },
	{ "microsoft-graph", "riskDetections",
	    "azure:aad:identity_protection:risk_detection", NULL, NULL, NULL },
	{ "microsoft-graph", "alerts_v2", "ms:defender:atp:alerts",
	    "m365_defender.alert", NULL, NULL },
	{ "microsoft-graph", "incidents", "ms365:defender:incident", NULL, NULL,
	    NULL },
	{ "azure-activity", "activity", "mscs:azure:audit", NULL, NULL, NULL },
	{ "sentinelone", "activities", "sentinelone:channel:activities",
	    "sentinel_one.activity", NULL, NULL },
	{ "aws-cloudtrail", "management", "aws:cloudtrail", "aws.cloudtrail",
	    "json", NULL },
	{ "github", "web", "github:cloud:audit", "github.audit", NULL, NULL },
	{ "github", "git", "github:cloud:audit", "github.audit", NULL, NULL },
	{ "github", "enterprise.web", "github:cloud:audit", "github.audit",
	    NULL, NULL },
	{ "github", "enterprise.git", "github:cloud:audit", "github.audit",
	    NULL, NULL },
	{ "slack", "audit", NULL, "slack.audit", NULL, NULL },
	{ "cloudflare", "audit_logs", NULL, "cloudflare.audit", NULL, NULL },
	{ "bitbucket", "audit", NULL, "atlassian_bitbucket.audit", NULL, NULL },
	{ "duo", "authentication", NULL, "cisco_duo.auth", NULL, NULL },
	{ "duo", "activity", NULL, "cisco_duo.activity", NULL, NULL },
	{ "duo", "telephony", NULL, "cisco_duo.telephony_v2", NULL, NULL },
	{ "duo", "administrator", NULL, "cisco_duo.admin", NULL, NULL },
	{ "duo", "offline_enrollment", NULL, "cisco_duo.offline_enrollment",
	    NULL, NULL },
	{ "box", "events", NULL, "box_events.events", NULL, NULL },
	{ "bitwarden", "events", NULL, "bitwarden.event", NULL, NULL },
	{ "jumpcloud", "events", NULL, "jumpcloud.events", NULL, NULL },
	{ "mongodb-atlas", "organisation", NULL, "mongodb_atlas.organization",
	    "response", NULL },
	{ "mongodb-atlas", "project", NULL, "mongodb_atlas.project", "response",
	    NULL },
	{ "pingone", "activities", NULL, "ping_one.audit", NULL, NULL },
	{ "proofpoint-tap", "messagesBlocked", NULL,
	    "proofpoint_tap.message_blocked", NULL, NULL },
	{ "proofpoint-tap", "messagesDelivered", NULL,
	    "proofpoint_tap.message_delivered", NULL, NULL },
	{ "proofpoint-tap", "clicksBlocked", NULL,
	    "proofpoint_tap.clicks_blocked", NULL, NULL },
	{ "proofpoint-tap", "clicksPermitted", NULL,
	    "proofpoint_tap.clicks_permitted", NULL, NULL },
	{ "netskope", "audit", NULL, "netskope.events_v2", NULL, NULL },
	{ "netskope", "alert", NULL, "netskope.events_v2", NULL, NULL },
	{ "netskope", "incident", NULL, "netskope.events_v2", NULL, NULL },
	{ "netskope", "infrastructure", NULL, "netskope.events_v2", NULL,
	    NULL },
	{ "netskope", "application", NULL, "netskope.events_v2", NULL, NULL },
	{ "netskope", "page", NULL, "netskope.events_v2", NULL, NULL },
	{ "netskope", "network", NULL, "netskope.events_v2", NULL, NULL },
	{ "mimecast", "audit", NULL, "mimecast.audit_events", NULL, NULL },
	{ "google-alert-center", "alerts", NULL, "google_workspace.alert", NULL,
	    NULL },
	{ "google-alert-center", "updates", NULL, "google_workspace.alert",
	    NULL, NULL },
	{ "google-cloud", "activity", NULL, "gcp.audit", NULL, NULL },
	{ "google-cloud", "data_access", NULL, "gcp.audit", NULL, NULL },
	{ "crowdstrike", "alerts", NULL, "crowdstrike.alert", NULL, NULL },
	{ "1password", "auditevents", NULL, "1password.audit_events", NULL,
	    NULL },
	{ "1password", "signinattempts", NULL, "1password.signin_attempts",
	    NULL, NULL },
	{ "1password", "itemusages", NULL, "1password.item_usages", NULL,
	    NULL },
	{ "anthropic", "activities", NULL, "anthropic.audit", NULL, NULL },
	{ "atlassian", "events", NULL, "atlassian_cloud.audit", NULL, NULL },
	{ "openai", "organization", NULL, "openai.audit", NULL, NULL },
	{ "openai", "tenant", NULL, "openai.audit", NULL, NULL },
	{ "salesforce", "SetupAuditTrail", NULL, "salesforce.setupaudittrail",
	    NULL, "message" },
	{ "tines", "audit", NULL, "tines.audit_logs", NULL, "message" },
	{ "workday", "activity", NULL, "workday.activity", NULL, NULL },
	{ "zoom", "operationlogs", NULL, "zoom.operation", NULL, NULL },
	{ "zoom", "activities", NULL, "zoom.activity", NULL, NULL },
};

START_TEST(shapes_are_those_of_the_siems)
{
	struct config_errors errors = CONFIG_ERRORS_INIT;
	char *path = xasprintf("%s%s.yaml", SHIPPED, shapes[_i].definition);
	struct definition *d =
	    definition_load(shapes[_i].definition, path, &errors);
	const struct def_stream *stream;

	print_errors(&errors);
	ck_assert_ptr_nonnull(d);
	stream = definition_stream(d, shapes[_i].stream);
	ck_assert_ptr_nonnull(stream);
	ck_assert_pstr_eq(stream->shape.sourcetype, shapes[_i].sourcetype);
	ck_assert_pstr_eq(stream->shape.dataset, shapes[_i].dataset);
	ck_assert_pstr_eq(stream->shape.record, shapes[_i].record);
	ck_assert_pstr_eq(stream->shape.text, shapes[_i].text);
	definition_free(d);
	free(path);
}
END_TEST

/* Is text there, whatever lines it is broken into? */
static bool
has_words(const char *notes, const char *text)
{
	struct buf all = BUF_INIT(TEXT_MAX), wanted = BUF_INIT(TEXT_MAX);
	char *at;
	bool found;

	ck_assert_int_eq(text_wrap(&all, TEXT_MAX, "", "", notes), 0);
	ck_assert_int_eq(text_wrap(&wanted, TEXT_MAX, "", "", text), 0);
	at = strchr(wanted.data, '\n');
	*at = '\0';
	found = strstr(all.data, wanted.data) != NULL;
	buf_release(&wanted);
	buf_release(&all);
	return found;
}

/* setup shows all that the definition says of the way to the vendor. */
static void
notes_of_one(const char *path, const char *name)
{
	struct config_errors errors = CONFIG_ERRORS_INIT;
	struct definition *d = definition_load(name, path, &errors);
	char *notes = rest_notes(d);

	ck_assert_ptr_nonnull(notes);
	ck_assert_msg(has_words(notes, d->docs), "%s: %s", name, notes);
	ck_assert_ptr_nonnull(d->setup);
	for (size_t i = 0; d->setup[i] != NULL; i++)
		ck_assert_msg(has_words(notes, d->setup[i]), "%s: %s", name,
		    d->setup[i]);
	for (size_t i = 0; i < d->n_streams; i++)
		for (char **p = d->streams[i].permissions;
		     p != NULL && *p != NULL; p++)
			ck_assert_msg(has_words(notes, *p), "%s: %s", name, *p);
	for (const char *at = notes; *at != '\0'; at += strcspn(at, "\n") + 1)
		ck_assert_msg(strcspn(at, "\n") <= 76 ||
			strcspn(at, " ") >= 70 || strstr(at, "://") != NULL,
		    "%s: a long line: %s", name, at);
	free(notes);
	definition_free(d);
	config_errors_release(&errors);
}

START_TEST(notes_say_it_all)
{
	ck_assert_uint_ge(each_file(SHIPPED, notes_of_one), 5);
}
END_TEST

/* The first line of a vector: "# LINE: what the fault says", or several
 * such. */
static void
refuse_one(const char *path, const char *name)
{
	struct config_errors errors = CONFIG_ERRORS_INIT;
	struct buf text;
	size_t n = 0;

	(void)name;
	read_text(path, &text);
	ck_assert_ptr_null(definition_parse(NULL, "f", text.data, text.len,
	    &errors));
	config_errors_sort(&errors);
	for (char *at = text.data; strncmp(at, "# ", 2) == 0;
	     at = strchr(at, '\n') + 1, n++) {
		char *expected =
		    xasprintf("f:%.*s", (int)strcspn(at + 2, "\n"), at + 2);

		if (errors.n <= n || strcmp(errors.line[n], expected) != 0)
			print_errors(&errors);
		ck_assert_msg(errors.n > n, "%s: no \"%s\"", path, expected);
		ck_assert_msg(strcmp(errors.line[n], expected) == 0,
		    "%s: \"%s\" instead of \"%s\"", path, errors.line[n],
		    expected);
		free(expected);
	}
	if (errors.n != n)
		print_errors(&errors);
	ck_assert_msg(errors.n == n && n > 0, "%s: %zu faults", path, errors.n);
	config_errors_release(&errors);
	buf_release(&text);
}

START_TEST(what_cannot_be_right_is_refused)
{
	ck_assert_uint_ge(each_file(SAMPLE "bad/", refuse_one), 20);
}
END_TEST

/* Is there a fault on that line which has the text? */
static bool
has(const struct config_errors *errors, size_t line, const char *text)
{
	for (size_t i = 0; i < errors->n; i++)
		if (errors->place[i].line == line &&
		    strstr(errors->line[i], text) != NULL)
			return true;
	return false;
}

/* Replace len bytes at a place of text by others, and expect a fault. */
static void
expect(const struct buf *text, size_t at, size_t len, const char *other,
    size_t line, const char *says)
{
	struct config_errors errors = CONFIG_ERRORS_INIT;
	struct buf changed = BUF_INIT(TEXT_MAX);
	struct definition *d;

	ck_assert_int_eq(buf_add(&changed, text->data, at), 0);
	ck_assert_int_eq(buf_adds(&changed, other), 0);
	ck_assert_int_eq(buf_adds(&changed, text->data + at + len), 0);
	d = definition_parse("full", "f", changed.data, changed.len, &errors);
	if (d != NULL || !has(&errors, line, says))
		print_errors(&errors);
	ck_assert_msg(d == NULL, "line %zu: \"%s\" is taken", line, other);
	ck_assert_msg(has(&errors, line, says),
	    "line %zu with \"%s\" has no fault with \"%s\"", line, other, says);
	config_errors_release(&errors);
	buf_release(&changed);
}

/*
 * Every key of a definition that has them all, one a line: misspelt, it is
 * named; a map in its place is refused where it stands.  Lines that end in "#
 * free" are names that the definition chooses.
 */
START_TEST(every_key_counts)
{
	struct config_errors errors = CONFIG_ERRORS_INIT;
	struct definition *d;
	struct buf text;
	size_t line = 0, keys = 0;

	read_text(SAMPLE "full.yaml", &text);
	d = definition_parse("full", "f", text.data, text.len, &errors);
	print_errors(&errors);
	ck_assert_ptr_nonnull(d);
	definition_free(d);
	for (const char *at = text.data; *at != '\0';
	     at = strchr(at, '\n') + 1) {
		size_t len = strcspn(at, "\n"), key, begin = strspn(at, " -");
		char *wrong;

		line++;
		key = strcspn(at + begin, ":\n");
		if (at[begin] == '#' || begin + key >= len ||
		    memmem(at, len, "# free", 6) != NULL)
			continue;
		begin += (size_t)(at - text.data);
		wrong = xasprintf("%.*szz", (int)key, text.data + begin);
		expect(&text, begin, key, wrong, line, wrong);
		free(wrong);
		keys++;
		if (at[len - 1] != ':')
			expect(&text, begin + key + 1,
			    len - (begin + key + 1 - (size_t)(at - text.data)),
			    " {a: {b: c}}", line, "");
	}
	ck_assert_uint_ge(keys, 60);
	config_errors_release(&errors);
	buf_release(&text);
}
END_TEST

/* And none is left out above. */
START_TEST(the_sample_has_every_key)
{
	struct buf text;

	read_text(SAMPLE "full.yaml", &text);
	for (const struct definition_block *b = definition_blocks;
	     b->name != NULL; b++)
		for (const struct setting *s = b->rows; s->key != NULL; s++) {
			const char *last = strrchr(s->key, '.');
			char *key =
			    xasprintf("%s:", last != NULL ? last + 1 : s->key);

			ck_assert_msg(strstr(text.data, key) != NULL,
			    "full.yaml has no %s", key);
			free(key);
		}
	buf_release(&text);
}
END_TEST

START_TEST(any_bytes_end_well)
{
	struct buf text;

	read_text(SAMPLE "full.yaml", &text);
	for (size_t cut = 0; cut < text.len; cut += 7) {
		struct config_errors errors = CONFIG_ERRORS_INIT;
		struct definition *d =
		    definition_parse(NULL, "f", text.data, cut, &errors);

		ck_assert(d != NULL || errors.n > 0);
		definition_free(d);
		config_errors_release(&errors);
	}
	buf_release(&text);
}
END_TEST

START_TEST(values_are_picked)
{
	static const char json[] =
	    "{ \"a\" : {\"b\":[1,{\"c\":\"x\\\"y\"},[2,3],\"}\"]},\"s\":"
	    "\"\\\\\",\"n\":null,\"t\":true,\"f\":-1.5e3,\"\":7,\"k/~\":8,"
	    "\"last\":\"z\"}";
	static const struct {
		const char *pointer;
		const char *value; /* NULL: none */
	} rows[] = {
		{ "/a/b/0", "1" },
		{ "/a/b/1/c", "x\\\"y" },
		{ "/a/b/1", "{\"c\":\"x\\\"y\"}" },
		{ "/a/b/2/1", "3" },
		{ "/a/b/3", "}" },
		{ "/a/b/4", NULL },
		{ "/a/b/01x", NULL },
		{ "/s", "\\\\" },
		{ "/n", NULL },
		{ "/t", "true" },
		{ "/f", "-1.5e3" },
		{ "/", "7" },
		{ "/k~1~0", "8" },
		{ "/last", "z" },
		{ "/las", NULL },
		{ "/a/x", NULL },
		{ "/t/x", NULL },
	};
	const struct slice all = { json, sizeof(json) - 1 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice v = pick(all, rows[i].pointer);

		ck_assert_msg((v.data == NULL) == (rows[i].value == NULL),
		    "%s: %.*s", rows[i].pointer, (int)v.len, v.data);
		ck_assert_msg(v.data == NULL ||
			(v.len == strlen(rows[i].value) &&
			    memcmp(v.data, rows[i].value, v.len) == 0),
		    "%s: %.*s", rows[i].pointer, (int)v.len, v.data);
	}
	ck_assert_uint_eq(pick(all, "").len, all.len);
}
END_TEST

/* 2026-11-22T04:26:58.123456Z */
#define WHEN INT64_C(1795321618123456)

static const struct {
	enum when_format format;
	const char *text; /* as it is written; NULL: it is not */
	const char *read;
	int64_t when; /* that read says; -1: nothing */
} times[] = {
	{ WHEN_RFC3339, "2026-11-22T04:26:58Z", "2026-11-22T04:26:58.1234567Z",
	    WHEN },
	{ WHEN_RFC3339, NULL, "2026-11-22T05:26:58.123456+0100", WHEN },
	{ WHEN_RFC3339, NULL, "2026-11-21T23:26:58.123456-05:00", WHEN },
	{ WHEN_RFC3339, NULL, "22.11.2026", -1 },
	{ WHEN_RFC3339_MS, "2026-11-22T04:26:58.123Z",
	    "2026-11-22T04:26:58.123456", WHEN },
	{ WHEN_RFC3339_US, "2026-11-22T04:26:58.123456Z",
	    "2026-11-22 04:26:58.123456Z", WHEN },
	{ WHEN_EPOCH, "1795321618", "1795321618", WHEN - 123456 },
	{ WHEN_EPOCH, NULL, "1.795321618123456e9", WHEN },
	{ WHEN_EPOCH, NULL, "1795321618.5", WHEN - 123456 + 500000 },
	{ WHEN_EPOCH, NULL, "17953216181234567890", -1 },
	{ WHEN_EPOCH, NULL, "", -1 },
	{ WHEN_EPOCH, NULL, "-5", -1 },
	{ WHEN_EPOCH, NULL, "nan", -1 },
	{ WHEN_EPOCH_MS, "1795321618123", "1795321618123", WHEN - 456 },
	{ WHEN_DATE, "2026-11-22", "2026-11-22", WHEN - WHEN % CLOCK_DAY },
	{ WHEN_DATETIME, "2026-11-22 04:26:58", "2026-11-22 04:26:58",
	    WHEN - 123456 },
	{ WHEN_COMPACT, "20261122042658", "20261122042658.123456", WHEN },
	{ WHEN_COMPACT, NULL, "2026112204", -1 },
	{ WHEN_ISO8601, "2026-11-22T04:26:58+0000", "2026-11-22T05:26:58+0100",
	    WHEN - 123456 },
	{ WHEN_RFC2822, "Sun, 22 Nov 2026 04:26:58 -0000",
	    "22 Nov 2026 04:26:58 +0000", WHEN - 123456 },
	{ WHEN_RFC2822, NULL, "22 Nov 2026 04:26:58, UTC", WHEN - 123456 },
	{ WHEN_RFC2822, NULL, "2 Nov 2026 04:26:58, GMT",
	    WHEN - 123456 - 20 * CLOCK_DAY },
	{ WHEN_RFC2822, NULL, "22 Nov 2026 04:26:58, AEST", -1 },
	{ WHEN_RFC2822, NULL, "22 Nov 2026 04:26:58 +-302", -1 },
	{ WHEN_RFC2822, NULL, "22 Nov 2026 04:26:58 +0060", -1 },
	{ WHEN_RFC2822, NULL, "22 Nov 2026 04:26:58 +01", -1 },
	{ WHEN_RFC2822, NULL, "22 Nov 2026 04:26:58 -0130",
	    WHEN - 123456 + 90 * CLOCK_MINUTE },
};

START_TEST(times_in_every_form)
{
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct buf out = BUF_INIT(64);
		int64_t when = -1;

		(void)when_read(times[i].format,
		    (struct slice){ times[i].read, strlen(times[i].read) },
		    &when);
		ck_assert_msg(when == times[i].when, "%s: %lld", times[i].read,
		    (long long)when);
		if (times[i].text != NULL) {
			ck_assert_int_eq(when_write(times[i].format, WHEN,
					     &out),
			    0);
			ck_assert_str_eq(out.data, times[i].text);
		}
		buf_release(&out);
	}
}
END_TEST

/* template_fn */
static int
echo(void *ctx, const struct template_place *p, struct buf *out)
{
	(void)ctx;
	if (p->format.data != NULL &&
	    buf_add(out, p->format.data, p->format.len) != 0)
		return -1;
	return buf_add(out, "a \"b\"/", p->name.len < 6 ? p->name.len : 6);
}

START_TEST(places_are_filled)
{
	static const struct {
		const char *text;
		enum template_encoding encoding;
		const char *filled;
	} rows[] = {
		{ "", TEMPLATE_PLAIN, "" },
		{ "no place", TEMPLATE_PLAIN, "no place" },
		{ "/x/{longname}/y", TEMPLATE_URL, "/x/a%20%22b%22%2F/y" },
		{ "{\"c\":\"{longname}\"}", TEMPLATE_JSON,
		    "{\"c\":\"a \\\"b\\\"/\"}" },
		{ "{x|epoch}{{y}}", TEMPLATE_PLAIN, "epocha{a}" },
		{ "{longname|json}{longname|jso}", TEMPLATE_JSON,
		    "jsona \"b\"/jsoa \\\"b\\\"/" },
		{ "{longname|json}", TEMPLATE_URL, "jsona%20%22b%22%2F" },
		{ "{ x} {X} {} {x|} {x|y", TEMPLATE_PLAIN,
		    "{ x} {X} {} a {x|y" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf out = BUF_INIT(1000);

		ck_assert_int_eq(template_fill(rows[i].text, rows[i].encoding,
				     echo, NULL, &out),
		    0);
		ck_assert_str_eq(out.data, rows[i].filled);
		buf_release(&out);
	}
}
END_TEST

Suite *
suite_definition(void)
{
	Suite *s = suite_create("definition");
	TCase *t = tcase_create("definition");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, those_that_ship_are_right);
	tcase_add_test(t, applications_of_google);
	tcase_add_loop_test(t, shapes_are_those_of_the_siems, 0,
	    sizeof(shapes) / sizeof(shapes[0]));
	tcase_add_test(t, notes_say_it_all);
	tcase_add_test(t, what_cannot_be_right_is_refused);
	tcase_add_test(t, every_key_counts);
	tcase_add_test(t, the_sample_has_every_key);
	tcase_add_test(t, any_bytes_end_well);
	tcase_add_test(t, values_are_picked);
	tcase_add_test(t, times_in_every_form);
	tcase_add_test(t, places_are_filled);
	suite_add_tcase(s, t);
	return s;
}
