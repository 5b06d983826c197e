/*
 * error_value.c - does a JSON value say that something failed?
 */
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "http/error_value.h"

const char *const error_places[] = { "/error", "/errors", "/Error", "/Errors",
	"/odata.error", "/fault", NULL };

/* Does a text stand for "none"? */
static bool
is_well(const char *text)
{
	static const char *const well[] = { "", "0", "200", "ok", "success",
		"none", "null", "false", "no error", "noerror" };
	bool is = false;

	for (size_t i = 0; i < sizeof(well) / sizeof(well[0]); i++)
		is = is || strcasecmp(text, well[i]) == 0;
	return is;
}

static bool
is_good_number(json_int_t n)
{
	return n == 0 || n / 100 == 2;
}

/* Does an object say by its code that it is none? */
static bool
has_good_code(const json_t *object)
{
	static const char *const names[] = { "code", "errorCode", "error_code",
		"status" };
	const json_t *v = NULL;

	for (size_t i = 0; v == NULL && i < sizeof(names) / sizeof(names[0]);
	     i++)
		v = json_object_get(object, names[i]);
	if (json_is_integer(v))
		return is_good_number(json_integer_value(v));
	return json_is_string(v) && *json_string_value(v) != '\0' &&
	    is_well(json_string_value(v));
}

bool
error_value(const json_t *v)
{
	const char *name;
	const json_t *inner;
	bool is = false;
	size_t i;

	switch (json_typeof(v)) {
	case JSON_OBJECT:
		if (has_good_code(v))
			return false;
		json_object_foreach((json_t *)(uintptr_t)v, name, inner) is =
		    is || error_value(inner);
		return is;
	case JSON_ARRAY:
		json_array_foreach(v, i, inner) is = is || error_value(inner);
		return is;
	case JSON_STRING:
		return !is_well(json_string_value(v));
	case JSON_INTEGER:
		return !is_good_number(json_integer_value(v));
	case JSON_REAL:
		return json_real_value(v) != 0;
	default:
		return json_is_true(v);
	}
}
