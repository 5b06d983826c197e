/*
 * auth_kept.c - a refresh token outlives the process that got it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/secret.h"
#include "http/auth_kept.h"
#include "http/token.h"

#define HEX ((size_t)2 * DIGEST_LEN)

/* So much of a hash is in a file's name. */
#define NAME 32

/* How long to wait for another one's claim. */
#define PATIENCE (5 * CLOCK_SECOND)

struct kept {
	char *file, *server, *client;
	char **old;
	size_t n_old;
	uint8_t origin[DIGEST_LEN]; /* hash of the configured token */
	char *path;                 /* where its successor is, … */
	char *token;                /* … which is this; NULL: none */
	bool waits;                 /* it is not in the file yet */
	int claim;                  /* the lock, with room; -1: none */
};

struct kept *
kept_new(const char *file, const char *server, const char *client)
{
	struct kept *k = xcalloc(1, sizeof(*k));

	k->file = file != NULL ? xstrdup(file) : NULL;
	k->server = xstrdup(server);
	k->client = xstrdup(client);
	k->claim = -1;
	return k;
}

void
kept_free(struct kept *k)
{
	if (k == NULL)
		return;
	kept_release(k);
	for (size_t i = 0; i < k->n_old; i++)
		free(k->old[i]);
	free(k->old);
	free(k->file);
	free(k->server);
	free(k->client);
	free(k->path);
	secret_free(k->token);
	free(k);
}

void
kept_add_old(struct kept *k, const char *file)
{
	k->old = xreallocarray(k->old, k->n_old + 1, sizeof(*k->old));
	k->old[k->n_old++] = xstrdup(file);
}

/* -- files ----------------------------------------------------------------- */

/* What stands for the token of this hash in one file: 0, or -1 with err. */
static int
read_one(const char *path, const uint8_t origin[DIGEST_LEN], char **token,
    struct err *err)
{
	struct buf text = BUF_INIT(TOKEN_MAX + HEX + 2);
	char hex[HEX + 1];
	char *end;

	*token = NULL;
	if (access(path, F_OK) != 0 && errno == ENOENT)
		return 0;
	if (file_read(path, &text, err) != 0) {
		buf_release(&text);
		return -1;
	}
	text_hex(hex, origin, DIGEST_LEN);
	if (text.len > HEX + 1 && memcmp(text.data, hex, HEX) == 0 &&
	    text.data[HEX] == '\n') {
		end = strchr(text.data + HEX + 1, '\n');
		if (end != NULL && end[1] == '\0') {
			*end = '\0';
			*token = secret_copy(text.data + HEX + 1);
		}
	}
	explicit_bzero(text.data, text.len);
	buf_release(&text);
	return 0;
}

/* What root makes for `check` is the service's: as the folder of the file is,
 * or as that of the store. */
static int
give(const char *path, const char *like, struct err *err)
{
	char *folder = file_folder(like);
	struct stat st;
	int fd, rc = 0;

	if (geteuid() == 0 && stat(folder, &st) == 0 && st.st_uid != 0) {
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0 || fchown(fd, st.st_uid, st.st_gid) != 0)
			rc = err_set(err, "%s: cannot be given to its user: %s",
			    path, strerror(errno));
		if (fd >= 0)
			(void)close(fd);
	}
	free(folder);
	return rc;
}

/* The folder that the file is to be in. */
static int
make_folder(const struct kept *k, struct err *err)
{
	char *folder = file_folder(k->path);
	int rc = 0;

	if (mkdir(folder, 0700) == 0) {
		rc = file_sync_folder(folder, err);
		if (rc == 0 && k->n_old > 0)
			rc = give(folder, k->old[k->n_old - 1], err);
	} else if (errno != EEXIST) {
		rc = err_set(err, "%s: cannot be made: %s", folder,
		    strerror(errno));
	}
	free(folder);
	return rc;
}

static int
write_one(const struct kept *k, const char *token, struct err *err)
{
	struct buf text = BUF_INIT(TOKEN_MAX + HEX + 2);
	char hex[HEX + 1];
	int rc = -1;

	text_hex(hex, k->origin, DIGEST_LEN);
	if (buf_addf(&text, "%s\n%s\n", hex, token) != 0)
		(void)err_set(err, "the refresh token is too long");
	else if (make_folder(k, err) == 0 &&
	    file_replace(k->path, text.data, text.len, 0600, err) == 0)
		rc = give(k->path, k->path, err);
	if (text.data != NULL)
		explicit_bzero(text.data, text.len);
	buf_release(&text);
	return rc;
}

/* What stands for it in the old places: the latest, where two sources kept one
 * each. */
static int
read_old(const struct kept *k, char **token, struct err *err)
{
	int64_t latest = INT64_MIN;

	for (size_t i = 0; i < k->n_old; i++) {
		char *one;
		struct stat st;
		int64_t when;

		if (read_one(k->old[i], k->origin, &one, err) != 0)
			return -1;
		if (one == NULL || stat(k->old[i], &st) != 0) {
			secret_free(one);
			continue;
		}
		when = (int64_t)st.st_mtim.tv_sec * CLOCK_SECOND +
		    st.st_mtim.tv_nsec / 1000;
		if (when >= latest) {
			secret_free(*token);
			*token = one;
			latest = when;
		} else {
			secret_free(one);
		}
	}
	return 0;
}

/* Where one cannot be removed, the next read tries again.  Of another
 * configured token it stays: that one may come back. */
static void
remove_old(const struct kept *k)
{
	for (size_t i = 0; i < k->n_old; i++) {
		struct err ignored = ERR_INIT;
		char *one = NULL;

		if (read_one(k->old[i], k->origin, &one, &ignored) == 0 &&
		    one != NULL)
			(void)unlink(k->old[i]);
		secret_free(one);
	}
}

/* -- one at a time --------------------------------------------------------- */

/* Where the successor of this configured token is. */
static void
find_place(struct kept *k, const char *configured)
{
	const char *parts[] = { k->server, k->client, configured };
	struct digest *d = digest_new();
	uint8_t origin[DIGEST_LEN], name[DIGEST_LEN] = { 0 };
	char hex[HEX + 1];

	digest_sha256(d, NULL, 0, configured, strlen(configured), origin);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		digest_sha256(d, name, DIGEST_LEN, parts[i], strlen(parts[i]),
		    name);
	digest_free(d);
	if (memcmp(k->origin, origin, DIGEST_LEN) == 0)
		return;
	memcpy(k->origin, origin, DIGEST_LEN);
	secret_free(k->token);
	k->token = NULL;
	if (k->file == NULL)
		return;
	free(k->path);
	text_hex(hex, name, DIGEST_LEN);
	k->path = xasprintf("%s.%.*s", k->file, NAME, hex);
}

/* Others have it for as long as a server takes to answer. */
static int
lock_claim(int fd, const char *name, struct err *err)
{
	const int64_t until = clock_monotonic() + PATIENCE;

	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK)
			return err_set(err, "%s: cannot be locked: %s", name,
			    strerror(errno));
		if (clock_monotonic() >= until)
			return err_set(err,
			    "%s: another source or command that has the same "
			    "refresh token is waiting for the server",
			    name);
		(void)poll(NULL, 0, 20);
	}
	return 0;
}

int
kept_claim(struct kept *k, const char *configured, struct err *err)
{
	char *name;
	int rc;

	find_place(k, configured);
	if (k->path == NULL)
		return 0;
	name = xasprintf("%s.lock", k->path);
	rc = make_folder(k, err);
	if (rc == 0) {
		k->claim =
		    open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (k->claim < 0)
			rc = err_set(err, "%s: cannot be created: %s", name,
			    strerror(errno));
	}
	if (rc == 0)
		rc = give(name, name, err);
	if (rc == 0)
		rc = lock_claim(k->claim, name, err);
	if (rc == 0 && (rc = posix_fallocate(k->claim, 0, TOKEN_MAX)) != 0)
		rc = err_set(err, "%s: there is no room for it: %s", name,
		    strerror(rc));
	if (rc != 0)
		kept_release(k);
	free(name);
	return rc;
}

void
kept_release(struct kept *k)
{
	if (k->claim < 0)
		return;
	/* The file stays, since another one may wait for its lock; that its
	 * room goes is no more than tidy. */
	(void)!ftruncate(k->claim, 0);
	(void)close(k->claim);
	k->claim = -1;
}

/* -- the token ------------------------------------------------------------- */

int
kept_latest(struct kept *k, char **token, struct err *err)
{
	*token = NULL;
	if (k->path != NULL) {
		secret_free(k->token);
		if (read_one(k->path, k->origin, &k->token, err) != 0)
			return -1;
		if (k->token == NULL &&
		    (read_old(k, &k->token, err) != 0 ||
			(k->token != NULL &&
			    write_one(k, k->token, err) != 0))) {
			secret_free(k->token);
			k->token = NULL;
			return -1;
		}
		if (k->token != NULL)
			remove_old(k);
	}
	if (k->token != NULL)
		*token = secret_copy(k->token);
	return 0;
}

void
kept_take(struct kept *k, char *token)
{
	secret_free(k->token);
	k->token = token;
	k->waits = k->path != NULL;
}

bool
kept_waits(const struct kept *k)
{
	return k->waits;
}

int
kept_save(struct kept *k, struct err *err)
{
	if (!k->waits)
		return 0;
	/* Into the room that was kept for it. */
	if (k->claim >= 0 && ftruncate(k->claim, 0) != 0)
		return err_set(err, "%s.lock: cannot be emptied: %s", k->path,
		    strerror(errno));
	if (write_one(k, k->token, err) != 0)
		return -1;
	k->waits = false;
	return 0;
}
