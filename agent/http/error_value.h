/*
 * error_value.h - does a JSON value say that something failed?
 *
 * Vendors and receivers answer 200 and tell of an error in the body, and as
 * many have the same member in every reply, to say there that there is none.
 *
 * An error is: a text; true; a number that is neither 0 nor a status of 2xx; a
 * list or an object of which any part, however deep, is one of these.
 *
 * None is: null, false, 0, 200 to 299; a text that says that all is well, in
 * any case ("", "0", "200", "ok", "success", "none", "null", "false",
 * "no error", "noerror"); an empty list or object, and one that has none but
 * such parts; an object whose code ("code", "errorCode", "error_code" or
 * "status", the first of them that it has) is a number or a text of these:
 * what else it says is how well all is.
 */
#ifndef HTTP_ERROR_VALUE_H
#define HTTP_ERROR_VALUE_H

#include <stdbool.h>

#include <jansson.h>

/* Where such a value stands in a reply that is an object: JSON pointers (RFC
 * 6901) of a single part without escapes, NULL behind the last. */
extern const char *const error_places[];

bool error_value(const json_t *v);

#endif /* HTTP_ERROR_VALUE_H */
