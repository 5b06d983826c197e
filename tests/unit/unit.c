/*
 * unit.c - runs the suites side by side; CK_RUN_SUITE=name picks one,
 * CK_FORK=no helps a debugger and valgrind.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define SUITES (sizeof(suites) / sizeof(suites[0]))
#define SAMPLE 8000000
#define SAMPLE_SECONDS 0.005 /* without sanitizers, where nothing else runs */

static unsigned char sample[65536];

static Suite *(*const suites[])(void) = {
	suite_rest, /* these take longest */
	suite_kafka,
	suite_ship,
	suite_ship_letters,
	suite_presets,
	suite_definition_keys,
	suite_reader,
	suite_recovery,
	suite_recovery_rows,
	suite_seen,
	suite_agent_feed,
	suite_assertion,
	suite_auth,
	suite_aws,
	suite_aws_digest,
	suite_aws_s3,
	suite_backfill,
	suite_body,
	suite_buf,
	suite_clock,
	suite_clouds,
	suite_cmd,
	suite_cmd_store,
	suite_complete,
	suite_config,
	suite_confirm,
	suite_content,
	suite_continuity,
	suite_coralogix,
	suite_crash,
	suite_datadog,
	suite_dead_letters,
	suite_definition,
	suite_dialect,
	suite_doubt,
	suite_elasticsearch,
	suite_export,
	suite_file,
	suite_file_output,
	suite_format,
	suite_frame,
	suite_framer,
	suite_google_secops,
	suite_graylog,
	suite_gzip,
	suite_http,
	suite_http_output,
	suite_human,
	suite_identity,
	suite_item,
	suite_json_put,
	suite_json_valid,
	suite_kept_token,
	suite_key,
	suite_late,
	suite_line,
	suite_listen,
	suite_lock,
	suite_login,
	suite_loki,
	suite_member,
	suite_merkle,
	suite_metrics,
	suite_node,
	suite_note,
	suite_oauth,
	suite_otlp,
	suite_outputs,
	suite_page,
	suite_probes,
	suite_pool,
	suite_race,
	suite_rate,
	suite_reconcile,
	suite_recovery,
	suite_recovery_rows,
	suite_relp,
	suite_repair,
	suite_replay,
	suite_sumologic,
	suite_urls,
	suite_verdict,
	suite_request,
	suite_rest_shapes,
	suite_rotating,
	suite_rules,
	suite_s3,
	suite_sandbox,
	suite_secret,
	suite_seen,
	suite_sentinel,
	suite_server_clock,
	suite_setting,
	suite_setup,
	suite_share,
	suite_ship_hold,
	suite_siem,
	suite_slow,
	suite_splitter,
	suite_splitter_made,
	suite_splunk_hec,
	suite_stand_in,
	suite_status,
	suite_status_page,
	suite_store,
	suite_store_cmd,
	suite_sumologic,
	suite_table,
	suite_text,
	suite_trace,
	suite_troubles,
	suite_unit_file,
	suite_upgrade,
	suite_verdict,
	suite_wake,
	suite_window,
	suite_xml,
};

unsigned
unit_rounds(unsigned n)
{
	return getenv("UNIT_BRIEF") == NULL ? n : n / 20 + 1;
}

/* How many times longer than on an idle machine without sanitizers a test
 * may take now: what a sample of work costs, times what is runnable for each
 * core. */
static double
slowness(void)
{
	FILE *f = fopen("/proc/loadavg", "r");
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	clock_t begin = clock();
	double running = 1, cost;

	for (unsigned i = 0; i < SAMPLE; i++)
		sample[i * 7 % sizeof(sample)] += sample[i % sizeof(sample)];
	cost = (double)(clock() - begin) / CLOCKS_PER_SEC / SAMPLE_SECONDS;
	if (f != NULL) {
		if (fscanf(f, "%*f %*f %*f %lf/", &running) != 1)
			running = 1;
		(void)fclose(f);
	}
	running /= (double)(cores < 1 ? 1 : cores);
	return (cost < 1 ? 1 : cost) * (running < 1 ? 1 : running);
}

static int
run_suites(size_t first, size_t end)
{
	SRunner *runner = srunner_create(NULL);
	int failed;

	for (size_t i = first; i < end; i++)
		srunner_add_suite(runner, suites[i]());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Check's time-outs are for an idle machine. */
static int
run_suite(size_t i)
{
	char times[32];

	(void)snprintf(times, sizeof(times), "%.1f", slowness());
	(void)setenv("CK_TIMEOUT_MULTIPLIER", times, 0);
	return run_suites(i, i + 1);
}

/* The process of a suite has ended: one that fails without a failed check, as
 * by a sanitizer's finding at its end, is named. */
static int
ended(const pid_t pids[], pid_t pid, int status)
{
	size_t i = 0;

	if (status == 0)
		return EXIT_SUCCESS;
	while (i < SUITES - 1 && pids[i] != pid)
		i++;
	(void)fprintf(stderr,
	    "unit: suite %zu of the list in unit.c ended with status 0x%x\n", i,
	    (unsigned)status);
	return EXIT_FAILURE;
}

/* Some suites wait most of the time: twice as many as there are cores. */
static int
run_side_by_side(void)
{
	long max = 2 * sysconf(_SC_NPROCESSORS_ONLN), running = 0;
	pid_t pids[SUITES] = { 0 }, pid;
	int rc = EXIT_SUCCESS, status;

	for (size_t i = 0; i < SUITES || running > 0;) {
		if (i < SUITES && running < max) {
			pids[i] = fork();
			if (pids[i] == 0)
				exit(run_suite(i));
			if (pids[i] == -1)
				return EXIT_FAILURE;
			running++;
			i++;
		} else if ((pid = wait(&status)) == -1) {
			return EXIT_FAILURE;
		} else {
			running--;
			rc |= ended(pids, pid, status);
		}
	}
	return rc;
}

int
main(void)
{
	if (getenv("CK_RUN_SUITE") != NULL || getenv("CK_RUN_CASE") != NULL ||
	    getenv("CK_FORK") != NULL)
		return run_suites(0, SUITES);
	return run_side_by_side();
}
