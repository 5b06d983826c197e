/*
 * check_service.c - check --as-service: can the service read what the
 * configuration names, and can it change its configuration?
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "cmd/check_private.h"
#include "cmd/cmd.h"
#include "cmd/service.h"
#include "config/doubt.h"
#include "config/secret.h"
#include "config/stand_in.h"

#define TEXT_MAX 2048

/* One file, for the functions that look at it. */
struct look {
	struct check *check;
	const char *subject;
	const char *key;
	size_t failed;
};

/* Print and keep what was found; readable: 1, 0, or -1 for not tested. */
static void
found(struct look *l, const char *path, const char *id, int readable,
    const char *error)
{
	struct check *c = l->check;
	struct buf subject = BUF_INIT(TEXT_MAX);
	const char *name;
	int rc;
	json_t *one = json_pack("{s:s, s:s, s:s?, s:s?, s:o, s:s?}", "subject",
	    l->subject, "option", l->key, "path", path, "credential", id,
	    "readable", readable < 0 ? json_null() : json_boolean(readable),
	    "error", error);

	(void)json_array_append_new(json_object_get(c->service, "files"), one);
	rc = buf_addf(&subject, "%s: %s", l->subject, l->key);
	if (rc == 0 && id != NULL)
		rc = buf_addf(&subject, ": credential %s", id);
	else if (rc == 0 && path != NULL)
		rc = buf_addf(&subject, ": %s", path);
	name = rc == 0 ? subject.data : l->subject;
	if (readable == 0) {
		l->failed++;
		check_fail(c, name, error);
	} else if (!c->line->json) {
		(void)printf("%s: %s%s\n", name,
		    readable > 0 ? c->as->user : "not tested: ",
		    readable > 0 ? " can read it" : error);
	}
	buf_release(&subject);
}

static void
add_owner(const char *path, struct buf *out)
{
	const struct passwd *pw;
	const struct group *gr;
	struct stat st;

	if (stat(path, &st) != 0)
		return;
	pw = getpwuid(st.st_uid);
	gr = getgrgid(st.st_gid);
	(void)!buf_addf(out, "; %s is %s:%s %04o", path,
	    pw != NULL ? pw->pw_name : "?", gr != NULL ? gr->gr_name : "?",
	    (unsigned)st.st_mode & 07777);
}

/* Name the folder that may not be entered, or the file itself. */
static void
add_obstacle(const char *path, struct buf *out)
{
	char *part = xstrdup(path);

	for (char *slash = strchr(part + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (access(part, X_OK) != 0) {
			add_owner(part, out);
			goto out;
		}
		*slash = '/';
	}
	add_owner(part, out);
out:
	free(part);
}

/* What the unit hides from the service, whatever its mode; NULL: nothing. */
static const char *
hidden_by(const struct unit *u, const char *path)
{
	static const struct {
		const char *folder;
		size_t flag;
		const char *directive;
	} hidden[] = {
		{ "/home/", offsetof(struct unit, protect_home),
		    "ProtectHome" },
		{ "/root/", offsetof(struct unit, protect_home),
		    "ProtectHome" },
		{ "/run/user/", offsetof(struct unit, protect_home),
		    "ProtectHome" },
		{ "/tmp/", offsetof(struct unit, private_tmp), "PrivateTmp" },
		{ "/var/tmp/", offsetof(struct unit, private_tmp),
		    "PrivateTmp" },
	};
	char *real = realpath(path, NULL);
	const char *by = NULL;

	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (*((const bool *)((const char *)u + hidden[i].flag)) &&
		    strncmp(real == NULL ? path : real, hidden[i].folder,
			strlen(hidden[i].folder)) == 0)
			by = hidden[i].directive;
	free(real);
	return by;
}

static void
look_at_path(struct look *l, const char *path)
{
	const char *by = hidden_by(&l->check->as->unit, path);
	const char *user = l->check->as->user;
	struct buf text = BUF_INIT(TEXT_MAX);
	struct err ignored = ERR_INIT;
	int fd = file_open_regular(path, O_RDONLY, &ignored);
	int why = errno, rc;

	if (fd >= 0)
		(void)close(fd);
	if (by != NULL)
		rc = buf_addf(&text,
		    "the service does not see it, since its unit has %s=; keep "
		    "it in /etc/sealfeed, or hand it over with LoadCredential=",
		    by);
	else if (fd < 0)
		rc = buf_addf(&text, "%s cannot read it: %s", user,
		    why == EINVAL ? "not a regular file" : strerror(why));
	else
		rc = buf_adds(&text, "");
	if (rc == 0 && by == NULL && fd < 0 && why == EACCES) {
		add_obstacle(path, &text);
		rc = buf_addf(&text, "; give it to the group of %s%s", user,
		    strcmp(l->subject, "configuration") == 0
			? ""
			: ", or hand it over with LoadCredential=");
	}
	if (by == NULL && fd >= 0)
		found(l, path, NULL, 1, NULL);
	else
		found(l, path, NULL, 0, rc == 0 ? text.data : user);
	buf_release(&text);
}

static void
look_at_credential(struct look *l, const char *id)
{
	const struct service_credential *c =
	    service_credential(l->check->as, id);

	if (c == NULL)
		found(l, NULL, id, 0,
		    "the unit passes no such credential; add "
		    "LoadCredential=NAME:PATH to it (\"systemctl edit "
		    "sealfeed\")");
	else
		found(l, c->path, id,
		    c->error == NULL  ? 1
			: c->untested ? -1
				      : 0,
		    c->error);
}

/* secret_file_fn */
static void
look_at_file(void *ctx, const char *path)
{
	struct look *l = ctx;
	const char *id = service_credential_id(l->check->as, path);

	if (id == NULL)
		look_at_path(l, path);
	else
		look_at_credential(l, id);
}

/* check_secret_fn: its files; and the rest, such as a variable that the unit
 * does not set. */
static void
look_at_secret(void *ctx, const struct check_secret *s)
{
	struct look l = { ctx, s->subject, s->key, 0 };
	struct err why = ERR_INIT;
	char *secret;

	secret_each_file(s->text, s->pem, look_at_file, &l);
	if (strstr(s->text, "${env:") == NULL || l.failed > 0)
		return;
	secret = s->pem ? secret_resolve_pem(s->text, &why)
			: secret_resolve(s->text, &why);
	found(&l, NULL, NULL, secret != NULL, secret != NULL ? NULL : why.text);
	secret_free(secret);
}

/* A file or folder of the configuration that the service may change. */
static void
look_at_change(struct check *c, const char *path)
{
	struct buf text = BUF_INIT(TEXT_MAX);

	if (doubt_writable(path, c->as->uid, c->as->gid, &text))
		check_warn(c, text.data);
	buf_release(&text);
}

/* A file of the configuration, which may not be there yet. */
static void
look_at_config(struct check *c, const char *path)
{
	struct look l = { c, "configuration", "file", 0 };
	struct buf text = BUF_INIT(TEXT_MAX);

	if (access(path, F_OK) == 0 || errno != ENOENT)
		look_at_path(&l, path);
	look_at_change(c, path);
	if (c->literal && doubt_file(path, &text))
		check_warn(c, text.data);
	buf_release(&text);
}

static void
look_at_dropins(struct check *c, const char *dir)
{
	struct look l = { c, "configuration", "folder", 0 };
	struct dirent **entry = NULL;
	int n = scandir(dir, &entry, NULL, alphasort);

	if (n < 0 && errno != ENOENT)
		look_at_path(&l, dir);
	for (int i = 0; i < n; i++) {
		char *path = xasprintf("%s/%s", dir, entry[i]->d_name);

		if (config_is_dropin(entry[i]->d_name))
			look_at_config(c, path);
		free(path);
		free(entry[i]);
	}
	free(entry);
	look_at_change(c, dir);
}

static void
look_at_configuration(struct check *c)
{
	char *dropins = config_dropin_dir(c->path);
	char *sources = config_sources_dir(c->path);
	char *folder = xasprintf("%.*s.",
	    (int)(strlen(dropins) - strlen("conf.d")), dropins);

	look_at_config(c, c->path);
	look_at_dropins(c, dropins);
	look_at_dropins(c, sources);
	look_at_change(c, folder);
	free(folder);
	free(sources);
	free(dropins);
}

/* systemd does not start a unit that lacks one of its credentials, needed or
 * not. */
static void
look_at_credentials(struct check *c)
{
	for (size_t i = 0; i < c->as->n; i++) {
		const struct service_credential *one = &c->as->credential[i];
		char *subject = xasprintf("credential %s", one->id);

		(void)json_array_append_new(json_object_get(c->service,
						"credentials"),
		    json_pack("{s:s, s:s?, s:o, s:s?}", "id", one->id, "from",
			one->from, "loaded",
			one->untested ? json_null()
				      : json_boolean(one->error == NULL),
			"error", one->error));
		if (one->error != NULL && !one->untested)
			check_fail(c, subject, one->error);
		else if (!c->line->json)
			(void)printf("%s: %s%s\n", subject,
			    one->error == NULL ? "loaded from "
					       : "not tested: ",
			    one->error == NULL ? one->from : one->error);
		free(subject);
	}
}

/* check_secret_fn */
static void
look_for_literal(void *ctx, const struct check_secret *s)
{
	struct check *c = ctx;

	if (s->private && strstr(s->text, "${") == NULL &&
	    (!s->pem || strstr(s->text, "-----BEGIN") != NULL))
		c->literal = true;
}

void
check_service(struct check *c)
{
	char text[512];

	if (!c->as->is_user) {
		(void)snprintf(text, sizeof(text),
		    "not run as root: what can be read is said of the present "
		    "user and not of %s",
		    c->as->user);
		check_warn(c, text);
	}
	if (c->as->uid == 0)
		check_warn(c,
		    "the unit runs the service as root; set User=sealfeed");
	(void)json_object_set_new(c->service, "unit",
	    json_string(c->as->unit.path));
	(void)json_object_set_new(c->service, "user", json_string(c->as->user));
	(void)json_object_set_new(c->service, "files", json_array());
	(void)json_object_set_new(c->service, "credentials", json_array());
	look_at_credentials(c);
	check_all_secrets(c->config, look_for_literal, c);
	look_at_configuration(c);
	/* A relative name is relative to where systemd starts the service. */
	if (chdir("/") != 0)
		check_fail(c, "/", strerror(errno));
	check_all_secrets(c->config, look_at_secret, c);
}
