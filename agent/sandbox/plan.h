/*
 * plan.h - what a role may reach: files and folders, and ports of TCP.
 *
 * It follows from the role's kind and its share of the configuration alone, so
 * that the supervisor knows what a role reaches as well as the role does.
 */
#ifndef SANDBOX_PLAN_H
#define SANDBOX_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/role.h"

struct config;
struct config_entry;

enum place_access {
	PLACE_READ,   /* the file, or all below the folder */
	PLACE_FOLDER, /* a folder: files in it are made, written and removed */
	PLACE_DEVICE, /* read, written, and asked by ioctl(2) */
};

struct place {
	char *path;
	enum place_access access;
	/* A rule holds for the file that has the name now; the role has to
	 * start anew when another one gets it. */
	bool watched;
};

struct sandbox_plan {
	struct place *places;
	size_t n_places;
	uint16_t *ports; /* that connections may go to */
	size_t n_ports;
	bool connects; /* it makes connections */
	bool names;    /* … to hosts whose names it looks up */
	bool sockets;  /* unix sockets of services of this machine: its key is
			  behind one, or names of hosts are */
};

/* Fill plan for a role with this configuration; output: of a ship, else NULL.
 * own: the caller is that role, and may read its secrets, which may be names
 * of files or URLs.  The caller gives it to sandbox_plan_release(). */
void sandbox_plan_make(struct sandbox_plan *plan, enum role_kind kind,
    const struct config *config, const struct config_entry *output, bool own);
void sandbox_plan_release(struct sandbox_plan *plan);

/* A number that is another one as soon as one of the watched names stands for
 * another file, or for one where there was none. */
uint64_t sandbox_plan_mark(const struct sandbox_plan *plan);

/* Add the ports, and whether there is a name of a host, that text names, as the
 * address or URL of an option does: "siem:6514", "https://host/path",
 * "socks5://proxy". */
void sandbox_plan_ports(struct sandbox_plan *plan, const char *text);

#endif /* SANDBOX_PLAN_H */
