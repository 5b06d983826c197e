/*
 * format.h - an event as what SIEMs without a parser for JSON expect, in one
 * line, with the vendor's bytes in it: `sealfeed verify` reads each of these,
 * and proves them (verify/wrapped.h).
 *
 * wazuh, as its own modules write, with where the event is from beside it:
 *
 *   {"integration":"office365","sealfeed":{"feed":"contoso/Audit.General",
 *    "index":42,"agent":"fra1"},"office365":{…}}
 *
 * cef (ArcSight Common Event Format 0) and leef (IBM LEEF 2.0): fields that
 * mapping tables (format_map.h) take from the event, after sealfeedFeed,
 * sealfeedIndex and sealfeedAgent; the event stands last, as rawEvent.
 *
 *   CEF:0|Microsoft|Microsoft 365|1|UserLoggedIn|UserLoggedIn|3|sealfeedFeed=…
 *   LEEF:2.0|Microsoft|Microsoft 365|1|UserLoggedIn|x09|sealfeedFeed=…
 *
 * Of a checkpoint: "integration" is "sealfeed", its member "checkpoint"; class
 * and name are "checkpoint", and sealfeedSize stands for sealfeedIndex.
 *
 * CEF escapes "|" and "\" in the header, "=" and "\" in values (rawEvent, too),
 * line breaks in values as \n and \r.  LEEF has no escapes: a "|" in the header
 * and a delimiter or line break in a value become a space, rawEvent is as it
 * is, and the delimiter, named in the header, is a control character that it
 * does not have: a tab mostly.  Mapped values are cut at what the dictionary of
 * CEF allows, between two characters; rawEvent never is.
 */
#ifndef OUTPUTS_FORMAT_H
#define OUTPUTS_FORMAT_H

#include <stdbool.h>

struct buf;
struct chunk_line;
struct err;
struct setting;

enum format_kind { FORMAT_RAW, FORMAT_WAZUH, FORMAT_CEF, FORMAT_LEEF };

/* For a setting of the type SETTING_CHOICE. */
extern const char *const format_names[];
#define FORMAT_HELP                                                           \
	"How an event is written: raw, the vendor's JSON alone; wazuh, in "   \
	"the envelope that Wazuh's own modules use; cef or leef, as fields, " \
	"by the mapping tables in share/sealfeed/formats, with the whole "    \
	"event in rawEvent; types of source without a table, which check "    \
	"names, have rawEvent alone. sealfeed verify proves each of them."

struct format;

/* agent is copied.  folder: of the mapping tables; NULL: where they come with
 * the program.  NULL: they cannot be read, which err says. */
struct format *format_new(enum format_kind kind, const char *agent,
    const char *folder, struct err *err);
void format_free(struct format *f); /* NULL does nothing */

/* Is there a mapping for this type of source?  Events of others have "sealfeed"
 * as the vendor, their type as the product, "event" as class and name, and no
 * fields of their own before rawEvent; in wazuh their type is the integration.
 */
bool format_knows(const struct format *f, const char *type);

/* Append line without a line feed; -1 at out's ceiling, with a part of it. */
int format_add(struct format *f, const struct chunk_line *line,
    struct buf *out);

#endif /* OUTPUTS_FORMAT_H */
