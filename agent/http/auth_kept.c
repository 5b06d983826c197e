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
#include "base/text.h"
#include "config/secret.h"
#include "http/auth_kept.h"
#include "http/token.h"

#define HEX ((size_t)2 * DIGEST_LEN)

int
kept_read(const char *path, const uint8_t origin[DIGEST_LEN], char **token,
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

/* What root writes for `check` is the service's, as the folder is that this is
 * in. */
static int
give(const char *path, struct err *err)
{
	char *folder = file_folder(path);
	struct stat st;
	int fd, rc = 0;

	if (geteuid() == 0 && stat(folder, &st) == 0 && st.st_uid != 0) {
		fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0 || fchown(fd, st.st_uid, st.st_gid) != 0)
			rc = err_set(err, "%s: cannot be given to its user: %s",
			    path, strerror(errno));
		if (fd >= 0)
			(void)close(fd);
	}
	free(folder);
	return rc;
}

int
kept_write(const char *path, const uint8_t origin[DIGEST_LEN],
    const char *token, struct err *err)
{
	struct buf text = BUF_INIT(TOKEN_MAX + HEX + 2);
	char hex[HEX + 1];
	int rc = -1;

	text_hex(hex, origin, DIGEST_LEN);
	if (buf_addf(&text, "%s\n%s\n", hex, token) != 0)
		(void)err_set(err, "the refresh token is too long");
	else if (file_replace(path, text.data, text.len, 0600, err) == 0)
		rc = give(path, err);
	if (text.data != NULL)
		explicit_bzero(text.data, text.len);
	buf_release(&text);
	return rc;
}
