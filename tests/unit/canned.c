/*
 * canned.c - an HTTP server on loopback that answers with given bytes.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/unit/canned.h"

#define REQUEST_MAX (2 << 20)
#define REQUESTS_MAX (4 << 20)
#define REPLIES_MAX 64

struct canned {
	const struct canned_reply *table;
	size_t used[REPLIES_MAX];
	int fd;
	char url[64];
	pthread_t thread;
	pthread_mutex_t lock;
	char *requests;
	size_t len;
	size_t count;
};

/* Read one request, head and body; its length, 0 when there is none. */
static size_t
read_request(int fd, char *buf, size_t size)
{
	size_t len = 0, need = 0;
	ssize_t n;

	while (len < size - 1) {
		const char *end, *cl;

		n = read(fd, buf + len, size - 1 - len);
		if (n <= 0)
			return 0;
		len += (size_t)n;
		buf[len] = '\0';
		end = strstr(buf, "\r\n\r\n");
		if (end == NULL)
			continue;
		cl = strcasestr(buf, "\r\nContent-Length:");
		if (cl != NULL && cl < end)
			need = strtoul(cl + 17, NULL, 10);
		if (len >= (size_t)(end + 4 - buf) + need)
			return len;
	}
	return 0;
}

static const struct canned_reply *
choose(struct canned *c, const char *request)
{
	const struct canned_reply *found = NULL;
	const char *target = strchr(request, ' ');

	for (size_t i = 0; target != NULL && c->table[i].path != NULL; i++) {
		size_t len = strlen(c->table[i].path);

		if (strncmp(target + 1, c->table[i].path, len) != 0)
			continue;
		found = &c->table[i];
		if (c->used[i]++ == 0)
			break;
	}
	return found;
}

/* What is in the place of "<n>" is the number of the request. */
static void
reply(int fd, const struct canned_reply *r, size_t n)
{
	const char *at = r->len == 0 ? strstr(r->bytes, "<n>") : NULL;
	int rc;

	if (at == NULL)
		rc = (int)write(fd, r->bytes,
		    r->len > 0 ? r->len : strlen(r->bytes));
	else
		rc = dprintf(fd, "%.*s%zu%s", (int)(at - r->bytes), r->bytes, n,
		    at + 3);
	if (rc < 0)
		abort();
}

static void
serve(struct canned *c, int fd)
{
	char *buf = xmalloc(REQUEST_MAX);
	size_t len = read_request(fd, buf, REQUEST_MAX);
	const struct canned_reply *r;

	if (len > 0) {
		(void)pthread_mutex_lock(&c->lock);
		if (c->len + len < REQUESTS_MAX) {
			memcpy(c->requests + c->len, buf, len + 1);
			c->len += len;
		}
		c->count++;
		r = choose(c, buf);
		(void)pthread_mutex_unlock(&c->lock);
		if (r != NULL)
			reply(fd, r, c->count);
	}
	free(buf);
	(void)close(fd);
}

static void *
run(void *arg)
{
	struct canned *c = arg;
	int fd;

	while ((fd = accept(c->fd, NULL, NULL)) != -1)
		serve(c, fd);
	return NULL;
}

struct canned *
canned_start(const struct canned_reply *table)
{
	struct canned *c = xcalloc(1, sizeof(*c));
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);

	c->table = table;
	c->requests = xcalloc(1, REQUESTS_MAX);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd == -1 ||
	    bind(c->fd, (struct sockaddr *)&sin, sizeof(sin)) != 0 ||
	    listen(c->fd, 16) != 0 ||
	    getsockname(c->fd, (struct sockaddr *)&sin, &len) != 0)
		abort();
	(void)snprintf(c->url, sizeof(c->url), "http://127.0.0.1:%d",
	    (int)ntohs(sin.sin_port));
	(void)pthread_mutex_init(&c->lock, NULL);
	if (pthread_create(&c->thread, NULL, run, c) != 0)
		abort();
	return c;
}

void
canned_stop(struct canned *c)
{
	(void)shutdown(c->fd, SHUT_RDWR);
	(void)pthread_join(c->thread, NULL);
	(void)close(c->fd);
	(void)pthread_mutex_destroy(&c->lock);
	free(c->requests);
	free(c);
}

const char *
canned_url(const struct canned *c)
{
	return c->url;
}

const char *
canned_requests(struct canned *c)
{
	const char *s;

	(void)pthread_mutex_lock(&c->lock);
	s = c->requests;
	(void)pthread_mutex_unlock(&c->lock);
	return s;
}

size_t
canned_len(struct canned *c)
{
	size_t n;

	(void)pthread_mutex_lock(&c->lock);
	n = c->len;
	(void)pthread_mutex_unlock(&c->lock);
	return n;
}

size_t
canned_count(struct canned *c)
{
	size_t n;

	(void)pthread_mutex_lock(&c->lock);
	n = c->count;
	(void)pthread_mutex_unlock(&c->lock);
	return n;
}
