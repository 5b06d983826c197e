/*
 * cmd_keygen.c - a new signing key, and what others need to check it.
 */
#include <stdio.h>
#include <string.h>

#include <jansson.h>
#include <openssl/crypto.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "cmd.h"
#include "config.h"
#include "evidence/note.h"
#include "http/secret.h"

#define KEY_MOST 4096
#define NAME_MOST 63

/* Append the key of an existing file, or make a new one. */
static char *
get_key(const char *path, bool existing, struct err *err)
{
	struct buf pem = BUF_INIT(KEY_MOST);
	char *copy = NULL;

	if (existing)
		return secret_resolve_pem(path, err);
	if (buf_room(&pem, KEY_MOST) == NULL)
		(void)err_set(err, "memory is short");
	else if (signer_generate(&pem, err) == 0 &&
	    file_create(path, pem.data, pem.len, 0600, err) == 0)
		copy = buf_take(&pem, NULL);
	if (pem.data != NULL)
		OPENSSL_cleanse(pem.data, pem.size);
	buf_release(&pem);
	return copy;
}

static void
print_key(const struct cmd_line *line, const char *name, const char *vkey)
{
	json_t *all;

	if (!line->json) {
		(void)printf("%s\n", vkey);
		return;
	}
	all = json_pack("{s:s, s:s, s:s}", "file", line->argv[0], "name", name,
	    "vkey", vkey);
	if (all != NULL && json_dumpf(all, stdout, 0) == 0)
		(void)putchar('\n');
	json_decref(all);
}

static int
keygen_run(const struct cmd *cmd, struct cmd_line *line)
{
	bool existing = cmd_value(line, "public") != NULL;
	const char *name = cmd_value(line, "name");
	struct buf vkey = BUF_INIT(KEY_MOST);
	struct err err = ERR_INIT;
	struct signer *signer = NULL;
	char *pem;

	if (name == NULL)
		return cmd_misused(cmd,
		    "--name is missing: the agent's name, "
		    "as agent.name has it");
	if (!config_good_name(name))
		return cmd_misused(cmd,
		    "--name: \"%s\" must be 1 to %d letters, digits, \".\", "
		    "\"_\" or \"-\"",
		    name, NAME_MOST);
	pem = get_key(line->argv[0], existing, &err);
	if (pem != NULL)
		signer = signer_open(name, pem, &err);
	if (signer != NULL && signer_vkey(signer, &vkey, &err) == 0)
		print_key(line, name, vkey.data);
	if (err.text[0] != '\0')
		(void)fprintf(stderr, "sealfeed keygen: %s\n", err.text);
	signer_free(signer);
	secret_free(pem);
	buf_release(&vkey);
	return err.text[0] == '\0' ? EXIT_FINE : EXIT_WRONG;
}

static const struct cmd_option keygen_options[] = {
	{ .name = "name",
	    .value = "AGENT",
	    .help = "The agent's name (agent.name): the key signs under it." },
	{ .name = "public",
	    .help = "Make no key; print the verifier key of the one in FILE." },
	{ .name = NULL },
};

const struct cmd cmd_keygen = {
	.name = "keygen",
	.arguments = "FILE",
	.help = "Make an Ed25519 signing key and print its verifier key. The "
		"key goes to FILE (PEM, mode 0600), which must not exist yet; "
		"the C2SP verifier key, which \"sealfeed verify\" takes and "
		"which is no secret, to standard output on a line of its own.",
	.options = keygen_options,
	.least = 1,
	.most = 1,
	.run = keygen_run,
};
