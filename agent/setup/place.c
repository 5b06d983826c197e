/*
 * place.c - files that setup makes, and whose they are.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "config/config.h"
#include "setup/place.h"

#define TEXT_MAX (1 << 20)

/* The absolute form of path, whose folder need not be there yet. */
static char *
absolute(const char *path)
{
	char *here, *whole;

	if (path[0] == '/')
		return xstrdup(path);
	here = getcwd(NULL, 0);
	if (strncmp(path, "./", 2) == 0)
		path += 2;
	whole = xasprintf("%s/%s", here == NULL ? "" : here, path);
	free(here);
	return whole;
}

static int
find_service(struct place *p, struct err *err)
{
	const struct passwd *user;

	if (geteuid() != 0)
		return err_set(err,
		    "%s belongs to root and the service: run \"sudo sealfeed "
		    "setup\"; to try it without root, in a folder of your own: "
		    "sealfeed setup --config ~/sealfeed/sealfeed.yaml",
		    p->folder);
	user = getpwnam(PLACE_USER);
	if (user == NULL)
		return err_set(err,
		    "there is no user " PLACE_USER
		    ", whom the service runs as; the packages make it, and so "
		    "does \"systemd-sysusers\"");
	p->uid = user->pw_uid;
	p->gid = user->pw_gid;
	return 0;
}

int
place_open(struct place *p, const char *config, struct err *err)
{
	*p = (struct place){ .lock = -1, .uid = geteuid(), .gid = getegid() };
	p->config = absolute(config);
	p->folder =
	    xstrndup(p->config, (size_t)(strrchr(p->config, '/') - p->config));
	p->service = strcmp(p->config, CONFIG_PATH) == 0;
	return p->service ? find_service(p, err) : 0;
}

void
place_close(struct place *p)
{
	if (p->lock >= 0)
		(void)close(p->lock);
	for (size_t i = 0; i < p->n_made; i++)
		free(p->made[i]);
	free(p->made);
	free(p->config);
	free(p->folder);
	*p = (struct place){ .lock = -1 };
}

static void
remember(struct place *p, const char *path)
{
	p->made = xreallocarray(p->made, p->n_made + 1, sizeof(*p->made));
	p->made[p->n_made++] = xstrdup(path);
}

/* Who may be what, of something new that has no name yet or is a folder. */
static int
own(const char *path, uid_t uid, gid_t gid, mode_t mode, struct err *err)
{
	if (geteuid() == 0 && chown(path, uid, gid) != 0)
		return err_set(err, "%s: cannot be given its owner: %s", path,
		    strerror(errno));
	if (chmod(path, mode) != 0)
		return err_set(err, "%s: cannot be given its mode: %s", path,
		    strerror(errno));
	return 0;
}

/* What to do where something cannot be made: a clause, or "". */
static const char *
remedy(const char *path)
{
	char *folder = file_folder(path);
	const char *what = "";
	struct statvfs disk;
	struct stat st;

	if (lstat(path, &st) == 0)
		what = "; move away what has that name";
	else if (access(folder, F_OK) != 0)
		what = "; make its folder first";
	else if (access(folder, W_OK | X_OK) != 0)
		what = errno == EROFS
		    ? "; it is mounted for reading only: mount it for writing, "
		      "or name another --config"
		    : "; run setup as a user who may write there, or name "
		      "another --config";
	else if (statvfs(folder, &disk) == 0 &&
	    (disk.f_bavail == 0 || (disk.f_files > 0 && disk.f_favail == 0)))
		what = "; make room on its disk, which is full";
	free(folder);
	return what;
}

/* "No space left on device" of a sentence that ends so. */
static const char *
last_clause(const char *sentence)
{
	const char *last = strrchr(sentence, ':');

	return last == NULL ? sentence : last + 2;
}

static int
cannot(const char *path, const char *why, struct err *err)
{
	return err_set(err, "%s: cannot be made: %s%s", path, why,
	    remedy(path));
}

static int
make_folder(struct place *p, const char *path, uid_t uid, mode_t mode,
    struct err *err)
{
	struct stat st;

	if (mkdir(path, 0700) != 0) {
		if (errno != EEXIST)
			return cannot(path, strerror(errno), err);
		if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
			return err_set(err,
			    "%s: is in the way, since it is no folder; move it "
			    "away",
			    path);
		return 0;
	}
	remember(p, path);
	if (own(path, uid, p->gid, mode, err) != 0)
		return -1;
	return file_sync_folder(path, err);
}

/* The folders above path, and path itself. */
static int
make_folders(struct place *p, const char *path, uid_t uid, mode_t mode,
    struct err *err)
{
	char *part = xstrdup(path);
	int rc = 0;

	for (char *s = strchr(part + 1, '/'); s != NULL && rc == 0;
	     s = strchr(s + 1, '/')) {
		*s = '\0';
		if (access(part, F_OK) != 0)
			rc = make_folder(p, part, p->service ? 0 : uid,
			    p->service ? 0755 : mode, err);
		*s = '/';
	}
	free(part);
	return rc == 0 ? make_folder(p, path, uid, mode, err) : -1;
}

int
place_begin(struct place *p, struct err *err)
{
	const uid_t uid = p->service ? 0 : p->uid;
	const mode_t mode = p->service ? 0750 : 0700;
	char *dropins = xasprintf("%s/conf.d", p->folder);
	int rc = make_folders(p, p->folder, uid, mode, err);

	if (rc == 0)
		rc = make_folder(p, dropins, uid, mode, err);
	free(dropins);
	if (rc != 0)
		return -1;
	if (p->lock >= 0)
		(void)close(p->lock);
	p->lock = open(p->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->lock < 0)
		return err_set(err, "%s: cannot be opened: %s", p->folder,
		    strerror(errno));
	if (flock(p->lock, LOCK_EX | LOCK_NB) != 0)
		return err_set(err,
		    "%s: another \"sealfeed setup\" is at work here; wait "
		    "until it has ended",
		    p->folder);
	return 0;
}

/* Is that what the file holds?  1, 0, -1 it cannot be read. */
static int
holds(const char *path, const char *text, size_t len, struct err *err)
{
	struct buf there = BUF_INIT(TEXT_MAX);
	int rc = file_read(path, &there, err);

	if (rc == 0)
		rc = there.len == len &&
		    CRYPTO_memcmp(there.data, text, len) == 0;
	if (there.data != NULL)
		OPENSSL_cleanse(there.data, there.size);
	buf_release(&there);
	return rc;
}

/* Give a complete file its name, which nobody else may have got meanwhile. */
static int
fill_in(struct place *p, const char *temporary, const char *path,
    const char *text, size_t len, struct err *err)
{
	struct err why = ERR_INIT;

	/* One that was interrupted left it behind. */
	(void)unlink(temporary);
	if (file_create(temporary, text, len, 0600, &why) != 0)
		return cannot(path, last_clause(why.text), err);
	if (own(temporary, p->service ? 0 : p->uid, p->gid,
		p->service ? 0640 : 0600, err) != 0)
		return -1;
	if (link(temporary, path) != 0)
		return cannot(path, strerror(errno), err);
	remember(p, path);
	return file_sync_folder(path, err);
}

int
place_file(struct place *p, const char *path, const char *text, size_t len,
    enum placed *how, struct err *err)
{
	const char *slash = strrchr(path, '/');
	char *temporary;
	int rc;

	*how = PLACED_ALREADY;
	if (access(path, F_OK) == 0) {
		rc = holds(path, text, len, err);
		if (rc == 0)
			(void)err_set(err,
			    "%s: is there with another content, and setup "
			    "overwrites nothing; change it by hand, or move it "
			    "away and run setup again",
			    path);
		return rc == 1 ? 0 : -1;
	}
	temporary =
	    xasprintf("%.*s/.%s.new", (int)(slash - path), path, slash + 1);
	rc = fill_in(p, temporary, path, text, len, err);
	(void)unlink(temporary);
	free(temporary);
	if (rc == 0)
		*how = PLACED_NEW;
	return rc;
}

int
place_state(struct place *p, const char *path, struct err *err)
{
	return make_folders(p, path, p->uid, 0700, err);
}

void
place_undo(struct place *p)
{
	struct stat st;

	while (p->n_made > 0) {
		char *path = p->made[--p->n_made];

		/* A folder that others have put something into stays. */
		if (lstat(path, &st) == 0)
			(void)(S_ISDIR(st.st_mode) ? rmdir(path)
						   : unlink(path));
		free(path);
	}
}

int
place_become(const struct place *p, struct err *err)
{
	const char *keep[] = { "PATH", "LANG", "LC_ALL", "TZ" };
	char *kept[sizeof(keep) / sizeof(keep[0])];

	/* A prompt that is gone, or was killed, leaves nobody behind. */
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (!p->service)
		return prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (initgroups(PLACE_USER, p->gid) != 0 || setgid(p->gid) != 0 ||
	    setuid(p->uid) != 0)
		return err_set(err,
		    "the user " PLACE_USER " cannot be become: %s",
		    strerror(errno));
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	(void)umask(0077);
	for (size_t i = 0; i < sizeof(keep) / sizeof(keep[0]); i++) {
		const char *value = getenv(keep[i]);

		kept[i] = value == NULL ? NULL : xstrdup(value);
	}
	(void)clearenv();
	for (size_t i = 0; i < sizeof(keep) / sizeof(keep[0]); i++) {
		if (kept[i] != NULL)
			(void)setenv(keep[i], kept[i], 1);
		free(kept[i]);
	}
	return chdir("/") == 0 ? 0 : err_set(err, "/: %s", strerror(errno));
}
