/*
 * version.c - the version, the libraries that do the work, and the protections
 * that the compiler and the linker gave.
 */
#include <stdio.h>

#include <curl/curl.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <sqlite3.h>

#include "base/gzip.h"
#include "cmd/cmd.h"

static int
version_run(const struct cmd *cmd, struct cmd_line *line)
{
	const struct {
		const char *name;
		const char *version;
	} parts[] = {
		{ "sealfeed", PACKAGE_VERSION },
		{ "compression", gzip_library() },
		{ "openssl", OpenSSL_version(OPENSSL_VERSION_STRING) },
		{ "curl", curl_version_info(CURLVERSION_NOW)->version },
		{ "sqlite", sqlite3_libversion() },
		{ "hardening", HARDENING[0] == '\0' ? "none" : HARDENING },
	};
	json_t *all = json_object();

	(void)cmd;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		(void)json_object_set_new(all, parts[i].name,
		    json_string(parts[i].version));
		if (!line->json)
			(void)printf("%s %s\n", parts[i].name,
			    parts[i].version);
	}
	if (line->json && json_dumpf(all, stdout, 0) == 0)
		(void)putchar('\n');
	json_decref(all);
	return EXIT_FINE;
}

const struct cmd cmd_version = {
	.name = "version",
	.summary = "Print the version.",
	.help = "Print the version of sealfeed, the versions of its libraries, "
		"and the "
		"protections that it was built with.",
	.run = version_run,
};
