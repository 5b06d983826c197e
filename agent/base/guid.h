/*
 * guid.h - random UUIDs (RFC 4122 version 4).
 */
#ifndef BASE_GUID_H
#define BASE_GUID_H

/* "6f9f0d1c-8f1e-4b35-9a53-0d5f3c1a7e42" and its NUL. */
#define GUID_TEXT 37

/* -1: the system has no randomness. */
int guid_make(char out[GUID_TEXT]);

#endif /* BASE_GUID_H */
