/*
 * stream.c - writes a sealed stream as a receiver would have kept it: two
 * feeds and the agent's own, on standard output.
 *
 *   stream KEY AGENT SYNTAX ROUNDS EVENTS [letter|fork]
 *
 * SYNTAX: ndjson, syslog (RFC 5424 frames), header (the same behind a syslog
 * server's header, with another SD-ELEMENT), split (events in two parts).
 * A round is one batch of EVENTS events of each feed, then a heartbeat.
 * letter: the agent's feed tells of a dead letter, event 7 of Audit.General.
 * fork: other events.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/merkle.h"
#include "evidence/note.h"
#include "evidence/proof.h"
#include "store/line.h"

#define LINE_MOST (16 * 1024 * 1024)

enum syntax { NDJSON, SYSLOG, HEADER, SPLIT, SYNTAXES };
static const char *const syntaxes[SYNTAXES] = {
	[NDJSON] = "ndjson",
	[SYSLOG] = "syslog",
	[HEADER] = "header",
	[SPLIT] = "split",
};

struct tree {
	char name[128];
	struct merkle_range peaks;
	struct merkle_range before;
	struct buf check;
};

struct maker {
	enum syntax syntax;
	const char *agent;
	const char *operation;
	struct signer *signer;
	struct digest *digest;
	struct buf out;
	struct tree feed[3]; /* the last one is the agent's own */
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
put(struct maker *m, enum line_kind kind, const struct tree *t, uint64_t number,
    const char *value, size_t len)
{
	const char *word = kind == LINE_EVENT ? "index" : "checkpoint";
	const char *msgid =
	    kind == LINE_EVENT ? strchr(t->name, '/') + 1 : word;
	size_t half = len / 2;
	char sd[512];

	if (m->syntax == NDJSON) {
		must(line_add(&m->out, kind, t->name, number, value, len),
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
event(struct maker *m, struct tree *t, const char *value, size_t len)
{
	uint8_t leaf[DIGEST_LEN];

	put(m, LINE_EVENT, t, t->peaks.end, value, len);
	merkle_leaf(m->digest, value, len, leaf);
	merkle_append(m->digest, &t->peaks, leaf);
	must(buf_add(&t->check, leaf, PROOF_CODE), NULL);
}

static void
checkpoint(struct maker *m, struct tree *t)
{
	struct buf note = BUF_INIT(NOTE_MOST);
	struct buf value = BUF_INIT(PROOF_MOST);
	struct err err = ERR_INIT;
	uint8_t root[DIGEST_LEN];
	char origin[256];

	(void)snprintf(origin, sizeof(origin), "%s/%s", m->agent, t->name);
	merkle_root(m->digest, &t->peaks, root);
	must(note_sign(m->signer, origin, t->peaks.end, root, &note, &err),
	    &err);
	must(proof_build(&value, &note, &t->before, &t->peaks, &t->check, &err),
	    &err);
	put(m, LINE_CHECKPOINT, t, t->peaks.end, value.data, value.len);
	t->before = t->peaks;
	buf_clear(&t->check);
	buf_release(&note);
	buf_release(&value);
}

/* Records with what a careless receiver would spoil. */
static void
record(struct maker *m, struct tree *t)
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
	struct tree *own = &m->feed[2];
	char text[512];

	(void)snprintf(text, sizeof(text),
	    "{\"type\":\"heartbeat\",\"feeds\":[{\"feed\":\"%s\",\"size\":"
	    "%" PRIu64 "},{\"feed\":\"%s\",\"size\":%" PRIu64 "}]}",
	    m->feed[0].name, m->feed[0].peaks.end, m->feed[1].name,
	    m->feed[1].peaks.end);
	event(m, own, text, strlen(text));
	checkpoint(m, own);
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
	struct maker m = { .out = BUF_INIT(LINE_MOST) };
	struct buf pem = BUF_INIT(LINE_MOST);
	struct err err = ERR_INIT;

	if (argc != 6 && argc != 7) {
		(void)fprintf(stderr,
		    "usage: stream KEY AGENT SYNTAX ROUNDS EVENTS "
		    "[letter|fork]\n");
		return 64;
	}
	m.operation =
	    argc == 7 && strcmp(argv[6], "fork") == 0 ? "Delete" : "Update";
	while (m.syntax < SYNTAXES && strcmp(syntaxes[m.syntax], argv[3]) != 0)
		m.syntax++;
	m.agent = argv[2];
	m.digest = digest_new();
	must(file_read(argv[1], &pem, &err), &err);
	m.signer = signer_open(m.agent, pem.data, &err);
	must(m.signer == NULL ? -1 : 0, &err);
	for (size_t f = 0; f < 3; f++) {
		struct tree *t = &m.feed[f];

		(void)snprintf(t->name, sizeof(t->name), "%s/%s",
		    f == 2 ? m.agent : "contoso",
		    f == 0       ? "Audit.Exchange"
			: f == 1 ? "Audit.General"
				 : "agent");
		merkle_range_init(&t->peaks, 0);
		t->before = t->peaks;
		t->check = (struct buf)BUF_INIT(PROOF_MOST);
	}
	if (argc == 7 && strcmp(argv[6], "letter") == 0)
		dead_letter(&m);
	make(&m, strtoul(argv[4], NULL, 10), strtoul(argv[5], NULL, 10));
	for (size_t f = 0; f < 3; f++)
		buf_release(&m.feed[f].check);
	signer_free(m.signer);
	digest_free(m.digest);
	buf_release(&m.out);
	buf_release(&pem);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
