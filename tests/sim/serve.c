/*
 * serve.c - the two listeners: the vendor's, and the one for control.
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/sim/request.h"

#define UPLOAD_MAX 65536

static int
dispatch(struct request *rq)
{
	struct sim *s = rq->sim;
	struct reply r = { .status = 404, .type = NULL };
	bool login = strstr(rq->url, "/oauth2/") != NULL &&
	    strcmp(rq->method, "POST") == 0;
	enum scope scope = SCOPE_TOKEN;

	if (graph_is_asked(rq)) {
		buf_init(&r.body, SIZE_MAX / 2);
		rq->content = CONTENTS;
		rq->fault = FAULT_NONE;
		graph_answer(rq, &r);
		return reply_send(rq, &r);
	}

	buf_init(&r.body, SIZE_MAX / 2);
	rq->content = CONTENTS;
	if (!login)
		scope = api_scope(rq, &rq->content);
	(void)pthread_mutex_lock(&s->lock);
	rq->fault = config_errors_roll(&s->faults, &s->rng, scope, rq->content);
	(void)pthread_mutex_unlock(&s->lock);
	if (rq->fault == FAULT_EXPIRED)
		login_expire(s, rq);
	if (!reply_fault(rq, &r)) {
		if (login)
			login_answer(rq, &r);
		else
			api_answer(rq, &r);
	}
	return reply_send(rq, &r);
}

static enum MHD_Result
answer(void *cls, struct MHD_Connection *conn, const char *url,
    const char *method, const char *version, const char *upload,
    size_t *upload_size, void **con_cls)
{
	struct request *rq = *con_cls;
	const char *host;

	(void)version;
	if (rq == NULL) {
		rq = xcalloc(1, sizeof(*rq));
		rq->sim = cls;
		buf_init(&rq->upload, UPLOAD_MAX);
		*con_cls = rq;
		return MHD_YES;
	}
	if (*upload_size > 0) {
		if (buf_add(&rq->upload, upload, *upload_size) == -1)
			return MHD_NO;
		*upload_size = 0;
		return MHD_YES;
	}
	rq->conn = conn;
	rq->url = url;
	rq->method = method;
	host = MHD_lookup_connection_value(conn, MHD_HEADER_KIND, "Host");
	(void)snprintf(rq->host, sizeof(rq->host), "%s",
	    host == NULL ? "localhost" : host);
	return (enum MHD_Result)dispatch(rq);
}

static void
completed(void *cls, struct MHD_Connection *conn, void **con_cls,
    enum MHD_RequestTerminationCode why)
{
	struct request *rq = *con_cls;

	(void)cls;
	(void)conn;
	(void)why;
	if (rq == NULL)
		return;
	buf_release(&rq->upload);
	free(rq);
	*con_cls = NULL;
}

static enum MHD_Result
control(void *cls, struct MHD_Connection *conn, const char *url,
    const char *method, const char *version, const char *upload,
    size_t *upload_size, void **con_cls)
{
	static int seen;

	(void)version;
	(void)upload;
	if (*con_cls == NULL) {
		*con_cls = &seen;
		return MHD_YES;
	}
	*upload_size = 0;
	return (enum MHD_Result)control_answer(cls, conn, method, url);
}

static char *
read_file(const char *path)
{
	FILE *in = fopen(path, "r");
	char *text = xcalloc(1, UPLOAD_MAX);

	if (in == NULL || fread(text, 1, UPLOAD_MAX - 1, in) == 0)
		sim_die("%s can't be read", path);
	(void)fclose(in);
	return text;
}

static struct sockaddr_in
loopback(int64_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port) };

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

/* Ports are written when everything listens: a script waits for the file. */
static void
write_port(const struct sim *s, const char *name, unsigned port)
{
	char path[512], temporary[520];
	FILE *out;

	(void)snprintf(path, sizeof(path), "%s/%s", s->opt.dir, name);
	(void)snprintf(temporary, sizeof(temporary), "%s.new", path);
	out = fopen(temporary, "w");
	if (out == NULL || fprintf(out, "%u\n", port) < 0 || fclose(out) != 0 ||
	    rename(temporary, path) == -1)
		sim_die("%s can't be written", path);
}

#define FLAGS                                                              \
	(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | \
	    MHD_USE_POLL | MHD_USE_SUPPRESS_DATE_NO_CLOCK)

void
serve_start(struct sim *s)
{
	struct sockaddr_in at = loopback(s->opt.port);
	struct sockaddr_in control_at = loopback(s->opt.control_port);
	struct MHD_OptionItem tls[3] = { { MHD_OPTION_END, 0, NULL } };
	struct MHD_Daemon *d;
	unsigned flags = FLAGS;

	if (s->opt.key != NULL) {
		flags |= MHD_USE_TLS;
		tls[0].option = MHD_OPTION_HTTPS_MEM_CERT;
		tls[0].ptr_value = read_file(s->opt.cert);
		tls[1].option = MHD_OPTION_HTTPS_MEM_KEY;
		tls[1].ptr_value = read_file(s->opt.key);
		tls[2].option = MHD_OPTION_END;
	}
	d = MHD_start_daemon(FLAGS, 0, NULL, NULL, control, s,
	    MHD_OPTION_SOCK_ADDR, &control_at, MHD_OPTION_END);
	if (d == NULL)
		sim_die("the control port can't be opened");
	s->control_port =
	    MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT)->port;
	d = MHD_start_daemon(flags, 0, NULL, NULL, answer, s,
	    MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_NOTIFY_COMPLETED, completed,
	    NULL, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
	if (d == NULL)
		sim_die("the API port can't be opened");
	s->port = MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT)->port;
	write_port(s, "control", s->control_port);
	write_port(s, "port", s->port);
}
