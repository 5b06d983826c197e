/*
 * source.c - the kinds of vendor.
 */
#include <stddef.h>

#include "sources/source.h"

const struct config_type *const source_types[] = {
	&source_office365.type,
	NULL,
};
