/*
 * fake_output.c - a destination that judges as a test says.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "delivery/chunk.h"
#include "tests/unit/fake_output.h"

struct fake_script fake_script;

static int
fake_open(struct output *out, struct err *e)
{
	(void)e;
	out->chunk_max = fake_script.max;
	out->batches = fake_script.batches;
	out->mode = "acknowledged";
	out->hold.time = fake_script.hold;
	out->hold.bytes = UINT64_MAX;
	out->hold.trusted = fake_script.trusted;
	out->poison_waits = fake_script.poison_waits;
	return 0;
}

static size_t
fake_window(const struct output *out)
{
	(void)out;
	return 4;
}

static void
keep(const char *path, const struct buf *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);

	if (fd < 0 || file_write_all(fd, text->data, text->len) != 0)
		abort();
	(void)close(fd);
}

/* Refuse the lines with "big", keep the others. */
static int
sort_out(struct output *out, struct chunk *p, struct buf *text)
{
	struct chunk_line line;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < chunk_lines(p); i++) {
		if (chunk_line(p, i, &line, &e) != 0)
			return -1;
		if (memmem(line.value, line.len, "big", 3) != NULL) {
			if (output_refuse(out, p, i, "too %s", "big") != 0)
				return -1;
		} else if (buf_add(text, line.value, line.len) != 0 ||
		    buf_add(text, "\n", 1) != 0) {
			return -1;
		}
	}
	return 0;
}

/* Settle line i of p as v says, which is appended to text if delivered; returns
 * whether it is to come again. */
static bool
settle(struct output *out, struct chunk *p, size_t i, enum verdict v,
    const struct chunk_line *line, struct buf *text)
{
	if (v == VERDICT_DELIVERED &&
	    (buf_add(text, line->value, line->len) != 0 ||
		buf_add(text, "\n", 1) != 0))
		abort();
	return v == VERDICT_RETRY ||
	    output_settle(out, p, i, i + 1, v, "not this %s", "one") != 0;
}

/* Judge each line; delivered ones first, as a good output does. */
static void
judge_each(struct output *out, struct chunk *p)
{
	static const enum verdict order[] = { VERDICT_DELIVERED,
		VERDICT_REFUSED, VERDICT_RETRY };
	static int n;
	struct buf text = BUF_INIT(1 << 24), sent = BUF_INIT(1 << 20);
	struct chunk_line line;
	struct err e = ERR_INIT;
	bool again = false;

	for (size_t k = 0; k < 3; k++) {
		for (size_t i = 0; i < chunk_lines(p); i++) {
			enum verdict v;

			if (chunk_line(p, i, &line, &e) != 0)
				abort();
			if (k == 0 &&
			    (line.checkpoint
				    ? buf_adds(&sent, "c ")
				    : buf_addf(&sent, "%llu ",
					  (unsigned long long)line.number)) !=
				0)
				abort();
			v = fake_script.each(n, &line);
			if (v == order[k] && settle(out, p, i, v, &line, &text))
				again = true;
		}
	}
	n++;
	sent.data[sent.len - 1] = '\n';
	keep(fake_script.received, &text);
	keep(fake_script.sent, &sent);
	buf_release(&text);
	buf_release(&sent);
	output_done(out, p, again ? VERDICT_RETRY : VERDICT_DELIVERED, 1,
	    "again");
}

/* Does the connection end now? */
static bool
breaks(struct output *out, struct chunk *p)
{
	static bool delivered;
	static size_t used;
	struct buf text = BUF_INIT(1 << 24);
	struct err e = ERR_INIT;
	bool now = delivered && fake_script.breaks > 0;

	if (now)
		fake_script.breaks--;
	delivered = !now;
	used += chunk_lines(p);
	now = now || (fake_script.budget > 0 && used > fake_script.budget);
	if (fake_script.poison && chunk_text(p, &text, &e) == 0)
		now = now || strstr(text.data, "bad") != NULL;
	buf_release(&text);
	if (!now)
		return false;
	used = 0;
	out->breaks++;
	out->connects++;
	output_done(out, p, VERDICT_RETRY, 1, "reset");
	return true;
}

static void
fake_send(struct output *out, struct chunk *p)
{
	struct buf text = BUF_INIT(1 << 24);
	struct err e = ERR_INIT;
	enum verdict v = VERDICT_DELIVERED;

	if (fake_script.each != NULL) {
		judge_each(out, p);
		return;
	}
	if (breaks(out, p))
		return;
	if (fake_script.failures > 0) {
		fake_script.failures--;
		output_done(out, p, VERDICT_RETRY, 1, "not yet");
		return;
	}
	if (fake_script.mark ? sort_out(out, p, &text) != 0
			     : chunk_text(p, &text, &e) != 0)
		v = VERDICT_REFUSED;
	else if (fake_script.judge != NULL && text.len > 0)
		v = fake_script.judge(text.data);
	if (v == VERDICT_DELIVERED && text.len > 0)
		keep(fake_script.received, &text);
	buf_release(&text);
	output_done(out, p, v, 0, "%s", e.text[0] == '\0' ? "no" : e.text);
}

static void
fake_drive(struct output *out, int wake_fd, int timeout_ms)
{
	struct pollfd p = { .fd = wake_fd, .events = POLLIN };

	(void)out;
	(void)poll(&p, 1, timeout_ms);
}

static void
fake_close(struct output *out)
{
	(void)out;
}

static const struct setting no_settings[] = { SETTING_END };

const struct output_type fake_output = {
	.type = { .name = "fake", .settings = no_settings },
	.open = fake_open,
	.window = fake_window,
	.send = fake_send,
	.drive = fake_drive,
	.close = fake_close,
};
