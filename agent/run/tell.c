/*
 * tell.c - what the supervisor tells of itself and the roles.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "run/child.h"
#include "run/notify.h"
#include "run/tell.h"

#define FILE_MAX (1 << 20)
#define FILE_AGAIN (10 * CLOCK_SECOND)
#define LATE (10 * CLOCK_SECOND)

int
tell_open(struct telling *t, struct children *all)
{
	buf_init(&t->file, FILE_MAX);
	return pipe2(all->verdict, O_CLOEXEC | O_NONBLOCK);
}

void
tell_close(struct telling *t, struct children *all)
{
	buf_release(&t->file);
	(void)close(all->verdict[0]);
	(void)close(all->verdict[1]);
}

void
tell_roles(struct telling *t, const char *path, const struct children *all,
    int64_t stopped)
{
	struct roles r = { .began = all->began, .stopped = stopped };
	struct buf text = BUF_INIT(FILE_MAX);
	struct err err = ERR_INIT;
	int64_t now = clock_monotonic();

	(void)snprintf(r.note, sizeof(r.note), "%s", t->note);
	children_tell(all, &r);
	if (roles_format(&r, &text) == 0 &&
	    (text.len != t->file.len ||
		memcmp(text.data, t->file.data, text.len) != 0) &&
	    (now >= t->file_at || stopped != INT64_MIN)) {
		if (roles_write(path, &text, &err) == 0) {
			buf_release(&t->file);
			t->file = text;
			buf_init(&text, 0);
		} else {
			log_warn("%s", err.text);
			t->file_at = now + FILE_AGAIN;
		}
	}
	buf_release(&text);
	roles_release(&r);
}

/* Keep the last whole line of what watch wrote; each is written at once. */
static void
read_verdict(struct telling *t, const struct children *all)
{
	char text[4096], *end, *begin;
	ssize_t n = read(all->verdict[0], text, sizeof(text) - 1);

	if (n <= 0)
		return;
	text[n] = '\0';
	end = strrchr(text, '\n');
	if (end == NULL)
		return;
	*end = '\0';
	begin = strrchr(text, '\n');
	(void)snprintf(t->verdict, sizeof(t->verdict), "%.399s",
	    begin == NULL ? text : begin + 1);
}

/* Write "seal, ship siem": the roles that are not ready. */
static void
name_waiting(const struct children *all, char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < all->n && len < size; i++) {
		const struct child *c = &all->slot[i];

		if (c->wanted && (!c->ready || c->asked))
			len += (size_t)snprintf(out + len, size - len, "%s%s",
			    len > 0 ? ", " : "", c->name);
	}
}

static bool
watch_works(const struct children *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->slot[i].kind == ROLE_WATCH && all->slot[i].ready)
			return true;
	return false;
}

void
tell_status(struct telling *t, const struct children *all)
{
	char said[sizeof(t->status)], text[sizeof(t->status)], waiting[200];

	read_verdict(t, all);
	if (!watch_works(all))
		t->verdict[0] = '\0';
	name_waiting(all, waiting, sizeof(waiting));
	if (t->note[0] != '\0')
		(void)snprintf(said, sizeof(said), "%.399s", t->note);
	else if (t->verdict[0] != '\0')
		memcpy(said, t->verdict, sizeof(said));
	else if (waiting[0] != '\0')
		(void)snprintf(said, sizeof(said), "waiting for %s", waiting);
	else
		(void)snprintf(said, sizeof(said), "running");
	/* Another line would be another message to systemd. */
	text_one_line(text, sizeof(text), said);
	if (strcmp(text, t->status) == 0)
		return;
	memcpy(t->status, text, sizeof(text));
	notify_send("STATUS=%s", text);
}

void
tell_begin(struct telling *t)
{
	t->waited = clock_monotonic();
}

void
tell_late(struct telling *t, const struct children *all)
{
	char names[TELL_MAX];

	if (t->waited == 0 || clock_monotonic() - t->waited < LATE)
		return;
	t->waited = 0;
	name_waiting(all, names, sizeof(names));
	log_warn("not ready after %lld s, since these roles are not: %s; "
		 "\"sealfeed status\" says why",
	    (long long)(LATE / CLOCK_SECOND), names);
}
