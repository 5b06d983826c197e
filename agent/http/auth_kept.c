/*
 * auth_kept.c - a refresh token outlives the process that got it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/secret.h"
#include "http/auth_kept.h"
#include "http/token.h"

#define HEX ((size_t)2 * DIGEST_LEN)

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

int
kept_read(const struct kept *k, const uint8_t origin[DIGEST_LEN], char **token,
    struct err *err)
{
	struct stat st, old;

	if (read_one(k->path, origin, token, err) != 0)
		return -1;
	if (k->old == NULL || stat(k->old, &old) != 0 ||
	    (stat(k->path, &st) == 0 && st.st_ino == old.st_ino &&
		st.st_dev == old.st_dev))
		return 0;
	if (*token == NULL &&
	    (read_one(k->old, origin, token, err) != 0 ||
		(*token != NULL && kept_write(k, origin, *token, err) != 0))) {
		secret_free(*token);
		*token = NULL;
		return -1;
	}
	/* It is safe elsewhere now; where it cannot be removed, the next read
	 * tries again.  Of another configured token it stays: that one may come
	 * back. */
	if (*token != NULL)
		(void)unlink(k->old);
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
		if (rc == 0 && k->old != NULL)
			rc = give(folder, k->old, err);
	} else if (errno != EEXIST) {
		rc = err_set(err, "%s: cannot be made: %s", folder,
		    strerror(errno));
	}
	free(folder);
	return rc;
}

int
kept_room(const struct kept *k, struct err *err)
{
	char *name = xasprintf("%s.XXXXXX", k->path);
	int fd = -1, rc;

	if (make_folder(k, err) != 0)
		goto out;
	fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0) {
		(void)err_set(err, "%s: cannot be created: %s", name,
		    strerror(errno));
		goto out;
	}
	(void)unlink(name);
	rc = posix_fallocate(fd, 0, TOKEN_MAX);
	if (rc != 0) {
		(void)err_set(err, "%s: there is no room for it: %s", name,
		    strerror(rc));
		(void)close(fd);
		fd = -1;
	}
out:
	free(name);
	return fd;
}

int
kept_write(const struct kept *k, const uint8_t origin[DIGEST_LEN],
    const char *token, struct err *err)
{
	struct buf text = BUF_INIT(TOKEN_MAX + HEX + 2);
	char hex[HEX + 1];
	int rc = -1;

	text_hex(hex, origin, DIGEST_LEN);
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
