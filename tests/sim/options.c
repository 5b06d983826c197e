/*
 * options.c - the simulator's command line, one row an option.
 */
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

enum value_kind { TEXT, NUMBER, REAL, FLAG, NEGATED, SECONDS, SIZES, SCRIPT };

struct row {
	const char *name;
	enum value_kind kind;
	size_t offset;
	const char *def;
	const char *help;
};

#define AT(member) offsetof(struct options, member)

static const struct row table[] = {
	{ "dir", TEXT, AT(dir), ".", "ledgers, port files" },
	{ "cert", TEXT, AT(cert), NULL, "PEM certificate" },
	{ "key", TEXT, AT(key), NULL, "PEM key; without: plain HTTP" },
	{ "port", NUMBER, AT(port), "0", "of the API; 0: any" },
	{ "control-port", NUMBER, AT(control_port), "0", "0: any" },
	{ "tenant", TEXT, AT(tenant), "0fd4a6f1-95a8-4e43-9f43-3a7b5b9c2d11",
	    "GUID" },
	{ "client", TEXT, AT(client), "6f9f0d1c-8f1e-4b35-9a53-0d5f3c1a7e42",
	    "client id" },
	{ "secret-file", TEXT, AT(secret_file), "secret",
	    "file with the client secret, read for each login" },
	{ "assertion-cert", TEXT, AT(assertion_cert), NULL,
	    "certificate that client assertions must be signed with" },
	{ "records", TEXT, AT(records), NULL, "NDJSON file to serve" },
	{ "fresh-ids", FLAG, AT(fresh_ids), NULL,
	    "give each record a new Id and repeat the file" },
	{ "subscribed", FLAG, AT(subscribed), NULL,
	    "subscriptions are enabled already" },
	{ "packed", FLAG, AT(packed), NULL,
	    "compress blobs when they are made: for benchmarks" },
	{ "no-gzip", NEGATED, AT(gzip), NULL, "never compress" },
	{ "events", NUMBER, AT(events), "-1", "stop after so many" },
	{ "seconds", NUMBER, AT(seconds), "-1", "stop after so long" },
	{ "rate", REAL, AT(rate), "100", "events a second; 0: at once" },
	{ "blob", SIZES, AT(blob_least), "1-40", "events a blob, LEAST-MOST" },
	{ "backlog", NUMBER, AT(backlog), "0", "events made before the start" },
	{ "backlog-span", SECONDS, AT(backlog_span), "72000",
	    "seconds over which these are spread" },
	{ "page", NUMBER, AT(page), "200", "rows on a listing page" },
	{ "token-life", SECONDS, AT(token_life), "3599", "seconds" },
	{ "start-guard", SECONDS, AT(start_guard), "900",
	    "seconds between two starts" },
	{ "first-content", SECONDS, AT(first_content), "0",
	    "seconds from a start to the first listing" },
	{ "late", SECONDS, AT(late), "5", "most seconds of the fault late" },
	{ "drip", NUMBER, AT(drip), "1000", "ms a byte of the fault drip" },
	{ "seed", NUMBER, AT(seed), "1", "of everything random" },
	{ "faults", SCRIPT, 0, NULL, "see fault.h" },
	{ "print", NUMBER, AT(print), "0",
	    "write so many records to standard output and exit" },
};

#define ROWS (sizeof(table) / sizeof(table[0]))

static void
usage(void)
{
	printf("usage: simulator [--OPTION VALUE]...\n");
	for (size_t i = 0; i < ROWS; i++)
		printf("  --%-16s %s%s%s%s\n", table[i].name, table[i].help,
		    table[i].def == NULL ? "" : " (",
		    table[i].def == NULL ? "" : table[i].def,
		    table[i].def == NULL ? "" : ")");
	exit(0);
}

static int64_t
to_number(const struct row *row, const char *value)
{
	char *end;
	long long n = strtoll(value, &end, 10);

	if (end == value || (*end != '\0' && *end != '-'))
		sim_die("--%s: %s is no number", row->name, value);
	return n;
}

static void
set(struct options *o, const struct row *row, const char *value, struct sim *s)
{
	void *at = (char *)o + row->offset;
	const char *wrong;

	switch (row->kind) {
	case TEXT:
		*(const char **)at = value;
		break;
	case NUMBER:
		*(int64_t *)at = to_number(row, value);
		break;
	case REAL:
		*(double *)at = strtod(value, NULL);
		break;
	case FLAG:
		*(bool *)at = true;
		break;
	case NEGATED:
		*(bool *)at = false;
		break;
	case SECONDS:
		*(int64_t *)at = to_number(row, value) * MS;
		break;
	case SIZES:
		o->blob_least = to_number(row, value);
		o->blob_most = strchr(value, '-') == NULL
		    ? o->blob_least
		    : strtoll(strchr(value, '-') + 1, NULL, 10);
		if (o->blob_least < 1 || o->blob_most < o->blob_least)
			sim_die("--blob: %s is no LEAST-MOST", value);
		break;
	case SCRIPT:
		wrong = config_errors_parse(&s->faults, value);
		if (wrong != NULL)
			sim_die("--faults: %s is not understood", wrong);
		break;
	}
}

void
options_parse(struct options *o, int argc, char **argv, struct sim *s)
{
	struct option longs[ROWS + 2] = { { NULL, 0, NULL, 0 } };
	int c;

	o->gzip = true;
	for (size_t i = 0; i < ROWS; i++) {
		longs[i].name = table[i].name;
		longs[i].has_arg =
		    table[i].kind == FLAG || table[i].kind == NEGATED
		    ? no_argument
		    : required_argument;
		longs[i].val = (int)i + 1000;
		if (table[i].def != NULL)
			set(o, &table[i], table[i].def, s);
	}
	longs[ROWS].name = "help";
	longs[ROWS].val = 'h';
	for (;;) {
		c = getopt_long(argc, argv, "", longs, NULL);
		if (c == -1)
			break;
		if (c == 'h')
			usage();
		if (c < 1000)
			exit(64);
		set(o, &table[c - 1000], optarg, s);
	}
	if (o->key != NULL && o->cert == NULL)
		sim_die("--key wants --cert");
	if (o->page < 1 || o->late < 1)
		sim_die("--page and --late must be above 0");
}
