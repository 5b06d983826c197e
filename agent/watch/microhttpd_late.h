/*
 * microhttpd_late.h - libmicrohttpd, loaded when watch is to listen.
 */
#ifndef WATCH_MICROHTTPD_LATE_H
#define WATCH_MICROHTTPD_LATE_H

#include <microhttpd.h>

/* The functions that watch uses, without their MHD_. */
#define MICROHTTPD_FUNCTIONS(EACH)        \
	EACH(add_response_header)         \
	EACH(create_response_from_buffer) \
	EACH(destroy_response)            \
	EACH(get_daemon_info)             \
	EACH(queue_response)              \
	EACH(run)                         \
	EACH(start_daemon)                \
	EACH(stop_daemon)

#define MICROHTTPD_MEMBER(name) __typeof__(MHD_##name) *name;
struct microhttpd {
	MICROHTTPD_FUNCTIONS(MICROHTTPD_MEMBER)
};

/* Them all, valid for the life of the process, which ends with a sentence
 * where the library is missing (base/late.h). */
const struct microhttpd *microhttpd_load(void);

#endif /* WATCH_MICROHTTPD_LATE_H */
