/*
 * roles.c - how the roles of an agent do, as its supervisor tells it.
 *
 * Lines of fields that are separated by tabs: first the agent, "agent BEGAN
 * STOPPED DROPPED NOTE", then "role NAME STATE SINCE DEATHS RESTARTS DROPPED
 * HOW" for each, and "walls UID CAPABILITIES NO_NEW_PRIVS SECCOMP LANDLOCK
 * RULES" behind that of a role which has told.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/roles.h"
#include "store/store.h"

#define ROLES_MAX (1 << 20)
#define FIELDS 8
#define WALL_FIELDS 7

static const char *const state_names[ROLE_STATES] = {
	[ROLE_STARTS] = "starts",
	[ROLE_WORKS] = "works",
	[ROLE_SILENT] = "silent",
	[ROLE_DOWN] = "down",
};

const char *
role_state_name(enum role_state state)
{
	return state_names[state];
}

static int
format_walls(const struct role_walls *w, struct buf *out)
{
	if (!w->known)
		return 0;
	return buf_addf(out,
	    "walls\t%" PRIu32 "\t%" PRIx64 "\t%d\t%d\t%u\t%u\n", w->uid,
	    w->capabilities, w->no_new_privs, w->seccomp, w->landlock,
	    w->rules);
}

int
roles_format(const struct roles *r, struct buf *out)
{
	char text[sizeof(r->note)];

	text_one_line(text, sizeof(text), r->note);
	if (buf_addf(out, "agent\t%" PRId64 "\t%" PRId64 "\t%" PRIu64 "\t%s\n",
		r->began, r->stopped, r->dropped, text) != 0)
		return -1;
	for (size_t i = 0; i < r->n; i++) {
		const struct role_report *o = &r->role[i];

		if (buf_addf(out,
			"role\t%s\t%s\t%" PRId64 "\t%" PRIu64 "\t%" PRIu64
			"\t%" PRIu64 "\t%s\n",
			o->name, state_names[o->state], o->since, o->deaths,
			o->restarts, o->dropped, o->how) != 0 ||
		    format_walls(&o->walls, out) != 0)
			return -1;
	}
	return 0;
}

void
roles_walls(const struct role_walls *w, char *out, size_t size)
{
	char caps[40] = "no capabilities", landlock[48] = "no Landlock";

	if (!w->known) {
		(void)snprintf(out, size, "%s", "");
		return;
	}
	if (w->capabilities != 0)
		(void)snprintf(caps, sizeof(caps), "capabilities %" PRIx64,
		    w->capabilities);
	if (w->landlock != 0)
		(void)snprintf(landlock, sizeof(landlock),
		    "Landlock %u with %u rules", w->landlock, w->rules);
	(void)snprintf(out, size, "uid %" PRIu32 ", %s, %s, %s, %s", w->uid,
	    caps, w->no_new_privs ? "no_new_privs" : "no no_new_privs",
	    w->seccomp ? "seccomp" : "no seccomp", landlock);
}

static char *
name_of(const char *path)
{
	char *real = store_real_path(path);
	char *name = xasprintf("%s.roles", real);

	free(real);
	return name;
}

static int
write_whole(const char *name, const struct buf *text)
{
	int fd, rc;

	/* Whoever else writes to this folder may have left a link or a FIFO
	 * for the supervisor there. */
	(void)unlink(name);
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    0640);
	rc = fd < 0 ? -1 : file_write_all(fd, text->data, text->len);
	if (fd >= 0 && close(fd) != 0)
		rc = -1;
	return rc;
}

int
roles_write(const char *path, const struct buf *text, struct err *err)
{
	char *name = name_of(path);
	char *fresh = xasprintf("%s.new", name);
	int rc = write_whole(fresh, text);

	if (rc == 0)
		rc = rename(fresh, name);
	if (rc != 0) {
		(void)err_set(err, "%s: cannot be written: %s", name,
		    strerror(errno));
		(void)unlink(fresh);
	}
	free(fresh);
	free(name);
	return rc;
}

static void
add_role(struct roles *r, char *const *field)
{
	struct role_report *o;

	r->role = xreallocarray(r->role, r->n + 1, sizeof(*r->role));
	o = &r->role[r->n++];
	*o = (struct role_report){ .state = ROLE_STARTS };
	(void)snprintf(o->name, sizeof(o->name), "%s", field[1]);
	for (int i = 0; i < ROLE_STATES; i++)
		if (strcmp(field[2], state_names[i]) == 0)
			o->state = (enum role_state)i;
	o->since = strtoll(field[3], NULL, 10);
	if (o->since < 0)
		o->since = 0; /* nobody writes that */
	o->deaths = strtoull(field[4], NULL, 10);
	o->restarts = strtoull(field[5], NULL, 10);
	o->dropped = strtoull(field[6], NULL, 10);
	(void)snprintf(o->how, sizeof(o->how), "%s", field[7]);
}

static void
add_walls(struct role_walls *w, char *const *field)
{
	*w = (struct role_walls){ .known = true,
		.uid = (uint32_t)strtoul(field[1], NULL, 10),
		.capabilities = strtoull(field[2], NULL, 16),
		.no_new_privs = strcmp(field[3], "1") == 0,
		.seccomp = strcmp(field[4], "1") == 0,
		.landlock = (unsigned)strtoul(field[5], NULL, 10),
		.rules = (unsigned)strtoul(field[6], NULL, 10) };
}

/* A line of another version is passed over. */
static void
read_line(struct roles *r, char *line)
{
	char *field[FIELDS] = { NULL };
	size_t n = 0;

	while (n < FIELDS && line != NULL)
		field[n++] = strsep(&line, "\t");
	if (n == 5 && strcmp(field[0], "agent") == 0) {
		r->began = strtoll(field[1], NULL, 10);
		r->stopped = strtoll(field[2], NULL, 10);
		r->dropped = strtoull(field[3], NULL, 10);
		(void)snprintf(r->note, sizeof(r->note), "%s", field[4]);
	} else if (n == FIELDS && strcmp(field[0], "role") == 0) {
		add_role(r, field);
	} else if (n == WALL_FIELDS && strcmp(field[0], "walls") == 0 &&
	    r->n > 0) {
		add_walls(&r->role[r->n - 1].walls, field);
	}
}

int
roles_read(const char *path, struct roles *r, struct err *err)
{
	char *name = name_of(path), *rest, *line;
	struct buf text = BUF_INIT(ROLES_MAX);
	struct stat st;
	int rc = 0;

	*r = (struct roles){ .began = INT64_MIN, .stopped = INT64_MIN };
	if (stat(name, &st) == 0) {
		rc = file_read(name, &text, err) == 0 ? 1 : -1;
		r->written = st.st_mtim.tv_sec * CLOCK_SECOND;
	} else if (errno != ENOENT) {
		rc = err_set(err, "%s: %s", name, strerror(errno));
	}
	rest = rc == 1 ? text.data : NULL;
	while ((line = strsep(&rest, "\n")) != NULL)
		read_line(r, line);
	buf_release(&text);
	free(name);
	return rc;
}

void
roles_release(struct roles *r)
{
	free(r->role);
	*r = (struct roles){ .began = INT64_MIN, .stopped = INT64_MIN };
}
