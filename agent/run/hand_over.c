/*
 * hand_over.c - from the supervisor's side: a role is the same program,
 * executed anew.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <linux/close_range.h>

#include "base/buf.h"
#include "base/exit_status.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/node.h"
#include "base/pack.h"
#include "config/config.h"
#include "config/secret.h"
#include "run/hand_over.h"
#include "run/roles.h"
#include "run/users.h"
#include "sandbox/sandbox.h"

extern char **environ;

/* What libraries take from the environment; a name that ends in "_" stands for
 * all that begin so. */
struct listener {
	const char *name;
	bool network; /* for roles with connections: it may have a password */
	bool key;     /* for the role with the key: so may this */
};
static const struct listener listeners[] = {
	/* libc: locale(7), tzset(3), resolv.conf(5), mallopt(3), ld.so(8) */
	{ .name = "LANG" },
	{ .name = "LC_" },
	{ .name = "TZ" },
	{ .name = "TZDIR" },
	{ .name = "TMPDIR" },
	{ .name = "LOCALDOMAIN" },
	{ .name = "RES_OPTIONS" },
	{ .name = "MALLOC_" },
	{ .name = "GLIBC_TUNABLES" },
	{ .name = "LD_" },
	/* OpenSSL, openssl-env(7), and its providers */
	{ .name = "OPENSSL_" },
	{ .name = "SSL_CERT_FILE" },
	{ .name = "SSL_CERT_DIR" },
	{ .name = "PKCS11_", .key = true },
	{ .name = "SOFTHSM2_CONF", .key = true },
	{ .name = "TPM2OPENSSL_", .key = true },
	{ .name = "TCTI", .key = true },
	/* set by main() */
	{ .name = "GNUTLS_NO_IMPLICIT_INIT" },
	/* libcurl, CURLOPT_PROXY(3) */
	{ .name = "http_proxy", .network = true },
	{ .name = "https_proxy", .network = true },
	{ .name = "HTTPS_PROXY", .network = true },
	{ .name = "all_proxy", .network = true },
	{ .name = "ALL_PROXY", .network = true },
	{ .name = "no_proxy", .network = true },
	{ .name = "NO_PROXY", .network = true },
	/* builds for tests */
	{ .name = "ASAN_" },
	{ .name = "LSAN_" },
	{ .name = "TSAN_" },
	{ .name = "UBSAN_" },
	{ .name = "GCOV_" },
	{ .name = "SEALFEED_" },
};

/* Is the variable at s, "NAME=value", one of name? */
static bool
is_variable(const char *s, const char *name, size_t len)
{
	return strncmp(s, name, len) == 0 &&
	    (s[len] == '=' || name[len - 1] == '_');
}

struct wanted {
	const char *variable;
	bool found;
};

static void
compare_variable(void *ctx, const char *name, size_t len)
{
	struct wanted *w = ctx;

	w->found = w->found ||
	    (strncmp(w->variable, name, len) == 0 && w->variable[len] == '=');
}

/* Does a text in the tree, which is no deeper than YAML_DEPTH_MAX, refer to
 * the variable? */
static bool
tree_wants(const struct node *n, const char *variable)
{
	static const char folder[] = "CREDENTIALS_DIRECTORY=";
	struct wanted w = { .variable = variable };

	for (; n != NULL && !w.found; n = n->next) {
		if (n->type != NODE_SCALAR)
			w.found = tree_wants(n->child, variable);
		else if (strncmp(variable, folder, strlen(folder)) == 0)
			w.found = secret_has_credential(n->text);
		else
			secret_each_variable(n->text, compare_variable, &w);
	}
	return w.found;
}

/* Does a library of a role of that kind listen to the variable? */
static bool
is_listened_to(const char *variable, bool network, bool key)
{
	for (size_t i = 0; i < sizeof(listeners) / sizeof(listeners[0]); i++) {
		const struct listener *l = &listeners[i];

		if ((network || !l->network) && (key || !l->key) &&
		    is_variable(variable, l->name, strlen(l->name)))
			return true;
	}
	return false;
}

/* Does one of n entries, or the one of that name, take from the variable? */
static bool
entry_takes(const struct config_entry *e, size_t n, const char *name,
    const char *variable)
{
	for (size_t i = 0; i < n; i++) {
		const struct config_type *t = e[i].type;
		const char *begin = t->environment != NULL &&
			(name == NULL || strcmp(name, e[i].name) == 0)
		    ? t->environment(e[i].conf)
		    : NULL;

		if (begin != NULL &&
		    strncmp(variable, begin, strlen(begin)) == 0)
			return true;
	}
	return false;
}

/* Does a source or output that is the role's own take from the variable? */
static bool
share_takes(const struct config *c, const struct config_share *share,
    const char *variable)
{
	return (share->sources == CONFIG_WHOLE &&
		   entry_takes(c->sources, c->n_sources, NULL, variable)) ||
	    (share->outputs == CONFIG_WHOLE &&
		entry_takes(c->outputs, c->n_outputs, share->output, variable));
}

char **
hand_over_environment(const struct config *config,
    const struct config_share *share, const struct node *tree, bool network)
{
	char **list;
	size_t n = 0, kept = 0;

	while (environ[n] != NULL)
		n++;
	list = xcalloc(n + 1, sizeof(*list));
	for (size_t i = 0; i < n; i++)
		if (is_listened_to(environ[i], network, share->key) ||
		    share_takes(config, share, environ[i]) ||
		    tree_wants(tree, environ[i]))
			list[kept++] = environ[i];
	return list;
}

/* A new memory file with all that: its descriptor, or -1 with errno. */
static int
write_memory(const struct hand_over *h, const struct hand_over_peer *peers,
    const char *path, const struct buf *share)
{
	struct hand_over whole = *h;
	int fd = memfd_create("configuration", MFD_CLOEXEC);

	if (fd < 0)
		return -1;
	(void)snprintf(whole.path, sizeof(whole.path), "%s", path);
	if (file_write_all(fd, &whole, sizeof(whole)) == 0 &&
	    file_write_all(fd, peers, h->n_peers * sizeof(*peers)) == 0 &&
	    file_write_all(fd, share->data, share->len) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

/* The binary that runs, even where an upgrade has replaced or removed it. */
static int
program(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	return fd;
}

/* In the new process: leave it these descriptors and no others. */
static int
keep_only(const int *keep, int memory)
{
	if (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0 ||
	    fcntl(memory, F_SETFD, 0) != 0)
		return -1;
	for (; *keep != -1; keep++)
		if (fcntl(*keep, F_SETFD, 0) != 0)
			return -1;
	return 0;
}

/* What becomes of the process between fork and the program's begin. */
static _Noreturn void
become(const struct hand_over *h, const struct users *users, int memory,
    const int *keep, pid_t parent, char **environment)
{
	char title[sizeof(h->name) + sizeof(HAND_OVER_TITLE)], number[16];
	char *argv[] = { title, number, NULL };

	if (users_become(users, h->kind) != 0) {
		(void)fprintf(stderr,
		    "<3>sealfeed: %s: agent.users: cannot become its user: "
		    "%s\n",
		    h->name, strerror(errno));
		_exit(EXIT_WRONG);
	}
	/* A supervisor that is killed takes its roles along. */
	(void)prctl(PR_SET_PDEATHSIG,
	    h->kind == ROLE_RECOVER ? SIGKILL : SIGTERM);
	if (getppid() != parent)
		_exit(0); /* it was killed before prctl() */
	(void)snprintf(title, sizeof(title), HAND_OVER_TITLE "%s", h->name);
	(void)snprintf(number, sizeof(number), "%d", memory);
	if (keep_only(keep, memory) == 0)
		(void)fexecve(program(), argv, environment);
	(void)fprintf(stderr, "<3>sealfeed: %s: cannot be executed: %s\n",
	    h->name, strerror(errno));
	_exit(EXIT_WRONG);
}

/* Does the role make connections? */
static bool
connects(const struct hand_over *h, const struct config *config)
{
	for (size_t i = 0; h->kind == ROLE_SHIP && i < config->n_outputs; i++)
		if (strcmp(config->outputs[i].name, h->output) == 0)
			return config->outputs[i].type->reach !=
			    CONFIG_REACHES_NONE;
	return roles[h->kind].network;
}

pid_t
hand_over_start(const struct hand_over *h, const struct hand_over_peer *peers,
    const struct config *config, const struct users *users, const int *keep)
{
	const pid_t parent = getpid();
	struct config_share what = roles[h->kind].share;
	struct buf share = BUF_INIT(SIZE_MAX / 2);
	struct node *tree = NULL;
	char **environment;
	pid_t pid = -1;
	int memory = -1;

	if (h->output[0] != '\0')
		what.output = h->output;
	if (program() >= 0 && config_share(config, &what, &share) == 0)
		memory = write_memory(h, peers, config->path, &share);
	if (memory >= 0) {
		tree = pack_read(share.data, share.len);
		environment = hand_over_environment(config, &what, tree,
		    connects(h, config));
		(void)fflush(NULL);
		pid = fork();
		if (pid == 0)
			become(h, users, memory, keep, parent, environment);
		(void)close(memory);
		free(environment);
		node_free(tree);
	}
	if (share.data != NULL)
		explicit_bzero(share.data, share.len);
	buf_release(&share);
	return pid;
}

/* In one word, so that it is read whole: the user, then Landlock's version and
 * rules, then flags. */
#define WALLS_LANDLOCK 32
#define WALLS_RULES 40
#define WALLS_SECCOMP (UINT64_C(1) << 61)
#define WALLS_NO_NEW_PRIVS (UINT64_C(1) << 62)
#define WALLS_TOLD (UINT64_C(1) << 63)
#define WALLS_RULES_MAX 0xffff

void
hand_over_tell(struct hand_over_slot *slot, const struct sandbox_state *s)
{
	const uint64_t rules =
	    s->rules > WALLS_RULES_MAX ? WALLS_RULES_MAX : s->rules;

	slot->capabilities = s->capabilities;
	slot->walls = WALLS_TOLD | s->uid |
	    (uint64_t)(s->landlock & 0xff) << WALLS_LANDLOCK |
	    rules << WALLS_RULES | (s->seccomp ? WALLS_SECCOMP : 0) |
	    (s->no_new_privs ? WALLS_NO_NEW_PRIVS : 0);
}

bool
hand_over_told(const struct hand_over_slot *slot, struct sandbox_state *s)
{
	const uint64_t walls = slot->walls;

	*s = (struct sandbox_state){ .uid = (uint32_t)walls,
		.capabilities = slot->capabilities,
		.no_new_privs = (walls & WALLS_NO_NEW_PRIVS) != 0,
		.seccomp = (walls & WALLS_SECCOMP) != 0,
		.landlock = (unsigned)(walls >> WALLS_LANDLOCK & 0xff),
		.rules = (unsigned)(walls >> WALLS_RULES & WALLS_RULES_MAX) };
	return (walls & WALLS_TOLD) != 0;
}
