/*
 * test_metrics.c - what scrapers get beside the figures of feeds and outputs,
 * and the file for those who can't scrape.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/role.h"
#include "config/config.h"
#include "sources/source.h"
#include "store/expiry.h"
#include "store/feed.h"
#include "store/report.h"
#include "store/roles.h"
#include "store/store.h"
#include "tests/unit/store_help.h"
#include "tests/unit/unit.h"
#include "watch/metrics.h"
#include "watch/status.h"
#include "watch/textfile.h"

#define FEED "contoso/Audit.Exchange"

static char dir[64];
static char path[128];
static struct err err;
static struct store *s;

static char name[] = "fra1";
static const struct config config = {
	.agent = { .name = name,
	    .store = { .path = path, .max_size = INT64_C(1) << 30 } },
};
static const struct role role = { .config = &config };

static void
set_up(void)
{
	store_help_begin(dir, sizeof(dir), path, sizeof(path));
	err_clear(&err);
	s = store_open(path, STORE_DURABLE, &err);
	ck_assert_msg(s != NULL, "%s", err.text);
}

static void
tear_down(void)
{
	store_close(s);
	store_help_end(dir);
}

/* How often the page of r has the line. */
static size_t
lines(const struct role *r, const char *line)
{
	struct buf page = BUF_INIT(METRICS_MAX);
	size_t n = 0;

	ck_assert_msg(metrics_write(s, r, &page, &err) == 0, "%s", err.text);
	for (const char *at = page.data; (at = strstr(at, line)) != NULL; at++)
		n += (at == page.data || at[-1] == '\n') &&
		    at[strlen(line)] == '\n';
	buf_release(&page);
	return n;
}

START_TEST(processes_are_told)
{
	struct role_report all[] = {
		{ .name = "collect", .state = ROLE_WORKS },
		{ .name = "ship siem",
		    .state = ROLE_DOWN,
		    .restarts = 3,
		    .dropped = 5 },
	};
	const struct roles roles = { .began = 1,
		.stopped = INT64_MIN,
		.dropped = 7,
		.role = all,
		.n = 2 };
	struct buf text = BUF_INIT(4096);

	ck_assert_int_eq(roles_format(&roles, &text), 0);
	ck_assert_int_eq(roles_write(path, &text, &err), 0);
	buf_release(&text);
	ck_assert_uint_eq(lines(&role, "sealfeed_role_up{role=\"collect\"} 1"),
	    1);
	ck_assert_uint_eq(
	    lines(&role, "sealfeed_role_up{role=\"ship\",output=\"siem\"} 0"),
	    1);
	ck_assert_uint_eq(lines(&role,
			      "sealfeed_role_restarts_total{role=\"ship\","
			      "output=\"siem\"} 3"),
	    1);
	ck_assert_uint_eq(lines(&role,
			      "sealfeed_log_dropped_lines_total{role=\"ship\","
			      "output=\"siem\"} 5"),
	    1);
	ck_assert_uint_eq(lines(&role,
			      "sealfeed_log_dropped_lines_total{role="
			      "\"supervisor\"} 7"),
	    1);
	/* A supervisor that is gone tells nothing. */
	ck_assert_uint_eq(lines(&role,
			      "sealfeed_role_up{role=\"supervisor\"} 0"),
	    0);
}
END_TEST

START_TEST(nothing_is_told_of_unknown_processes)
{
	ck_assert_uint_eq(lines(&role, "# TYPE sealfeed_role_up gauge"), 0);
	ck_assert_uint_eq(lines(&role, "# TYPE sealfeed_gaps_total counter"),
	    1);
}
END_TEST

/* As Prometheus has histograms: each bucket has those before it. */
START_TEST(lateness_is_a_histogram)
{
	static const struct {
		const char *part, *le;
		int value;
	} rows[] = {
		{ "bucket", ",le=\"10\"", 3 },
		{ "bucket", ",le=\"30\"", 3 },
		{ "bucket", ",le=\"3600\"", 5 },
		{ "bucket", ",le=\"604800\"", 5 },
		{ "bucket", ",le=\"+Inf\"", 6 },
		{ "sum", "", 5000 },
		{ "count", "", 6 },
	};
	struct feed *f = store_help_feed(s, FEED, 0);
	struct write_batch *p = write_batch_new(f);

	feed_count(f, FEED_LATE_10S, 3);
	feed_count(f, FEED_LATE_1H, 2);
	feed_count(f, FEED_LATE_30D, 1);
	feed_count(f, FEED_LATE_SUM, 5000);
	store_help_add(p, NULL, "{}");
	(void)store_help_commit(p);
	write_batch_free(p);
	feed_close(f);
	f = store_help_feed(s, "contoso/unmeasured", 0);
	feed_close(f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char line[160];

		(void)snprintf(line, sizeof(line),
		    "sealfeed_feed_lateness_seconds_%s{feed=\"%s\"%s} %d",
		    rows[i].part, FEED, rows[i].le, rows[i].value);
		ck_assert_msg(lines(&role, line) == 1, "no %s", line);
	}
	ck_assert_uint_eq(lines(&role,
			      "# TYPE sealfeed_feed_lateness_seconds "
			      "histogram"),
	    1);
	ck_assert_uint_eq(lines(&role,
			      "sealfeed_feed_lateness_seconds_count{feed="
			      "\"contoso/unmeasured\"} 0"),
	    0);
}
END_TEST

START_TEST(certificates_are_told)
{
	static const char ca[] =
	    "sealfeed_certificate_not_after_timestamp_seconds"
	    "{option=\"outputs.siem.tls.ca\"} 1790000000";
	static const char own[] =
	    "sealfeed_certificate_not_after_timestamp_seconds"
	    "{option=\"sources.contoso.certificate\"} 1780000000";
	const struct expiry list[] = {
		{ "sources.contoso.certificate",
		    INT64_C(1780000000) * CLOCK_SECOND },
		{ "outputs.siem.tls.ca", INT64_C(1790000000) * CLOCK_SECOND },
	};

	ck_assert_int_eq(expiry_set(s, "sources.contoso", list, 1, &err), 0);
	ck_assert_int_eq(expiry_set(s, "outputs.siem", list + 1, 1, &err), 0);
	ck_assert_uint_eq(lines(&role, ca), 1);
	ck_assert_uint_eq(lines(&role, own), 1);
	/* What the configuration no longer names is forgotten. */
	ck_assert_int_eq(expiry_set(s, "outputs.siem", list, 0, &err), 0);
	ck_assert_uint_eq(lines(&role, ca), 0);
	ck_assert_uint_eq(lines(&role, own), 1);
}
END_TEST

static void
keeps_days(const void *conf, struct source_definition *d)
{
	*d = (struct source_definition){ .retention =
					     *(const int *)conf * CLOCK_DAY };
}

/* Whatever the order of feeds, and whose name begins like whose. */
START_TEST(retention_is_that_of_the_source)
{
	static const struct source_type vendor = { .type.name = "vendor",
		.define = keeps_days };
	static char names[][8] = { "con", "contoso", "co" };
	static int days[] = { 1, 7, 30 };
	static const struct {
		const char *feed;
		int days; /* 0: unknown */
	} rows[] = { { "contoso/a", 7 }, { "con/a", 1 }, { "contoso/b", 7 },
		{ "co/a", 30 }, { "c/a", 0 }, { "contoso2/a", 0 },
		{ "con/b", 1 } };
	struct config_entry sources[3];
	struct config several = config;
	struct status st = { .now = 0 };

	several.sources = sources;
	several.n_sources = 3;
	for (size_t i = 0; i < 3; i++)
		sources[i] = (struct config_entry){
			.name = names[i], .type = &vendor.type, .conf = &days[i]
		};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		feed_close(store_help_feed(s, rows[i].feed, 0));
	ck_assert_int_eq(status_read(s, &several, &st, &err), 0);
	ck_assert_uint_eq(st.n_feeds, sizeof(rows) / sizeof(rows[0]));
	for (size_t i = 0; i < st.n_feeds; i++) {
		ck_assert_str_eq(st.feeds[i].name, rows[i].feed);
		ck_assert_int_eq(st.feeds[i].retention,
		    rows[i].days * CLOCK_DAY);
	}
	status_release(&st);
}
END_TEST

/* What is committed between two looks is not half in a report. */
START_TEST(a_report_is_of_one_moment)
{
	struct store *reader = store_help_open(path, STORE_READ);
	struct feed *f = store_help_feed(s, FEED, 0);
	struct write_batch *p = write_batch_new(f);
	struct feed_report r;

	ck_assert_int_eq(report_begin(reader, &err), 0);
	store_help_add(p, NULL, "{}");
	(void)store_help_commit(p);
	ck_assert_int_eq(report_feed(reader, 0, &r, &err), 1);
	ck_assert_uint_eq(r.size, 0);
	report_end(reader);
	ck_assert_int_eq(report_feed(reader, 0, &r, &err), 1);
	ck_assert_uint_eq(r.size, 1);
	write_batch_free(p);
	feed_close(f);
	store_close(reader);
}
END_TEST

/* Whole, readable for all whatever the umask, and nothing beside it. */
START_TEST(a_file_is_replaced)
{
	struct buf text = BUF_INIT(METRICS_MAX);
	char file[128], folder[96];
	struct stat st;

	(void)snprintf(folder, sizeof(folder), "%s/metrics", dir);
	(void)snprintf(file, sizeof(file), "%s/sealfeed.prom", folder);
	ck_assert_int_eq(textfile_write(file, s, &role, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, file));
	err_clear(&err);
	ck_assert_int_eq(mkdir(folder, 0755), 0);
	ck_assert_int_eq(file_create(file, "OLD FILE", 8, 0600, &err), 0);
	(void)umask(0077);
	ck_assert_msg(textfile_write(file, s, &role, &err) == 0, "%s",
	    err.text);
	ck_assert_int_eq(stat(file, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0644);
	ck_assert_int_eq(file_read(file, &text, &err), 0);
	ck_assert_ptr_null(strstr(text.data, "OLD FILE"));
	ck_assert_ptr_nonnull(strstr(text.data,
	    "\nsealfeed_metrics_timestamp_seconds "));
	buf_release(&text);
	ck_assert_int_eq(unlink(file), 0);
	ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

Suite *
suite_metrics(void)
{
	Suite *suite = suite_create("metrics");
	TCase *tc = tcase_create("metrics");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, processes_are_told);
	tcase_add_test(tc, nothing_is_told_of_unknown_processes);
	tcase_add_test(tc, lateness_is_a_histogram);
	tcase_add_test(tc, certificates_are_told);
	tcase_add_test(tc, retention_is_that_of_the_source);
	tcase_add_test(tc, a_report_is_of_one_moment);
	tcase_add_test(tc, a_file_is_replaced);
	suite_add_tcase(suite, tc);
	return suite;
}
