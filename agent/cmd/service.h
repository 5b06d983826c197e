/*
 * service.h - do something as the service would: with the credentials and the
 * environment that its unit gives it, and as its user.
 */
#ifndef CMD_SERVICE_H
#define CMD_SERVICE_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "cmd/unit.h"

struct err;

/* What became of a credential of the unit. */
struct service_credential {
	const char *id;
	const char *from; /* where it comes from, as the unit says it */
	char *path;       /* the file that was loaded, NULL: none */
	char *error;      /* why there is none, a clause; NULL: it is there */
	bool untested;    /* it may be there for the service all the same */
};

struct service {
	struct unit unit;
	char *user; /* of the unit */
	uid_t uid;
	gid_t gid;
	bool is_user; /* the function runs as that user */
	char *dir;    /* $CREDENTIALS_DIRECTORY while the function runs */
	struct service_credential *credential;
	size_t n; /* of them */
	sigset_t signals, before;
};

/* Read the unit, find its user, load its credentials, those that only root
 * can read included, into a folder that goes away with service_close().  -1:
 * the unit would not start, or is not there.  s is to be closed in any case;
 * until then signals that end a process wait for service_run(). */
int service_open(struct service *s, struct err *err);
void service_close(struct service *s);

/* Call fn in a process of its own that has the environment of the service, and
 * as root its user and groups; others stay who they are.  err says why that
 * could not be done; fn tells it.  Returns what fn returns, an exit status. */
typedef int service_fn(void *ctx, const struct err *err);
int service_run(const struct service *s, service_fn *fn, void *ctx);

/* The id of the credential that is the file at path, NULL: it is none; what
 * became of a credential, NULL: the unit has none of that id. */
const char *service_credential_id(const struct service *s, const char *path);
const struct service_credential *service_credential(const struct service *s,
    const char *id);

#endif /* CMD_SERVICE_H */
