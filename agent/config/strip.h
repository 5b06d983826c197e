/*
 * strip.h - a configuration without the secrets that are written out in it.
 */
#ifndef CONFIG_STRIP_H
#define CONFIG_STRIP_H

struct node;
struct setting;

/*
 * Take out of map, as table describes it, what may be a secret: of values that
 * the table calls secret all but their references (config/secret.h), of URLs
 * all but scheme, host and port, since users, paths and queries carry tokens.
 * What is left may be hashed and published.
 */
void config_strip(const struct setting *table, struct node *map);

/* The same, and the references, too: for a process that needs no secret of
 * the entry.  A value that goes is as if it were not there. */
void config_strip_secrets(const struct setting *table, struct node *map);

#endif /* CONFIG_STRIP_H */
