/*
 * folder.c - a folder whose files are read since they are there.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "config/errors.h"
#include "config/folder.h"
#include "config/stand_in.h"

static bool
is_yml(const char *name)
{
	const size_t len = strlen(name), n = strlen(".yml");

	return name[0] != '.' && len > n && strcmp(name + len - n, ".yml") == 0;
}

/* One of the other ending is a fault, and not passed over. */
static int
is_wanted(const struct dirent *d)
{
	return config_is_dropin(d->d_name) || is_yml(d->d_name);
}

/* By bytes, not by locale: the order must be the same everywhere. */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* scandir() failed so.  Where nothing is, nothing is wrong, and who may not
 * read the main file need not be told twice. */
static void
tell(const char *folder, int why, struct config_errors *errors)
{
	struct stat st;

	if ((why == ENOENT || why == ENOTDIR) && lstat(folder, &st) != 0)
		return;
	if (why == EACCES && errors->n > 0)
		return;
	config_errors_add(errors, NULL,
	    "%s: cannot be read as a folder: %s; %s", folder, strerror(why),
	    why == EACCES ? "let the agent's user read it"
			  : "make it a folder of *.yaml, or remove it");
}

char **
config_folder(const char *folder, struct config_errors *errors)
{
	struct dirent **entries = NULL;
	const int n = scandir(folder, &entries, is_wanted, by_name);
	const int why = errno;
	char **names = xcalloc(n < 0 ? 1 : (size_t)n + 1, sizeof(*names));
	size_t k = 0;

	if (n < 0 && errors != NULL)
		tell(folder, why, errors);
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;

		if (!is_yml(name))
			names[k++] = xstrdup(name);
		else if (errors != NULL)
			config_errors_add(errors, NULL,
			    "%s/%s: only *.yaml is read here; rename it to "
			    "%.*s.yaml",
			    folder, name, (int)strlen(name) - 4, name);
		free(entries[i]);
	}
	free(entries);
	return names;
}

void
config_folder_free(char **names)
{
	for (size_t i = 0; names[i] != NULL; i++)
		free(names[i]);
	free(names);
}
