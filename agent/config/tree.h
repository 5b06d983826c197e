/*
 * tree.h - the configuration's files as one tree, before anything is
 * known about its keys.
 */
#ifndef CONFIG_TREE_H
#define CONFIG_TREE_H

struct config_errors;
struct node;
struct stand_in;

/* Read path and conf.d beside it (*.yaml in name order) into one tree, which
 * the caller frees.  NULL: a file can't be read or is not YAML; the faults
 * say so, one at least, of all files.  s, unless NULL: read as if it stood in
 * its place already; the main file may be missing then.  Its nodes name the
 * file that was read. */
struct node *config_tree(const char *path, const struct stand_in *s,
    struct config_errors *errors);

/* Digest of what node says, whatever the order of its keys, the files and
 * lines it stood in, its comments and quotes; salt goes in, too.  node may
 * be NULL.  out gets 64 digits and a NUL. */
void config_tree_digest(const struct node *node, const char *salt,
    char out[65]);

#endif /* CONFIG_TREE_H */
