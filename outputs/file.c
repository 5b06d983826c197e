/*
 * file.c - NDJSON lines appended to a file.
 */
#include "file.h"
#include "output.h"
#include "setting.h"

struct file_conf {
	char *path;
};

static const struct setting file_settings[] = {
	{ .key = "path",
	    .type = SETTING_STRING,
	    .offset = offsetof(struct file_conf, path),
	    .required = true,
	    .help = "File to which lines are appended; created when missing, "
		    "opened again when it was renamed or on SIGUSR1." },
	SETTING_END
};

const struct output_type output_file = {
	.name = "file",
	.settings = file_settings,
	.conf_size = sizeof(struct file_conf),
};
