/*
 * stand_in.c - a file that is judged as if it stood in the configuration.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "config/stand_in.h"

/* Where the last part of path begins. */
static size_t
last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? 0 : (size_t)(slash + 1 - path);
}

char *
config_dropin_dir(const char *config)
{
	return xasprintf("%.*sconf.d", (int)last_part(config), config);
}

char *
config_sources_dir(const char *config)
{
	return xasprintf("%.*ssources.d", (int)last_part(config), config);
}

bool
config_is_dropin(const char *name)
{
	size_t len = strlen(name), n = strlen(".yaml");

	return name[0] != '.' && len > n &&
	    strcmp(name + len - n, ".yaml") == 0;
}

/* The folder of path without its final slash, "." or "/" where there is no
 * more; without "//" and "/./". */
static char *
folder_of(const char *path)
{
	char *folder = xstrndup(path, last_part(path)), *to = folder;

	for (const char *s = folder; *s != '\0'; s++) {
		if (*s == '/' && s[1] == '.' && s[2] == '/')
			s++;
		else if (*s != '/' || s[1] != '/')
			*to++ = *s;
	}
	*to = '\0';
	if (to > folder + 1)
		to[-1] = '\0';
	if (folder[0] != '\0')
		return folder;
	free(folder);
	return xstrdup(".");
}

/* By name, or by what the names lead to; neither needs to exist. */
static bool
same_folder(const char *a, const char *b)
{
	struct stat x, y;

	return strcmp(a, b) == 0 ||
	    (stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
		x.st_ino == y.st_ino);
}

int
stand_in_open(struct stand_in *s, const char *config, const char *place,
    const char *file, struct err *err)
{
	const char *main = config + last_part(config);
	const char *name = place + last_part(place);
	char *home = folder_of(config);
	char *path =
	    place[0] == '/' ? xstrdup(place) : xasprintf("%s/%s", home, place);
	char *folder = folder_of(path);
	char *dropins = config_dropin_dir(config);
	char *wanted = xasprintf("%s/conf.d", home);
	char *sources = config_sources_dir(config);
	char *defined = xasprintf("%s/sources.d", home);

	*s = (struct stand_in){ .file = file };
	if (strcmp(name, main) == 0 && same_folder(folder, home))
		s->place = xstrdup(config);
	else if (config_is_dropin(name) && same_folder(folder, wanted))
		s->place = xasprintf("%s/%s", dropins, name);
	else if (config_is_dropin(name) && same_folder(folder, defined))
		s->place = xasprintf("%s/%s", sources, name);
	else
		(void)err_set(err,
		    "--as %s: nothing is read from there; give %s, "
		    "conf.d/NAME.yaml or sources.d/NAME.yaml, relative to the "
		    "folder of the configuration (%s)",
		    place, main, home);
	if (s->place != NULL && same_folder(folder, defined))
		s->source = xstrndup(name, strlen(name) - strlen(".yaml"));
	else if (s->place != NULL && strcmp(s->place, config) != 0)
		s->name = s->place + last_part(s->place);
	free(wanted);
	free(sources);
	free(defined);
	free(dropins);
	free(folder);
	free(path);
	free(home);
	return s->place == NULL ? -1 : 0;
}

void
stand_in_release(struct stand_in *s)
{
	free(s->place);
	free(s->source);
	*s = (struct stand_in){ .file = NULL };
}
