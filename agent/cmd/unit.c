/*
 * unit.c - what the installed unit gives to the service.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "cmd/unit.h"

#define UNIT "sealfeed.service"
#define FILE_MAX (1 << 20)

/* systemd.unit(5), the most important first; what generators and transient
 * units do is left out. */
static const char search_path[] =
    "/etc/systemd/system.control:/run/systemd/system.control:"
    "/etc/systemd/system:/run/systemd/system:"
    "/usr/local/lib/systemd/system:/usr/lib/systemd/system:"
    "/lib/systemd/system";

static void
list_add(struct unit_list *l, char *word)
{
	l->word = xreallocarray(l->word, l->n + 1, sizeof(*l->word));
	l->word[l->n++] = word;
}

static void
list_clear(struct unit_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->word[i]);
	free(l->word);
	*l = (struct unit_list){ .n = 0 };
}

/* The specifiers (systemd.unit(5)) that name folders or the unit; others stay
 * as they are. */
static char *
specified(const char *s)
{
	static const struct {
		char letter;
		const char *means;
	} specifiers[] = {
		{ '%', "%" },
		{ 'E', "/etc" },
		{ 'N', "sealfeed" },
		{ 'S', "/var/lib" },
		{ 'T', "/tmp" },
		{ 'V', "/var/tmp" },
		{ 'n', UNIT },
		{ 'p', "sealfeed" },
		{ 't', "/run" },
	};
	struct buf out = BUF_INIT(FILE_MAX);
	int rc = buf_adds(&out, "");

	for (; *s != '\0' && rc == 0; s++) {
		const char *means = NULL;

		for (size_t i = 0; *s == '%' &&
		     i < sizeof(specifiers) / sizeof(specifiers[0]);
		     i++)
			if (specifiers[i].letter == s[1])
				means = specifiers[i].means;
		rc =
		    means != NULL ? buf_adds(&out, means) : buf_add(&out, s, 1);
		s += means != NULL;
	}
	return buf_take(&out, NULL);
}

/* The next word of *s, which may stand in quotes or have some in it; NULL:
 * there is none.  The caller frees it. */
static char *
next_word(const char **s)
{
	const char *in = *s + strspn(*s, " \t");
	char *out, *to, quote = '\0';

	if (*in == '\0')
		return NULL;
	to = out = xcalloc(strlen(in) + 1, 1);
	for (; *in != '\0' && (quote != '\0' || strchr(" \t", *in) == NULL);
	     in++) {
		if (*in == quote)
			quote = '\0';
		else if (quote == '\0' && strchr("\"'", *in) != NULL)
			quote = *in;
		else if (*in == '\\' && in[1] != '\0')
			*to++ = *++in;
		else
			*to++ = *in;
	}
	*s = in;
	return out;
}

static void
take_words(struct unit_list *l, const char *value)
{
	char *word;

	if (*value == '\0')
		list_clear(l);
	while ((word = next_word(&value)) != NULL) {
		list_add(l, specified(word));
		free(word);
	}
}

static void
take_text(char **to, const char *value)
{
	free(*to);
	*to = *value == '\0' ? NULL : specified(value);
}

static void
clear_credentials(struct unit *u, bool set, bool encrypted)
{
	size_t kept = 0;

	for (size_t i = 0; i < u->n_credentials; i++) {
		struct unit_credential *c = &u->credential[i];

		if (c->set != set || c->encrypted != encrypted) {
			u->credential[kept++] = *c;
			continue;
		}
		free(c->id);
		free(c->from);
	}
	u->n_credentials = kept;
}

/* "ID:PATH", or "ID" of a file in a credential store; "ID:DATA". */
static void
take_credential(struct unit *u, const char *value, bool set, bool encrypted)
{
	size_t len = strcspn(value, ":");
	struct unit_credential *c;

	if (*value == '\0') {
		clear_credentials(u, set, encrypted);
		return;
	}
	u->credential = xreallocarray(u->credential, u->n_credentials + 1,
	    sizeof(*u->credential));
	c = &u->credential[u->n_credentials++];
	*c = (struct unit_credential){ .set = set, .encrypted = encrypted };
	c->id = xstrndup(value, len);
	c->from =
	    value[len] == '\0' ? xstrdup(value) : specified(value + len + 1);
}

static bool
is_yes(const char *value)
{
	static const char *const words[] = { "yes", "y", "true", "t", "on", "1",
		"tmpfs" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(value, words[i]) == 0)
			return true;
	return false;
}

/* The directives that matter, and where their values go. */
static const struct directive {
	const char *name;
	enum { TEXT, WORDS, YES, CREDENTIAL } kind;
	size_t offset;
	bool set, encrypted;
} directives[] = {
	{ .name = "User", .kind = TEXT, .offset = offsetof(struct unit, user) },
	{ .name = "Group",
	    .kind = TEXT,
	    .offset = offsetof(struct unit, group) },
	{ .name = "SupplementaryGroups",
	    .kind = WORDS,
	    .offset = offsetof(struct unit, groups) },
	{ .name = "Environment",
	    .kind = WORDS,
	    .offset = offsetof(struct unit, environment) },
	{ .name = "EnvironmentFile",
	    .kind = WORDS,
	    .offset = offsetof(struct unit, environment_files) },
	{ .name = "ProtectHome",
	    .kind = YES,
	    .offset = offsetof(struct unit, protect_home) },
	{ .name = "PrivateTmp",
	    .kind = YES,
	    .offset = offsetof(struct unit, private_tmp) },
	{ .name = "LoadCredential", .kind = CREDENTIAL },
	{ .name = "LoadCredentialEncrypted",
	    .kind = CREDENTIAL,
	    .encrypted = true },
	{ .name = "SetCredential", .kind = CREDENTIAL, .set = true },
	{ .name = "SetCredentialEncrypted",
	    .kind = CREDENTIAL,
	    .set = true,
	    .encrypted = true },
};

static void
take_directive(struct unit *u, const char *name, const char *value)
{
	for (size_t i = 0; i < sizeof(directives) / sizeof(directives[0]);
	     i++) {
		const struct directive *d = &directives[i];
		void *to = (char *)u + d->offset;

		if (strcmp(d->name, name) != 0)
			continue;
		switch (d->kind) {
		case TEXT:
			take_text(to, value);
			break;
		case WORDS:
			take_words(to, value);
			break;
		case YES:
			*(bool *)to = is_yes(value);
			break;
		case CREDENTIAL:
			take_credential(u, value, d->set, d->encrypted);
			break;
		}
	}
}

static char *
trimmed(char *s)
{
	size_t len;

	s += strspn(s, " \t\r");
	len = strlen(s);
	while (len > 0 && strchr(" \t\r", s[len - 1]) != NULL)
		s[--len] = '\0';
	return s;
}

static void
take_line(struct unit *u, char *line, bool *service)
{
	char *equals, *text = trimmed(line);

	if (*text == '[')
		*service = strcmp(text, "[Service]") == 0;
	equals = strchr(text, '=');
	if (!*service || *text == '[' || equals == NULL)
		return;
	*equals = '\0';
	take_directive(u, trimmed(text), trimmed(equals + 1));
}

static bool
is_comment(const char *line)
{
	line += strspn(line, " \t");
	return *line == '#' || *line == ';';
}

/* Read a unit or a drop-in: a line that ends in "\" goes on in the next one
 * that is no comment. */
static int
read_file(struct unit *u, const char *path, struct err *err)
{
	struct buf text = BUF_INIT(FILE_MAX), line = BUF_INIT(FILE_MAX);
	bool service = false, more = false;
	char *rest, *part;
	int rc = file_read(path, &text, err);

	rest = rc == 0 ? text.data : NULL;
	while (rc == 0 && (part = strsep(&rest, "\n")) != NULL) {
		size_t len = strlen(part);

		if (is_comment(part))
			continue;
		more = len > 0 && part[len - 1] == '\\';
		if (more)
			part[len - 1] = ' ';
		if (buf_adds(&line, part) != 0)
			rc = err_set(err, "%s: a line is too long", path);
		if (rc != 0 || (more && rest != NULL))
			continue;
		take_line(u, line.data, &service);
		buf_clear(&line);
	}
	buf_release(&line);
	buf_release(&text);
	return rc;
}

static const char *
name_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

/* Of one name the first that is found counts. */
static void
find_dropins(struct unit_list *found, const char *folder, const char *of)
{
	char *dir = xasprintf("%s/%s.d", folder, of);
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		const char *end = strrchr(e->d_name, '.');
		bool known = false;

		for (size_t i = 0; i < found->n; i++)
			known = known ||
			    strcmp(name_of(found->word[i]), e->d_name) == 0;
		if (!known && e->d_name[0] != '.' && end != NULL &&
		    strcmp(end, ".conf") == 0)
			list_add(found, xasprintf("%s/%s", dir, e->d_name));
	}
	if (d != NULL)
		(void)closedir(d);
	free(dir);
}

static int
by_name(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(name_of(*x), name_of(*y));
}

static int
read_dropins(struct unit *u, const struct unit_list *folders, struct err *err)
{
	static const char *const of[] = { UNIT, "service" };
	struct unit_list found = { .n = 0 };
	int rc = 0;

	for (size_t k = 0; k < sizeof(of) / sizeof(of[0]); k++)
		for (size_t i = 0; i < folders->n; i++)
			find_dropins(&found, folders->word[i], of[k]);
	if (found.n > 0)
		qsort(found.word, found.n, sizeof(*found.word), by_name);
	for (size_t i = 0; i < found.n && rc == 0; i++)
		rc = read_file(u, found.word[i], err);
	list_clear(&found);
	return rc;
}

static void
split_folders(struct unit_list *folders)
{
	const char *path = getenv("SYSTEMD_UNIT_PATH");
	char *copy = xstrdup(path == NULL ? search_path : path);
	char *save = NULL;

	for (char *s = strtok_r(copy, ":", &save); s != NULL;
	     s = strtok_r(NULL, ":", &save))
		list_add(folders, xstrdup(s));
	free(copy);
}

int
unit_load(struct unit *u, struct err *err)
{
	struct unit_list folders = { .n = 0 };
	int rc;

	*u = (struct unit){ .path = NULL };
	split_folders(&folders);
	for (size_t i = 0; i < folders.n && u->path == NULL; i++) {
		u->path = xasprintf("%s/" UNIT, folders.word[i]);
		if (access(u->path, F_OK) == 0)
			break;
		free(u->path);
		u->path = NULL;
	}
	if (u->path == NULL)
		rc = err_set(err,
		    UNIT ": the unit is not installed; the package brings it, "
			 "and $SYSTEMD_UNIT_PATH says where else to look");
	else
		rc = read_file(u, u->path, err);
	if (rc == 0)
		rc = read_dropins(u, &folders, err);
	list_clear(&folders);
	return rc;
}

void
unit_release(struct unit *u)
{
	for (size_t i = 0; i < u->n_credentials; i++) {
		free(u->credential[i].id);
		free(u->credential[i].from);
	}
	free(u->credential);
	list_clear(&u->groups);
	list_clear(&u->environment);
	list_clear(&u->environment_files);
	free(u->path);
	free(u->user);
	free(u->group);
	*u = (struct unit){ .path = NULL };
}
