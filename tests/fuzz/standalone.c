/*
 * standalone.c - runs a fuzzer over files, and over all files of folders,
 * where libFuzzer is not there.  Options of libFuzzer are passed over.
 */
#include <dirent.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "tests/fuzz/fuzz.h"

#define LARGEST (64 << 20)

static size_t runs;

static void
run_file(const char *path)
{
	struct buf b = BUF_INIT(LARGEST);
	struct err err = ERR_INIT;
	uint8_t *exact;

	if (file_read(path, &b, &err) != 0) {
		(void)fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	/* Without the NUL of a buf, so that a sanitizer sees the end. */
	exact = malloc(b.len == 0 ? 1 : b.len);
	FUZZ_CHECK(exact != NULL);
	if (b.len > 0)
		memcpy(exact, b.data, b.len);
	(void)LLVMFuzzerTestOneInput(exact, b.len);
	free(exact);
	buf_release(&b);
	runs++;
}

static void
run_path(const char *path)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;

	if (folder == NULL) {
		run_file(path);
		return;
	}
	for (entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
		char *file;

		if (entry->d_name[0] == '.')
			continue;
		file = xasprintf("%s/%s", path, entry->d_name);
		run_file(file);
		free(file);
	}
	(void)closedir(folder);
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (argv[i][0] != '-')
			run_path(argv[i]);
	}
	(void)printf("%zu inputs\n", runs);
	return runs == 0;
}
