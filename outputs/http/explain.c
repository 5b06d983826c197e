/*
 * explain.c - what a receiver says of an error.
 */
#include "outputs/http/explain.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "http/rules.h"
#include "outputs/http/conf.h"
#include "outputs/http/dialect.h"

#define WHY_MAX 512

static const struct explained *
find(const struct explained *row, int status, const struct reply_error *e)
{
	for (; row->status != 0; row++)
		if (row->status == status &&
		    (row->text == NULL ||
			strcasestr(e->code, row->text) != NULL ||
			strcasestr(e->message, row->text) != NULL))
			return row;
	return NULL;
}

/* The row for r, and in why the sentence; NULL: none fits. */
static const struct explained *
look(const struct explained *table, const struct intake *in,
    const struct intake_response *r, char why[WHY_MAX])
{
	struct buf text = BUF_INIT(WHY_MAX - 1);
	const struct explained *row;
	struct reply_error e;

	rules_error(r->body, r->len, &e);
	row = find(table, r->status, &e);
	if (row == NULL)
		return NULL;
	(void)snprintf(why, WHY_MAX, "%.100s: answers %d%s%s%s%.150s; %s",
	    in->shown, r->status, e.code[0] == '\0' ? "" : ": ", e.code,
	    e.message[0] == '\0' ? "" : ": ", e.message, row->hint);
	/* Any bytes of an answer may be in it. */
	(void)text_printable(&text, why, strlen(why));
	(void)snprintf(why, WHY_MAX, "%s", text.data == NULL ? "" : text.data);
	buf_release(&text);
	return row;
}

bool
explain_judge(const struct explained *table, const struct intake *in,
    const struct intake_response *r, struct intake_verdicts *v)
{
	char why[WHY_MAX];
	const struct explained *row = look(table, in, r, why);

	if (row == NULL)
		return false;
	intake_verdict(v, r->lines, row->verdict, "%s", why);
	return true;
}

int
explain_probe(const struct explained *table, const struct intake *in,
    const struct intake_response *r, const char *good, struct buf *message,
    struct err *err)
{
	char why[WHY_MAX];
	const struct explained *row = look(table, in, r, why);
	bool taken = r->status >= 200 && r->status < 300;

	if (row != NULL && row->verdict != VERDICT_REFUSED)
		return err_set(err, "%s", why);
	if (!taken && row == NULL && r->status != 400)
		return 1;
	if (buf_addf(message, "%s\n", good) != 0)
		return err_set(err, "the result is too large");
	return 0;
}
