/*
 * doubt.c - values that are well-formed and yet most likely not what was meant.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/node.h"
#include "config/doubt.h"
#include "config/secret.h"

#define LINE_MAX_READ 8192
#define LONGEST (16 * 1024) /* secret */

#define HEX "0123456789abcdefABCDEF"

bool
doubt_is_guid(const char *s)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	for (size_t i = 0; form[i] != '\0'; i++)
		if (s[i] == '\0' ||
		    (form[i] == '-' ? s[i] != '-' : strchr(HEX, s[i]) == NULL))
			return false;
	return s[sizeof(form) - 1] == '\0';
}

/* The same digit in all of a group, or digits in their order: nobody's. */
static bool
is_made_up(const char *guid)
{
	bool same = true, order = true;
	int n = 0;

	for (const char *c = guid; *c != '\0'; c++) {
		if (*c == '-')
			continue;
		same = same && (c == guid || c[-1] == '-' || *c == c[-1]);
		/* 12345678-1234-1234-1234-123456789abc, and from 0. */
		order = order &&
		    (c == guid || c[-1] == '-' || n % 16 == 0 ||
			strchr(HEX, *c) == strchr(HEX, c[-1]) + 1 ||
			(*c == '0' && c[-1] == '9'));
		n++;
	}
	return same || order;
}

/* Words of examples and templates, whatever stands around them. */
static bool
is_placeholder(const char *s)
{
	static const char *const words[] = { "tenant", "client", "your", "app",
		"changeme", "change_me", "change-me", "replace", "example",
		"placeholder", "todo", "fixme", "xxxx", "secret", "password",
		"insert", "guid", "..." };
	size_t len = strlen(s), letters = 0;

	if (strpbrk(s, "<>{}[]") != NULL)
		return true;
	/* "x", "xxx", "****": one character, again and again. */
	if (len > 0 && strspn(s, (char[]){ s[0], '\0' }) == len)
		return true;
	/* A generated secret has digits; a word has not. */
	for (const char *c = s; *c != '\0'; c++)
		letters += isalpha((unsigned char)*c) || *c == '_' ||
		    *c == '-' || *c == ' ' || *c == '.';
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (letters == len && strcasestr(s, words[i]) != NULL)
			return true;
	return false;
}

const char *
doubt_guid(const char *s)
{
	if (doubt_is_guid(s))
		return is_made_up(s)
		    ? "is the GUID of an example; copy the one of the app "
		      "registration"
		    : NULL;
	if (strpbrk(s, "{}<>[]") == NULL && strspn(s, HEX "-") == strlen(s))
		return "is not a GUID, which has 32 hexadecimal digits in "
		       "groups of 8-4-4-4-12; copy it from the app "
		       "registration";
	if (is_placeholder(s) && strchr(s, '.') == NULL)
		return "is a placeholder; put the GUID of the app registration "
		       "in its place";
	if (strchr(s, '.') != NULL)
		return "is a domain and not an ID, which the API refuses; use "
		       "the GUID";
	return "is not a GUID like 0873ee4d-d342-44f2-8961-74c442a2fad2; copy "
	       "it from the app registration";
}

/* Does a comment follow the value of the node in its line?  What stands behind
 * " #" may have been meant as a part of it. */
static bool
is_cut(const struct node *at)
{
	char line[LINE_MAX_READ];
	const char *value;
	struct stat st;
	bool cut = false;
	FILE *in;

	if (at == NULL || at->type != NODE_SCALAR || !at->plain ||
	    at->text[0] == '\0' || stat(at->file, &st) != 0 ||
	    !S_ISREG(st.st_mode))
		return false;
	in = fopen(at->file, "re");
	if (in == NULL)
		return false;
	for (size_t n = 0; n < at->line; n++)
		if (fgets(line, sizeof(line), in) == NULL)
			line[0] = '\0';
	(void)fclose(in);
	value = strchr(line, ':');
	value = value != NULL ? strstr(value, at->text) : NULL;
	if (value != NULL) {
		value += strlen(at->text);
		cut = (*value == ' ' || *value == '\t') &&
		    value[strspn(value, " \t")] == '#';
	}
	memset(line, 0, sizeof(line));
	return cut;
}

static bool
begins(const char *s, const char *with)
{
	return strncasecmp(s, with, strlen(with)) == 0;
}

static bool
ends(const char *s, const char *with)
{
	size_t n = strlen(s), m = strlen(with);

	return n > m && strcasecmp(s + n - m, with) == 0;
}

static bool
is_path(const char *s)
{
	static const char *const names[] = { ".txt", ".pem", ".key", ".secret",
		".conf", ".env" };

	if (begins(s, "file:") || begins(s, "./") || begins(s, "../") ||
	    begins(s, "~/") ||
	    (isalpha((unsigned char)s[0]) && begins(s + 1, ":\\")))
		return true;
	/* A secret may begin with a slash, but has no second one and ending. */
	if (s[0] == '/' && (strchr(s + 1, '/') != NULL || begins(s, "/run")))
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (ends(s, names[i]))
			return true;
	return false;
}

/* $NAME, $env:NAME, $(…), %NAME%, {{ … }}, and how vaults are referred to: what
 * nobody expands here. */
static bool
is_variable(const char *s)
{
	static const char *const begun[] = { "$(", "!vault", "$ANSIBLE_VAULT",
		"env:", "$env:", "vault:", "op://",
		"arn:aws:", "ssm:", "keyvault:", "@Microsoft.KeyVault",
		"secretref:" };
	size_t len = strlen(s);

	if (strstr(s, "{{") != NULL)
		return true;
	for (size_t i = 0; i < sizeof(begun) / sizeof(begun[0]); i++)
		if (begins(s, begun[i]))
			return true;
	if (s[0] == '%' && len > 2 && s[len - 1] == '%')
		return true;
	return s[0] == '$' && len > 1 &&
	    strspn(s + 1,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"abcdefghijklmnopqrstuvwxyz0123456789_") == len - 1;
}

const char *
doubt_secret(const char *text, const struct node *at)
{
	const char *why;

	if (strstr(text, "${") != NULL)
		return NULL;
	if (is_cut(at))
		return "is cut off at \" #\", where YAML begins a comment; put "
		       "the secret in quotes, or better in a file";
	if (is_path(text))
		return "is the name of a file and not a secret; write "
		       "${file:PATH} for the file's content";
	if (is_variable(text))
		return "is the name of a variable or of a place in a vault, "
		       "which is not looked up; write ${env:NAME} or "
		       "${file:PATH}";
	why = doubt_resolved(text);
	if ((why == NULL || strlen(text) < SECRET_MIN) && is_placeholder(text))
		return "is a placeholder; put the secret in its place, or "
		       "${file:PATH}";
	return why;
}

const char *
doubt_resolved(const char *secret)
{
	size_t len = strlen(secret);

	if (len == 0)
		return "is empty";
	if (begins(secret, "\xef\xbb\xbf") || begins(secret, "\xff\xfe") ||
	    begins(secret, "\xfe\xff"))
		return "begins with a byte order mark; save it without one";
	if (strspn(secret, " \t\r\n") == len)
		return "has nothing but white space in it";
	if (strchr(" \t\r\n\v\f", secret[0]) != NULL)
		return "begins with white space; remove it";
	if (strchr(" \t\r\n\v\f", secret[len - 1]) != NULL)
		return "ends with white space or an empty line; remove it";
	if (len > 1 && strchr("\"'`", secret[0]) != NULL &&
	    secret[len - 1] == secret[0])
		return "stands in quotes, which are sent along; remove them";
	if (begins(secret, "\xe2\x80\x98") || begins(secret, "\xe2\x80\x9c"))
		return "stands in typographic quotes, which are sent along; "
		       "remove them";
	if (strpbrk(secret, "\r\n") != NULL)
		return "has more than one line; keep the secret alone there";
	if (len > LONGEST)
		return "is longer than 16 KiB, as no secret is; name the file "
		       "that holds it alone";
	for (const char *c = secret; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
			return "has a character that is not printable ASCII, "
			       "as a no-break space; type it anew";
	if (len < SECRET_MIN)
		return "has fewer than six characters, too few for a secret, "
		       "and is not kept out of messages that quote a reply; "
		       "use a longer one";
	if (doubt_is_guid(secret))
		return "looks like the secret's ID; use the secret's value, "
		       "which is shown only when it is created";
	return NULL;
}

/* The first of the folders above path that every user may put files into and
 * take others' from; the caller frees it. */
static char *
open_folder(const char *path, mode_t *mode)
{
	char *folder = xstrdup(path), *slash;
	struct stat st;

	while ((slash = strrchr(folder, '/')) != NULL && slash != folder) {
		*slash = '\0';
		if (stat(folder, &st) == 0 && (st.st_mode & S_IWOTH) != 0 &&
		    (st.st_mode & S_ISVTX) == 0) {
			*mode = st.st_mode & 07777;
			return folder;
		}
	}
	free(folder);
	return NULL;
}

bool
doubt_file(const char *path, struct buf *out)
{
	struct stat st;
	mode_t mode;
	char *folder;
	int rc;

	/* What is no file is told by who reads it. */
	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return false;
	mode = st.st_mode & 07777;
	if ((mode & (S_IROTH | S_IWOTH)) != 0)
		return buf_addf(out,
			   "%s can be %s by every user (mode %04o); chmod 0640 "
			   "and give it to the user of the agent",
			   path, (mode & S_IROTH) != 0 ? "read" : "written",
			   (unsigned)mode) == 0;
	folder = open_folder(path, &mode);
	if (folder == NULL)
		return false;
	rc = buf_addf(out,
	    "%s can be replaced by every user, who may write to its folder %s "
	    "(mode %04o); chmod 0750 the folder",
	    path, folder, (unsigned)mode);
	free(folder);
	return rc == 0;
}

bool
doubt_writable(const char *path, uid_t uid, gid_t gid, struct buf *out)
{
	struct stat st;

	if (uid == 0 || stat(path, &st) != 0)
		return false;
	if (st.st_uid != uid && (st.st_mode & S_IWOTH) == 0 &&
	    (st.st_gid != gid || (st.st_mode & S_IWGRP) == 0) &&
	    (geteuid() != uid || access(path, W_OK) != 0))
		return false;
	return buf_addf(out,
		   "%s can be changed by the service that it configures (mode "
		   "%04o); give it to root and the service's group: chown "
		   "root, chmod %s",
		   path, (unsigned)st.st_mode & 07777,
		   S_ISDIR(st.st_mode) ? "0750" : "0640") == 0;
}
