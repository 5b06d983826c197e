/*
 * microhttpd_late.c - libmicrohttpd, loaded when watch is to listen.
 */
#include "watch/microhttpd_late.h"
#include "base/late.h"

#define NAME(name) "MHD_" #name,

static const char *const names[] = { MICROHTTPD_FUNCTIONS(NAME) };

const struct microhttpd *
microhttpd_load(void)
{
	static union {
		struct microhttpd call;
		void *any[sizeof(names) / sizeof(names[0])];
	} functions;
	static struct late_library library = {
		.file = LIBMICROHTTPD_FILE,
		.names = names,
		.functions = functions.any,
		.n = sizeof(names) / sizeof(names[0]),
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};

	late_load(&library);
	return &functions.call;
}
