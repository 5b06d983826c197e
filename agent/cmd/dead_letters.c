/*
 * dead_letters.c - what is asked of the dead letters.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cmd/dead_letters.h"
#include "config/config.h"

static const struct letters_verb verbs[] = {
	{ .name = "retry", .will = "will be sent again" },
	{ .name = "drop", .will = "will be forgotten", .here = true },
};

const struct letters_verb *
letters_verb(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

int
letters_find(struct store *s, int64_t id, struct dead_letter *d,
    struct err *err)
{
	int rc = dead_letter_next(s, NULL, id - 1, d, err);

	if (rc < 0)
		return -1;
	if (rc == 0 || d->id != id)
		return err_set(err, "there is no dead letter %" PRId64, id);
	return 0;
}

static bool
configured(const struct config *config, const char *output)
{
	for (size_t i = 0; i < config->n_outputs; i++)
		if (strcmp(config->outputs[i].name, output) == 0)
			return true;
	return false;
}

/* Whether the order can be carried out for the letter. */
static int
check(const struct letters_order *o, const struct dead_letter *d,
    struct err *err)
{
	if (o->output != NULL && strcmp(d->output, o->output) != 0)
		return err_set(err,
		    "dead letter %" PRId64 " is of the output %s", d->id,
		    d->output);
	if (!o->verb->here && !configured(o->config, d->output))
		return err_set(err,
		    "dead letter %" PRId64 " can't be sent again: its output "
		    "%s is no longer configured",
		    d->id, d->output);
	return 0;
}

/* Ask the output of a letter, or do it here where that output is no more:
 * nobody would ever read the request. */
static int
ask_one(const struct letters_order *o, struct store *s,
    const struct dead_letter *d, struct letters_told *told, struct err *err)
{
	struct request r = { .number = d->id };

	if (!configured(o->config, d->output)) {
		told->gone++;
		return dead_letter_remove(s, d->id, err);
	}
	(void)snprintf(r.kind, sizeof(r.kind), "%s", o->verb->name);
	(void)snprintf(r.target, sizeof(r.target), "%s", d->output);
	told->letters++;
	return request_add(s, &r, err);
}

static int
ask_given(const struct letters_order *o, struct store *s,
    struct letters_told *told, struct err *err)
{
	struct dead_letter d = { .event = BUF_INIT(LETTER_MOST) };
	int rc = 0;

	/* All must be fit before the first is touched. */
	for (size_t i = 0; i < o->n && rc == 0; i++) {
		rc = letters_find(s, o->id[i], &d, err);
		if (rc == 0)
			rc = check(o, &d, err);
	}
	for (size_t i = 0; i < o->n && rc == 0; i++) {
		rc = letters_find(s, o->id[i], &d, err);
		if (rc == 0)
			rc = ask_one(o, s, &d, told, err);
	}
	buf_release(&d.event);
	return rc;
}

/* Whether an output has any. */
static int
any(struct store *s, const char *output, struct err *err)
{
	struct dead_letter d = { .event = BUF_INIT(LETTER_MOST) };
	int rc = dead_letter_next(s, output, 0, &d, err);

	buf_release(&d.event);
	return rc;
}

/* One request for all that an output has. */
static int
ask_outputs(const struct letters_order *o, struct store *s,
    struct letters_told *told, struct err *err)
{
	struct request r = { .number = 0 };
	int rc = 0;

	(void)snprintf(r.kind, sizeof(r.kind), "%s", o->verb->name);
	for (size_t i = 0; i < o->config->n_outputs && rc >= 0; i++) {
		const char *name = o->config->outputs[i].name;

		if (o->output != NULL && strcmp(o->output, name) != 0)
			continue;
		rc = any(s, name, err);
		if (rc != 1)
			continue;
		(void)snprintf(r.target, sizeof(r.target), "%s", name);
		rc = request_add(s, &r, err);
		told->outputs++;
	}
	return rc < 0 ? -1 : 0;
}

/* Those of outputs that are no more: forgotten, or left where they are. */
static int
ask_orphans(const struct letters_order *o, struct store *s,
    struct letters_told *told, struct err *err)
{
	struct dead_letter d = { .event = BUF_INIT(LETTER_MOST) };
	int rc;

	while ((rc = dead_letter_next(s, o->output, d.id, &d, err)) == 1) {
		if (configured(o->config, d.output))
			continue;
		if (o->verb->here)
			rc = dead_letter_remove(s, d.id, err);
		else
			told->left++;
		if (rc < 0)
			break;
		told->gone += o->verb->here;
	}
	buf_release(&d.event);
	return rc;
}

int
letters_ask(struct store *s, const struct letters_order *o,
    struct letters_told *told, struct err *err)
{
	if (o->n > 0)
		return ask_given(o, s, told, err);
	if (ask_outputs(o, s, told, err) != 0)
		return -1;
	return ask_orphans(o, s, told, err);
}
