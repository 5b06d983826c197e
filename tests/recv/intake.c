/*
 * intake.c - strict fakes of SIEMs' HTTP intakes, many in one process.
 *
 *   intake --dir DIR --cert FILE --key FILE [--port N]
 *
 * https://localhost:PORT/NAME/… is the receiver in the folder DIR/NAME, whose
 * kind is the one that NAME begins with.  What it takes goes to DIR/NAME/events
 * as NDJSON lines; each request leaves "STATUS LINES BYTES PATH FAULT" in
 * DIR/NAME/requests.  DIR/NAME/faults scripts faults (recv.h), DIR/NAME/OPTION
 * holds options of the kind, "poison" a text with which an event is refused.
 */
#include <getopt.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "tests/recv/intake.h"

#define HANG_SECONDS 600
#define SLOW_SECONDS 2

static recv_fn answer;
static struct recv_options opt = { .dir = ".",
	.max_body = RECV_BODY_MAX,
	.answer = answer };
#define INTAKE_ROW(name) &intake_##name,
static const struct intake_kind *const kinds[] = { INTAKES(INTAKE_ROW) NULL };
static struct place *places;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

char *
place_option(const struct place *p, const char *option, const char *def)
{
	char *path = xasprintf("%s/%s", p->dir, option), text[4096] = "";
	FILE *in = fopen(path, "r");

	free(path);
	if (in == NULL)
		return xstrdup(def);
	if (fgets(text, sizeof(text), in) == NULL)
		text[0] = '\0';
	(void)fclose(in);
	text[strcspn(text, "\n")] = '\0';
	return xstrdup(text);
}

void
place_store_line(struct call *c, const char *line, size_t len)
{
	recv_write(c->place->events_fd, line, len);
	recv_write(c->place->events_fd, "\n", 1);
	c->lines++;
}

void
place_store(struct call *c, const char *feed, const char *agent,
    unsigned long long index, const char *event, size_t len)
{
	struct buf line = BUF_INIT(RECV_BODY_MAX);

	if (buf_addf(&line,
		"{\"feed\":\"%s\",\"index\":%llu,\"agent\":\"%s\",\"event\":",
		feed, index, agent) != 0 ||
	    buf_add(&line, event, len) != 0 || buf_add(&line, "}", 1) != 0)
		recv_die("an event beyond reason");
	place_store_line(c, line.data, line.len);
	buf_release(&line);
}

void
reply_text(struct call *c, unsigned status, const char *fmt, ...)
{
	struct buf text = BUF_INIT(RECV_BODY_MAX);
	char *room = buf_room(&text, 1 << 16);
	va_list ap;

	va_start(ap, fmt);
	text.len = (size_t)vsnprintf(room, 1 << 16, fmt, ap);
	va_end(ap);
	free(c->reply->text);
	c->reply->status = status;
	c->reply->type = NULL;
	c->reply->text = buf_take(&text, NULL);
}

void
reply_page(struct call *c, unsigned status, const char *title)
{
	reply_text(c, status,
	    "<!doctype html><html><head><title>%s</title></head>"
	    "<body>Your support ID is: 7</body></html>\n",
	    title);
	c->reply->type = "text/html";
}

bool
is_poison(const struct call *c, const char *text, size_t len)
{
	char *poison = place_option(c->place, "poison", "");
	bool found = poison[0] != '\0' &&
	    memmem(text, len, poison, strlen(poison)) != NULL;

	free(poison);
	return found;
}

const char *
call_query(const struct call *c, const char *name)
{
	const char *value = MHD_lookup_connection_value(c->rq->conn,
	    MHD_GET_ARGUMENT_KIND, name);

	return value == NULL ? "" : value;
}

bool
is_poison_event(const struct call *c, const char *feed,
    unsigned long long index)
{
	char *text = xasprintf("\"feed\":\"%s\",\"index\":%llu,", feed, index);
	bool found = is_poison(c, text, strlen(text));

	free(text);
	return found;
}

static struct place *
place_make(const char *name, const struct intake_kind *kind)
{
	struct place *p = xcalloc(1, sizeof(*p));

	p->name = xstrdup(name);
	p->dir = xasprintf("%s/%s", opt.dir, name);
	(void)mkdir(p->dir, 0755);
	p->kind = kind;
	p->events_fd = recv_open(p->dir, "events");
	p->requests_fd = recv_open(p->dir, "requests");
	p->next = places;
	places = p;
	return p;
}

/* The receiver that a path names, NULL: none of a known kind. */
static struct place *
place_find(const char *path, const char **rest)
{
	size_t n = strcspn(path + 1, "/");
	char name[64];

	if (path[0] != '/' || n == 0 || n >= sizeof(name))
		return NULL;
	memcpy(name, path + 1, n);
	name[n] = '\0';
	*rest = path + 1 + n;
	for (struct place *p = places; p != NULL; p = p->next)
		if (strcmp(p->name, name) == 0)
			return p;
	for (size_t i = 0; kinds[i] != NULL; i++)
		if (strncmp(name, kinds[i]->name, strlen(kinds[i]->name)) == 0)
			return place_make(name, kinds[i]);
	return NULL;
}

/* Let the kind judge the request, whose body is unpacked first. */
static void
take(struct call *c)
{
	struct buf plain = BUF_INIT(RECV_BODY_MAX);
	const char *coding = recv_header(c->rq, "Content-Encoding");
	const char *why = NULL;

	c->body = &c->rq->body;
	if (strcmp(coding, "gzip") == 0) {
		why = recv_unpack(&c->rq->body, &plain);
		c->body = &plain;
	} else if (strcmp(coding, "deflate") == 0 && c->place->kind->deflate) {
		why = recv_inflate(&c->rq->body, &plain);
		c->body = &plain;
	}
	if (why != NULL)
		reply_text(c, 400, "{\"text\":\"%s\",\"code\":6}", why);
	else if (coding[0] != '\0' && c->body != &plain)
		reply_page(c, 415, "Unsupported Media Type");
	else
		c->place->kind->take(c);
	buf_release(&plain);
}

/* A fault that strikes before anything is looked at. */
static bool
fails(struct call *c)
{
	unsigned status = fault_status(c->fault);

	if (c->fault == PAGE)
		reply_page(c, 200, "Request Rejected");
	else if (status == 413)
		reply_page(c, 413, "Request Entity Too Large");
	else if (status != 0)
		reply_text(c, status, "{\"error\":\"%u\"}", status);
	c->reply->retry_after = c->fault == F429 || c->fault == F503;
	c->reply->hang = c->fault == HANG ? HANG_SECONDS
	    : c->fault == SLOW            ? SLOW_SECONDS
					  : 0;
	return status != 0 || c->fault == CLOSE || c->fault == HANG;
}

static void
record(const struct call *c)
{
	char *text = xasprintf("%u %zu %zu %s %s\n", c->reply->status, c->lines,
	    c->rq->body.len, c->path, fault_names[c->fault]);

	recv_write(c->place->requests_fd, text, strlen(text));
	free(text);
}

static void
answer(const struct recv_request *rq, struct recv_reply *reply)
{
	struct call c = { .rq = rq, .reply = reply, .path = "" };

	(void)pthread_mutex_lock(&lock);
	c.place = place_find(rq->path, &c.path);
	if (c.place == NULL) {
		reply_text(&c, 404, "no such receiver");
	} else {
		c.fault = fault_roll(&c.place->faults, c.place->dir);
		if (!fails(&c))
			take(&c);
		record(&c);
	}
	(void)pthread_mutex_unlock(&lock);
	if (c.fault == LOST_REPLY)
		reply->status = 0;
}

int
main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "dir", required_argument, NULL, 'd' },
		{ "cert", required_argument, NULL, 'c' },
		{ "key", required_argument, NULL, 'k' },
		{ "port", required_argument, NULL, 'p' },
		{ NULL, 0, NULL, 0 },
	};
	int ch;

	while ((ch = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (ch == 'd')
			opt.dir = optarg;
		else if (ch == 'c')
			opt.cert = optarg;
		else if (ch == 'k')
			opt.key = optarg;
		else if (ch == 'p')
			opt.port = (unsigned short)strtoul(optarg, NULL, 10);
		else
			exit(64);
	}
	recv_serve(&opt);
}
