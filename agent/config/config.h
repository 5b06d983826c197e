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

struct output_type;
struct source_type;

struct agent_conf {
	char *name;     /* first part of every origin */
	char *key;      /* secret text: path, PEM or provider URI */
	int64_t retain; /* microseconds a delivered batch stays */
	int log_level;  /* enum log_level */
	struct {
		char *path;
		int64_t max_size;
		int64_t min_free;
	} store;
	struct {
		char *listen; /* "127.0.0.1:9469", "[::1]:9469", "/run/…" */
	} watch;
};

/* One entry of "sources" or "outputs". */
struct source_conf {
	char *name;
	const struct source_type *type;
	void *conf;      /* type->conf_size bytes, as type->settings says */
	char digest[65]; /* of everything that it was made from */
};

struct output_conf {
	char *name;
	const struct output_type *type;
	void *conf;
	char digest[65];
};

struct config {
	struct agent_conf agent;
	struct source_conf *sources;
	size_t n_sources;
	struct output_conf *outputs;
	size_t n_outputs;
	char agent_digest[65];
	char digest[65]; /* of the whole, for the start event */
};

#define CONFIG_PATH "/etc/sealfeed/sealfeed.yaml"

/* Names of the agent, of sources and outputs: [A-Za-z0-9._-]{1,63}. */
bool config_good_name(const char *name);

/* Rows of the "agent" block. */
extern const struct setting agent_settings[];

/* Read and validate path with its conf.d.  No network, no secrets resolved,
 * nothing written.  Returns the configuration or NULL with at least one
 * fault. */
struct config *config_load(const char *path, struct faults *faults);
void config_free(struct config *c);

#endif /* CONFIG_CONFIG_H */
