/*
 * json_valid.h - is it JSON?
 */
#ifndef BASE_JSON_VALID_H
#define BASE_JSON_VALID_H

#include <stdbool.h>
#include <stddef.h>

/* Values inside each other, which readers bound, too. */
#define JSON_DEPTH_MAX 512

/*
 * Is s one JSON text (RFC 8259) in well-formed UTF-8, white space around it
 * allowed?  Looks once at each byte and builds nothing: some hundred megabytes
 * a second, for whoever has to know.  Numbers of any size, any escape \uXXXX
 * and repeated keys are fine; what is deeper than JSON_DEPTH_MAX is not.
 */
bool json_valid(const char *s, size_t len);

#endif /* BASE_JSON_VALID_H */
