/*
 * keygen.c - a new signing key, and what others need to check it.
 */
#include <stdio.h>
#include <string.h>

#include <jansson.h>
#include <openssl/crypto.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "cmd/cmd.h"
#include "config/config.h"
#include "config/secret.h"
#include "evidence/note.h"
#include "evidence/rotation.h"

#define KEY_MAX (4096 + KEY_ROTATIONS_MAX)
#define NAME_LEN_MAX 63

/* Open the previous signing key: a file, or the URI of a provider. */
static struct signer *
open_old(const char *name, const char *old, struct err *err)
{
	struct signer *signer;
	char *pem = NULL;

	if (!signer_is_uri(old)) {
		pem = secret_resolve_pem(old, err);
		if (pem == NULL)
			return NULL;
	}
	signer = signer_open(name, pem == NULL ? old : pem, err);
	if (signer == NULL)
		(void)err_prefix(err, "%s", old);
	secret_free(pem);
	return signer;
}

/* Append what the old key says about the new one. */
static int
add_rotation(const char *name, const char *old, struct buf *pem,
    struct err *err)
{
	struct signer *next = signer_open(name, pem->data, err);
	struct signer *signer = open_old(name, old, err);
	int rc = -1;

	if (next != NULL && signer != NULL)
		rc = rotation_sign(signer, next, pem, err);
	signer_free(next);
	signer_free(signer);
	return rc;
}

/* The key of an existing file, or a new one that is written to it. */
static char *
get_key(const struct cmd_line *line, const char *name, struct err *err)
{
	const char *path = line->argv[0];
	const char *old = cmd_value(line, "follows");
	struct buf pem = BUF_INIT(KEY_MAX);
	char *copy = NULL;

	if (cmd_value(line, "public") != NULL)
		return secret_resolve_pem(path, err);
	/* Allocate all at once, so that growing leaves no copy of the key
	 * behind. */
	if (buf_room(&pem, KEY_MAX) == NULL)
		(void)err_set(err, "out of memory");
	else if (signer_generate(&pem, err) == 0 &&
	    (old == NULL || add_rotation(name, old, &pem, err) == 0) &&
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
	if (line->json)
		(void)cmd_print_json(json_pack("{s:s, s:s, s:s}", "file",
					 line->argv[0], "name", name, "vkey",
					 vkey),
		    stdout);
	else
		(void)printf("%s\n", vkey);
}

static int
keygen_run(const struct cmd *cmd, struct cmd_line *line)
{
	const char *name = cmd_value(line, "name");
	struct buf vkey = BUF_INIT(KEY_MAX);
	struct err err = ERR_INIT;
	struct signer *signer = NULL;
	char *pem;

	if (name == NULL)
		return cmd_misused(cmd,
		    "--name is missing: give the agent's name, as in "
		    "agent.name");
	if (!config_good_name(name))
		return cmd_misused(cmd,
		    "--name: \"%s\" must be 1 to %d letters, digits, \".\", "
		    "\"_\" or \"-\"",
		    name, NAME_LEN_MAX);
	pem = get_key(line, name, &err);
	if (pem != NULL)
		signer = signer_open(name, pem, &err);
	if (signer != NULL && signer_vkey(signer, &vkey, &err) == 0)
		print_key(line, name, vkey.data);
	signer_free(signer);
	secret_free(pem);
	buf_release(&vkey);
	return err.text[0] == '\0' ? EXIT_FINE : cmd_failed(cmd, &err);
}

static const struct cmd_option keygen_options[] = {
	{ .name = "name",
	    .value = "AGENT",
	    .help = "The agent's name, as in agent.name; the key signs under "
		    "this name." },
	{ .name = "public",
	    .help =
		"Create no key; print the verifier key of the key in FILE." },
	{ .name = "follows",
	    .value = "OLD",
	    .help =
		"The previous signing key, a file or the URI of a provider. It "
		"signs a statement that the new key follows it, which is "
		"stored with the new key and travels in its checkpoints: "
		"\"sealfeed verify\" then needs only the old verifier key." },
	{ .name = NULL },
};

const struct cmd cmd_keygen = {
	.name = "keygen",
	.arguments = "FILE",
	.summary = "Create a signing key and print its verifier key.",
	.help = "Create an Ed25519 signing key and print its verifier key. The "
		"private key is written to FILE (PEM, mode 0600), which must "
		"not exist yet. The C2SP verifier key, which \"sealfeed "
		"verify\" takes and which is not secret, is printed to "
		"standard output on a line of its own.",
	.options = keygen_options,
	.min = 1,
	.max = 1,
	.run = keygen_run,
};
