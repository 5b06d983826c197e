/*
 * status_json.h - a status for programs: `sealfeed status --json`.
 *
 * One object on one line; times in RFC 3339, spans in seconds, sizes in bytes,
 * null for what is not known.  v is the verdict on st.  -1 at out's ceiling.
 */
#ifndef WATCH_STATUS_JSON_H
#define WATCH_STATUS_JSON_H

struct buf;
struct status;
struct verdict;

int status_json(const struct status *st, const struct verdict *v,
    struct buf *out);

/* The same where the store can't be read: what is known without it. */
int status_json_without_store(const struct status *st, const struct verdict *v,
    struct buf *out);

#endif /* WATCH_STATUS_JSON_H */
