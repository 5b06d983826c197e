/*
 * terminal.c - a line that somebody types.
 */
#include <ctype.h>
#include <errno.h>
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

/* Read byte by byte: what follows the line is for whoever reads next, and no
 * buffer keeps a copy of a secret. */
static ssize_t
read_line(char *line, size_t room)
{
	size_t len = 0;
	ssize_t n;
	char c;

	for (;;) {
		n = interrupted ? -1 : read(STDIN_FILENO, &c, 1);
		if (n < 0 && !interrupted && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		if (c == '\n')
			break;
		if (len + 1 < room)
			line[len++] = c;
	}
	line[len] = '\0';
	return (ssize_t)len;
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
terminal_line(FILE *out, const char *prompt, bool secret, struct err *err)
{
	struct termios before, quiet;
	bool hidden = secret && tcgetattr(STDIN_FILENO, &before) == 0;
	char line[8192], *copy = NULL;

	/* Before the prompt: nothing that is typed at it is shown. */
	if (hidden) {
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	(void)fputs(prompt, out);
	(void)fflush(out);
	if (read_line(line, sizeof(line)) >= 0)
		copy = trimmed(line);
	else
		(void)err_set(err,
		    "ended before all questions were "
		    "answered; nothing was changed");
	if (hidden)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	if (hidden || copy == NULL)
		(void)fputc('\n', out);
	explicit_bzero(line, sizeof(line));
	return copy;
}
