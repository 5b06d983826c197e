/*
 * types.c - every type of source and output that this agent has.
 */
#include "run/types.h"
#include "outputs/output.h"
#include "sources/source.h"

const struct config_types agent_types = {
	.sources = source_types,
	.outputs = output_types,
};
