/*
 * service.c - do something as the service would.
 *
 * The credentials are copied, since only a folder of files is like what
 * systemd makes: ${env:CREDENTIALS_DIRECTORY} works, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/exit_status.h"
#include "base/file.h"
#include "base/mem.h"
#include "cmd/service.h"

/* What systemd takes of one. */
#define CREDENTIAL_MAX (1024 * 1024)
#define PATH_OF_SERVICES "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"

/* systemd.exec(5), LoadCredential=: where a relative name is looked for. */
static const char *const stores[] = { "/etc/", "/run/", "/usr/local/lib/",
	"/usr/lib/" };

static int
find_user(struct service *s, struct err *err)
{
	const char *name = s->unit.user == NULL ? "root" : s->unit.user;
	const struct passwd *pw = getpwnam(name);
	const struct group *gr;
	char *end;
	unsigned long number = strtoul(name, &end, 10);

	if (pw == NULL && *end == '\0')
		pw = getpwuid((uid_t)number);
	if (pw == NULL)
		return err_set(err,
		    "%s: its user %s is not there; \"systemd-sysusers\" makes "
		    "it",
		    s->unit.path, name);
	s->user = xstrdup(pw->pw_name);
	s->uid = pw->pw_uid;
	s->gid = pw->pw_gid;
	s->is_user = geteuid() == 0 || geteuid() == s->uid;
	if (s->unit.group == NULL)
		return 0;
	gr = getgrnam(s->unit.group);
	if (gr == NULL)
		return err_set(err,
		    "%s: its group %s is not there; \"systemd-sysusers\" makes "
		    "it",
		    s->unit.path, s->unit.group);
	s->gid = gr->gr_gid;
	return 0;
}

/* The data as a file of the folder, which only the service reads. */
static int
write_credential(struct service *s, struct service_credential *c,
    const char *data, size_t len)
{
	char *path = xasprintf("%s/%s", s->dir, c->id);
	struct err why = ERR_INIT;

	if (file_create(path, data, len, 0400, &why) == 0 && geteuid() == 0 &&
	    chown(path, s->uid, s->gid) != 0)
		(void)err_set(&why, "%s: %s", path, strerror(errno));
	free(path);
	if (why.text[0] == '\0')
		return 0;
	c->error = xstrdup(why.text);
	return -1;
}

/* The file's name, looked for in the credential stores; NULL: c says why. */
static char *
find_file(struct service_credential *c, const struct unit_credential *u)
{
	struct stat st;
	char *path;

	if (u->from[0] == '/')
		return xstrdup(u->from);
	for (size_t i = 0; i < 2 * sizeof(stores) / sizeof(stores[0]); i++) {
		if (i % 2 == 1 && !u->encrypted)
			continue;
		path = xasprintf("%scredstore%s/%s", stores[i / 2],
		    i % 2 == 1 ? ".encrypted" : "", u->from);
		if (stat(path, &st) == 0)
			return path;
		free(path);
	}
	c->error = xasprintf("%s is in none of the folders credstore", u->from);
	return NULL;
}

static void
copy_file(struct service *s, struct service_credential *c, const char *path)
{
	struct buf data = BUF_INIT(CREDENTIAL_MAX);
	struct err why = ERR_INIT;

	if (buf_room(&data, CREDENTIAL_MAX) == NULL ||
	    file_read(path, &data, &why) != 0) {
		c->untested = !s->is_user || geteuid() != 0;
		c->error = xstrdup(why.text);
	} else if (write_credential(s, c, data.data, data.len) == 0) {
		c->path = xstrdup(path);
	}
	if (data.data != NULL)
		OPENSSL_cleanse(data.data, data.size);
	buf_release(&data);
}

static int
exec_decrypt(const char *id, const char *path, const char *to)
{
	char *name = xasprintf("--name=%s", id);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null >= 0 && dup2(null, STDOUT_FILENO) >= 0 &&
	    dup2(null, STDERR_FILENO) >= 0)
		(void)execlp("systemd-creds", "systemd-creds", "decrypt", name,
		    path, to, (char *)NULL);
	_exit(127);
}

/* Decrypt as systemd does, by its own program. */
static void
decrypt_file(struct service *s, struct service_credential *c, const char *path)
{
	char *to = xasprintf("%s/%s", s->dir, c->id);
	int status = -1;
	pid_t pid = -1;

	if (access(path, R_OK) != 0) {
		c->untested = geteuid() != 0;
		c->error = xasprintf("%s: %s", path, strerror(errno));
		goto out;
	}
	(void)fflush(NULL);
	pid = geteuid() == 0 ? fork() : -1;
	if (pid == 0)
		exec_decrypt(c->id, path, to);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
	    chmod(to, 0400) == 0 && chown(to, s->uid, s->gid) == 0) {
		c->path = xstrdup(path);
		goto out;
	}
	c->untested =
	    pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) == 127;
	c->error = xasprintf("%s %s", path,
	    c->untested ? "is encrypted and was not tested, which takes root "
			  "and systemd-creds"
			: "cannot be decrypted; \"systemd-creds decrypt\" says "
			  "why");
out:
	free(to);
}

/* What LoadCredential= and LoadCredentialEncrypted= name. */
static void
load_file(struct service *s, struct service_credential *c,
    const struct unit_credential *u)
{
	char *path = find_file(c, u);
	struct stat st;

	if (path != NULL && stat(path, &st) == 0 &&
	    (S_ISSOCK(st.st_mode) || S_ISDIR(st.st_mode))) {
		c->untested = true;
		c->error = xasprintf("%s is a %s, which was not tested", path,
		    S_ISDIR(st.st_mode) ? "folder" : "socket");
	} else if (path != NULL && u->encrypted)
		decrypt_file(s, c, path);
	else if (path != NULL)
		copy_file(s, c, path);
	free(path);
}

/* What stands in the unit is for when nothing was loaded. */
static void
take_data(struct service *s, struct service_credential *c,
    const struct unit_credential *u)
{
	free(c->error);
	c->error = NULL;
	c->from = "the unit";
	if (u->encrypted || strchr(u->from, '\\') != NULL) {
		c->untested = true;
		c->error = xstrdup("stands in the unit and was not tested");
		return;
	}
	(void)write_credential(s, c, u->from, strlen(u->from));
}

static struct service_credential *
credential(struct service *s, const char *id)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->credential[i].id, id) == 0)
			return &s->credential[i];
	s->credential =
	    xreallocarray(s->credential, s->n + 1, sizeof(*s->credential));
	s->credential[s->n] = (struct service_credential){ .id = id };
	return &s->credential[s->n++];
}

/* systemd passes over others; they would be files elsewhere. */
static bool
is_name(const char *id)
{
	return id[0] != '\0' && strchr(id, '/') == NULL &&
	    strcmp(id, ".") != 0 && strcmp(id, "..") != 0;
}

static void
load_all(struct service *s)
{
	const struct unit *u = &s->unit;

	for (size_t i = 0; i < u->n_credentials; i++) {
		const struct unit_credential *one = &u->credential[i];
		struct service_credential *c;

		if (!is_name(one->id))
			continue;
		c = credential(s, one->id);
		/* The first that names a credential counts. */
		if (one->set || c->from != NULL)
			continue;
		c->from = one->from;
		load_file(s, c, one);
	}
	for (size_t i = 0; i < u->n_credentials; i++) {
		const struct unit_credential *one = &u->credential[i];
		struct service_credential *c;

		if (!is_name(one->id))
			continue;
		c = credential(s, one->id);
		if (one->set && c->path == NULL &&
		    (c->from == NULL || c->error != NULL))
			take_data(s, c, one);
	}
}

static int
make_folder(struct service *s, struct err *err)
{
	/* In memory, where there is such a folder. */
	const char *in =
	    access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";

	s->dir = xasprintf("%s/sealfeed-credentials-XXXXXX", in);
	if (mkdtemp(s->dir) != NULL)
		return 0;
	(void)err_set(err, "%s: no folder for the credentials: %s", in,
	    strerror(errno));
	free(s->dir);
	s->dir = NULL;
	return -1;
}

int
service_open(struct service *s, struct err *err)
{
	static const int ends[] = { SIGCHLD, SIGINT, SIGTERM, SIGHUP };

	*s = (struct service){ .n = 0 };
	(void)sigemptyset(&s->signals);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		(void)sigaddset(&s->signals, ends[i]);
	(void)sigprocmask(SIG_BLOCK, &s->signals, &s->before);
	if (unit_load(&s->unit, err) != 0 || find_user(s, err) != 0 ||
	    make_folder(s, err) != 0)
		return -1;
	load_all(s);
	if (geteuid() == 0 && chown(s->dir, s->uid, s->gid) != 0)
		return err_set(err, "%s: %s", s->dir, strerror(errno));
	return 0;
}

void
service_close(struct service *s)
{
	for (size_t i = 0; i < s->n; i++) {
		char *path = xasprintf("%s/%s", s->dir, s->credential[i].id);

		(void)unlink(path);
		free(path);
		free(s->credential[i].path);
		free(s->credential[i].error);
	}
	if (s->dir != NULL)
		(void)rmdir(s->dir);
	free(s->dir);
	free(s->credential);
	free(s->user);
	unit_release(&s->unit);
	(void)sigprocmask(SIG_SETMASK, &s->before, NULL);
	*s = (struct service){ .n = 0 };
}

const char *
service_credential_id(const struct service *s, const char *path)
{
	size_t len = strlen(s->dir);

	return strncmp(path, s->dir, len) == 0 && path[len] == '/'
	    ? path + len + 1
	    : NULL;
}

const struct service_credential *
service_credential(const struct service *s, const char *id)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->credential[i].id, id) == 0)
			return &s->credential[i];
	return NULL;
}

static int
become(const struct service *s, struct err *err)
{
	gid_t groups[64];
	int n = 64;

	if (geteuid() != 0 || s->uid == 0)
		return 0;
	if (getgrouplist(s->user, s->gid, groups, &n) < 0)
		n = 64;
	for (size_t i = 0; i < s->unit.groups.n && n < 64; i++) {
		const struct group *gr = getgrnam(s->unit.groups.word[i]);

		if (gr != NULL)
			groups[n++] = gr->gr_gid;
	}
	if (setgroups((size_t)n, groups) != 0 || setgid(s->gid) != 0 ||
	    setuid(s->uid) != 0)
		return err_set(err, "%s: this user cannot be become: %s",
		    s->user, strerror(errno));
	return 0;
}

/* "NAME=VALUE", with the folder of the credentials in place of "%d". */
static void
set_variable(const struct service *s, const char *word)
{
	const char *equals = strchr(word, '=');
	const char *d = strstr(word, "%d");
	char *name, *value;

	if (equals == NULL)
		return;
	name = xstrndup(word, (size_t)(equals - word));
	value = d == NULL || d < equals
	    ? xstrdup(equals + 1)
	    : xasprintf("%.*s%s%s", (int)(d - equals - 1), equals + 1, s->dir,
		  d + 2);
	(void)setenv(name, value, 1);
	free(name);
	free(value);
}

/* The lines of an EnvironmentFile=, whose values may stand in quotes. */
static int
read_variables(const struct service *s, const char *file, struct err *err)
{
	struct buf text = BUF_INIT(CREDENTIAL_MAX);
	bool optional = *file == '-';
	char *rest, *line;

	file += optional;
	if (optional && access(file, F_OK) != 0)
		return 0;
	if (file_read(file, &text, err) != 0) {
		buf_release(&text);
		return err_prefix(err, "%s: EnvironmentFile=", s->unit.path);
	}
	rest = text.data;
	while ((line = strsep(&rest, "\n")) != NULL) {
		size_t len = strlen(line);
		char *value = strchr(line, '=');

		if (strchr("#;", line[0]) != NULL || value++ == NULL)
			continue;
		if (len > 0 && value < line + len - 1 &&
		    strchr("\"'", *value) != NULL && line[len - 1] == *value) {
			line[len - 1] = '\0';
			memmove(value, value + 1, strlen(value));
		}
		set_variable(s, line);
	}
	OPENSSL_cleanse(text.data, text.size);
	buf_release(&text);
	return 0;
}

/* systemd reads the files as root, before the service gets its user. */
static int
set_environment(const struct service *s, struct err *err)
{
	const struct unit *u = &s->unit;
	int rc = clearenv() | setenv("PATH", PATH_OF_SERVICES, 1) |
	    setenv("USER", s->user, 1) | setenv("LOGNAME", s->user, 1);

	rc |= setenv("CREDENTIALS_DIRECTORY", s->dir, 1);
	if (rc != 0)
		return err_set(err, "out of memory");
	for (size_t i = 0; i < u->environment.n; i++)
		set_variable(s, u->environment.word[i]);
	for (size_t i = 0; i < u->environment_files.n && rc == 0; i++)
		rc = read_variables(s, u->environment_files.word[i], err);
	return rc;
}

/* Signals that end this process go to the child first, so that the
 * credentials do not stay behind. */
static int
wait_for(pid_t child, const sigset_t *signals)
{
	int status, got;

	while (waitpid(child, &status, WNOHANG) != child)
		if (sigwait(signals, &got) == 0 && got != SIGCHLD)
			(void)kill(child, got);
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_WRONG;
}

int
service_run(const struct service *s, service_fn *fn, void *ctx)
{
	struct err err = ERR_INIT;
	pid_t child;
	int rc;

	(void)fflush(NULL);
	child = fork();
	if (child > 0)
		return wait_for(child, &s->signals);
	if (child < 0) {
		(void)err_set(&err, "no process: %s", strerror(errno));
		return fn(ctx, &err);
	}
	(void)sigprocmask(SIG_SETMASK, &s->before, NULL);
	if (set_environment(s, &err) == 0)
		(void)become(s, &err);
	rc = fn(ctx, &err);
	(void)fflush(NULL);
	_exit(rc);
}
