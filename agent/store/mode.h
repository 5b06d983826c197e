/*
 * mode.h - of the store's files, less the umask: that decides whether roles
 * share them by their group.
 */
#ifndef STORE_MODE_H
#define STORE_MODE_H

#define STORE_MODE 0660

#endif /* STORE_MODE_H */
