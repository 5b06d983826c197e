/*
 * main.c - the vendor simulator's start and end, its clock, its counters.
 */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tests/sim/content.h"

int64_t
sim_clock(const struct sim *s)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * MS + ts.tv_nsec / 1000000 + s->clock_offset;
}

int64_t
sim_ticks(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * MS + ts.tv_nsec / 1000000;
}

void
sim_sleep(int64_t ms)
{
	const struct timespec ts = { .tv_sec = ms / MS,
		.tv_nsec = (ms % MS) * 1000000 };

	(void)nanosleep(&ts, NULL);
}

void
sim_count(struct sim *s, enum counter stat, uint64_t n)
{
	(void)__atomic_fetch_add(&s->stat[stat], n, __ATOMIC_RELAXED);
}

void
sim_time_text(int64_t ms, char *out)
{
	time_t t = (time_t)(ms / MS);
	struct tm tm;
	size_t n;

	(void)gmtime_r(&t, &tm);
	n = strftime(out, 24, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(out + n, 8, ".%03dZ", (int)(ms % MS));
}

void
sim_die(const char *fmt, ...)
{
	va_list ap;

	(void)fputs("simulator: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	exit(1);
}

/* --print: records alone, for other programs' tests. */
static void
print_records(struct sim *s)
{
	static const enum content turn[] = { CONTENT_AAD, CONTENT_EXCHANGE,
		CONTENT_SHAREPOINT, CONTENT_EXCHANGE, CONTENT_AAD,
		CONTENT_GENERAL, CONTENT_EXCHANGE, CONTENT_SHAREPOINT };
	struct buf line = BUF_INIT(SIZE_MAX / 2);

	for (int64_t i = 0; i < s->opt.print; i++) {
		buf_clear(&line);
		generate_record(s->opt.seed,
		    i % 32 == 31 ? CONTENT_DLP : turn[i % 8], (uint64_t)i,
		    1780000000 + i / 100, &line);
		if (puts(line.data) == EOF)
			sim_die("standard output can't be written");
	}
	buf_release(&line);
}

int
main(int argc, char **argv)
{
	static struct sim s = { .lock = PTHREAD_MUTEX_INITIALIZER };
	sigset_t set;
	int signal_number;

	options_parse(&s.opt, argc, argv, &s);
	s.rng.state = s.opt.seed;
	if (s.opt.print > 0) {
		print_records(&s);
		return 0;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	content_open(&s);
	produce_start(&s);
	serve_start(&s);
	(void)sigwait(&set, &signal_number);
	/* Connections that hang on purpose are not waited for. */
	_exit(0);
}
