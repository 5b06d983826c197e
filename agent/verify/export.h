/*
 * export.h - what SIEMs export: lines of sealfeed inside of their own records.
 *
 *   {"result":{"_raw":"{\"feed\":\"contoso/Audit.Exchange\",\"index\":0,…"}}
 *   {"_source":{"event":{"Id":"x"},"feed":"contoso/Audit.Exchange","index":0}}
 *   {"_source":{"event":{"original":"{\"Id\":…}"},"sealfeed":{"feed":"contoso/…"
 *   {"result":{"_raw":"{\"Id\":…}","sealfeed_feed":"contoso/…","sealfeed_index":…
 *   {"labels":{"sealfeed_feed":"contoso/…","sealfeed_index":"0",…},"line":"{\"Id\":…
 *   2026-03-01,"<110>1 … [sealfeed@32473 feed=""contoso/…"" index=""0""] {…}"
 *
 * Looked for are, in this order: a line (frame.h) as it is; a line as the text
 * of a string or cell, in strings inside of strings, too; an object, or a row,
 * that has feed and number and an event under whatever else.  What stands as a
 * string or cell has kept its bytes; a value that stands as an object has been
 * parsed and written anew, most likely (frame.parsed).
 */
#ifndef VERIFY_EXPORT_H
#define VERIFY_EXPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "verify/frame.h"

struct export;
struct reader_line;

struct export *export_new(void);
void export_free(struct export *x);

/* Takes one that was found; its slices are borrowed for the call. */
typedef void export_fn(void *ctx, const struct frame *f);

/*
 * Give everything that a record holds to fn.  Hostile input.  FRAME_EVENT:
 * something was found; FRAME_BROKEN: nothing, though it begins like a line of
 * sealfeed; FRAME_NOTHING.
 */
enum frame_kind export_frames(struct export *x, const struct reader_line *line,
    export_fn *fn, void *ctx);

/* Whether a JSON value, or else a text, is or holds anything. */
bool export_holds(const char *s, size_t len, bool json);

#endif /* VERIFY_EXPORT_H */
