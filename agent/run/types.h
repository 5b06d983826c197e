/*
 * types.h - every type of source and output that this agent has.
 */
#ifndef RUN_TYPES_H
#define RUN_TYPES_H

#include "config/config.h"

/* For config_load(). */
extern const struct config_types agent_types;

#endif /* RUN_TYPES_H */
