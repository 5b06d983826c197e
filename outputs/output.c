/*
 * output.c - the registry of destinations, and how they answer their owner.
 */
#include <stdarg.h>
#include <stdio.h>

#include "outputs/output.h"

#define WHY_MAX 512

#define TYPE(name) &output_##name.type,

const struct config_type *const output_types[] = { OUTPUT_TYPES(TYPE) NULL };

void
output_done(struct output *out, struct chunk *p, enum verdict v, int64_t delay,
    const char *why, ...)
{
	char text[WHY_MAX];
	va_list ap;

	va_start(ap, why);
	(void)vsnprintf(text, sizeof(text), why, ap);
	va_end(ap);
	out->owner->done(out->owner_ctx, p, v, delay, text);
}

int
output_settle(struct output *out, struct chunk *p, size_t from, size_t to,
    enum verdict v, const char *why, ...)
{
	char text[WHY_MAX];
	va_list ap;

	va_start(ap, why);
	(void)vsnprintf(text, sizeof(text), why, ap);
	va_end(ap);
	return out->owner->settle(out->owner_ctx, p, from, to, v, text);
}

int
output_refuse(struct output *out, struct chunk *p, size_t i, const char *why,
    ...)
{
	char text[WHY_MAX];
	va_list ap;

	va_start(ap, why);
	(void)vsnprintf(text, sizeof(text), why, ap);
	va_end(ap);
	return out->owner->refuse(out->owner_ctx, p, i, text);
}
