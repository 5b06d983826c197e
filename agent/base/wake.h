/*
 * wake.h - waking another process that sleeps in poll(2).
 *
 * A wake-up is a pipe whose bytes mean nothing: it is readable, look again.
 * Every process has a file description of its own, which never waits.  With
 * one that is shared, as an eventfd's is, whoever is woken could have whoever
 * wakes wait, by fcntl(2); and unlike a socket, a pipe cannot be shut down for
 * those who come later.
 */
#ifndef BASE_WAKE_H
#define BASE_WAKE_H

/* A new one, to be read and written; -1 with errno. */
int wake_make(void);

/* The same by a description of its own: O_RDWR for who is woken, which signal
 * handlers of its own wake as well, O_WRONLY for who wakes it.  The caller
 * closes it; -1 with errno. */
int wake_open(int fd, int mode);

/* Wake; a pipe that is full is a wake that is pending already.  It keeps errno
 * and may be called by signal handlers. */
void wake_up(int fd);

/* Forget the wakes so far; what a hostile waker leaves wakes again. */
void wake_clear(int fd);

#endif /* BASE_WAKE_H */
