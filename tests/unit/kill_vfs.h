/*
 * kill_vfs.h - a file system for SQLite whose n-th change of a file ends the
 * process, or fails.
 */
#ifndef TESTS_UNIT_KILL_VFS_H
#define TESTS_UNIT_KILL_VFS_H

enum kill_how { KILL_PROCESS, KILL_CALL };

/* From now on, in this process, the n-th write, truncation or sync of SQLite's
 * is its last (KILL_PROCESS: SIGKILL, before anything is done) or fails with an
 * input/output error, and with it all that follow (KILL_CALL). */
void kill_vfs(enum kill_how how, int n);

#endif /* TESTS_UNIT_KILL_VFS_H */
