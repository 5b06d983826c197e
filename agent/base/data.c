/*
 * data.c - where the data files are that come with the program.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/data.h"
#include "base/mem.h"

#ifndef DATA
#define DATA "/usr/share/sealfeed"
#endif

char *
data_folder(const char *name, const char *in_tree)
{
	char exe[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	const char *const beside[][2] = {
		{ "", in_tree },
		{ "", strrchr(in_tree, '/') + 1 },
		{ "../share/sealfeed/", name },
	};
	const size_t n = sizeof(beside) / sizeof(beside[0]);
	const char *slash;

	exe[len > 0 ? len : 0] = '\0';
	slash = strrchr(exe, '/');
	for (size_t i = 0; slash != NULL && i < n; i++) {
		char *folder = xasprintf("%.*s/%s%s", (int)(slash - exe), exe,
		    beside[i][0], beside[i][1]);

		if (access(folder, X_OK) == 0)
			return folder;
		free(folder);
	}
	return xasprintf(DATA "/%s", name);
}
