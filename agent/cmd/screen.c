/*
 * screen.c - the whole terminal.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "cmd/columns.h"
#include "cmd/screen.h"

#define CLEAR "\033[2J"

/* The other screen, cleared; no cursor; lines do not wrap (xterm's private
 * modes, which all others took over).  And back. */
#define ENTER "\033[?1049h\033[?25l\033[?7l" CLEAR
#define LEAVE "\033[0m\033[?7h\033[?25h\033[?1049l"

#define FRAME_MAX (8 << 20)
#define ROWS_MAX 1000
#define COLUMNS_MAX 1000

/* A key that comes in several bytes comes within that time. */
#define SEQUENCE_MS 200

struct screen {
	struct termios before;
	struct sigaction actions[8]; /* as they were */
	sigset_t mask;               /* … and as it is while waiting */
	size_t columns, rows;
	char **shown;  /* rows: what stands there, NULL: unknown */
	char keys[64]; /* not yet told of */
	size_t n_keys;
};

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP,
	SIGCONT, SIGWINCH };
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

static volatile sig_atomic_t got_end, got_stop, got_back, got_size;

static void
on_signal(int sig)
{
	if (sig == SIGTSTP)
		got_stop = 1;
	else if (sig == SIGCONT)
		got_back = 1;
	else if (sig == SIGWINCH)
		got_size = 1;
	else
		got_end = 1;
}

static void
forget_shown(struct screen *s)
{
	for (size_t i = 0; i < s->rows; i++)
		free(s->shown[i]);
	free(s->shown);
	s->shown = NULL;
	s->rows = 0;
}

static void
look_at_size(struct screen *s)
{
	struct winsize size = { .ws_col = 0 };

	forget_shown(s);
	s->columns = 80;
	s->rows = 24;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 &&
	    size.ws_row > 0) {
		s->columns = size.ws_col;
		s->rows = size.ws_row;
	}
	if (s->columns > COLUMNS_MAX)
		s->columns = COLUMNS_MAX;
	if (s->rows > ROWS_MAX)
		s->rows = ROWS_MAX;
	s->shown = xcalloc(s->rows, sizeof(*s->shown));
}

/* Keys come at once and unseen; those of signals still do. */
static int
enter(struct screen *s)
{
	struct termios raw = s->before;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) != 0)
		return -1;
	look_at_size(s);
	return file_write_all(STDOUT_FILENO, ENTER, strlen(ENTER));
}

static void
leave(struct screen *s)
{
	/* A terminal that is gone needs nothing. */
	(void)!file_write_all(STDOUT_FILENO, LEAVE, strlen(LEAVE));
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &s->before);
}

struct screen *
screen_open(struct err *err)
{
	struct screen *s = xcalloc(1, sizeof(*s));
	struct sigaction act = { .sa_handler = on_signal };
	sigset_t ours;

	got_end = got_stop = got_back = got_size = 0;
	(void)sigemptyset(&ours);
	if (tcgetattr(STDIN_FILENO, &s->before) != 0) {
		(void)err_set(err, "the terminal: %s", strerror(errno));
		free(s);
		return NULL;
	}
	for (size_t i = 0; i < SIGNALS; i++) {
		(void)sigaddset(&ours, signals[i]);
		(void)sigaction(signals[i], &act, &s->actions[i]);
	}
	(void)sigprocmask(SIG_BLOCK, &ours, &s->mask);
	if (enter(s) == 0)
		return s;
	(void)err_set(err, "the terminal: %s", strerror(errno));
	screen_close(s);
	return NULL;
}

void
screen_close(struct screen *s)
{
	if (s == NULL)
		return;
	leave(s);
	forget_shown(s);
	for (size_t i = 0; i < SIGNALS; i++)
		(void)sigaction(signals[i], &s->actions[i], NULL);
	(void)sigprocmask(SIG_SETMASK, &s->mask, NULL);
	free(s);
}

void
screen_size(const struct screen *s, size_t *columns, size_t *rows)
{
	*columns = s->columns;
	*rows = s->rows;
}

/* Write all of it, unless a signal ends us meanwhile: a terminal that is held
 * up may take for ever. */
static int
put(struct screen *s, const char *data, size_t len)
{
	size_t at = 0;
	int rc = 0;

	(void)sigprocmask(SIG_SETMASK, &s->mask, NULL);
	while (at < len && got_end == 0) {
		ssize_t n = write(STDOUT_FILENO, data + at, len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			rc = -1;
			break;
		}
		at += (size_t)n;
	}
	for (size_t i = 0; i < SIGNALS; i++) {
		sigset_t one;

		(void)sigemptyset(&one);
		(void)sigaddset(&one, signals[i]);
		(void)sigprocmask(SIG_BLOCK, &one, NULL);
	}
	return rc;
}

/* Write row i anew where it is another line than before. */
static int
draw_row(struct screen *s, size_t i, const char *line, struct buf *out)
{
	size_t len = columns_fit(line, s->columns);
	char *now = xstrndup(line, len);

	if (s->shown[i] != NULL && strcmp(s->shown[i], now) == 0) {
		free(now);
		return 0;
	}
	free(s->shown[i]);
	s->shown[i] = now;
	return buf_addf(out, "\033[%zu;1H%s\033[0m\033[K", i + 1, now);
}

int
screen_draw(struct screen *s, const char *const *line, size_t n,
    struct err *err)
{
	struct buf out = BUF_INIT(FRAME_MAX);
	int rc = 0;

	for (size_t i = 0; i < s->rows && rc == 0; i++)
		rc = draw_row(s, i, i < n ? line[i] : "", &out);
	if (rc == 0)
		rc = put(s, out.data, out.len);
	buf_release(&out);
	if (rc != 0)
		return err_set(err, "the terminal cannot be written: %s",
		    strerror(errno));
	return 0;
}

/* Stop as the user wants it, and go on when he does. */
static void
suspend(struct screen *s)
{
	leave(s);
	(void)raise(SIGSTOP);
	got_stop = 0;
	got_back = 1;
}

/* What the signals were: a key, or KEY_NONE. */
static int
take_signals(struct screen *s)
{
	if (got_end != 0)
		return KEY_END;
	if (got_stop != 0)
		suspend(s);
	if (got_back == 0 && got_size == 0)
		return KEY_NONE;
	if (got_back != 0 && enter(s) != 0)
		return KEY_END;
	if (got_back == 0) {
		look_at_size(s);
		(void)put(s, CLEAR, strlen(CLEAR));
	}
	got_back = got_size = 0;
	return KEY_RESIZED;
}

static const struct {
	const char *bytes;
	int key;
} sequences[] = {
	{ "\033[A", KEY_UP },
	{ "\033OA", KEY_UP },
	{ "\033[B", KEY_DOWN },
	{ "\033OB", KEY_DOWN },
	{ "\033[C", KEY_RIGHT },
	{ "\033OC", KEY_RIGHT },
	{ "\033[D", KEY_LEFT },
	{ "\033OD", KEY_LEFT },
	{ "\033[H", KEY_HOME },
	{ "\033OH", KEY_HOME },
	{ "\033[1~", KEY_HOME },
	{ "\033[7~", KEY_HOME },
	{ "\033[F", KEY_LAST },
	{ "\033OF", KEY_LAST },
	{ "\033[4~", KEY_LAST },
	{ "\033[8~", KEY_LAST },
	{ "\033[5~", KEY_PAGE_UP },
	{ "\033[6~", KEY_PAGE_DOWN },
};

/* The length of the key at the front; 0: it is not whole yet. */
static size_t
key_length(const char *s, size_t n)
{
	size_t len = 2;

	if (s[0] != '\033')
		return 1;
	if (n < 2)
		return 0;
	if (s[1] == 'O')
		return n < 3 ? 0 : 3;
	if (s[1] != '[')
		return 2;
	while (len < n && (s[len] < 0x40 || s[len] == '['))
		len++;
	return len < n ? len + 1 : 0;
}

/* Take the key of that length off the front. */
static int
take_key(struct screen *s, size_t len)
{
	int key = len == 1 ? (unsigned char)s->keys[0] : KEY_OTHER;

	for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++)
		if (strlen(sequences[i].bytes) == len &&
		    memcmp(sequences[i].bytes, s->keys, len) == 0)
			key = sequences[i].key;
	s->n_keys -= len;
	memmove(s->keys, s->keys + len, s->n_keys);
	return key;
}

int
screen_key(struct screen *s, int timeout_ms)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	struct timespec wait = { .tv_sec = timeout_ms / 1000,
		.tv_nsec = timeout_ms % 1000 * 1000000L };
	int key = take_signals(s);
	size_t len;
	ssize_t n;

	if (key != KEY_NONE)
		return key;
	len = s->n_keys > 0 ? key_length(s->keys, s->n_keys) : 0;
	if (len > 0)
		return take_key(s, len);
	if (s->n_keys > 0)
		wait = (struct timespec){ .tv_nsec = SEQUENCE_MS * 1000000L };
	if (ppoll(&in, 1, &wait, &s->mask) <= 0) {
		s->n_keys = 0; /* the rest of a key does not come */
		return take_signals(s);
	}
	n = read(STDIN_FILENO, s->keys + s->n_keys,
	    sizeof(s->keys) - s->n_keys);
	if (n <= 0)
		return n < 0 && errno == EINTR ? KEY_NONE : KEY_END;
	s->n_keys += (size_t)n;
	len = key_length(s->keys, s->n_keys);
	if (len == 0 && s->n_keys == sizeof(s->keys))
		s->n_keys = 0; /* no key is that long */
	return len > 0 ? take_key(s, len) : KEY_OTHER;
}
