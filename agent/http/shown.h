/*
 * shown.h - a URL as logs, the status page and the agent's own feed show it.
 *
 * Whoever has the URL of a webhook may write to it: a part of its path is the
 * token.  What only says which intake it is stays, since administrators look
 * for it.
 */
#ifndef HTTP_SHOWN_H
#define HTTP_SHOWN_H

struct buf;

/*
 * A copy of url for texts, which the caller frees: without its query and
 * fragment, with "…" in place of a user and of each part of the path that
 * looks like a token.  Any text may be given, also one that is no URL or only
 * the path of one.
 *
 * A token is a UUID, or has 16 characters or more whose capitals, small letters
 * and digits are mixed as they are by chance: words, also several of them with
 * dashes or capitals between and with a number, and numbers alone are none.
 * Nor is what stands behind a part that says whose id it is, as
 * "dataCollectionRules", "workspaces" or "projects".
 */
char *http_shown(const char *url);

/* Overwrite what http_shown() leaves out of url's path wherever text, which
 * others wrote, has it: many answer with the path that they were asked for. */
void http_hide(const char *url, struct buf *text);

#endif /* HTTP_SHOWN_H */
