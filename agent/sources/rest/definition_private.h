/*
 * definition_private.h - what the files of the definition loader share.
 */
#ifndef SOURCES_REST_DEFINITION_PRIVATE_H
#define SOURCES_REST_DEFINITION_PRIVATE_H

#include "sources/rest/definition.h"

/* One run of the loader. */
struct loading {
	struct definition *d;
	struct config_errors *errors;
};

/* Fill out from a block, and say where it stands for the checks. */
struct config_section definition_fill(struct loading *l,
    const struct setting *table, const struct node *map, const char *where,
    const char *const *skip, void *out);

/* A fault if not. */
bool definition_is_map(struct loading *l, const struct node *n,
    const char *where);

/* The block of that key, which must be there; NULL: it is not. */
const struct node *definition_need(struct loading *l, const struct node *map,
    const char *key, const char *where);

/* The rules of a list, and behind them those of more (NULL: none). */
struct rule *definition_rules(struct loading *l, const struct node *list,
    const struct rule *more);

/* A list of one-key maps, or a map: names and texts, ended by a NULL name; n
 * may be NULL. */
struct http_pair *definition_pairs(struct loading *l, const struct node *n,
    const char *where);
void definition_free_pairs(struct http_pair *p);

/* The ways of auth. */
void definition_load_auth(struct loading *l, const struct node *top);
void definition_free_auth(struct def_auth *a);

/* Fill s, which has its name, from its block. */
void definition_load_stream(struct loading *l, struct def_stream *s,
    const struct node *map);
void definition_release_stream(struct def_stream *s);

/* The keys of each block. */
extern const struct setting definition_keys[];
extern const struct setting variable_keys[];
extern const struct setting auth_keys[];
extern const struct setting rate_keys[];
extern const struct setting rule_keys[];
extern const struct setting stream_keys[];
extern const struct setting request_keys[];
extern const struct setting cursor_keys[];
extern const struct setting sweep_keys[];
extern const struct setting page_keys[];
extern const struct setting records_keys[];
extern const struct setting time_keys[];
extern const struct setting bootstrap_keys[];
extern const struct setting fetch_keys[];
extern const struct setting job_keys[];
extern const struct setting host_keys[];
extern const struct setting bounded_keys[];

/* As rule_keys fill it. */
struct def_rule {
	int64_t status;
	char *code;
	char *header;
	char *value;
	char *text;
	int class; /* into rule_classes */
	char *cause;
	char *hint;
};

/* The classes that a rule may name. */
extern const enum reply_class rule_classes[];

/* Which values a text may have places for. */
enum {
	PLACE_VARIABLE = 1,
	PLACE_SECRET = 2,
	PLACE_HOST = 4,       /* {hosts.NAME} */
	PLACE_START = 8,      /* {start}: where a stream begins */
	PLACE_WINDOW = 16,    /* {window.start}, {window.end} */
	PLACE_PAGE = 32,      /* {page}: what the last page said of the next */
	PLACE_SIGNED = 64,    /* those of auth_sign.h */
	PLACE_KEY = 128,      /* {key.fingerprint} of the key that signs */
	PLACE_FETCH = 256,    /* {fetch.id}, {fetch.ids} */
	PLACE_JOB = 512,      /* {job.id} */
	PLACE_ITERATOR = 1024 /* {iterator}: its name, of this feed alone */
};

/* Add a fault for each place in the text of a key that can't have a value. */
void definition_check_text(const struct definition *d,
    const struct config_section *b, const char *key, const char *text,
    unsigned allowed);

/* Has text, NULL: none, a place of that name?  Has any text of a request? */
bool definition_has_place(const char *text, const char *name);
bool definition_request_has(const struct def_request *r, const char *name);

/* So many pointers, or arrays, at most. */
#define DEFINITION_POINTERS 8

/* Does what a page says of the next one go into a request? */
bool definition_page_goes(const struct def_stream *s);

/* What can't be right in what the tables let pass. */
void definition_check_variable(const struct definition *d,
    const struct def_variable *v, const struct config_section *b);
void definition_check_host(const struct definition *d, const char *url,
    const struct config_section *b);
void definition_check_request(const struct definition *d,
    const struct def_stream *s, const struct def_request *r,
    const struct config_section *b, unsigned places);
void definition_check_cursor(const struct def_stream *s,
    const struct config_section *b);
void definition_check_page(const struct def_stream *s,
    const struct config_section *b);
void definition_check_rule(const struct def_rule *r,
    const struct config_section *b);

void definition_check_records(const struct def_records *r, bool of_fetch,
    const struct config_section *b);
void definition_check_fetch(const struct def_stream *s,
    const struct config_section *b);
void definition_check_job(const struct def_stream *s,
    const struct config_section *b);

/* Is it a JSON pointer that can be followed: "" or "/a/b"?  A fault if not. */
bool definition_check_pointer(const struct config_section *b, const char *key,
    const char *pointer);

/* The same, as a whole, once all blocks of a stream are read. */
void definition_check_stream(const struct definition *d,
    const struct def_stream *s, const struct config_section *b);

#endif /* SOURCES_REST_DEFINITION_PRIVATE_H */
