/*
 * unit.c - runs the suites side by side, or those that are named one after the
 * other; CK_RUN_CASE and CK_FORK=no help a debugger.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define SUITES (sizeof(suites) / sizeof(suites[0]))
#define BUSIER 4 /* the machine may become while a suite runs */
#define SAMPLE 8000000
#define SAMPLE_SECONDS 0.005 /* without sanitizers, where nothing else runs */

static unsigned char sample[65536];

#define SUITE(name) #name, suite_##name

static const struct {
	const char *name;
	Suite *(*make)(void);
} suites[] = {
	{ SUITE(rest) }, /* these take longest */
	{ SUITE(kafka) },
	{ SUITE(ship) },
	{ SUITE(ship_letters) },
	{ SUITE(presets) },
	{ SUITE(definition_keys) },
	{ SUITE(agent_feed) },
	{ SUITE(assertion) },
	{ SUITE(auth) },
	{ SUITE(aws) },
	{ SUITE(aws_digest) },
	{ SUITE(aws_s3) },
	{ SUITE(backfill) },
	{ SUITE(body) },
	{ SUITE(buf) },
	{ SUITE(clock) },
	{ SUITE(clouds) },
	{ SUITE(cmd) },
	{ SUITE(cmd_store) },
	{ SUITE(complete) },
	{ SUITE(config) },
	{ SUITE(confirm) },
	{ SUITE(content) },
	{ SUITE(continuity) },
	{ SUITE(coralogix) },
	{ SUITE(crash) },
	{ SUITE(datadog) },
	{ SUITE(dead_letters) },
	{ SUITE(definition) },
	{ SUITE(dialect) },
	{ SUITE(doubt) },
	{ SUITE(elasticsearch) },
	{ SUITE(error_value) },
	{ SUITE(export) },
	{ SUITE(file) },
	{ SUITE(file_output) },
	{ SUITE(format) },
	{ SUITE(frame) },
	{ SUITE(framer) },
	{ SUITE(google_secops) },
	{ SUITE(graylog) },
	{ SUITE(gzip) },
	{ SUITE(http) },
	{ SUITE(http_output) },
	{ SUITE(human) },
	{ SUITE(identity) },
	{ SUITE(item) },
	{ SUITE(json_put) },
	{ SUITE(json_valid) },
	{ SUITE(kept_token) },
	{ SUITE(key) },
	{ SUITE(late) },
	{ SUITE(line) },
	{ SUITE(listen) },
	{ SUITE(lock) },
	{ SUITE(login) },
	{ SUITE(loki) },
	{ SUITE(member) },
	{ SUITE(merkle) },
	{ SUITE(metrics) },
	{ SUITE(node) },
	{ SUITE(note) },
	{ SUITE(oauth) },
	{ SUITE(otlp) },
	{ SUITE(outputs) },
	{ SUITE(page) },
	{ SUITE(pool) },
	{ SUITE(probes) },
	{ SUITE(race) },
	{ SUITE(rate) },
	{ SUITE(reader) },
	{ SUITE(reconcile) },
	{ SUITE(recovery) },
	{ SUITE(recovery_rows) },
	{ SUITE(relp) },
	{ SUITE(repair) },
	{ SUITE(replay) },
	{ SUITE(request) },
	{ SUITE(rest_rows) },
	{ SUITE(rest_shapes) },
	{ SUITE(rotating) },
	{ SUITE(rules) },
	{ SUITE(s3) },
	{ SUITE(sandbox) },
	{ SUITE(secret) },
	{ SUITE(seen) },
	{ SUITE(sentinel) },
	{ SUITE(server_clock) },
	{ SUITE(setting) },
	{ SUITE(setup) },
	{ SUITE(share) },
	{ SUITE(ship_hold) },
	{ SUITE(siem) },
	{ SUITE(slow) },
	{ SUITE(splitter) },
	{ SUITE(splitter_made) },
	{ SUITE(splunk_hec) },
	{ SUITE(stand_in) },
	{ SUITE(status) },
	{ SUITE(status_page) },
	{ SUITE(store) },
	{ SUITE(store_cmd) },
	{ SUITE(sumologic) },
	{ SUITE(table) },
	{ SUITE(text) },
	{ SUITE(trace) },
	{ SUITE(troubles) },
	{ SUITE(unit_file) },
	{ SUITE(upgrade) },
	{ SUITE(urls) },
	{ SUITE(verdict) },
	{ SUITE(wake) },
	{ SUITE(window) },
	{ SUITE(xml) },
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

/* Check's time-outs are for an idle machine. */
static int
run_suite(size_t i)
{
	SRunner *runner = srunner_create(suites[i].make());
	char times[32];
	int failed;

	(void)snprintf(times, sizeof(times), "%.1f", BUSIER * slowness());
	(void)setenv("CK_TIMEOUT_MULTIPLIER", times, 0);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
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
	(void)fprintf(stderr, "unit: suite %s ended with status 0x%x\n",
	    suites[i].name, (unsigned)status);
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

/* One suite after the other. */
static int
run_named(char *const names[], int n)
{
	int rc = EXIT_SUCCESS;

	for (int k = 0; k < n; k++) {
		size_t i = 0;

		while (i < SUITES && strcmp(suites[i].name, names[k]) != 0)
			i++;
		if (i == SUITES) {
			(void)fprintf(stderr, "unit: no suite is named %s\n",
			    names[k]);
			return EXIT_FAILURE;
		}
		rc |= run_suite(i);
	}
	return rc;
}

/* unit [SUITE…]: these, or all. */
int
main(int argc, char *argv[])
{
	return argc > 1 ? run_named(argv + 1, argc - 1) : run_side_by_side();
}
