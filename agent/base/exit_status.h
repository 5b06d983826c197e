/*
 * exit_status.h - exit statuses of the program and of its role processes, of
 * sysexits.h where that has one.
 */
#ifndef BASE_EXIT_STATUS_H
#define BASE_EXIT_STATUS_H

#define EXIT_FINE 0
#define EXIT_WRONG 1 /* something is wrong with the data or the peer */
#define EXIT_USE 64
#define EXIT_CONF 78

#endif /* BASE_EXIT_STATUS_H */
