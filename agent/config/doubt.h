/*
 * doubt.h - values that are well-formed and yet most likely not what was meant.
 *
 * Each function returns a clause with cause and remedy that goes behind the
 * option's name, "is …", or NULL where there is nothing to doubt.  Static, and
 * never with any of the secret in it.  Of files whole sentences are written.
 */
#ifndef CONFIG_DOUBT_H
#define CONFIG_DOUBT_H

#include <stdbool.h>
#include <sys/types.h>

struct node;

/* A GUID, as directories and applications have: 8-4-4-4-12 hexadecimal
 * digits. */
bool doubt_is_guid(const char *s);

/* An ID that must be a GUID. */
const char *doubt_guid(const char *s);

/* A text that stands for a secret, as the configuration has it; at: its node,
 * or NULL.  Opens no file but that of the node. */
const char *doubt_secret(const char *text, const struct node *at);

/* A secret, with its references replaced: what a server will get. */
const char *doubt_resolved(const char *secret);

/* A file with a key or a secret in it, that others than the agent can read or
 * replace; the sentence, which names the file, is written to out. */
struct buf;
bool doubt_file(const char *path, struct buf *out);

/* A file or folder of the configuration that the user uid, who has the group
 * gid, may change. */
bool doubt_writable(const char *path, uid_t uid, gid_t gid, struct buf *out);

#endif /* CONFIG_DOUBT_H */
