/*
 * microhttpd_late.c - libmicrohttpd, loaded when watch is to listen.
 */
#include <dlfcn.h>
#include <stddef.h>

#include "base/late.h"
#include "watch/microhttpd_late.h"

#define NAME(name) "MHD_" #name,

static const char *const names[] = { MICROHTTPD_FUNCTIONS(NAME) };

/* It makes GnuTLS ready for a TLS that watch does not speak, in 120 kB.  When
 * it is unloaded it takes that back itself, which does no harm twice. */
static void
leave_gnutls(void)
{
#ifdef HAVE_GNUTLS
	void *gnutls = dlopen(LIBGNUTLS_FILE, RTLD_LAZY | RTLD_NOLOAD);
	void (*leave)(void);

	if (gnutls == NULL)
		return;
	*(void **)&leave = dlsym(gnutls, "gnutls_global_deinit");
	if (leave != NULL)
		leave();
	(void)dlclose(gnutls);
#endif
}

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

	if (library.handle == NULL) {
		late_load(&library);
		leave_gnutls();
	}
	return &functions.call;
}
