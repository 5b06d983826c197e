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
	out->mode = "acknowledged";
	return 0;
}

static size_t
fake_window(const struct output *out)
{
	(void)out;
	return 4;
}

static void
keep(const struct buf *text)
{
	int fd =
	    open(fake_script.received, O_WRONLY | O_CREAT | O_APPEND, 0600);

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

static void
fake_send(struct output *out, struct chunk *p)
{
	struct buf text = BUF_INIT(1 << 24);
	struct err e = ERR_INIT;
	enum verdict v = VERDICT_DELIVERED;

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
		keep(&text);
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

const struct output_type fake_output = {
	.type.name = "fake",
	.open = fake_open,
	.window = fake_window,
	.send = fake_send,
	.drive = fake_drive,
	.close = fake_close,
};
