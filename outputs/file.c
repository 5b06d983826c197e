/*
 * file.c - NDJSON lines (line.h), or those of another format (format.h),
 * appended to a file.
 *
 * A chunk is delivered when its lines are on the disk.  The file never keeps
 * a part of a line: what a full disk or a crash left of one is cut off before
 * the next is appended.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "config/setting.h"
#include "outputs/format.h"
#include "outputs/output.h"
#include "store/feed.h"

#define CHUNK_MAX (BATCH_BYTES + (128 << 10))

/* More than a chunk, or a single event, has. */
#define TEXT_MAX ((size_t)1 << 30)

/* Memory for lines that is kept between chunks. */
#define KEPT_MAX ((size_t)2 << 20)

/* Steps in which the end of the last whole line is looked for. */
#define BACK_STEP 65536

#define FILE_MODE 0640

struct file_conf {
	char *path;
	int format; /* enum format_kind */
};

static const struct setting file_settings[] = {
	{ .key = "path",
	    .type = SETTING_STRING,
	    .offset = offsetof(struct file_conf, path),
	    .required = true,
	    .writes = true,
	    .help = "File to append lines to; created if missing, reopened "
		    "after it is renamed and on SIGUSR1." },
	{ .key = "format",
	    .type = SETTING_CHOICE,
	    .offset = offsetof(struct file_conf, format),
	    .def = "raw",
	    .choices = format_names,
	    .help = FORMAT_HELP },
	SETTING_END
};

struct archive {
	const char *path;
	int fd; /* -1: not open */
	dev_t device;
	ino_t inode;
	off_t whole; /* everything before is whole lines on the disk */
	bool torn;   /* there may be a part of a line after whole */
	struct buf text;
	struct format *format; /* NULL: raw */
};

/* Where the last whole line of a file of size bytes ends: *end.  0 or -1 with
 * errno. */
static int
find_end(int fd, off_t size, off_t *end)
{
	char block[BACK_STEP];
	off_t from;
	ssize_t n;

	while (size > 0) {
		from = size > BACK_STEP ? size - BACK_STEP : 0;
		n = pread(fd, block, (size_t)(size - from), from);
		if (n != size - from)
			return -1;
		while (n > 0 && block[n - 1] != '\n')
			n--;
		size = from + n;
		if (n > 0)
			break;
	}
	*end = size;
	return 0;
}

/* The caller frees it. */
static char *
directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return xstrdup(".");
	return xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* A new name is on the disk only with its directory. */
static int
sync_directory(const char *path)
{
	char *name = directory_of(path);
	int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = -1;

	free(name);
	if (fd >= 0) {
		rc = fsync(fd);
		(void)close(fd);
	}
	return rc;
}

static void
shut(struct archive *a)
{
	if (a->fd >= 0)
		(void)close(a->fd);
	a->fd = -1;
}

/* Learn what the opened file is and cut off a part of a line at its end. */
static int
take_over(struct archive *a, struct err *err)
{
	struct stat st;

	if (flock(a->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
		return err_set(err,
		    "%s: another process writes to it; give each output its "
		    "own file",
		    a->path);
	if (fstat(a->fd, &st) != 0)
		return err_set(err, "%s: %s", a->path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(err,
		    "%s: not a regular file; give the path of "
		    "one",
		    a->path);
	if (find_end(a->fd, st.st_size, &a->whole) != 0 ||
	    (a->whole < st.st_size && ftruncate(a->fd, a->whole) != 0) ||
	    sync_directory(a->path) != 0)
		return err_set(err, "%s: %s", a->path, strerror(errno));
	a->device = st.st_dev;
	a->inode = st.st_ino;
	a->torn = false;
	return 0;
}

static int
open_file(struct archive *a, struct err *err)
{
	a->fd =
	    open(a->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, FILE_MODE);
	if (a->fd < 0)
		return err_set(err,
		    "%s: %s; its directory must exist and be writable for "
		    "this user",
		    a->path, strerror(errno));
	if (take_over(a, err) == 0)
		return 0;
	shut(a);
	return -1;
}

/* Have the file open that path names now. */
static int
follow(struct archive *a, struct err *err)
{
	struct stat st;

	if (a->fd >= 0 &&
	    (stat(a->path, &st) != 0 || st.st_dev != a->device ||
		st.st_ino != a->inode))
		shut(a);
	if (a->fd >= 0)
		return 0;
	return open_file(a, err);
}

static int
append(struct archive *a, struct err *err)
{
	if (a->torn && ftruncate(a->fd, a->whole) != 0)
		return err_set(err, "%s: %s", a->path, strerror(errno));
	a->torn = true;
	if (file_write_all(a->fd, a->text.data, a->text.len) != 0 ||
	    fdatasync(a->fd) != 0) {
		(void)err_set(err, "%s: %s; make room there", a->path,
		    strerror(errno));
		a->torn = ftruncate(a->fd, a->whole) != 0;
		return -1;
	}
	a->torn = false;
	a->whole += (off_t)a->text.len;
	return 0;
}

static int
file_open(struct output *out, struct err *err)
{
	const struct file_conf *conf = out->conf;
	struct archive *a = xcalloc(1, sizeof(*a));

	a->path = conf->path;
	a->fd = -1;
	buf_init(&a->text, TEXT_MAX);
	if (conf->format != FORMAT_RAW) {
		a->format = format_new((enum format_kind)conf->format,
		    out->agent, NULL, err);
		if (a->format == NULL) {
			free(a);
			return -1;
		}
	}
	if (!out->probing && open_file(a, err) != 0) {
		format_free(a->format);
		free(a);
		return -1;
	}
	out->state = a;
	out->chunk_max = CHUNK_MAX;
	out->mode = "written to disk";
	return 0;
}

static size_t
file_window(const struct output *out)
{
	(void)out;
	return 1;
}

/* The lines of p as they are written. */
static int
text_of(struct archive *a, struct chunk *p, struct err *err)
{
	struct chunk_line line;

	if (a->format == NULL)
		return chunk_text(p, &a->text, err);
	for (size_t i = 0; i < chunk_lines(p); i++) {
		if (chunk_line(p, i, &line, err) != 0)
			return -1;
		if (format_add(a->format, &line, &a->text) != 0 ||
		    buf_adds(&a->text, "\n") != 0)
			return err_set(err, "%s: no memory for its lines",
			    a->path);
	}
	return 0;
}

static void
file_send(struct output *out, struct chunk *p)
{
	struct archive *a = out->state;
	struct err err = ERR_INIT;
	enum verdict v = VERDICT_DELIVERED;

	buf_clear(&a->text);
	if (follow(a, &err) != 0)
		v = VERDICT_RETRY;
	else if (text_of(a, p, &err) != 0)
		v = VERDICT_REFUSED;
	else if (append(a, &err) != 0)
		v = VERDICT_RETRY;
	else
		out->bytes += a->text.len;
	if (a->text.size > KEPT_MAX)
		buf_release(&a->text);
	output_done(out, p, v, 0, "%s", err.text);
}

static void
file_drive(struct output *out, int wake_fd, int timeout_ms)
{
	struct pollfd p = { .fd = wake_fd, .events = POLLIN };

	(void)out;
	(void)poll(&p, 1, timeout_ms);
}

static void
file_reopen(struct output *out)
{
	shut(out->state);
}

/* Looks, and touches nothing: the agent may have the file open, and root
 * would make one that the agent's user cannot write. */
static int
file_probe(struct output *out, struct buf *message, struct err *err)
{
	const struct archive *a = out->state;
	char *place = directory_of(a->path);
	struct stat st = { .st_size = 0 };
	bool there = stat(a->path, &st) == 0;
	int rc = -1;

	if (!there && errno != ENOENT)
		(void)err_set(err, "%s: %s", a->path, strerror(errno));
	else if (there && !S_ISREG(st.st_mode))
		(void)err_set(err,
		    "%s: not a regular file; give the path of one", a->path);
	else if (access(there ? a->path : place, there ? W_OK : W_OK | X_OK) !=
	    0)
		(void)err_set(err, "%s: %s; it must be writable for this user",
		    there ? a->path : place, strerror(errno));
	else if (buf_addf(message, "%s can be written, %lld bytes so far",
		     a->path, (long long)st.st_size) != 0)
		(void)err_set(err, "%s: the result is too large", a->path);
	else
		rc = 0;
	free(place);
	return rc;
}

static void
file_close(struct output *out)
{
	struct archive *a = out->state;

	shut(a);
	buf_release(&a->text);
	format_free(a->format);
	free(a);
	out->state = NULL;
}

static int
file_format(const void *conf)
{
	return ((const struct file_conf *)conf)->format;
}

const struct output_type output_file = {
	.type.name = "file",
	.type.reach = CONFIG_REACHES_NONE,
	.type.title = "NDJSON lines in a file on this machine",
	.type.before =
	    "The service may write below /var/lib/sealfeed; for a file "
	    "elsewhere "
	    "the unit\nneeds ReadWritePaths= (\"systemctl edit sealfeed\").\n",
	.type.settings = file_settings,
	.type.conf_size = sizeof(struct file_conf),
	.format = file_format,
	.open = file_open,
	.window = file_window,
	.send = file_send,
	.drive = file_drive,
	.reopen = file_reopen,
	.probe = file_probe,
	.close = file_close,
};
