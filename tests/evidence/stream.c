/*
 * stream.c - writes a sealed stream as a receiver would have kept it: two
 * feeds and the agent's own, on standard output.
 *
 *   stream KEY AGENT SYNTAX ROUNDS EVENTS [letter|fork|renew]
 *
 * SYNTAX: ndjson, plain (the same without the agent's name), syslog (RFC 5424
 * frames), header (the same behind a syslog server's header, with another
 * SD-ELEMENT), split (events in two parts). A round is one batch of EVENTS
 * events of each feed, then a heartbeat. letter: the agent's feed tells of a
 * dead letter, event 7 of Audit.General. fork: other events.  renew: after the
 * first round the agent lost three events of Audit.Exchange with its store, and
 * began another tree of it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "evidence/checkpoint.h"
#include "evidence/note.h"
#include "store/line.h"
#include "tests/lib/sealed.h"

#define LINE_MAX (16 * 1024 * 1024)

enum syntax { NDJSON, PLAIN, SYSLOG, HEADER, SPLIT, SYNTAXES };
static const char *const syntaxes[SYNTAXES] = {
	[NDJSON] = "ndjson",
	[PLAIN] = "plain",
	[SYSLOG] = "syslog",
	[HEADER] = "header",
	[SPLIT] = "split",
};

struct maker {
	enum syntax syntax;
	const char *agent;
	const char *tag; /* the agent's name in lines, or "" */
	const char *operation;
	const char *what; /* the last argument */
	uint64_t lost;    /* size of a tree that was given up */
	struct signer *signer;
	struct digest *digest;
	struct buf out;
	struct sealed feed[3]; /* the last one is the agent's own */
};

static void
must(int rc, const struct err *err)
{
	if (rc == 0)
		return;
	(void)fprintf(stderr, "stream: %s\n",
	    err == NULL ? "a buffer is full" : err->text);
	exit(EXIT_FAILURE);
}

static void
put_frame(struct maker *m, const char *msgid, const char *sd, const char *value,
    size_t len)
{
	const char *header = "";
	const char *other = "";

	if (m->syntax == HEADER) {
		header = "Nov 22 04:59:57 siem ";
		other = "[meta sequenceId=\"1\" x=\"[a\\] \\\"b\\\"\"]";
	}
	must(buf_addf(&m->out,
		 "%s<110>1 2026-03-01T10:00:00.123Z %s sealfeed - %s %s%s ",
		 header, m->agent, msgid, other, sd),
	    NULL);
	must(buf_add(&m->out, value, len), NULL);
	must(buf_adds(&m->out, "\n"), NULL);
}

static void
put(struct maker *m, enum line_kind kind, const struct sealed *t,
    uint64_t number, const char *value, size_t len)
{
	const char *word = kind == LINE_EVENT ? "index" : "checkpoint";
	const char *msgid =
	    kind == LINE_EVENT ? strchr(t->name, '/') + 1 : word;
	size_t half = len / 2;
	char sd[512];

	if (m->syntax <= PLAIN) {
		must(line_add(&m->out, kind,
			 (struct line_name){ m->tag, t->name, NULL }, number,
			 value, len),
		    NULL);
		return;
	}
	if (m->syntax != SPLIT || kind != LINE_EVENT) {
		(void)snprintf(sd, sizeof(sd),
		    "[sealfeed@32473 feed=\"%s\" %s=\"%" PRIu64 "\"]", t->name,
		    word, number);
		put_frame(m, msgid, sd, value, len);
		return;
	}
	for (unsigned part = 1; part <= 2; part++) {
		(void)snprintf(sd, sizeof(sd),
		    "[sealfeed@32473 part=\"%u\" parts=\"2\" index=\"%" PRIu64
		    "\" feed=\"%s\"]",
		    part, number, t->name);
		put_frame(m, msgid, sd, part == 1 ? value : value + half,
		    part == 1 ? half : len - half);
	}
}

static void
event(struct maker *m, struct sealed *t, const char *value, size_t len)
{
	put(m, LINE_EVENT, t, sealed_event(m->digest, t, value, len), value,
	    len);
}

static void
checkpoint(struct maker *m, struct sealed *t)
{
	struct buf value = BUF_INIT(PROOF_MAX);
	uint64_t size =
	    sealed_checkpoint(m->digest, t, m->signer, m->agent, &value);

	put(m, LINE_CHECKPOINT, t, size, value.data, value.len);
	buf_release(&value);
}

/* Records with what a careless receiver would spoil. */
static void
record(struct maker *m, struct sealed *t)
{
	static const char *const odd[] = {
		"{\"big\":123456789012345678901234567890, \"e\":1E5}",
		"{\"s\":\"\\u0000 \\ud800 \\\" \\\\ ] [sealfeed@1 \\/\"}",
		"{\"tab\":\t1,\"text\":\"#011 ends here  \"}",
		"{\"k\":1,\"k\":2,\"u\":\"\xc3\xa9\xe2\x80\xa8\"}",
	};
	uint64_t index = t->peaks.end;
	char text[512];

	if (index % 16 == 5)
		(void)snprintf(text, sizeof(text), "%s", odd[index / 16 % 4]);
	else
		(void)snprintf(text, sizeof(text),
		    "{\"CreationTime\":\"2026-03-01T10:00:00\",\"Id\":\"%s-"
		    "%" PRIu64
		    "\",\"Operation\":\"%s\",\"UserId\":\"user%" PRIu64
		    "@example.com\"}",
		    t->name, index, m->operation, index % 7);
	event(m, t, text, strlen(text));
}

static void
heartbeat(struct maker *m)
{
	struct sealed *own = &m->feed[2];
	struct buf text = BUF_INIT(LINE_MAX);

	must(buf_adds(&text, "{\"type\":\"heartbeat\",\"feeds\":["), NULL);
	if (m->lost > 0)
		must(buf_addf(&text,
			 "{\"feed\":\"contoso/"
			 "Audit.Exchange\",\"size\":%" PRIu64 "},",
			 m->lost),
		    NULL);
	for (size_t f = 0; f < 2; f++)
		must(buf_addf(&text, "%s{\"feed\":\"%s\",\"size\":%" PRIu64 "}",
			 f == 0 ? "" : ",", m->feed[f].name,
			 m->feed[f].peaks.end),
		    NULL);
	must(buf_adds(&text, "]}"), NULL);
	event(m, own, text.data, text.len);
	checkpoint(m, own);
	buf_release(&text);
}

static void
renew(struct maker *m)
{
	m->lost = m->feed[0].peaks.end + 3;
	sealed_end(&m->feed[0]);
	sealed_begin(&m->feed[0],
	    "contoso/Audit.Exchange~2026-03-01T10-00-00.000000Z");
}

static void
dead_letter(struct maker *m)
{
	static const char text[] =
	    "{\"type\":\"dead-letter\",\"output\":\"siem\",\"feed\":"
	    "\"contoso/Audit.General\",\"index\":7,\"reason\":\"too long\"}";

	event(m, &m->feed[2], text, strlen(text));
}

static void
make(struct maker *m, unsigned long rounds, unsigned long events)
{
	for (unsigned long r = 0; r < rounds; r++) {
		if (r == 1 && strcmp(m->what, "renew") == 0)
			renew(m);
		for (size_t f = 0; f < 2; f++) {
			for (unsigned long i = 0; i < events; i++)
				record(m, &m->feed[f]);
			checkpoint(m, &m->feed[f]);
		}
		heartbeat(m);
		if (fwrite(m->out.data, 1, m->out.len, stdout) != m->out.len)
			must(-1, NULL);
		buf_clear(&m->out);
	}
}

int
main(int argc, char **argv)
{
	struct maker m = { .out = BUF_INIT(LINE_MAX) };
	struct buf pem = BUF_INIT(LINE_MAX);
	struct err err = ERR_INIT;
	char own[100];

	if (argc != 6 && argc != 7) {
		(void)fprintf(stderr,
		    "usage: stream KEY AGENT SYNTAX ROUNDS EVENTS "
		    "[letter|fork|renew]\n");
		return 64;
	}
	m.what = argc == 7 ? argv[6] : "";
	m.operation = strcmp(m.what, "fork") == 0 ? "Delete" : "Update";
	while (m.syntax < SYNTAXES && strcmp(syntaxes[m.syntax], argv[3]) != 0)
		m.syntax++;
	m.agent = argv[2];
	m.tag = m.syntax == NDJSON ? m.agent : "";
	m.digest = digest_new();
	must(file_read(argv[1], &pem, &err), &err);
	m.signer = signer_open(m.agent, pem.data, &err);
	must(m.signer == NULL ? -1 : 0, &err);
	(void)snprintf(own, sizeof(own), "%s/agent", m.agent);
	sealed_begin(&m.feed[0], "contoso/Audit.Exchange");
	sealed_begin(&m.feed[1], "contoso/Audit.General");
	sealed_begin(&m.feed[2], own);
	if (strcmp(m.what, "letter") == 0)
		dead_letter(&m);
	make(&m, strtoul(argv[4], NULL, 10), strtoul(argv[5], NULL, 10));
	for (size_t f = 0; f < 3; f++)
		sealed_end(&m.feed[f]);
	signer_free(m.signer);
	digest_free(m.digest);
	buf_release(&m.out);
	buf_release(&pem);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
