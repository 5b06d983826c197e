/*
 * hostile.c - a role that somebody has taken over: the same walls as a real
 * one, and all of tries.c in place of its work.
 *
 *	hostile FOLDER
 *
 * Makes all that it needs in FOLDER, which must be empty and whose parents all
 * may pass, tries everything as each role behind Landlock alone, seccomp alone,
 * both, and as a user of its own without either, and prints the table of what
 * stopped it.  Exit status 0: everything was stopped that must
 * be; 1: something worked, which standard error names; 77: this kernel cannot
 * have all walls.  As root, whom nothing else stops.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/role.h"
#include "config/config.h"
#include "hostile/tries.h"
#include "run/types.h"
#include "sandbox/landlock.h"
#include "sandbox/sandbox.h"

#define ABI 6 /* the first that can do everything */
#define BOTH (SANDBOX_LANDLOCK | SANDBOX_SECCOMP)
#define USERS 4U /* no wall, but a user for each kind of role */

/* They need no names: recover is who seal is (run/users.h). */
#define GROUP 64990
#define NEIGHBOUR 64989
static const uid_t user_of[ROLE_KINDS] = {
	[ROLE_COLLECT] = 64991,
	[ROLE_SEAL] = 64992,
	[ROLE_SHIP] = 64993,
	[ROLE_WATCH] = 64994,
	[ROLE_RECOVER] = 64992,
};

static const char *const role_names[ROLE_KINDS] = {
	[ROLE_COLLECT] = "collect",
	[ROLE_SEAL] = "seal",
	[ROLE_SHIP] = "ship",
	[ROLE_WATCH] = "watch",
	[ROLE_RECOVER] = "recover",
};

static _Noreturn void
die(const char *what)
{
	(void)fprintf(stderr, "hostile: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* FOLDER/PATH with that content, in a folder that is made. */
static char *
make(const char *folder, const char *path, const char *content)
{
	char *file = xasprintf("%s/%s", folder, path);
	char *slash = strrchr(file, '/');
	FILE *out;

	*slash = '\0';
	if (mkdir(file, 0700) != 0 && errno != EEXIST)
		die(file);
	*slash = '/';
	out = fopen(file, "w");
	if (out == NULL || fputs(content, out) < 0 || fclose(out) != 0)
		die(file);
	return file;
}

/* "@" is the folder. */
static const char config_text[] =
    "agent:\n"
    "  name: fra1\n"
    "  key: @/etc/seal.pem\n"
    "  store: { path: @/store/store.db }\n"
    "  seal: { log: @/log/store.db.log }\n"
    "  watch: { listen: none }\n"
    "sources:\n"
    "  contoso:\n"
    "    type: office365\n"
    "    tenant: 0fd4a6f1-95a8-4e43-9f43-3a7b5b9c2d11\n"
    "    client_id: 6f9f0d1c-8f1e-4b35-9a53-0d5f3c1a7e42\n"
    "    client_secret: ${file:@/etc/contoso}\n"
    "outputs:\n"
    "  lake:\n"
    "    type: http\n"
    "    url: https://lake.example/ingest\n"
    "    headers: { X-Key: \"${file:@/etc/lake}\" }\n"
    "  pond:\n"
    "    type: http\n"
    "    url: https://pond.example/ingest\n"
    "    headers: { X-Key: \"${file:@/etc/pond}\" }\n"
    "  archive: { type: file, path: @/archive/events }\n";

static char *
config_of(const char *folder)
{
	const size_t len = strlen(folder);
	char *text = xcalloc(1, sizeof(config_text) + 16 * len), *to = text;

	for (const char *s = config_text; *s != '\0'; s++) {
		if (*s == '@')
			to = stpcpy(to, folder);
		else
			*to++ = *s;
	}
	return text;
}

static void
listen_tcp(struct scene *s)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&a, len) != 0 ||
	    listen(fd, SOMAXCONN) != 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) != 0)
		die("a port");
	s->port = ntohs(a.sin_port);
}

static void
listen_abstract(struct scene *s)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char *name = xasprintf("hostile-%d", (int)getpid());
	const size_t len = strlen(name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(a.sun_path + 1, name, len);
	if (bind(fd, (struct sockaddr *)&a,
		(socklen_t)(sizeof(a.sun_family) + 1 + len)) != 0 ||
	    listen(fd, SOMAXCONN) != 0)
		die("an abstract socket");
	s->name = name;
}

static void
listen_elsewhere(struct scene *s)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	s->socket = xasprintf("%s/etc/bus", s->folder);
	if (strlen(s->socket) >= sizeof(a.sun_path))
		die("a path that is too long for a socket");
	memcpy(a.sun_path, s->socket, strlen(s->socket));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    listen(fd, SOMAXCONN) != 0)
		die("a unix socket");
}

static void
open_terminal(struct scene *s)
{
	const int other = posix_openpt(O_RDWR | O_NOCTTY);

	if (other < 0 || grantpt(other) != 0 || unlockpt(other) != 0)
		die("a terminal");
	s->terminal = open(ptsname(other), O_RDWR | O_NOCTTY);
	if (s->terminal < 0)
		die("a terminal");
}

/* As SECURITY.md has an administrator do it, and the supervisor. */
static void
give(const char *path, uid_t uid, mode_t mode)
{
	if (chown(path, uid, GROUP) != 0 || chmod(path, mode) != 0)
		die(path);
}

static void
give_folder(const char *file, uid_t uid, mode_t mode)
{
	char *folder = xstrdup(file);

	*strrchr(folder, '/') = '\0';
	give(folder, uid, mode);
	free(folder);
}

static void
give_all(const struct scene *s)
{
	give(s->folder, 0, 0711);
	give_folder(s->config, 0, 0755);
	give_folder(s->program, 0, 0755);
	give(s->config, 0, 0600);
	give(s->key, user_of[ROLE_SEAL], 0400);
	give(s->source_secret, user_of[ROLE_COLLECT], 0400);
	give(s->output_secret, user_of[ROLE_SHIP], 0400);
	give(s->other_secret, user_of[ROLE_SHIP], 0400);
	give_folder(s->archive, user_of[ROLE_SHIP], 0755);
	give(s->archive, user_of[ROLE_SHIP], 0644);
	give_folder(s->sign_log, user_of[ROLE_SEAL], 0700);
	give(s->sign_log, user_of[ROLE_SEAL], 0600);
	give_folder(s->kept, user_of[ROLE_COLLECT], 0700);
	give(s->kept, user_of[ROLE_COLLECT], 0600);
	give_folder(s->store, 0, 02770);
	give(s->store, 0, 0660);
	give(s->store_index, 0, 0660);
}

/* Another role, of another user. */
static _Noreturn void
be_neighbour(void)
{
	if (setgroups(0, NULL) != 0 || setresgid(GROUP, GROUP, GROUP) != 0 ||
	    setresuid(NEIGHBOUR, NEIGHBOUR, NEIGHBOUR) != 0)
		_exit(2);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		(void)pause();
}

static void
set_scene(struct scene *s, const char *folder)
{
	char *text = config_of(folder);

	*s = (struct scene){ .config = make(folder, "etc/config.yaml", text),
		.key = make(folder, "etc/seal.pem", "-----BEGIN"),
		.source_secret = make(folder, "etc/contoso", "secret\n"),
		.output_secret = make(folder, "etc/lake", "secret\n"),
		.other_secret = make(folder, "etc/pond", "secret\n"),
		.program = make(folder, "bin/sealfeed", "program"),
		.archive = make(folder, "archive/events", ""),
		.sign_log = make(folder, "log/store.db.log", ""),
		.store = make(folder, "store/store.db", ""),
		.store_index = make(folder, "store/store.db-shm", ""),
		.kept = make(folder, "store-collect/refresh-token.contoso", ""),
		.folder = folder };
	free(text);
	listen_tcp(s);
	listen_abstract(s);
	listen_elsewhere(s);
	open_terminal(s);
	s->neighbour = fork();
	if (s->neighbour < 0)
		die("fork");
	if (s->neighbour == 0)
		be_neighbour();
	give_all(s);
}

/* Confine this process: 0 or -1. */
static int
enter(const struct role *r, unsigned walls)
{
	const uid_t uid = user_of[r->kind];
	struct err err = ERR_INIT;

	if (walls == USERS &&
	    (setgroups(0, NULL) != 0 || setresgid(GROUP, GROUP, GROUP) != 0 ||
		setresuid(uid, uid, uid) != 0))
		return -1;
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (walls != USERS && sandbox_enter(r, walls, &err) != 0) {
		(void)fprintf(stderr, "hostile: %s\n", err.text);
		return -1;
	}
	return 0;
}

/* Behind these walls, as that role: did it work? */
static bool
try_one(const struct scene *s, const struct config *config, int kind,
    unsigned walls, const struct try *t)
{
	struct role r = { .kind = (enum role_kind)kind, .config = config };
	pid_t pid = fork();
	int status;

	if (pid < 0)
		die("fork");
	if (pid > 0) {
		if (waitpid(pid, &status, 0) != pid)
			die("waitpid");
		if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
			exit(2);
		return WIFEXITED(status) && WEXITSTATUS(status) == 0;
	}
	/* What works may leave no trace on this machine. */
	if (unshare(CLONE_NEWNS) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		_exit(2);
	if (kind == ROLE_SHIP)
		r.output = &config->outputs[0];
	log_open(role_names[kind], LOG_LEVEL_ERR);
	if (enter(&r, walls) != 0)
		_exit(2);
	_exit(t->worked(s) ? 0 : 1);
}

/* One cell: what stops it. */
static const char *
judge(const struct scene *s, const struct config *config, int kind,
    const struct try *t, int *holes)
{
	static const struct {
		unsigned walls;
		const char *name;
	} ways[] = { { SANDBOX_LANDLOCK, "Landlock" },
		{ SANDBOX_SECCOMP, "seccomp" }, { BOTH, "both" },
		{ USERS, "a user of its own" } };
	static const char *const names[] = { "nothing", "Landlock", "seccomp",
		"Landlock, seccomp", "users", "Landlock, users",
		"seccomp, users", "Landlock, seccomp, users" };
	const unsigned bit = 1U << kind;
	const unsigned stops = ((t->landlock & bit) ? SANDBOX_LANDLOCK : 0) |
	    ((t->seccomp & bit) ? SANDBOX_SECCOMP : 0) |
	    ((t->users & bit) ? USERS : 0);

	if ((t->task & bit) != 0) {
		/* Walls in which it cannot work prove nothing, either. */
		for (size_t i = 2; i < sizeof(ways) / sizeof(ways[0]); i++) {
			if (try_one(s, config, kind, ways[i].walls, t))
				continue;
			(void)fprintf(stderr,
			    "hostile: %s: cannot %s behind %s\n",
			    role_names[kind], t->what, ways[i].name);
			++*holes;
		}
		return "its task";
	}
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if ((ways[i].walls & stops) == 0 ||
		    !try_one(s, config, kind, ways[i].walls, t))
			continue;
		(void)fprintf(stderr, "hostile: %s: %s worked behind %s\n",
		    role_names[kind], t->what, ways[i].name);
		++*holes;
	}
	return names[stops];
}

int
main(int argc, char **argv)
{
	struct config_errors errors = CONFIG_ERRORS_INIT;
	struct err err = ERR_INIT;
	struct config *config;
	struct scene s;
	int holes = 0;

	if (argc != 2 || geteuid() != 0)
		return 2;
	if (sandbox_possible(&err) != BOTH || landlock_abi() < ABI) {
		(void)fprintf(stderr, "hostile: %s\n",
		    err.text[0] != '\0' ? err.text : "Landlock is too old");
		return 77;
	}
	set_scene(&s, argv[1]);
	config = config_load(s.config, &agent_types, &errors);
	if (config == NULL)
		die(errors.n > 0 ? errors.line[0] : "the configuration");
	(void)printf("| who has taken over … and tries to");
	for (int kind = 0; kind < ROLE_KINDS; kind++)
		(void)printf(" | %s", role_names[kind]);
	(void)printf(" |\n| --- | --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < n_tries; i++) {
		(void)printf("| %s", tries[i].what);
		/* A try that cannot work proves nothing. */
		(void)fflush(stdout);
		if (!try_one(&s, config, ROLE_WATCH, 0, &tries[i])) {
			(void)fprintf(stderr,
			    "hostile: %s: does not even work without walls\n",
			    tries[i].what);
			holes++;
		}
		for (int kind = 0; kind < ROLE_KINDS; kind++) {
			(void)fflush(stdout);
			(void)printf(" | %s",
			    judge(&s, config, kind, &tries[i], &holes));
		}
		(void)printf(" |\n");
	}
	(void)kill(s.neighbour, SIGKILL);
	config_free(config);
	return holes > 0;
}
