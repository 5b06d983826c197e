/*
 * status.h - what the parts of `sealfeed status` share.
 */
#ifndef CMD_STATUS_H
#define CMD_STATUS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "watch/status.h"
#include "watch/verdict.h"

struct buf;
struct config;
struct err;

/* The order of feeds. */
enum status_order {
	ORDER_AS_ADDED,
	ORDER_NAME,
	ORDER_LAG,
	ORDER_RATE,
	ORDER_LISTED,
	ORDERS
};

/* How it is to look. */
struct status_look {
	size_t width;
	bool colours;
	enum status_order order;
	bool roles; /* what confines them, too */
};

/* A status, or why there is none, with the verdict on it. */
struct status_view {
	struct status st;
	struct verdict verdict;
	struct err why; /* not empty: the store can't be read */
};

/* Look; release the view in any case.  limits NULL: the default. */
void status_look_at(const struct config *config, const struct limits *limits,
    struct status_view *v);
void status_view_release(struct status_view *v);

/* Append for people: lines no wider than the look says. */
int status_text(const struct status_view *v, const struct status_look *look,
    struct buf *out);

/* Append the line of a monitoring plugin, with its perfdata. */
int status_check_line(const struct status_view *v, const struct limits *limits,
    struct buf *out);

/* The full screen, until the user ends it.  0; -1 with err. */
int status_screen(const struct config *config, const struct limits *limits,
    bool colours, struct err *err);

/* The colour of a level, "" for none. */
const char *status_colour(enum level level);

/* "lag", "rate" … */
const char *status_order_name(enum status_order order);

#endif /* CMD_STATUS_H */
