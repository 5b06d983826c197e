/*
 * unit.c - runs the suites that are named, or all, side by side; CK_RUN_CASE
 * and CK_FORK=no help a debugger.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
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
	{ SUITE(definition_rules) },
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
	{ SUITE(ledger) },
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
	{ SUITE(pending) },
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
	{ SUITE(rest_formats) },
	{ SUITE(rest_hosts) },
	{ SUITE(rest_rows) },
	{ SUITE(rest_shapes) },
	{ SUITE(rotating) },
	{ SUITE(room) },
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

unsigned
unit_step(unsigned n)
{
	return getenv("UNIT_BRIEF") == NULL ? 1 : n;
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

/* Check's time-outs are for an idle machine; it looks how many times longer
 * they are when a suite is made. */
static int
run_suite(size_t i)
{
	SRunner *runner;
	char times[32];
	int failed;

	(void)snprintf(times, sizeof(times), "%.1f", BUSIER * slowness());
	(void)setenv("CK_TIMEOUT_MULTIPLIER", times, 0);
	runner = srunner_create(suites[i].make());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* A suite and its process. */
struct run {
	size_t suite;
	pid_t pid;
};

/* A process has ended: a suite that fails without a failed check, as by a
 * sanitizer's finding at its end, is named. */
static int
ended(const struct run *r, pid_t pid, int status)
{
	if (status == 0)
		return EXIT_SUCCESS;
	while (r->pid != pid)
		r++;
	(void)fprintf(stderr, "unit: suite %s ended with status 0x%x\n",
	    suites[r->suite].name, (unsigned)status);
	return EXIT_FAILURE;
}

/* Some suites wait most of the time: twice as many as there are cores. */
static int
run_side_by_side(struct run runs[], size_t n)
{
	long max = 2 * sysconf(_SC_NPROCESSORS_ONLN), running = 0;
	int rc = EXIT_SUCCESS, status;
	pid_t pid;

	for (size_t i = 0; i < n || running > 0;) {
		if (i < n && running < max) {
			runs[i].pid = fork();
			if (runs[i].pid == 0)
				exit(run_suite(runs[i].suite));
			if (runs[i].pid == -1)
				return EXIT_FAILURE;
			running++;
			i++;
		} else if ((pid = wait(&status)) == -1) {
			return EXIT_FAILURE;
		} else {
			running--;
			rc |= ended(runs, pid, status);
		}
	}
	return rc;
}

static size_t
named(const char *name)
{
	size_t i = 0;

	while (i < SUITES && strcmp(suites[i].name, name) != 0)
		i++;
	if (i == SUITES) {
		(void)fprintf(stderr, "unit: no suite is named %s\n", name);
		exit(EXIT_FAILURE);
	}
	return i;
}

/* unit [SUITE…]: these, or all. */
int
main(int argc, char *argv[])
{
	const size_t n = argc > 1 ? (size_t)argc - 1 : SUITES;
	struct run *runs = xcalloc(n, sizeof(*runs));
	int rc;

	for (size_t i = 0; i < n; i++)
		runs[i].suite = argc > 1 ? named(argv[i + 1]) : i;
	/* Where the system's certificates are one file, each source that is
	 * opened would parse all of it; tests of TLS name their own. */
	(void)setenv("SSL_CERT_FILE", "/dev/null", 1);
	/* One has a process of its own already, in which a debugger stays. */
	rc = n == 1 ? run_suite(runs[0].suite) : run_side_by_side(runs, n);
	free(runs);
	return rc;
}
