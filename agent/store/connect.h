/*
 * connect.h - the connection of a handle to SQLite, for store.c.
 *
 * SQLite reads a file in WAL mode with an index beside it, PATH-shm, which it
 * has to make.  On a file system that is mounted for reading only, as an image
 * or a snapshot is, it cannot.  Nobody writes there where no index is, and so
 * the file is read without one, and with all that its WAL holds.
 *
 * Each returns 0, or -1 with err; s->db, which may be there after both, is the
 * caller's to close.
 */
#ifndef STORE_CONNECT_H
#define STORE_CONNECT_H

struct err;
struct store;

/* The file is created where it is missing. */
int connect_to_write(struct store *s, struct err *err);
int connect_to_read(struct store *s, struct err *err);

/* To whatever the file is: nothing is made or set. */
int connect_bare(struct store *s, struct err *err);

#endif /* STORE_CONNECT_H */
