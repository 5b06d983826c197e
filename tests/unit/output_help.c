/*
 * output_help.c - one output with one event.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/wake.h"
#include "tests/unit/output_help.h"
#include "tests/unit/unit.h"

#define DEADLINE (20 * CLOCK_SECOND)

/* Milliseconds between two looks at what only the test knows. */
#define LOOK_MS 10

static void
done(void *ctx, struct chunk *p, enum verdict v, int64_t delay, const char *why)
{
	struct courier *c = ctx;

	ck_assert_ptr_eq(p, c->chunk);
	ck_assert(!c->decided);
	c->decided = true;
	c->verdict = v;
	c->delay = delay;
	(void)snprintf(c->why, sizeof(c->why), "%s", why);
}

static int
refuse(void *ctx, struct chunk *p, size_t i, const char *why)
{
	struct courier *c = ctx;

	ck_assert_ptr_eq(p, c->chunk);
	if (chunk_mark(p, i) == CHUNK_OPEN)
		c->refused++;
	(void)chunk_set_mark(p, i, i + 1, CHUNK_REFUSED);
	(void)snprintf(c->why, sizeof(c->why), "%s", why);
	return 0;
}

static int
settle(void *ctx, struct chunk *p, size_t from, size_t to, enum verdict v,
    const char *why)
{
	if (v == VERDICT_DELIVERED)
		(void)chunk_set_mark(p, from, to, CHUNK_DELIVERED);
	else
		for (size_t i = from; i < to; i++)
			(void)refuse(ctx, p, i, why);
	return 0;
}

static const struct output_owner owner = {
	.done = done,
	.settle = settle,
	.refuse = refuse,
};

const char *courier_type = "office365";
const struct event_shape *courier_shape;

static const struct event_shape *
shape(const void *conf, const char *stream)
{
	(void)conf;
	(void)stream;
	return courier_shape;
}

/* What the types of sources are looked up in. */
static const struct config *
config(void)
{
	static struct config_type type;
	static char agent[] = "fra1", name[] = "contoso";
	static struct config_entry source = { .name = name, .type = &type };
	static const struct config config = {
		.agent.name = agent, .sources = &source, .n_sources = 1
	};

	type.name = courier_type;
	type.shape = courier_shape != NULL ? shape : NULL;
	return &config;
}

enum via courier_via;
int64_t courier_when = CLOCK_DAY;

void
courier_add(struct courier *c, const char *event)
{
	struct dead_letter d = { .feed = "contoso/Audit.Exchange",
		.index = 42 + chunk_lines(c->chunk),
		.event_time = courier_when,
		.via = courier_via };
	struct batch_ref *batch_ref;

	buf_init(&d.event, strlen(event));
	ck_assert_int_eq(buf_adds(&d.event, event), 0);
	batch_ref = batch_reader_dead_letter(c->reader, &d);
	ck_assert_int_eq(chunk_add(c->chunk, batch_ref, 0, 1,
			     batch_ref_bytes(batch_ref)),
	    0);
	batch_ref_release(batch_ref);
	buf_release(&d.event);
}

void
courier_open(struct courier *c, const struct output_type *type,
    const void *conf, const char *event)
{
	struct err err = ERR_INIT;

	*c = (struct courier){ .out = { .type = type,
				   .name = "siem",
				   .agent = "fra1",
				   .conf = conf,
				   .owner = &owner } };
	c->out.owner_ctx = c;
	c->wake = wake_make();
	c->reader = batch_reader_new(NULL, config());
	c->chunk = chunk_new();
	courier_add(c, event);
	ck_assert_msg(type->open(&c->out, &err) == 0, "%s", err.text);
}

void
courier_wait(struct courier *c, courier_fn *wanted, void *ctx)
{
	int64_t until = clock_monotonic() + DEADLINE;

	while (!wanted(ctx)) {
		ck_assert_msg(clock_monotonic() < until, "not in time");
		c->out.type->drive(&c->out, c->wake, LOOK_MS);
	}
}

void
courier_drive(struct courier *c, courier_fn *wanted, void *ctx)
{
	c->out.type->send(&c->out, c->chunk);
	courier_wait(c, wanted, ctx);
}

static bool
is_decided(void *ctx)
{
	return ((struct courier *)ctx)->decided;
}

void
courier_deliver(struct courier *c)
{
	c->decided = false;
	courier_drive(c, is_decided, c);
}

void
courier_close(struct courier *c)
{
	c->out.type->close(&c->out);
	chunk_free(c->chunk);
	batch_reader_free(c->reader);
	(void)close(c->wake);
}
