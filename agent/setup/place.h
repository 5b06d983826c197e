/*
 * place.h - files that setup makes: whole, with their owner and mode from the
 * first moment, never over another, and gone again when setup gives up.
 */
#ifndef SETUP_PLACE_H
#define SETUP_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct err;

/*
 * Where a configuration lives and whose it is.  In /etc/sealfeed it is the
 * service's, as the packages have it: files belong to root and the service's
 * group, which may read them and not write.  Elsewhere all is the caller's.
 */
struct place {
	char *config; /* the main file, absolute, owned */
	char *folder; /* that it is in, owned */
	bool service; /* belongs to the service */
	uid_t uid;    /* whom the agent runs as */
	gid_t gid;    /* whose group may read the files */
	int lock;     /* descriptor of the folder: one setup at a time */
	char **made;  /* files and folders made by this run, in order */
	size_t n_made;
};

/* The user and the group of the service (packaging/systemd). */
#define PLACE_USER "sealfeed"

/* Whose and where is config?  Nothing is made.  -1: this user may not, or the
 * service has no user here; place_close() in any case. */
int place_open(struct place *p, const char *config, struct err *err);
void place_close(struct place *p);

/* Make the configuration's folder and conf.d in it, where they are missing, and
 * lock them.  -1: another setup is at work, or they cannot be made. */
int place_begin(struct place *p, struct err *err);

enum placed { PLACED_ALREADY, PLACED_NEW };

/* Make a file with that content: it appears whole or not at all.  -1: there is
 * another one of that name. */
int place_file(struct place *p, const char *path, const char *text, size_t len,
    enum placed *how, struct err *err);

/* Make a folder, and those above it, for the agent to write into. */
int place_state(struct place *p, const char *path, struct err *err);

/* Remove all that was made, the latest first. */
void place_undo(struct place *p);

/* Become whom the agent runs as, for good, with nothing but what the service
 * manager would give it: in a child process. */
int place_become(const struct place *p, struct err *err);

#endif /* SETUP_PLACE_H */
