/*
 * wrapped.h - events that travelled in the envelope of Wazuh, or in CEF or
 * LEEF (outputs/format.h), with the vendor's bytes in them.
 */
#ifndef VERIFY_WRAPPED_H
#define VERIFY_WRAPPED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "verify/frame.h"

struct buf;

/* Does a text begin like an envelope? */
bool wrapped_is(const char *s, size_t len);

/*
 * frame_parse() of a line that may also be such an envelope, alone or behind a
 * syslog header: its value is the whole envelope then, and wrapped is set.
 */
enum frame_kind wrapped_parse(const char *line, size_t len, struct frame *f);

/*
 * The vendor's bytes in an envelope, which scratch may hold (an escape is
 * undone).  A text that is no envelope stays as it is, and of one that is cut
 * what is left of its event.
 */
struct slice wrapped_value(struct slice envelope, struct buf *scratch);

#endif /* VERIFY_WRAPPED_H */
