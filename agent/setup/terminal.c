/*
 * terminal.c - a line that somebody types.
 */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "setup/terminal.h"

static volatile sig_atomic_t interrupted;

static void
note(int signal)
{
	(void)signal;
	interrupted = 1;
}

void
terminal_signals(void)
{
	/* Without SA_RESTART: what waits for input is to end. */
	struct sigaction action = { .sa_handler = note };

	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGHUP, &action, NULL);
	(void)sigaction(SIGQUIT, &action, NULL);
}

bool
terminal_interrupted(void)
{
	return interrupted != 0;
}

bool
terminal_there(void)
{
	return isatty(STDIN_FILENO) == 1;
}

#define BEGIN "-----BEGIN "
#define END "-----END "
/* What was pasted comes at once. */
#define PASTED_MS 200

/* An answer while it is typed. */
struct typed {
	char text[16384];
	size_t len;
	size_t line;  /* where its last line begins */
	size_t shown; /* of the first line, so much */
	FILE *echo;   /* NULL: the terminal shows it, or nobody */
	const struct termios *keys;
};

static bool
begins(const struct typed *t, const char *with)
{
	return strncmp(t->text + t->line, with, strlen(with)) == 0;
}

static bool
is_full(const struct typed *t)
{
	return t->len + 1 == sizeof(t->text);
}

static void
add(struct typed *t, char c)
{
	if (is_full(t))
		return;
	t->text[t->len++] = c;
	t->text[t->len] = '\0';
}

/* Show what is new of a line that does not turn out to be PEM. */
static void
show(struct typed *t, bool all)
{
	if (t->echo == NULL || t->line > 0)
		return;
	if (!all && strncmp(BEGIN, t->text, t->len) == 0)
		return;
	if (begins(t, BEGIN)) {
		if (t->shown == 0 && t->len > 0)
			(void)fputs("(not shown)", t->echo);
		t->shown = t->len;
	}
	if (t->len > t->shown)
		(void)fwrite(t->text + t->shown, 1, t->len - t->shown, t->echo);
	t->shown = t->len;
	(void)fflush(t->echo);
}

/* The last character is taken back, all of its bytes. */
static void
erase(struct typed *t)
{
	if (t->len == 0 || t->line > 0 || begins(t, BEGIN))
		return;
	while (t->len > 0 && ((unsigned char)t->text[--t->len] & 0xc0) == 0x80)
		continue;
	t->text[t->len] = '\0';
	if (t->echo != NULL && t->shown > t->len) {
		(void)fputs("\b \b", t->echo);
		(void)fflush(t->echo);
		t->shown = t->len;
	}
}

/* A line is complete.  Is the answer?  Of PEM the line that ends it must have
 * come, and what was pasted with it. */
static bool
is_over(struct typed *t)
{
	struct pollfd more = { .fd = STDIN_FILENO, .events = POLLIN };

	show(t, true);
	if (strncmp(t->text, BEGIN, strlen(BEGIN)) != 0)
		return true;
	if (begins(t, END) && poll(&more, 1, PASTED_MS) <= 0)
		return true;
	add(t, '\n');
	t->line = t->len;
	return false;
}

/* Take a byte; true: it ends the answer. */
static bool
take(struct typed *t, unsigned char c)
{
	if (c == '\n')
		return is_over(t);
	if (t->keys != NULL && (c == t->keys->c_cc[VERASE] || c == '\b')) {
		erase(t);
	} else if (t->keys != NULL && c == t->keys->c_cc[VKILL]) {
		while (t->len > 0 && t->line == 0 && !begins(t, BEGIN))
			erase(t);
	} else {
		add(t, (char)c);
		show(t, false);
	}
	return is_full(t);
}

/* Read byte by byte: what follows the answer is for whoever reads next, and no
 * buffer keeps a copy of a secret. */
static int
read_answer(struct typed *t, struct err *err)
{
	unsigned char c;
	ssize_t n;

	do {
		n = interrupted ? -1 : read(STDIN_FILENO, &c, 1);
		if (n < 0 && !interrupted && errno == EINTR)
			continue;
		if (n <= 0 ||
		    (t->keys != NULL && t->len == 0 &&
			c == t->keys->c_cc[VEOF]))
			return err_set(err,
			    "ended before all questions were "
			    "answered; nothing was changed");
	} while (n < 0 || !take(t, c));
	if (!is_full(t))
		return 0;
	return err_set(err,
	    "an answer is longer than %zu bytes; put it into a file, and type "
	    "the name of that; nothing was changed",
	    sizeof(t->text) - 2);
}

static char *
trimmed(const char *line)
{
	size_t len;

	while (isspace((unsigned char)*line))
		line++;
	len = strlen(line);
	while (len > 0 && isspace((unsigned char)line[len - 1]))
		len--;
	return xstrndup(line, len);
}

char *
terminal_line(FILE *out, const char *prompt, enum terminal_shows shows,
    struct err *err)
{
	struct typed typed = { .len = 0 };
	struct termios before, quiet;
	bool hidden =
	    shows != TERMINAL_ALL && tcgetattr(STDIN_FILENO, &before) == 0;
	char *copy = NULL;

	/* Before the prompt: nothing that is typed at it is shown. */
	if (hidden) {
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
		if (shows == TERMINAL_NO_PEM) {
			quiet.c_lflag &= ~(tcflag_t)ICANON;
			quiet.c_cc[VMIN] = 1;
			quiet.c_cc[VTIME] = 0;
			typed.keys = &before;
			typed.echo = out;
		}
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	(void)fputs(prompt, out);
	(void)fflush(out);
	if (read_answer(&typed, err) == 0)
		copy = trimmed(typed.text);
	else /* what is left of it is not for the shell */
		(void)tcflush(STDIN_FILENO, TCIFLUSH);
	if (hidden)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	if (hidden || copy == NULL)
		(void)fputc('\n', out);
	explicit_bzero(&typed, sizeof(typed));
	return copy;
}
