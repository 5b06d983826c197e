/*
 * mute.c - addresses of a name that take a connection and then do not speak
 * TLS.
 */
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "http/curl_late.h"
#include "http/mute.h"

static bool
knows(const struct mute *m, const char *address)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->address[i], address) == 0)
			return true;
	return false;
}

/* For CURLOPT_OPENSOCKETFUNCTION: without a socket curl goes on with the next
 * address. */
static curl_socket_t
open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct mute *m = ctx;
	char address[INET6_ADDRSTRLEN];

	(void)purpose;
	if (m->n > 0 &&
	    getnameinfo(&a->addr, a->addrlen, address, sizeof(address), NULL, 0,
		NI_NUMERICHOST) == 0 &&
	    knows(m, address)) {
		m->passed = true;
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

void
mute_apply(struct mute *m, CURL *easy)
{
	m->passed = false;
	m->rc = CURLE_OK;
	/* These can't fail for a handle. */
	(void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	(void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, m);
}

/* The address with which a handshake came to nothing; NULL: none did. */
static const char *
find_mute(CURL *easy, CURLcode rc)
{
	char *address = NULL, *scheme = NULL;
	curl_off_t spoke = 0;
	long connects = 0, tunnel = 0;

	if (rc != CURLE_OPERATION_TIMEDOUT && rc != CURLE_SSL_CONNECT_ERROR &&
	    rc != CURLE_RECV_ERROR && rc != CURLE_SEND_ERROR)
		return NULL;
	(void)curl_easy_getinfo(easy, CURLINFO_SCHEME, &scheme);
	(void)curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &address);
	(void)curl_easy_getinfo(easy, CURLINFO_APPCONNECT_TIME_T, &spoke);
	(void)curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
	/* A proxy that refuses is not mute. */
	(void)curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &tunnel);
	return tunnel == 0 && scheme != NULL &&
		strcasecmp(scheme, "https") == 0 && address != NULL &&
		address[0] != '\0' && spoke == 0 && connects > 0
	    ? address
	    : NULL;
}

bool
mute_again(struct mute *m, CURL *easy, CURLcode *rc, char *why)
{
	const char *address = find_mute(easy, *rc);
	bool passed = m->passed;

	m->passed = false;
	if (address != NULL && m->n < MUTE_MAX && !knows(m, address)) {
		(void)snprintf(m->address[m->n++], sizeof(m->address[0]), "%s",
		    address);
		if (m->rc == CURLE_OK) {
			m->rc = *rc;
			(void)snprintf(m->why, sizeof(m->why), "%s", why);
		}
		why[0] = '\0';
		return true;
	}
	if (*rc != CURLE_COULDNT_CONNECT || !passed)
		return false;
	m->n = 0;
	if (m->rc == CURLE_OK)
		return true;
	*rc = m->rc;
	(void)snprintf(why, CURL_ERROR_SIZE, "%s", m->why);
	return false;
}
