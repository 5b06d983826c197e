/*
 * keygen.c - a new signing key, or one that is elsewhere, and what others need
 * to check what it signs.
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

/* Append what the old key says about the new one. */
static int
add_rotation(const char *name, const char *old, struct buf *pem,
    struct err *err)
{
	struct signer *next = signer_open(name, pem->data, err);
	struct signer *signer = signer_load(name, old, err);
	int rc = -1;

	if (next != NULL && signer != NULL)
		rc = rotation_sign(signer, next, pem, err);
	signer_free(next);
	signer_free(signer);
	return rc;
}

/* Append a key that is there already, as the text that opens it. */
static int
add_given(const char *from, struct buf *key, struct err *err)
{
	char *text = secret_resolve_pem(from, err);
	int rc = -1;

	if (text != NULL) {
		rc = buf_adds(key, text);
		if (rc == 0 && key->len > 0 && key->data[key->len - 1] != '\n')
			rc = buf_adds(key, "\n");
		if (rc != 0)
			(void)err_set(err, "%s: is too long for a key", from);
	}
	secret_free(text);
	return rc;
}

/* The row of --type; NULL: there is none. */
static const struct key_kind *
kind_of(const char *type)
{
	const struct key_kind *k = key_kinds;

	while (type != NULL && k->name != NULL && strcmp(k->name, type) != 0)
		k++;
	return k->name != NULL ? k : NULL;
}

/* Append the key that the file is to have. */
static int
add_key(const struct cmd_line *line, const char *name, struct buf *key,
    struct err *err)
{
	const char *from = cmd_value(line, "from");
	const char *old = cmd_value(line, "follows");
	struct signer *signer;
	int rc;

	if (from != NULL) {
		rc = add_given(from, key, err);
		signer = rc == 0 ? signer_open(name, key->data, err) : NULL;
		if (rc == 0 && signer == NULL)
			(void)secret_blame(from, err);
		rc = signer != NULL ? 0 : -1;
		signer_free(signer);
	} else {
		rc =
		    signer_generate(kind_of(cmd_value(line, "type")), key, err);
	}
	return rc == 0 && old != NULL ? add_rotation(name, old, key, err) : rc;
}

/* A new file with a key, opened. */
static struct signer *
make_key(const struct cmd_line *line, const char *name, struct err *err)
{
	struct buf key = BUF_INIT(KEY_MAX);
	struct signer *signer = NULL;

	/* Allocate all at once, so that growing leaves no copy of the key
	 * behind. */
	if (buf_room(&key, KEY_MAX) == NULL)
		(void)err_set(err, "out of memory");
	else if (add_key(line, name, &key, err) == 0 &&
	    file_create(line->argv[0], key.data, key.len, 0600, err) == 0)
		signer = signer_open(name, key.data, err);
	if (key.data != NULL)
		OPENSSL_cleanse(key.data, key.size);
	buf_release(&key);
	return signer;
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
	struct signer *signer;

	if (name == NULL)
		return cmd_misused(cmd,
		    "--name is missing: give the agent's name, as in "
		    "agent.name");
	if (!config_good_name(name))
		return cmd_misused(cmd,
		    "--name: \"%s\" must be 1 to %d letters, digits, \".\", "
		    "\"_\" or \"-\"",
		    name, NAME_LEN_MAX);
	if (kind_of(cmd_value(line, "type")) == NULL)
		return cmd_misused(cmd,
		    "--type: \"%s\" is no type of key: ed25519 or ecdsa-p256",
		    cmd_value(line, "type"));
	if (cmd_value(line, "from") != NULL &&
	    (cmd_value(line, "type") != NULL ||
		cmd_value(line, "public") != NULL))
		return cmd_misused(cmd,
		    "--from names a key that there is: it goes with neither "
		    "--type nor --public");
	signer = cmd_value(line, "public") != NULL
	    ? signer_load(name, line->argv[0], &err)
	    : make_key(line, name, &err);
	if (signer != NULL && signer_vkey(signer, &vkey, &err) == 0)
		print_key(line, name, vkey.data);
	signer_free(signer);
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
	{ .name = "type",
	    .value = "KIND",
	    .help =
		"The kind of key: \"ed25519\" (default), which whoever checks "
		"C2SP signed notes knows, or \"ecdsa-p256\", which fewer do, "
		"for rules that ask for it." },
	{ .name = "from",
	    .value = "KEY",
	    .help =
		"Create no key: FILE gets the one that KEY names, the URI of a "
		"key in a PKCS#11 token (\"pkcs11:...\"), a TPM 2.0 "
		"(\"handle:0x81000001\") or another provider of OpenSSL, or a "
		"PEM file of another tool. agent.key then names FILE, where "
		"the statement of --follows stands, too." },
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
	.help = "Create a signing key and print its verifier key. The private "
		"key is written to FILE (PEM, mode 0600), which must not exist "
		"yet. The C2SP verifier key, which \"sealfeed "
		"verify\" takes and which is not secret, is printed to "
		"standard output on a line of its own.",
	.options = keygen_options,
	.min = 1,
	.max = 1,
	.run = keygen_run,
};
