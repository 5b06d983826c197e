/*
 * users.c - who the agent runs as, when root starts it.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "config/config.h"
#include "run/users.h"

#define USER "sealfeed"
#define ROOT "root"

/* The store's files are the group's, where each role has its own user. */
#define GROUP_UMASK 0007
#define GROUP_MODE 02770

/* Recovery writes what seal does. */
static const char *const user_of[ROLE_KINDS] = {
	[ROLE_COLLECT] = "_sealfeed-collect",
	[ROLE_SEAL] = "_sealfeed-seal",
	[ROLE_SHIP] = "_sealfeed-ship",
	[ROLE_WATCH] = "_sealfeed-watch",
	[ROLE_RECOVER] = "_sealfeed-seal",
};

/* Make the folder of path for who will write there, where it is not there: 0
 * or -1.  One that ends in "/" is the folder itself. */
static int
make_folder(const char *path, uid_t uid, gid_t gid, mode_t mode,
    struct err *err)
{
	const char *slash = strrchr(path, '/');
	char *folder;
	struct stat st;
	int rc;

	if (slash == NULL || slash == path)
		return 0;
	folder = xstrndup(path, (size_t)(slash - path));
	rc = stat(folder, &st) == 0 ? 1 : file_parents(path, err);
	if (rc == 0 &&
	    (chown(folder, uid, gid) != 0 || chmod(folder, mode) != 0))
		rc = err_set(err, "%s: cannot be given to its user: %s", folder,
		    strerror(errno));
	free(folder);
	return rc < 0 ? -1 : 0;
}

static int
make_collect(const struct agent_conf *a, uid_t uid, gid_t gid, struct err *err)
{
	char *path = xasprintf("%s/", a->collect.folder);
	int rc = make_folder(path, uid, gid, 0700, err);

	free(path);
	return rc;
}

static int
become(uid_t uid, gid_t gid)
{
	return setgroups(0, NULL) == 0 && setresgid(gid, gid, gid) == 0 &&
		setresuid(uid, uid, uid) == 0
	    ? 0
	    : -1;
}

/* One user for all. */
static int
settle_one(const struct agent_conf *a, const char *name, struct err *err)
{
	const struct passwd *pw = getpwnam(name);

	if (pw == NULL && a->user == NULL)
		return 0; /* whoever looks at what is in force is told */
	if (pw == NULL)
		return err_set(err,
		    "agent.user: there is no user \"%s\"; make it, or set "
		    "another one",
		    name);
	if (make_folder(a->store.path, pw->pw_uid, pw->pw_gid, 0700, err) !=
		0 ||
	    make_folder(a->seal.log, pw->pw_uid, pw->pw_gid, 0700, err) != 0 ||
	    make_collect(a, pw->pw_uid, pw->pw_gid, err) != 0)
		return -1;
	if (become(pw->pw_uid, pw->pw_gid) != 0)
		return err_set(err, "agent.user: cannot become \"%s\": %s",
		    name, strerror(errno));
	return 0;
}

static int
settle_each(const struct agent_conf *a, const char *name, struct users *u,
    struct err *err)
{
	const struct group *group = getgrnam(name);

	if (group == NULL)
		return err_set(err,
		    "agent.users: there is no group \"%s\", which all roles "
		    "share; make it",
		    name);
	u->group = group->gr_gid;
	for (int i = 0; i < ROLE_KINDS; i++) {
		const struct passwd *pw = getpwnam(user_of[i]);

		if (pw == NULL)
			return err_set(err,
			    "agent.users: there is no user \"%s\"; make the "
			    "users of all roles, or set \"shared\"",
			    user_of[i]);
		u->uid[i] = pw->pw_uid;
	}
	u->each = true;
	(void)umask(GROUP_UMASK);
	if (make_folder(a->store.path, 0, u->group, GROUP_MODE, err) != 0 ||
	    make_collect(a, u->uid[ROLE_COLLECT], u->group, err) != 0)
		return -1;
	return make_folder(a->seal.log, u->uid[ROLE_SEAL], u->group, 0700, err);
}

int
users_settle(const struct config *config, struct users *users, struct err *err)
{
	const struct agent_conf *a = &config->agent;
	const char *name = a->user != NULL ? a->user : USER;

	*users = (struct users){ .each = false };
	if (geteuid() != 0 || strcmp(name, ROOT) == 0)
		return 0;
	if (a->users == USERS_PER_ROLE)
		return settle_each(a, name, users, err);
	return settle_one(a, name, err);
}

bool
users_same(const struct agent_conf *a, const struct agent_conf *b)
{
	return a->users == b->users &&
	    strcmp(a->user != NULL ? a->user : USER,
		b->user != NULL ? b->user : USER) == 0;
}

int
users_become(const struct users *users, enum role_kind kind)
{
	return users->each ? become(users->uid[kind], users->group) : 0;
}
