/*
 * landlock.c - files, folders and ports that this process reaches.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "sandbox/landlock.h"
#include "sandbox/plan.h"

/* Of linux/landlock.h, version 6 of the interface; the numbers of the calls
 * are the same on all architectures. */
#define CREATE_RULESET 444
#define ADD_RULE 445
#define RESTRICT_SELF 446
#define VERSION_ONLY (1U << 0)

enum rule_type { RULE_PATH_BENEATH = 1, RULE_NET_PORT = 2 };

struct ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};
struct path_beneath {
	uint64_t access;
	int32_t parent;
} __attribute__((packed));
struct net_port {
	uint64_t access;
	uint64_t port;
};

#define FS(n) (UINT64_C(1) << (n))
#define EXECUTE FS(0)
#define WRITE_FILE FS(1)
#define READ_FILE FS(2)
#define READ_DIR FS(3)
#define REMOVE_DIR FS(4)
#define REMOVE_FILE FS(5)
#define MAKE_DIR FS(7)
#define MAKE_REG FS(8)
#define TRUNCATE FS(14)
#define IOCTL_DEV FS(15)
#define NET_BIND (UINT64_C(1) << 0)
#define NET_CONNECT (UINT64_C(1) << 1)
#define SCOPE_ABSTRACT_SOCKETS (UINT64_C(1) << 0)
#define SCOPE_SIGNALS (UINT64_C(1) << 1)

/* Rights that make sense for something that is no folder. */
#define OF_FILES (EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV)

/* What each version can refuse, all of it as of the first below it. */
static const struct {
	int abi;
	struct ruleset handled;
} versions[] = {
	{ 6,
	    { FS(16) - 1, NET_BIND | NET_CONNECT,
		SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS } },
	{ 5, { FS(16) - 1, NET_BIND | NET_CONNECT, 0 } },
	{ 4, { FS(15) - 1, NET_BIND | NET_CONNECT, 0 } },
	{ 3, { FS(15) - 1, 0, 0 } },
	{ 2, { FS(14) - 1, 0, 0 } },
	{ 1, { FS(13) - 1, 0, 0 } },
};

static const uint64_t rights[] = {
	[PLACE_READ] = READ_FILE | READ_DIR,
	/* Folders within, too: one in a file's place is put aside. */
	[PLACE_FOLDER] = READ_FILE | READ_DIR | WRITE_FILE | TRUNCATE |
	    REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG,
	[PLACE_DEVICE] = READ_FILE | READ_DIR | WRITE_FILE | IOCTL_DEV,
};

int
landlock_abi(void)
{
	long abi = syscall(CREATE_RULESET, NULL, (size_t)0, VERSION_ONLY);

	return abi < 0 ? 0 : (int)abi;
}

/* One rule: 1, 0 there is nothing of that name, -1 with errno. */
static int
allow_place(int rules, const struct place *place, uint64_t handled)
{
	struct path_beneath rule = { .access =
					 rights[place->access] & handled };
	struct stat st;
	int rc;

	rule.parent = open(place->path, O_PATH | O_CLOEXEC);
	if (rule.parent < 0)
		return 0; /* using it tells why */
	if (fstat(rule.parent, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.access &= OF_FILES;
	rc = (int)syscall(ADD_RULE, rules, RULE_PATH_BENEATH, &rule, 0U);
	(void)close(rule.parent);
	return rc == 0 ? 1 : -1;
}

static int
allow_port(int rules, uint16_t port)
{
	struct net_port rule = { .access = NET_CONNECT, .port = port };

	return syscall(ADD_RULE, rules, RULE_NET_PORT, &rule, 0U) == 0 ? 1 : -1;
}

/* All rules of the plan: how many, -1 with errno. */
static int
allow_all(int rules, const struct sandbox_plan *plan,
    const struct ruleset *handled)
{
	int n = 0, rc = 0;

	for (size_t i = 0; i < plan->n_places && rc >= 0; i++, n += rc)
		rc = allow_place(rules, &plan->places[i], handled->fs);
	for (size_t i = 0; i < plan->n_ports && rc >= 0 && handled->net != 0;
	     i++, n += rc)
		rc = allow_port(rules, plan->ports[i]);
	return rc < 0 ? -1 : n;
}

int
landlock_enter(const struct sandbox_plan *plan, int abi, struct err *err)
{
	struct ruleset handled = { .fs = 0 };
	int rules, n;

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (handled.fs == 0 && versions[i].abi <= abi)
			handled = versions[i].handled;
	/* An older kernel takes a longer structure whose rest is zero. */
	rules = (int)syscall(CREATE_RULESET, &handled, sizeof(handled), 0U);
	if (rules < 0)
		return err_set(err, "landlock_create_ruleset: %s",
		    strerror(errno));
	n = allow_all(rules, plan, &handled);
	if (n < 0)
		(void)err_set(err, "landlock_add_rule: %s", strerror(errno));
	else if (syscall(RESTRICT_SELF, rules, 0U) != 0)
		n = err_set(err, "landlock_restrict_self: %s", strerror(errno));
	(void)close(rules);
	return n;
}
