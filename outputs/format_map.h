/*
 * format_map.h - of what the fields of CEF and LEEF are made: one YAML file a
 * type of source, outputs/formats/TYPE.yaml, installed as formats/.
 *
 *   vendor: Okta                # texts of the header
 *   product: Identity Cloud
 *   class: /eventType           # which event this is; an id
 *   name: [/displayMessage, /eventType]
 *   severity: 3                 # 0 to 10
 *   wazuh: okta                 # the member that Wazuh's rules look at
 *   cef:
 *     suser: /actor/alternateId
 *     cs1: /outcome/result
 *     cs1Label: Result
 *   leef:
 *     usrName: /actor/alternateId
 *
 * What begins with "/" is a JSON pointer (RFC 6901) into the event, anything
 * else a text; of a list the first that the event has.  A key that ends in
 * "Label" is written where the key before it was.
 */
#ifndef OUTPUTS_FORMAT_MAP_H
#define OUTPUTS_FORMAT_MAP_H

#include <stddef.h>

struct err;

struct format_field {
	char *key;
	char **from; /* NULL-terminated, never empty */
};

/* Of one language, in the order of the file. */
struct format_fields {
	struct format_field *list;
	size_t n;
};

struct format_map {
	char *type;   /* of source; "" of the map for those without a file */
	char *vendor; /* plain texts */
	char *product;
	char *wazuh;
	long severity;
	char **class;
	char **name;
	struct format_fields cef;
	struct format_fields leef;
	struct format_map *next;
};

/* All files of the folder, and one map more for other types, which stands
 * last.  NULL: a file cannot be read or is wrong, err names it. */
struct format_map *format_maps_load(const char *folder, struct err *err);
void format_maps_free(struct format_map *m);

/* The map of a type of source; never NULL. */
const struct format_map *format_map_of(const struct format_map *maps,
    const char *type);

#endif /* OUTPUTS_FORMAT_MAP_H */
