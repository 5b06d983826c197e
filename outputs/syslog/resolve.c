/*
 * resolve.c - names to addresses without blocking.
 *
 * The C library asks name servers for as long as half a minute, in a thread
 * of its own (getaddrinfo_a), while the process goes on.
 */
#include "outputs/syslog/resolve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

struct resolve {
	struct gaicb ask;
	struct addrinfo hints;
	char host[256];
	char port[8];
	int rc; /* EAI_INPROGRESS until it is known */
};

struct resolve *
resolve_begin(const char *host, const char *port)
{
	struct resolve *r = xcalloc(1, sizeof(*r));
	struct gaicb *list[1] = { &r->ask };

	(void)snprintf(r->host, sizeof(r->host), "%s", host);
	(void)snprintf(r->port, sizeof(r->port), "%s", port);
	r->hints.ai_family = AF_UNSPEC;
	r->hints.ai_socktype = SOCK_STREAM;
	r->hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
	r->ask.ar_name = r->host;
	r->ask.ar_service = r->port;
	r->ask.ar_request = &r->hints;
	r->rc = getaddrinfo(r->host, r->port, &r->hints, &r->ask.ar_result);
	if (r->rc != EAI_NONAME)
		return r;
	r->hints.ai_flags = AI_NUMERICSERV;
	r->rc = getaddrinfo_a(GAI_NOWAIT, list, 1, NULL);
	if (r->rc == 0)
		r->rc = EAI_INPROGRESS;
	return r;
}

int
resolve_end(struct resolve *r, struct addrinfo **list, struct err *err)
{
	if (r->rc == EAI_INPROGRESS)
		r->rc = gai_error(&r->ask);
	if (r->rc == EAI_INPROGRESS)
		return 0;
	if (r->rc != 0)
		return err_set(err,
		    "%s: %s; check the name and this machine's name servers",
		    r->host, gai_strerror(r->rc));
	*list = r->ask.ar_result;
	r->ask.ar_result = NULL;
	return 1;
}

void
resolve_free(struct resolve *r)
{
	if (r == NULL)
		return;
	if (r->rc == EAI_INPROGRESS)
		r->rc = gai_error(&r->ask);
	if (r->rc == EAI_INPROGRESS && gai_cancel(&r->ask) != EAI_CANCELED)
		return; /* the library still writes there: leave it */
	if (r->ask.ar_result != NULL)
		freeaddrinfo(r->ask.ar_result);
	free(r);
}
