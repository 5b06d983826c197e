/*
 * take_over.c - from the role's side: the life of a role process.
 */
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/exit_status.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/config.h"
#include "config/secret.h"
#include "run/hand_over.h"
#include "run/roles.h"
#include "run/types.h"
#include "sandbox/sandbox.h"

/* The content of the memory file, which is closed; NULL: it is none. */
static char *
read_memory(int fd, size_t *len)
{
	struct stat st;
	char *data = NULL;
	size_t got = 0;
	ssize_t n = 1;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size > (off_t)sizeof(struct hand_over) &&
	    st.st_size <= HAND_OVER_MAX) {
		*len = (size_t)st.st_size;
		data = xmalloc(*len);
		while (got < *len && n > 0) {
			n = pread(fd, data + got, *len - got, (off_t)got);
			got += n > 0 ? (size_t)n : 0;
		}
	}
	(void)close(fd);
	if (data != NULL && got == *len)
		return data;
	free(data);
	return NULL;
}

/* Is a secret in what the role gets? */
static bool
has_secrets(const struct config_share *share)
{
	return share->key || share->sources == CONFIG_WHOLE ||
	    share->outputs == CONFIG_WHOLE;
}

#define IS_TEXT(member) (memchr(member, '\0', sizeof(member)) != NULL)

/* Is it what hand_over_start() writes? */
static bool
is_whole(const struct hand_over *h, size_t len)
{
	return (unsigned)h->kind < ROLE_KINDS && IS_TEXT(h->name) &&
	    IS_TEXT(h->output) && IS_TEXT(h->path) && IS_TEXT(h->cause) &&
	    IS_TEXT(h->public_digest) &&
	    h->n_peers <= (len - sizeof(*h)) / sizeof(struct hand_over_peer);
}

/* Turn what was read into a role: false, it is not whole. */
static bool
unpack(const char *data, size_t len, struct hand_over *h, struct role *r)
{
	struct hand_over_peer peer;
	struct config_errors errors = CONFIG_ERRORS_INIT;
	struct config *config;
	size_t at = sizeof(*h);
	int *fds;
	enum role_kind *kinds;

	memcpy(h, data, sizeof(*h));
	if (!is_whole(h, len))
		return false;
	if (has_secrets(&roles[h->kind].share))
		secret_lock();
	fds = xcalloc(h->n_peers + 1, sizeof(*fds));
	kinds = xcalloc(h->n_peers + 1, sizeof(*kinds));
	for (size_t i = 0; i < h->n_peers; i++, at += sizeof(peer)) {
		memcpy(&peer, data + at, sizeof(peer));
		fds[i] = peer.wake_fd;
		kinds[i] = peer.kind;
	}
	fds[h->n_peers] = -1;
	config =
	    config_shared(data + at, len - at, h->path, &agent_types, &errors);
	for (size_t i = 0; config == NULL && i < errors.n; i++)
		log_err("%s", errors.line[i]);
	config_errors_release(&errors);
	*r = (struct role){ .kind = h->kind,
		.config = config,
		.wake_fd = h->wake_fd,
		.verdict_fd = h->verdict_fd,
		.listen_fd = -1,
		.result_fd = h->result_fd,
		.peers = fds,
		.peer_kinds = kinds,
		.started = h->started,
		.again = h->again,
		.renewed = h->renewed,
		.only_outputs = h->only_outputs,
		.cause = h->cause };
	if (config == NULL)
		return false;
	memcpy(config->public_digest, h->public_digest,
	    sizeof(config->public_digest));
	for (size_t i = 0; i < config->n_outputs; i++)
		if (strcmp(config->outputs[i].name, h->output) == 0)
			r->output = &config->outputs[i];
	return true;
}

/* The memory that the role shares with the supervisor, in which the log counts
 * from now on; *slot is NULL where there is to be none.  0, or -1 with errno.
 */
static int
open_slot(const struct hand_over *h, struct hand_over_slot **slot)
{
	void *map;

	*slot = NULL;
	if (h->shared_fd < 0)
		return 0;
	map = mmap(NULL, sizeof(**slot), PROT_READ | PROT_WRITE, MAP_SHARED,
	    h->shared_fd, 0);
	(void)close(h->shared_fd);
	if (map == MAP_FAILED)
		return -1;
	*slot = map;
	log_count_dropped(&(*slot)->dropped);
	return 0;
}

/* Put the walls up, and let the supervisor know which stand: 0, or -1 where
 * those that are wanted cannot. */
static int
wall_in(const struct role *r, struct hand_over_slot *slot)
{
	const int wish = r->config->agent.sandbox;
	const unsigned all = SANDBOX_LANDLOCK | SANDBOX_SECCOMP;
	struct sandbox_state state;
	struct err err = ERR_INIT;

	if (slot != NULL)
		sandbox_note_call(&slot->call);
	if (wish != SANDBOX_OFF &&
	    sandbox_enter(r,
		wish == SANDBOX_REQUIRED ? all : sandbox_possible(NULL),
		&err) != 0) {
		log_err("agent.sandbox: %s", err.text);
		if (wish == SANDBOX_REQUIRED)
			return -1;
	}
	sandbox_look(&state);
	if (slot != NULL)
		hand_over_tell(slot, &state);
	return 0;
}

static void
release(struct role *r)
{
	/* The lists are the role's own; it only lends them. */
	free((int *)(uintptr_t)r->peers);
	free((enum role_kind *)(uintptr_t)r->peer_kinds);
	config_free((struct config *)(uintptr_t)r->config);
}

int
hand_over_take(int argc, char **argv)
{
	long fd = argc == 2 ? strtol(argv[1], NULL, 10) : -1;
	struct hand_over h;
	struct hand_over_slot *slot;
	struct role r;
	char *data = NULL, title[16];
	size_t len = 0;
	int status = EXIT_WRONG;
	bool good;

	/* Nobody of this user reads its memory from here on. */
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)snprintf(title, sizeof(title), "%.15s", argv[0]);
	(void)prctl(PR_SET_NAME, title);
	if (fd > STDERR_FILENO && fd < INT_MAX)
		data = read_memory((int)fd, &len);
	if (data == NULL) {
		(void)fprintf(stderr,
		    "%s: this process is started by `sealfeed run` alone\n",
		    argv[0]);
		return EXIT_USE;
	}
	good = unpack(data, len, &h, &r);
	explicit_bzero(data, len);
	free(data);
	if (!good) {
		(void)fprintf(stderr,
		    "<3>%s: what the supervisor handed over is not whole\n",
		    argv[0]);
		return EXIT_WRONG;
	}
	log_open(h.name, (enum log_level)h.log_level);
	role_signals(&r);
	if (open_slot(&h, &slot) != 0) {
		log_err("cannot share memory: %s", strerror(errno));
		release(&r);
		return EXIT_WRONG;
	}
	r.signs = slot != NULL ? &slot->signs : NULL;
	if ((roles[h.kind].prepare == NULL || roles[h.kind].prepare(&r) == 0) &&
	    wall_in(&r, slot) == 0)
		status = roles[h.kind].run(&r);
	release(&r);
	return status;
}
