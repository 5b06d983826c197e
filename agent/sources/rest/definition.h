/*
 * definition.h - a vendor's API as a YAML file says it: which streams of
 * events there are, how to ask for them and how to read what comes.
 *
 * The tables here are all there is to a key: loader, its faults and the
 * manual read them (definition_blocks).  A definition computes nothing; texts
 * may have places for values (template.h).  What cannot be right is refused
 * when the file is loaded, all of it at once, with file and line.
 */
#ifndef SOURCES_REST_DEFINITION_H
#define SOURCES_REST_DEFINITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/when.h"
#include "config/event_shape.h"
#include "config/setting.h"
#include "http/client.h"
#include "http/rules.h"
#include "http/token.h"

struct def_rule;
struct node;

/* What a source of this type is configured with. */
enum variable_type {
	VARIABLE_TEXT,
	VARIABLE_HOST,   /* "acme.okta.com", goes into hosts */
	VARIABLE_SECRET, /* goes into auth, and nowhere else */
	VARIABLE_PEM,    /* likewise, a file or PEM text */
	VARIABLE_CHOICE, /* one of values */
	VARIABLE_TYPES
};
#define VARIABLES_MAX 32

struct def_variable {
	char *name;
	int type; /* enum variable_type */
	bool required;
	bool used; /* by any place of the definition */
	char *def;
	char **values;
	char *help;
};

/* A base URL: one template, or one for each value of a choice. */
struct def_host {
	char *name;
	size_t by;  /* variable, VARIABLES_MAX: none */
	char **url; /* one, or as many as that has values */
	/* Pointer to it in the reply that grants a token, and what its name
	 * must end with then; NULL: it is known. */
	char *from_token;
	char **suffixes;
};

/* How credentials are shown.  Of several ways the one is taken whose variables
 * are all set. */
enum auth_kind {
	KIND_NONE,
	KIND_HEADER,
	KIND_BASIC,
	KIND_OAUTH2,
	KIND_JWT,
	KIND_SIGNATURE,
	KIND_DIGEST,
	KIND_AWS,
	KIND_KINDS
};

/* NULL: not given.  Texts may have places (template.h). */
struct def_auth {
	int kind;
	char *header;              /* its name, … */
	char *value;               /* … "SSWS {token}": a secret at its end */
	struct http_pair *headers; /* more of them; KIND_SIGNATURE: all */
	char *user;
	char *password;
	char *host; /* KIND_OAUTH2: name of the token server's host, … */
	char *path;
	int grant;  /* enum oauth_grant */
	int client; /* enum oauth_client */
	int body;   /* enum oauth_body */
	char *scope;
	char *client_id;
	char *client_secret;
	char *certificate;
	char *private_key;
	char *refresh_token;
	struct http_pair *fields;
	char *key_id; /* of what is signed: see struct jwt */
	char *issuer;
	char *subject;
	char *audience;
	struct http_pair *claims;
	int64_t claim_life;
	struct token_shape token;
	int algorithm; /* KIND_SIGNATURE: enum sign_algorithm, … */
	int encoding;  /* … and enum sign_encoding */
	int key;
	char **text; /* lines of what is signed */
	char *secret;
	char *region; /* KIND_AWS */
	char *service;
	char *session;
	uint32_t uses; /* variables, by bit */
};

/* A request: what is not said in "next" is as in "request". */
struct def_request {
	int method; /* 0: GET, 1: POST */
	char *host;
	char *path;
	char *body;
	char *type; /* of the body */
	struct http_pair *query;
	struct http_pair *headers;
};

/* What says where a stream is. */
enum cursor_kind {
	CURSOR_WINDOW,  /* times of events: windows, an overlap, sweeps */
	CURSOR_TOKEN,   /* the vendor's own, in the order of processing */
	CURSOR_ITERATOR /* the vendor keeps it, and reading moves it */
};

#define DEF_SWEEPS 4
struct def_sweep {
	int64_t every;
	int64_t back;
};

struct def_cursor {
	int kind;
	int64_t granularity;
	int64_t span;
	int64_t overlap;
	int64_t lag;
	int start; /* enum def_bound */
	int end;
	int order; /* enum def_order */
	struct def_sweep sweeps[DEF_SWEEPS + 1];
	/* Pointer to the time at which to begin again, in the reply that says
	 * that the cursor is lost; NULL: none. */
	char *restart_from;
	int restart_format;
	int64_t back; /* of a cursor that is a number, with each poll */
};
enum def_bound { BOUND_INCLUSIVE, BOUND_EXCLUSIVE, BOUND_OPEN };
enum def_order { ORDER_NONE, ORDER_NEWEST, ORDER_OLDEST };

enum page_kind {
	PAGE_NONE,
	PAGE_LINK,       /* the Link header, RFC 8288 */
	PAGE_URL_HEADER, /* a header with a URL */
	PAGE_URL,        /* a URL in the body */
	PAGE_TOKEN,      /* a token in the body, for a parameter or "next" */
	PAGE_HEADER,     /* a token in a header */
	PAGE_NUMBER,     /* 1, 2, 3 … */
	PAGE_OFFSET,     /* rows so far */
	PAGE_LAST_ID,    /* id of the last row */
	PAGE_INDEX,      /* 0, 1, 2 … of as many as the first page says */
	PAGE_KINDS
};

struct def_page {
	int kind;
	char **from; /* pointers, or the header */
	char *to;    /* query parameter; NULL: "next" has {page} */
	char *more;  /* pointer to what is true while there are more pages */
	int64_t first;
	int64_t size;       /* rows of a full page */
	bool short_is_last; /* a page with fewer is the last one */
	bool least;         /* the first page leads on by its least id */
	int64_t life;       /* how long a token is good; 0: not known */
	char *join;         /* between the elements of an array; NULL: none */
	int older;          /* 1: rows before the window end it */
	char *wait;         /* pointer to seconds before the next request */
	char *total;        /* pointer to the rows of all pages, or a header */
};

/* What must be there in a good reply: the value at a pointer. */
struct def_match {
	char *at;
	char *is;
};

struct def_records {
	char **at;     /* pointers; "": the document itself */
	int format;    /* enum record_format */
	char *columns; /* see struct decode, … */
	char *names;   /* … and so for this */
	char *column;
	char *inside; /* pointer to the string in a row that is the event */
	bool absent_is_empty;
	struct def_match success;    /* at NULL: nothing */
	struct def_match incomplete; /* … and there is more than it has */
};

/* What the rows of a page lead to. */
struct def_fetch {
	bool used;
	char *id;    /* pointer in the row to what {fetch.id} is, … */
	char *url;   /* … or to where its events are */
	int64_t max; /* rows of one request: {fetch.ids} */
	bool always; /* also where the row has not changed */
	struct def_request request;
	struct def_records records;
};

/* Work that the vendor does before there is anything to read. */
struct def_job {
	bool used;
	struct def_request submit;
	struct def_request poll;
	char *id; /* pointers, in the replies to these two; id NULL: there is
		     one job at a time, without a name */
	char *status;
	char **running; /* what that says */
	char **done;
	int64_t every;
	int64_t deadline;
};

struct def_time {
	char *at;
	int format; /* enum when_format */
};

struct def_stream {
	char *name;
	char *title;
	char **permissions;
	bool off; /* collected only where "streams" names it */
	int64_t retention;
	struct def_request request;
	struct def_request next;      /* path NULL: there is none */
	struct def_request bootstrap; /* likewise, … */
	char *take; /* … and the pointer to the first cursor in its reply */
	struct def_request resend; /* likewise, the last batch once more */
	struct def_fetch fetch;
	struct def_job job;
	struct def_cursor cursor;
	struct def_page page;
	struct def_records records;
	struct def_time time;
	char **id; /* pointers; NULL: rows are told apart by their bytes */
	/* The stream as spans of its time are asked for, where its cursor is
	 * the vendor's own; NULL: they cannot be. */
	struct def_stream *bounded;
	struct event_shape shape;
	struct rule *rules; /* the stream's, then the vendor's */
	/* For the splitter, in its form; what id and time are not, is picked
	 * out of the row. */
	const char *id_key;
	const char *time_key;
	char *const *arrays; /* of records.at */
	const char **values; /* page.from, page.more, page.wait, page.total,
				success, incomplete, in this order; their
				pointers */
	bool whole;          /* pages are read whole: the splitter can't do */
	bool token_json;     /* a page's token may be an object or array */
};

struct def_rate {
	int64_t requests;
	int64_t per;
	int64_t most; /* that large customers get, 0: the same */
	char *reset;  /* header that says when to come again; NULL: none */
	int reset_format;
};

struct definition {
	char *name;
	char *file;
	char *title;
	char *docs;
	char **setup;
	char *limits;
	char *noise;
	char digest[65]; /* of the file's text */
	int64_t interval;
	int64_t initial;
	struct def_rate rate;
	struct def_variable *variables;
	size_t n_variables;
	struct def_host *hosts;
	size_t n_hosts;
	struct def_auth *auth;
	size_t n_auth;
	struct rule *rules;
	struct def_stream *streams;
	size_t n_streams;
	struct def_rule **pool; /* that own the texts of all rules */
	size_t n_pool;
};

/*
 * Read a definition from text, named file in messages; name: what it must call
 * itself, NULL: anything.  NULL: at least one fault was added to errors.
 */
struct definition *definition_parse(const char *name, const char *file,
    const char *text, size_t len, struct config_errors *errors);

/* The same from a file. */
struct definition *definition_load(const char *name, const char *file,
    struct config_errors *errors);
void definition_free(struct definition *d);

const struct def_stream *definition_stream(const struct definition *d,
    const char *name);

/* The variable of this name, n_variables: none. */
size_t definition_variable(const struct definition *d, struct slice name);

/* The host of this name, n_hosts: none. */
size_t definition_host(const struct definition *d, struct slice name);

/* Every block of a file with its keys, for the manual; ended by a NULL name.
 */
struct definition_block {
	const char *name; /* "streams.NAME.cursor" */
	const char *help;
	const struct setting *rows;
};
extern const struct definition_block definition_blocks[];

#endif /* SOURCES_REST_DEFINITION_H */
