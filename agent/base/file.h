/*
 * file.h - whole files: read with a bound, replaced whole or not at all.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct buf;
struct err;

/* Refuse what exists and is something else than a regular file (a FIFO, a
 * socket, a device, a directory), without opening it.  -1: err names it, errno
 * is EINVAL. */
int file_is_regular(const char *path, struct err *err);

/* Open a regular file without ever waiting for it; anything else of that name
 * (a FIFO, a socket, a device, a directory) is refused and named in err.
 * flags: O_RDONLY …, O_CLOEXEC is added.  The descriptor, or -1 with err and
 * errno. */
int file_open_regular(const char *path, int flags, struct err *err);

/* Append the contents of path, a regular file, to b, whose data is not NULL
 * then. */
int file_read(const char *path, struct buf *b, struct err *err);

/* Write data as path: temporary file beside it, fsync, rename, fsync of the
 * directory.  The old file stays on any failure. */
int file_replace(const char *path, const void *data, size_t len, mode_t mode,
    struct err *err);

/* Create a new file that must not exist yet; fsynced. */
int file_create(const char *path, const void *data, size_t len, mode_t mode,
    struct err *err);

/* Make the name of path durable: fsync its directory. */
int file_sync_folder(const char *path, struct err *err);

/* Create the missing parts of the directory that path is in (mode 0750),
 * each fsynced. */
int file_parents(const char *path, struct err *err);

/* Does path begin with what only a shell replaces: "~", "~/", "~user/", $NAME
 * or ${NAME}?  Opened as it is, it would be a file below a folder named so. */
bool file_wants_shell(const char *path);

/* The folder that path is in, "." where it names none; to be freed. */
char *file_folder(const char *path);

/* Is the folder that path is in mounted for reading only?  Then nobody writes
 * there, unless it is through another mount. */
bool file_mounted_to_read(const char *path);

/* Write all of data to fd; EINTR and short writes are seen to.  0 or -1 with
 * errno. */
int file_write_all(int fd, const void *data, size_t len);

#endif /* BASE_FILE_H */
