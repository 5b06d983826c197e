/*
 * openssl.h - what OpenSSL says of its errors, in words.
 */
#ifndef BASE_OPENSSL_H
#define BASE_OPENSSL_H

/* The reason of OpenSSL's error, for people: without numbers and names of
 * libraries ("bad decrypt"); "unknown error" where it has none.  Of several the
 * last, which is that of the function that was called.  Clears this thread's
 * queue; the text stands until the thread's next call. */
const char *openssl_reason(void);

#endif /* BASE_OPENSSL_H */
