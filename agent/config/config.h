/*
 * config.h - the configuration: /etc/sealfeed/sealfeed.yaml merged with
 * conf.d/ beside it (*.yaml in name order), validated against the tables.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/setting.h"

struct buf;
struct event_shape;

/*
 * What the configuration needs to know of a type of source or output; the
 * type's own record begins with it (sources/source.h, outputs/output.h).
 */
/* Where the connections of an instance go. */
enum config_reach {
	CONFIG_REACHES_ANY,   /* also to hosts that it learns of */
	CONFIG_REACHES_NAMED, /* to hosts that its options name */
	CONFIG_REACHES_NONE   /* it makes none */
};

struct config_type {
	const char *name;               /* "type" in the configuration */
	const struct setting *settings; /* ends with SETTING_END */
	size_t conf_size;               /* of the struct that they fill */
	enum config_reach reach;        /* of outputs */
	/* Pure cross-check of options for `check`: config_error() for each
	 * error. Values that are wrong in themselves have been told of before
	 * and hold their default; a required text may be NULL then.  NULL:
	 * nothing to check. */
	void (*check)(const void *conf, const struct config_section *b);
	/* For `setup`: what the type stands for, "Microsoft 365 and Entra", and
	 * what has to be made at the other end first, as lines of at most 76
	 * characters, each with its newline.  NULL: nothing to say. */
	const char *title;
	const char *before;
	/* Called with a zeroed conf before anything is read into it.  NULL:
	 * nothing to do. */
	void (*prepare)(const struct config_type *type, void *conf);
	/* Of a type that was made of a file: a digest of that file, which is a
	 * part of that of every entry.  NULL: none. */
	const char *digest;
	/* Of sources: what outputs have to know of the events of the feed
	 * "NAME/stream" of an instance with this conf.  Borrowed from the conf.
	 * NULL: nothing is known. */
	const struct event_shape *(*shape)(const void *conf,
	    const char *stream);
	/* What names of environment variables begin with that an instance with
	 * this conf takes from: "AWS_".  NULL: it takes from none but those
	 * that its options name. */
	const char *(*environment)(const void *conf);
};

/* The types that a configuration may name, each list ended by NULL. */
struct config_types {
	const struct config_type *const *sources;
	const struct config_type *const *outputs;
	/* A type of source that is none of these but may be in a file, for the
	 * configuration at path; it lives as long as the process.  NULL: there
	 * is none, or it has faults, which are added.  And the names of all,
	 * which the caller frees one by one.  NULL: there are no such files. */
	const struct config_type *(*find_source)(const char *path,
	    const char *name, struct config_errors *errors);
	char **(*source_names)(const char *path);
	/* What is wrong with where those files are, whether or not one is used;
	 * NULL: nothing. */
	void (*check_sources)(const char *path, struct config_errors *errors);
};

/* How much of the walls around the roles (sandbox/sandbox.h) there has to be:
 * what the kernel has; all, or the agent does not start; none. */
enum sandbox_wish { SANDBOX_AUTO, SANDBOX_REQUIRED, SANDBOX_OFF };

/* One user for all roles that root starts, or one for each kind of role. */
enum users_wish { USERS_SHARED, USERS_PER_ROLE };

struct agent_conf {
	char *name;     /* first part of every origin */
	char *key;      /* secret text: path, PEM or provider URI */
	int64_t retain; /* microseconds a delivered batch stays */
	int log_level;  /* enum log_level */
	int sandbox;    /* enum sandbox_wish */
	char *user;     /* whom root becomes; NULL: the usual one, if any */
	int users;      /* enum users_wish */
	struct {
		char *path;
		int64_t max_size;
		int64_t min_free;
	} store;
	struct {
		char *log; /* what was signed; never NULL after config_load() */
	} seal;
	struct {
		char *folder; /* collect's own; never NULL, either */
	} collect;
	struct {
		/* "127.0.0.1:9469", "[::1]:9469", "/run/…"; NULL: nowhere */
		char *listen;
		char *textfile; /* NULL: none */
	} watch;
};

/* One entry of "sources" or "outputs". */
struct config_entry {
	char *name;
	const struct config_type *type;
	void *conf;      /* type->conf_size bytes, as type->settings says */
	char digest[65]; /* digest of everything that the entry was made from */
};

struct config {
	struct agent_conf agent;
	struct config_entry *sources;
	size_t n_sources;
	struct config_entry *outputs;
	size_t n_outputs;
	/* What is allowed, and yet most likely not what was meant. */
	struct config_errors warnings;
	char agent_digest[65];
	char digest[65]; /* of the whole configuration: it never leaves the
			    process, since a guess at a secret that stands in
			    it can be tried against it */
	char public_digest[65]; /* of the same without its secrets
				   (config/strip.h), for all who ask */
	char *path;             /* that it was loaded from */
	char *packed;           /* the tree that it was made from, for
				   config_share(): base/pack.h */
	size_t packed_len;
};

#define CONFIG_PATH "/etc/sealfeed/sealfeed.yaml"

/* Names of the agent, of sources and outputs: [A-Za-z0-9._-]{1,63}. */
bool config_good_name(const char *name);

/* The default of collect.folder for a store at path; to be freed. */
char *config_collect_folder(const char *store);

/* Rows of the "agent" block. */
extern const struct setting agent_settings[];

/* Read and validate path with its conf.d.  types is borrowed for the life of
 * the result.  No network, no secrets resolved, nothing written.  Returns the
 * configuration or NULL with at least one fault. */
struct config *config_load(const char *path, const struct config_types *types,
    struct config_errors *errors);
/* The same of a tree (tree.h), which is taken, as if it stood at path. */
struct node;
struct config *config_from_tree(struct node *tree, const char *path,
    const struct config_types *types, struct config_errors *errors);

/* The same as if s (config/stand_in.h), unless that is NULL, stood in its
 * place already; faults and warnings name the place. */
struct stand_in;
struct config *config_load_as(const char *path, const struct stand_in *s,
    const struct config_types *types, struct config_errors *errors);
void config_free(struct config *c);

/* For `setup`: one of the sections "sources" and "outputs". */
struct config_kind {
	const char *section;
	const struct config_types *types;
	const char *path; /* of the configuration */
};

/* Judge an entry by itself: what is wrong with it, and what is most likely not
 * what was meant. */
void config_judge(const struct config_kind *kind, const struct node *entry,
    struct config_errors *errors, struct config_errors *warnings);

/* The type of that name, NULL: there is none; and the names of all, ended by
 * NULL, which the caller frees one by one. */
const struct config_type *config_type_of(const struct config_kind *kind,
    const char *name);
char **config_type_names(const struct config_kind *kind);

/* How much of a section another process gets: nothing; all but its secrets
 * (and what URLs may hold of them); everything. */
enum config_part { CONFIG_NONE, CONFIG_PUBLIC, CONFIG_WHOLE };

/* What a process gets of a configuration.  The rest of the agent's block than
 * its key is everybody's. */
struct config_share {
	bool key;
	enum config_part sources;
	enum config_part outputs;
	const char *output; /* the only one of CONFIG_WHOLE; NULL: all */
};

/* Append to out the share of c, for config_shared() in another process of this
 * program: 0, -1 at its ceiling. */
int config_share(const struct config *c, const struct config_share *share,
    struct buf *out);

/* The configuration that a share is, with the path that its whole was loaded
 * from; its digests are empty, since nobody compares them.  What is left out
 * has its defaults, and is among the errors, which mean nothing.  NULL: it is
 * no share, or a type is gone that it names, which the errors tell. */
struct config *config_shared(const char *data, size_t len, const char *path,
    const struct config_types *types, struct config_errors *errors);

#endif /* CONFIG_CONFIG_H */
