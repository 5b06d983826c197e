/*
 * curl_late.c - libcurl, loaded by the first call of one of its functions.
 */
#include <stdarg.h>

/* Of this program alone: libcurl's own calls stay within it. */
#pragma GCC visibility push(hidden)
#include <curl/curl.h>
#pragma GCC visibility pop

#include "base/late.h"
#include "http/curl_late.h"

#define FUNCTIONS(EACH)           \
	EACH(easy_cleanup)        \
	EACH(easy_escape)         \
	EACH(easy_getinfo)        \
	EACH(easy_init)           \
	EACH(easy_perform)        \
	EACH(easy_reset)          \
	EACH(easy_setopt)         \
	EACH(easy_strerror)       \
	EACH(free)                \
	EACH(global_cleanup)      \
	EACH(global_init)         \
	EACH(multi_add_handle)    \
	EACH(multi_cleanup)       \
	EACH(multi_info_read)     \
	EACH(multi_init)          \
	EACH(multi_perform)       \
	EACH(multi_poll)          \
	EACH(multi_remove_handle) \
	EACH(share_cleanup)       \
	EACH(share_init)          \
	EACH(share_setopt)        \
	EACH(slist_append)        \
	EACH(slist_free_all)      \
	EACH(url)                 \
	EACH(url_cleanup)         \
	EACH(url_get)             \
	EACH(url_set)             \
	EACH(version_info)

#define NAME(name) "curl_" #name,
#define MEMBER(name) __typeof__(curl_##name) *name;

static const char *const names[] = { FUNCTIONS(NAME) };

static union {
	struct {
		FUNCTIONS(MEMBER)
	} call;
	void *any[sizeof(names) / sizeof(names[0])];
} curl;

static struct late_library library = {
	.file = LIBCURL_FILE,
	.names = names,
	.functions = curl.any,
	.n = sizeof(names) / sizeof(names[0]),
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

void
curl_late_unload(void)
{
	late_unload(&library);
}

/* A handle that is only read, which later versions of curl have const. */
typedef __typeof__(_Generic(&curl_url_get,
			    CURLUcode (*)(CURLU *, CURLUPart, char **, unsigned)
			    : (CURLU *)NULL, default
			    : (const CURLU *)NULL)) url_read_only;

#define PASS(type, name, parameters, arguments)  \
	type curl_##name parameters              \
	{                                        \
		late_load(&library);             \
		return curl.call.name arguments; \
	}
#define PASS_VOID(name, parameters, arguments) \
	void curl_##name parameters            \
	{                                      \
		late_load(&library);           \
		curl.call.name arguments;      \
	}

PASS(CURL *, easy_init, (void), ())
PASS(char *, easy_escape, (CURL * h, const char *s, int len), (h, s, len))
PASS(CURLcode, easy_perform, (CURL * h), (h))
PASS(const char *, easy_strerror, (CURLcode code), (code))
PASS(CURLcode, global_init, (long flags), (flags))
PASS(CURLM *, multi_init, (void), ())
PASS(CURLMcode, multi_add_handle, (CURLM * m, CURL *h), (m, h))
PASS(CURLMcode, multi_cleanup, (CURLM * m), (m))
PASS(CURLMsg *, multi_info_read, (CURLM * m, int *n), (m, n))
PASS(CURLMcode, multi_perform, (CURLM * m, int *n), (m, n))
PASS(CURLMcode, multi_poll,
    (CURLM * m, struct curl_waitfd more[], unsigned n, int ms, int *ready),
    (m, more, n, ms, ready))
PASS(CURLMcode, multi_remove_handle, (CURLM * m, CURL *h), (m, h))
PASS(CURLSHcode, share_cleanup, (CURLSH * s), (s))
PASS(CURLSH *, share_init, (void), ())
PASS(struct curl_slist *, slist_append, (struct curl_slist * l, const char *s),
    (l, s))
PASS(CURLU *, url, (void), ())
PASS(CURLUcode, url_get,
    (url_read_only u, CURLUPart what, char **part, unsigned flags),
    (u, what, part, flags))
PASS(CURLUcode, url_set,
    (CURLU * u, CURLUPart what, const char *part, unsigned flags),
    (u, what, part, flags))
PASS(curl_version_info_data *, version_info, (CURLversion age), (age))
PASS_VOID(easy_cleanup, (CURL * h), (h))
PASS_VOID(easy_reset, (CURL * h), (h))
PASS_VOID(free, (void *p), (p))
PASS_VOID(global_cleanup, (void), ())
PASS_VOID(slist_free_all, (struct curl_slist * l), (l))
PASS_VOID(url_cleanup, (CURLU * u), (u))

/* The number of an option tells the type of its value.  The names are macros,
 * too, which check that callers keep to it. */
CURLcode(curl_easy_setopt)(CURL *h, CURLoption option, ...)
{
	CURLcode rc;
	va_list ap;

	late_load(&library);
	va_start(ap, option);
	if (option < CURLOPTTYPE_OBJECTPOINT)
		rc = curl.call.easy_setopt(h, option, va_arg(ap, long));
	else if (option >= CURLOPTTYPE_OFF_T &&
	    option < CURLOPTTYPE_OFF_T + CURLOPTTYPE_OBJECTPOINT)
		rc = curl.call.easy_setopt(h, option, va_arg(ap, curl_off_t));
	else
		rc = curl.call.easy_setopt(h, option, va_arg(ap, void *));
	va_end(ap);
	return rc;
}

CURLcode(curl_easy_getinfo)(CURL *h, CURLINFO info, ...)
{
	CURLcode rc;
	va_list ap;

	late_load(&library);
	va_start(ap, info);
	rc = curl.call.easy_getinfo(h, info, va_arg(ap, void *));
	va_end(ap);
	return rc;
}

CURLSHcode(curl_share_setopt)(CURLSH *s, CURLSHoption option, ...)
{
	CURLSHcode rc;
	va_list ap;

	late_load(&library);
	va_start(ap, option);
	if (option == CURLSHOPT_SHARE || option == CURLSHOPT_UNSHARE)
		rc = curl.call.share_setopt(s, option, va_arg(ap, int));
	else
		rc = curl.call.share_setopt(s, option, va_arg(ap, void *));
	va_end(ap);
	return rc;
}
