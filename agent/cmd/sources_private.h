/*
 * sources_private.h - shared by the files of `sealfeed sources`.
 */
#ifndef CMD_SOURCES_PRIVATE_H
#define CMD_SOURCES_PRIVATE_H

#include <stdint.h>

struct cmd;
struct cmd_line;
struct config_type;
struct definition;

/* What is to be known of a stream, whether a definition or a type of the
 * program's own has it. */
struct sources_stream {
	const char *name;
	const char *title;  /* NULL: none */
	char **permissions; /* NULL: they are not told one by one */
	bool off;           /* only where the source's streams name it */
	bool ordered;       /* the vendor's own cursor: nothing is late */
	int64_t overlap;    /* 0: not told */
	int64_t late;       /* found when it appears that late, 0: not told */
	int64_t kept;       /* by the vendor */
};

/* Call fn for each stream of a type. */
typedef void sources_stream_fn(void *ctx, const struct sources_stream *s);
void sources_each(const struct config_type *type, sources_stream_fn *fn,
    void *ctx);

/* The forms of the subcommand; each returns the exit status. */
int sources_describe(const struct cmd *cmd, const struct cmd_line *line,
    const char *name);
int sources_new(const struct cmd *cmd, const struct cmd_line *line,
    const char *file);
int sources_test(const struct cmd *cmd, const struct cmd_line *line,
    const char *file);

#endif /* CMD_SOURCES_PRIVATE_H */
