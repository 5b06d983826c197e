/*
 * fault.c - scripted misbehaviour: the table, its script, the dice.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/fault.h"

struct fault_row {
	const char *name;
	unsigned scopes;
	bool fatal; /* not part of "all": the client would wait too long */
};

static const struct fault_row rows[FAULTS] = {
	[FAULT_NONE] = { .name = "" },
	[FAULT_AF20050] = { .name = "af20050",
	    .scopes = SCOPE_BLOB,
	    .fatal = true },
	[FAULT_AF20052] = { .name = "af20052",
	    .scopes = SCOPE_BLOB,
	    .fatal = true },
	[FAULT_AF429] = { .name = "af429", .scopes = SCOPE_API },
	[FAULT_AUDIT_OFF] = { .name = "audit-off",
	    .scopes = SCOPE_API,
	    .fatal = true },
	[FAULT_CHUNKED] = { .name = "chunked", .scopes = SCOPE_REQUEST },
	[FAULT_CLOSE] = { .name = "close", .scopes = SCOPE_REQUEST },
	[FAULT_CTYPE] = { .name = "ctype", .scopes = SCOPE_API },
	[FAULT_DATE_3D] = { .name = "date-3d",
	    .scopes = SCOPE_REQUEST,
	    .fatal = true },
	[FAULT_DATE_9D] = { .name = "date-9d",
	    .scopes = SCOPE_API,
	    .fatal = true },
	[FAULT_DENIED] = { .name = "denied",
	    .scopes = SCOPE_LIST | SCOPE_BLOB,
	    .fatal = true },
	[FAULT_DRIP] = { .name = "drip", .scopes = SCOPE_BLOB, .fatal = true },
	[FAULT_DUP_BLOB] = { .name = "dup-blob", .scopes = SCOPE_MAKE },
	[FAULT_DUP_ID] = { .name = "dup-id", .scopes = SCOPE_MAKE },
	[FAULT_DUP_ROW] = { .name = "dup-row", .scopes = SCOPE_LIST },
	[FAULT_EMPTY_200] = { .name = "empty200", .scopes = SCOPE_REQUEST },
	[FAULT_EMPTY_PAGE] = { .name = "empty-page", .scopes = SCOPE_LIST },
	[FAULT_EXPIRED] = { .name = "token-expiry", .scopes = SCOPE_API },
	[FAULT_FOREIGN_NEXT] = { .name = "foreign-next", .scopes = SCOPE_LIST },
	[FAULT_GZIP_TRUNCATE] = { .name = "gzip-truncate",
	    .scopes = SCOPE_API },
	[FAULT_HANG] = { .name = "hang",
	    .scopes = SCOPE_REQUEST,
	    .fatal = true },
	[FAULT_HTML200] = { .name = "html200", .scopes = SCOPE_REQUEST },
	[FAULT_HTTP500] = { .name = "http500", .scopes = SCOPE_REQUEST },
	[FAULT_HTTP503] = { .name = "http503", .scopes = SCOPE_REQUEST },
	[FAULT_LONG_WAIT] = { .name = "long-wait",
	    .scopes = SCOPE_REQUEST,
	    .fatal = true },
	[FAULT_LATE] = { .name = "late", .scopes = SCOPE_MAKE },
	[FAULT_ODD_ROWS] = { .name = "odd-rows", .scopes = SCOPE_LIST },
	[FAULT_PAGE_404] = { .name = "page-404",
	    .scopes = SCOPE_API,
	    .fatal = true },
	[FAULT_PRETTY] = { .name = "pretty", .scopes = SCOPE_BLOB },
	[FAULT_RESET] = { .name = "reset", .scopes = SCOPE_API },
	[FAULT_SHUFFLE] = { .name = "shuffle", .scopes = SCOPE_LIST },
	[FAULT_SLOW] = { .name = "slow", .scopes = SCOPE_BLOB },
	[FAULT_SLOW_TOKEN] = { .name = "slow-token",
	    .scopes = SCOPE_TOKEN,
	    .fatal = true },
	[FAULT_START_LOST] = { .name = "start-lost",
	    .scopes = SCOPE_SUBSCRIPTIONS,
	    .fatal = true },
	[FAULT_THROTTLE] = { .name = "throttle", .scopes = SCOPE_REQUEST },
	[FAULT_TRUNCATE] = { .name = "truncate", .scopes = SCOPE_API },
};

const char *
fault_name(enum fault f)
{
	return rows[f].name;
}

static void
rule_set(struct fault_rule *rule, int content, double chance, int64_t times)
{
	for (int c = 0; c <= CONTENTS; c++) {
		if (content == -1 || c == content)
			rule->chance[c] = chance;
	}
	rule->left = times;
}

/* "5%", "100%x3" */
static int
parse_chance(const char *s, double *chance, int64_t *times)
{
	char *end;

	*times = -1;
	*chance = strtod(s, &end) / 100;
	if (end == s || *end != '%' || *chance < 0 || *chance > 1)
		return -1;
	if (end[1] == 'x')
		*times = strtoll(end + 2, &end, 10);
	else
		end++;
	return *end == '\0' ? 0 : -1;
}

static int
parse_content(const char *s)
{
	for (int c = 0; c < CONTENTS; c++) {
		if (strcmp(s, content_names[c]) == 0)
			return c;
	}
	return -2;
}

/* One "name[@TYPE]=chance"; part is changed. */
static int
parse_part(struct config_errors *f, char *part)
{
	char *value = strchr(part, '=');
	char *type = strchr(part, '@');
	int content = -1, found = -1;
	double chance;
	int64_t times;

	if (value == NULL)
		return -1;
	*value++ = '\0';
	if (type != NULL) {
		*type++ = '\0';
		content = parse_content(type);
	}
	if (content == -2 || parse_chance(value, &chance, &times) == -1)
		return -1;
	for (int i = FAULT_NONE + 1; i < FAULTS; i++) {
		if (strcmp(part, rows[i].name) == 0 ||
		    (strcmp(part, "all") == 0 && !rows[i].fatal)) {
			rule_set(&f->rule[i], content, chance, times);
			found = 0;
		}
	}
	return found;
}

const char *
config_errors_parse(struct config_errors *f, const char *script)
{
	static char part[128];

	while (*script != '\0') {
		size_t n = strcspn(script, ",");

		if (n == 4 && strncmp(script, "none", 4) == 0) {
			memset(f, 0, sizeof(*f));
		} else {
			if (n >= sizeof(part))
				return script;
			memcpy(part, script, n);
			part[n] = '\0';
			if (parse_part(f, part) == -1)
				return script;
		}
		script += n;
		if (*script == ',')
			script++;
	}
	return NULL;
}

enum fault
config_errors_roll(struct config_errors *f, struct rng *r, enum scope scope,
    enum content content)
{
	enum fault hit = FAULT_NONE;
	unsigned rivals = 0;

	/* Each has its chance; of several that strike, one is taken. */
	for (int i = FAULT_NONE + 1; i < FAULTS; i++) {
		struct fault_rule *rule = &f->rule[i];
		double dice;

		if ((rows[i].scopes & scope) == 0 ||
		    rule->chance[content] <= 0 || rule->left == 0)
			continue;
		dice = (double)(rng_next(r) >> 11) / 9007199254740992.0;
		if (dice < rule->chance[content] && rng_below(r, ++rivals) == 0)
			hit = (enum fault)i;
	}
	if (hit != FAULT_NONE) {
		f->rule[hit].hits++;
		if (f->rule[hit].left > 0)
			f->rule[hit].left--;
	}
	return hit;
}
