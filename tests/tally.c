/*
 * tally.c - what arrived: takes the files of receivers apart, for comparing
 * them with the simulator's ledger.
 *
 *   tally --ledger DIR          the ledger that the simulator wrote
 *   tally --received FILE…      lines of any of the forms below
 *     --lines      write "STREAM<TAB>EVENT" a line, in the order of the input
 *                  (and nothing for events made while they were sent)
 *     --sums       write "STREAM COUNT SUM" a line (the default)
 *     --repeats    write how many events arrived more than once
 *
 * Forms: RFC 5424 with sealfeed's structured data, anything in front of it;
 * {"feed":…,"index":…,"agent":…,"via":…,"event":…}, where agent and via may be
 * missing; bare events (stream "-").  Of events with the same feed and index
 * only the first counts, when its bytes are the same; other bytes under the
 * same index end the program with status 1, since an index stands for one
 * event.  Checkpoints and the agent's own feed are left out.  Nothing of the
 * agent's code is used here.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tests/tally.h"

#define STREAMS_MAX 64
#define PLACES_FIRST 1024
#define WHOLE_MAX ((size_t)1 << 30)

/* Of one index: the start of its hash and whether it was there. */
struct place {
	uint64_t mark;
};

struct stream {
	char name[256]; /* whole feed name while reading */
	struct tally tally;
	struct place *places; /* by index, mark 0: not seen */
	size_t size;
	uint64_t repeats;
	struct buf whole; /* parts of an event so far */
	uint64_t parts;   /* of these */
};

static struct stream streams[STREAMS_MAX];
static size_t n_streams;
static enum { SUMS, LINES, REPEATS } mode = SUMS;
static bool conflict;

static void
die(const char *what, const char *why)
{
	(void)fprintf(stderr, "tally: %s: %s\n", what, why);
	exit(2);
}

static struct stream *
stream_get(const char *name, size_t len)
{
	for (size_t i = 0; i < n_streams; i++) {
		if (strlen(streams[i].name) == len &&
		    memcmp(streams[i].name, name, len) == 0)
			return &streams[i];
	}
	if (n_streams == STREAMS_MAX || len >= sizeof(streams[0].name))
		die("input", "too many feeds");
	memcpy(streams[n_streams].name, name, len);
	return &streams[n_streams++];
}

/* "contoso/Audit.Exchange": the part behind the slash. */
static const char *
short_name(const struct stream *s)
{
	const char *slash = strchr(s->name, '/');

	return slash == NULL ? s->name : slash + 1;
}

static void
count_event(struct stream *s, const char *event, size_t len)
{
	if (mode == LINES)
		(void)printf("%s\t%.*s\n", short_name(s), (int)len, event);
	else
		tally_add(&s->tally, event, len);
}

/* An event with its index; repeats are seen to. */
static void
take(const char *feed, size_t feed_len, uint64_t index, const char *event,
    size_t len)
{
	struct stream *s = stream_get(feed, feed_len);
	struct tally one = { .count = 0 };
	size_t size = s->size;

	/* The agent's own; "agent~TIME" is a tree begun anew. */
	if (strcmp(short_name(s), "agent") == 0 ||
	    strncmp(short_name(s), "agent~", 6) == 0)
		return;
	if (index >= (uint64_t)1 << 32)
		die(s->name, "an index beyond reason");
	while (index >= size)
		size = size == 0 ? PLACES_FIRST : 2 * size;
	if (size > s->size) {
		s->places =
		    xreallocarray(s->places, size, sizeof(s->places[0]));
		memset(s->places + s->size, 0,
		    (size - s->size) * sizeof(s->places[0]));
		s->size = size;
	}
	tally_add(&one, event, len);
	one.sum[0] |= 1;
	if (s->places[index].mark == 0) {
		s->places[index].mark = one.sum[0];
		count_event(s, event, len);
	} else if (s->places[index].mark == one.sum[0]) {
		s->repeats++;
	} else {
		(void)fprintf(stderr, "tally: %s %llu: two different events\n",
		    s->name, (unsigned long long)index);
		conflict = true;
	}
}

/* ` index="42"` and the like; the end of the value, or NULL. */
static const char *
param(const char *sd, const char *end, const char *name, const char **value)
{
	char mark[32];
	const char *p;

	(void)snprintf(mark, sizeof(mark), " %s=\"", name);
	p = memmem(sd, (size_t)(end - sd), mark, strlen(mark));
	if (p == NULL)
		return NULL;
	*value = p + strlen(mark);
	return memchr(*value, '"', (size_t)(end - *value));
}

/* One of several parts of an event, which come one behind the other and begin
 * anew where they are sent again. */
static void
take_part(const char *feed, size_t feed_len, uint64_t index, uint64_t part,
    uint64_t parts, const char *msg, size_t len)
{
	struct stream *s = stream_get(feed, feed_len);

	if (part == 1) {
		buf_release(&s->whole);
		buf_init(&s->whole, WHOLE_MAX);
		s->parts = 0;
	}
	if (part != s->parts + 1)
		return;
	if (buf_add(&s->whole, msg, len) == -1)
		die(s->name, "an event beyond reason");
	if (++s->parts < parts)
		return;
	take(feed, feed_len, index, s->whole.data, s->whole.len);
	buf_release(&s->whole);
	s->parts = 0;
}

static bool
take_syslog(const char *line, size_t len)
{
	const char *sd = memmem(line, len, "[sealfeed@", 10);
	const char *close =
	    sd == NULL ? NULL : memmem(sd, len - (size_t)(sd - line), "\"]", 2);
	const char *feed = NULL, *feed_end, *index = NULL;
	const char *part = NULL, *parts = NULL, *msg;

	if (close == NULL || line[0] == '{')
		return false;
	close += 2;
	feed_end = param(sd, close, "feed", &feed);
	if (feed_end == NULL)
		return false;
	if (param(sd, close, "index", &index) == NULL)
		return true; /* a checkpoint */
	if (param(sd, close, "part", &part) != NULL &&
	    param(sd, close, "parts", &parts) != NULL && *close == ' ') {
		take_part(feed, (size_t)(feed_end - feed),
		    strtoull(index, NULL, 10), strtoull(part, NULL, 10),
		    strtoull(parts, NULL, 10), close + 1,
		    (size_t)(line + len - close - 1));
		return true;
	}
	/* Receivers put one or two blanks in front of the message. */
	for (msg = close; msg < line + len && *msg == ' '; msg++)
		continue;
	take(feed, (size_t)(feed_end - feed), strtoull(index, NULL, 10), msg,
	    (size_t)(line + len - msg));
	return true;
}

static bool
take_json(const char *line, size_t len)
{
	const char *feed = line + strlen("{\"feed\":\"");
	const char *feed_end, *p;
	char *after;
	uint64_t index;

	if (len < 20 || memcmp(line, "{\"feed\":\"", 9) != 0)
		return false;
	feed_end = memchr(feed, '"', len - 9);
	if (feed_end == NULL)
		return false;
	if (strncmp(feed_end, "\",\"size\":", 9) == 0)
		return true; /* a checkpoint */
	if (strncmp(feed_end, "\",\"index\":", 10) != 0)
		return false;
	index = strtoull(feed_end + 10, &after, 10);
	p = after;
	if (strncmp(p, ",\"agent\":\"", 10) == 0 &&
	    (p = memchr(p + 10, '"', (size_t)(line + len - p - 10))) != NULL)
		p++;
	if (p != NULL && strncmp(p, ",\"via\":\"", 8) == 0 &&
	    (p = memchr(p + 8, '"', (size_t)(line + len - p - 8))) != NULL)
		p++;
	if (p == NULL)
		return false;
	if (strncmp(p, ",\"event\":", 9) != 0 || line[len - 1] != '}')
		return false;
	p += 9;
	take(feed, (size_t)(feed_end - feed), index, p,
	    (size_t)(line + len - 1 - p));
	return true;
}

static void
take_line(const char *line, size_t len)
{
	if (len > 0 && !take_json(line, len) && !take_syslog(line, len))
		count_event(stream_get("-", 1), line, len);
}

static void
each_line(const char *path, const char *ledger_stream)
{
	FILE *in = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	if (in == NULL)
		die(path, strerror(errno));
	while ((n = getline(&line, &size, in)) > 0) {
		size_t len = (size_t)n - (line[n - 1] == '\n');

		if (ledger_stream != NULL)
			count_event(stream_get(ledger_stream,
					strlen(ledger_stream)),
			    line, len);
		else
			take_line(line, len);
	}
	free(line);
	(void)fclose(in);
}

/* "TYPE COUNT SUM" lines of the blobs that were never written down. */
static void
add_synthetic(const char *path)
{
	FILE *in = fopen(path, "r");
	char type[64];
	unsigned long long count, sum[4];

	if (in == NULL)
		return;
	while (fscanf(in, "%63s %llu %16llx%16llx%16llx%16llx", type, &count,
		   &sum[0], &sum[1], &sum[2], &sum[3]) == 6) {
		struct stream *s = stream_get(type, strlen(type));

		s->tally.count += count;
		for (int i = 0; i < 4; i++)
			s->tally.sum[i] += sum[i];
	}
	(void)fclose(in);
}

static void
read_ledger(const char *dir)
{
	static const char *const types[] = { "Audit.AzureActiveDirectory",
		"Audit.Exchange", "Audit.SharePoint", "Audit.General",
		"DLP.All" };
	char path[512];

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, types[i]);
		each_line(path, types[i]);
	}
	(void)snprintf(path, sizeof(path), "%s/synthetic", dir);
	add_synthetic(path);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(short_name(a), short_name(b));
}

static void
print(void)
{
	uint64_t repeats = 0;
	char text[65];

	qsort(streams, n_streams, sizeof(streams[0]), by_name);
	for (size_t i = 0; i < n_streams; i++) {
		repeats += streams[i].repeats;
		tally_text(&streams[i].tally, text);
		if (mode == SUMS && streams[i].tally.count > 0)
			(void)printf("%s %llu %s\n", short_name(&streams[i]),
			    (unsigned long long)streams[i].tally.count, text);
	}
	if (mode == REPEATS)
		(void)printf("%llu\n", (unsigned long long)repeats);
}

int
main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "ledger", required_argument, NULL, 'l' },
		{ "received", no_argument, NULL, 'r' },
		{ "lines", no_argument, NULL, 'n' },
		{ "sums", no_argument, NULL, 's' },
		{ "repeats", no_argument, NULL, 'p' },
		{ NULL, 0, NULL, 0 },
	};
	const char *ledger = NULL;
	int c;

	for (;;) {
		c = getopt_long(argc, argv, "", longs, NULL);
		if (c == -1)
			break;
		switch (c) {
		case 'l':
			ledger = optarg;
			break;
		case 'n':
			mode = LINES;
			break;
		case 's':
			mode = SUMS;
			break;
		case 'p':
			mode = REPEATS;
			break;
		case 'r':
			break;
		default:
			return 64;
		}
	}
	if (ledger != NULL)
		read_ledger(ledger);
	for (int i = optind; i < argc; i++)
		each_line(argv[i], NULL);
	print();
	if (fflush(stdout) != 0)
		die("standard output", strerror(errno));
	return conflict ? 1 : 0;
}
