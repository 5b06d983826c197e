/*
 * unit.h - what the installed systemd unit of the agent, with its drop-ins,
 * gives to the service: user, credentials and environment (systemd.unit(5),
 * systemd.exec(5)).
 *
 * Read from the files, so that it works where systemd does not run, as in an
 * image that is being built.  Looked for where systemd looks, or in
 * $SYSTEMD_UNIT_PATH, folders separated by colons.
 */
#ifndef CMD_UNIT_H
#define CMD_UNIT_H

#include <stdbool.h>
#include <stddef.h>

struct err;

struct unit_credential {
	char *id;
	char *from;     /* a path, or the data where set */
	bool set;       /* SetCredential=: for when nothing is loaded */
	bool encrypted; /* LoadCredentialEncrypted=, SetCredentialEncrypted= */
};

struct unit_list {
	char **word;
	size_t n;
};

struct unit {
	char *path; /* of the unit itself */
	char *user; /* NULL: root */
	char *group;
	struct unit_list groups;            /* SupplementaryGroups= */
	struct unit_list environment;       /* "NAME=VALUE", may have "%d" */
	struct unit_list environment_files; /* "-" in front: may be missing */
	struct unit_credential *credential;
	size_t n_credentials;
	bool protect_home; /* /home, /root and /run/user are not seen */
	bool private_tmp;  /* /tmp and /var/tmp are others */
};

/* Find and read sealfeed.service; -1: there is none, or it can't be read.  u
 * is to be released in any case. */
int unit_load(struct unit *u, struct err *err);
void unit_release(struct unit *u);

#endif /* CMD_UNIT_H */
