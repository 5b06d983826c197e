/*
 * types.c - every type of source and output that this agent has.
 */
#include "run/types.h"
#include "outputs/output.h"
#include "sources/rest/rest.h"
#include "sources/source.h"

const struct config_types agent_types = {
	.sources = source_types,
	.outputs = output_types,
	.find_source = rest_find,
	.source_names = rest_names,
	.check_sources = rest_check_place,
};
