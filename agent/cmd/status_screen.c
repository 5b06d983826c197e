/*
 * status_screen.c - `sealfeed status --watch` on a terminal.
 *
 * The first line is the verdict, the last the keys; between them stands what
 * `sealfeed status` prints, and moves up and down.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "cmd/columns.h"
#include "cmd/screen.h"
#include "cmd/status.h"
#include "cmd/table.h"

#define REFRESH CLOCK_SECOND
#define REVERSE "\033[7m"

struct pager {
	const struct config *config;
	const struct limits *limits;
	struct screen *screen;
	struct status_look look;
	struct status_view view;
	struct buf text;
	char **line; /* of text, borrowed */
	size_t n_lines;
	size_t top;  /* the first that is shown below the verdict */
	size_t page; /* lines that there is room for */
	bool help;
};

static const char *const help[] = {
	"",
	"  q             quit",
	"  up, down      a line up or down (k, j)",
	"  page up/down  a page up or down (b, space)",
	"  home, end     the beginning, the end (g, G)",
	"  s, left/right the order of the feeds",
	"  r             look again now",
	"  ?             this help (h); any key ends it",
};
#define HELP_LINES (sizeof(help) / sizeof(help[0]))

/* Split the text where it stands. */
static void
split(struct pager *p)
{
	size_t room = 0;
	char *s = p->text.data;

	p->n_lines = 0;
	for (; s != NULL && *s != '\0'; p->n_lines++) {
		char *end = strchr(s, '\n');

		if (p->n_lines == room) {
			room = room == 0 ? 64 : 2 * room;
			p->line =
			    xreallocarray(p->line, room, sizeof(*p->line));
		}
		p->line[p->n_lines] = s;
		if (end == NULL)
			end = s + strlen(s) - 1;
		*end = '\0';
		s = end + 1;
	}
}

static int
render(struct pager *p, struct err *err)
{
	size_t rows;

	screen_size(p->screen, &p->look.width, &rows);
	if (p->look.width < 20)
		p->look.width = 20; /* the rest is cut by the screen */
	p->page = rows > 2 ? rows - 2 : 1;
	buf_clear(&p->text);
	if (status_text(&p->view, &p->look, &p->text) != 0)
		return err_set(err, "the status is larger than %d bytes",
		    STATUS_MAX);
	split(p);
	return 0;
}

/* The head of a table whose rows begin above line at; NULL: none does. */
static const char *
head_above(const struct pager *p, size_t at)
{
	static const char *const heads[] = { "FEED ", "OUTPUT ", "TROUBLE " };

	while (at-- > 1 && p->line[at][0] != '\0') {
		const char *s = p->line[at];

		if (strncmp(s, COLOUR_HEAD, strlen(COLOUR_HEAD)) == 0)
			s += strlen(COLOUR_HEAD);
		for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
			if (strncmp(s, heads[i], strlen(heads[i])) == 0)
				return p->line[at];
	}
	return NULL;
}

static void
write_footer(const struct pager *p, char *out, size_t size)
{
	const size_t all = p->n_lines > 0 ? p->n_lines - 1 : 0;
	size_t end = p->top + p->page < all ? p->top + p->page : all;
	char keys[80], where[60];
	int pad;

	(void)snprintf(keys, sizeof(keys), "q quit  ? help  s order: %s",
	    status_order_name(p->look.order));
	(void)snprintf(where, sizeof(where), "%zu-%zu of %zu",
	    all == 0 ? 0 : p->top + 1, end, all);
	pad = (int)p->look.width - (int)strlen(keys) - (int)strlen(where);
	(void)snprintf(out, size, "%s%s%*s%s%s", p->look.colours ? REVERSE : "",
	    keys, pad > 2 ? pad : 2, "", where,
	    p->look.colours ? COLOUR_OFF : "");
}

static int
draw(struct pager *p, struct err *err)
{
	const size_t n = p->page + 2;
	const char **line = xcalloc(n, sizeof(*line));
	const char *head;
	char footer[1200];
	size_t most = p->n_lines > p->page + 1 ? p->n_lines - 1 - p->page : 0;
	int rc;

	if (p->top > most)
		p->top = most;
	line[0] = p->n_lines > 0 ? p->line[0] : "";
	for (size_t i = 0; i < p->page; i++) {
		size_t at = p->top + 1 + i;

		if (p->help)
			line[1 + i] = i < HELP_LINES ? help[i] : "";
		else
			line[1 + i] = at < p->n_lines ? p->line[at] : "";
	}
	head = p->help || p->top == 0 ? NULL : head_above(p, p->top + 1);
	if (head != NULL)
		line[1] = head;
	write_footer(p, footer, sizeof(footer));
	line[n - 1] = footer;
	rc = screen_draw(p->screen, line, n, err);
	free(line);
	return rc;
}

static void
look(struct pager *p)
{
	status_view_release(&p->view);
	status_look_at(p->config, p->limits, &p->view);
}

static void
move(struct pager *p, int64_t by)
{
	int64_t top = (int64_t)p->top + by;

	p->top = top < 0 ? 0 : (size_t)top; /* draw() knows the end */
}

static void
turn_order(struct pager *p, int by)
{
	p->look.order =
	    (enum status_order)(((int)p->look.order + by + ORDERS) % ORDERS);
}

/* True when the user has seen enough. */
static bool
obey(struct pager *p, int key)
{
	const int64_t page = (int64_t)p->page;

	if (key == KEY_END || key == 'q' || key == 'Q')
		return true;
	if (key == KEY_NONE || key == KEY_RESIZED)
		return false;
	if (p->help || key == '?' || key == 'h') {
		p->help = !p->help;
		return false;
	}
	switch (key) {
	case KEY_UP:
	case 'k':
		move(p, -1);
		break;
	case KEY_DOWN:
	case 'j':
		move(p, 1);
		break;
	case KEY_PAGE_UP:
	case 'b':
		move(p, 1 - page);
		break;
	case KEY_PAGE_DOWN:
	case ' ':
		move(p, page - 1);
		break;
	case KEY_HOME:
	case 'g':
		p->top = 0;
		break;
	case KEY_LAST:
	case 'G':
		p->top = p->n_lines;
		break;
	case 's':
	case KEY_RIGHT:
		turn_order(p, 1);
		break;
	case KEY_LEFT:
		turn_order(p, -1);
		break;
	case 'r':
		look(p);
		break;
	default:
		break;
	}
	return false;
}

static int
loop(struct pager *p, struct err *err)
{
	int64_t due = 0;
	int key = KEY_NONE;

	while (!obey(p, key)) {
		int64_t now = clock_monotonic();

		if (now >= due) {
			look(p);
			due = clock_monotonic() + REFRESH;
		}
		if (render(p, err) != 0 || draw(p, err) != 0)
			return -1;
		now = clock_monotonic();
		key = screen_key(p->screen,
		    now >= due ? 0 : (int)((due - now) / 1000) + 1);
	}
	return 0;
}

int
status_screen(const struct config *config, const struct limits *limits,
    bool colours, struct err *err)
{
	struct pager p = { .config = config,
		.limits = limits,
		.look.colours = colours,
		.text = BUF_INIT(STATUS_MAX) };
	int rc = -1;

	p.screen = screen_open(err);
	if (p.screen != NULL)
		rc = loop(&p, err);
	screen_close(p.screen);
	status_view_release(&p.view);
	buf_release(&p.text);
	free(p.line);
	return rc;
}
