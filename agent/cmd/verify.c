/*
 * verify.c - check exports, archives and the files of syslog servers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/utf16.h"
#include "cmd/cmd.h"
#include "evidence/note.h"
#include "verify/verify.h"

#define KEY_FILE_MAX (256 * 1024)
#define REPORT_MAX (256 * 1024 * 1024)

struct keys {
	struct verifier *list;
	size_t n;
};

static int
add_key(struct keys *keys, const char *text, struct err *err)
{
	keys->list =
	    xreallocarray(keys->list, keys->n + 1, sizeof(*keys->list));
	if (verifier_parse(text, &keys->list[keys->n], err) == -1)
		return -1;
	keys->n++;
	return 0;
}

/* Read a file with a key in PEM, or with one verifier key per line; empty lines
 * and lines that begin with "#" are skipped. */
static int
add_file(struct keys *keys, char *text, struct err *err)
{
	size_t before = keys->n;
	char *rest = text;
	char *line;

	if (strstr(text, "-----BEGIN ") != NULL)
		return add_key(keys, text, err);
	while ((line = strsep(&rest, "\n")) != NULL)
		if (line[strspn(line, " \t\r")] != '\0' && line[0] != '#' &&
		    add_key(keys, line, err) == -1)
			return -1;
	return keys->n > before ? 0 : err_set(err, "it holds no key");
}

/* The text of a file that an editor or a shell of Windows may have written:
 * without its byte order mark, and in UTF-8. */
static int
read_text(const char *path, struct buf *text, struct err *err)
{
	struct buf raw = BUF_INIT(KEY_FILE_MAX);
	struct utf16 u = { .order = UTF16_NONE };
	size_t mark;
	int rc = file_read(path, &raw, err);

	if (rc == 0 && raw.len >= 3 && memcmp(raw.data, "\xef\xbb\xbf", 3) == 0)
		rc = buf_adds(text, raw.data + 3);
	else if (rc == 0 && raw.len > 0) {
		u.order = utf16_guess(raw.data, raw.len, &mark);
		if (u.order == UTF16_NONE)
			rc = buf_adds(text, raw.data);
		else if (utf16_add(&u, raw.data + mark, raw.len - mark, text) !=
			0 ||
		    utf16_end(&u, text) != 0)
			rc = err_set(err, "it is too long");
	}
	if (rc == 0 && text->data == NULL)
		rc = err_set(err, "it holds no key");
	buf_release(&raw);
	return rc;
}

/* Read the value of --key: a verifier key, or the name of a file with keys. */
static int
read_key(struct keys *keys, const char *value, struct err *err)
{
	struct buf text = BUF_INIT(2 * KEY_FILE_MAX);
	struct err no_key = ERR_INIT;
	int rc;

	if (add_key(keys, value, &no_key) == 0)
		return 0;
	rc = read_text(value, &text, err);
	if (rc == 0)
		rc = add_file(keys, text.data, err);
	if (rc == -1)
		(void)err_prefix(err, "--key %s", value);
	buf_release(&text);
	return rc;
}

/* Put what could not be read into the report, whose last bytes are "}\n". */
static int
add_error(const struct cmd_line *line, const struct err *unread,
    struct buf *out)
{
	json_t *error = cmd_error_json(line->cmd, EXIT_WRONG, unread->text);
	char *members = json_dumps(error, JSON_EMBED | JSON_COMPACT);
	int rc = -1;

	out->len -= 2;
	if (members != NULL)
		rc = buf_addf(out, ",%s}\n", members);
	free(members);
	json_decref(error);
	return rc;
}

static int
print(const struct verify *v, const struct cmd_line *line,
    const struct err *unread, struct err *err)
{
	struct buf out = BUF_INIT(REPORT_MAX);
	int rc = 0;

	if (!line->json)
		rc = verify_text(v, stdout);
	else if (verify_json(v, &out) == -1 ||
	    (unread->text[0] != '\0' && add_error(line, unread, &out) == -1) ||
	    fwrite(out.data, 1, out.len, stdout) != out.len ||
	    fflush(stdout) != 0)
		rc = -1;
	buf_release(&out);
	return rc == 0 ? 0 : err_set(err, "the report cannot be written");
}

/* Read, conclude, print: the exit status. */
static int
work(const struct verify_options *options, const struct cmd_line *line)
{
	struct verify *v = verify_new(options);
	struct err err = ERR_INIT, unread = ERR_INIT;
	int status = EXIT_WRONG;

	for (int i = 0; i < line->argc; i++) {
		struct err why = ERR_INIT;

		if (verify_input(v, line->argv[i], &why) == 0)
			continue;
		if (!line->json)
			(void)cmd_failed(line->cmd, &why);
		(void)err_set(&unread, "%s", why.text);
	}
	if (verify_finish(v))
		status = EXIT_FINE;
	if (print(v, line, &unread, &err) == -1)
		status = cmd_failed(line->cmd, &err);
	verify_free(v);
	return status;
}

static int
verify_run(const struct cmd *cmd, struct cmd_line *line)
{
	struct keys keys = { .n = 0 };
	const char **feeds = xcalloc(line->n_given + 1, sizeof(*feeds));
	struct verify_options options = { .feeds = feeds };
	struct err err = ERR_INIT;
	int status;

	for (size_t i = 0; i < line->n_given; i++) {
		const char *name = line->given[i].name;

		if (strcmp(name, "feed") == 0)
			feeds[options.n_feeds++] = line->given[i].value;
		else if (strcmp(name, "complete") == 0)
			options.complete = true;
		else if (strcmp(name, "key") == 0 && err.text[0] == '\0')
			(void)read_key(&keys, line->given[i].value, &err);
	}
	options.keys = keys.list;
	options.n_keys = keys.n;
	if (err.text[0] != '\0')
		status = cmd_misused(cmd, "%s", err.text);
	else if (keys.n == 0)
		status = cmd_misused(cmd,
		    "--key is missing: give the verifier key that \"sealfeed "
		    "keygen\" printed, or a file that holds it");
	else
		status = work(&options, line);
	free(keys.list);
	free(feeds);
	return status;
}

static const struct cmd_option verify_options[] = {
	{ .name = "key",
	    .value = "KEY",
	    .help =
		"A trusted key: a verifier key as \"sealfeed keygen\" prints "
		"it, a file with one such key per line, or a public key in "
		"PEM. May be repeated, for example after a key rotation." },
	{ .name = "feed",
	    .value = "FEED",
	    .help = "Check only this feed, such as contoso/Audit.Exchange. May "
		    "be repeated." },
	{ .name = "complete",
	    .help = "Also fail if an event is not covered by a checkpoint or a "
		    "feed does not begin with index 0; recommended for "
		    "audits." },
	{ .name = NULL },
};

const struct cmd cmd_verify = {
	.name = "verify",
	.arguments = "INPUT...",
	.summary = "Check what a receiver has stored.",
	.help = "Check what a receiver has stored. The input is sealfeed's own "
		"lines (exports, archives), the files of syslog servers that "
		"keep the structured data, or what a SIEM exports with the "
		"text as it came: JSON (Splunk's _raw, message, event.original "
		"or _source of Elastic, OpenSearch, Logstash, Graylog), single "
		"objects, arrays or the answer to a search, or CSV with a "
		"header. It may be UTF-16, and packed by gzip, xz or zstd; "
		"\"-\" is standard input. Missing, altered, forged and "
		"repeated events are named "
		"by feed and index. The exit status is 0 only if all is well.",
	.options = verify_options,
	.min = 1,
	.max = -1,
	.run = verify_run,
};
