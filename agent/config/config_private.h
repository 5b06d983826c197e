/*
 * config_private.h - what the files that make a configuration share.
 */
#ifndef CONFIG_CONFIG_PRIVATE_H
#define CONFIG_CONFIG_PRIVATE_H

#include <stdbool.h>

struct config;
struct config_errors;
struct config_types;
struct node;

/* Read tree into c, whose path is set, by the tables; tree stays the
 * caller's.  good: what is in it was checked before, when the whole was
 * loaded. */
void config_read(struct config *c, const struct node *tree,
    const struct config_types *types, bool good, struct config_errors *errors);

/* The child of a section by its name, to be changed; NULL: none. */
struct node *config_node(struct node *section, const char *name);

#endif /* CONFIG_CONFIG_PRIVATE_H */
