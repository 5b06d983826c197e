/*
 * mem.h - allocation of our own small things, which dies when memory is gone.
 *
 * Dying is safe: recovery is the normal start.  Anything whose size the
 * outside decides goes through buf.h, which has a ceiling.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/* Each returns memory that the caller owns, never NULL; size may not be 0. */
void *xmalloc(size_t size) __attribute__((malloc));
void *xcalloc(size_t n, size_t size) __attribute__((malloc));
void *xreallocarray(void *p, size_t n, size_t size);
char *xstrdup(const char *s) __attribute__((malloc));
char *xstrndup(const char *s, size_t len) __attribute__((malloc));
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Die as they do: for what a library or a buffer could not get. */
_Noreturn void mem_gone(void);

/*
 * Have OpenSSL and jansson die as well: an OpenSSL that was short of memory
 * once, while it set itself up, fails for the rest of the process ("decode
 * error").  SQLite and libcurl recover.  Call it before anything of theirs.
 */
void mem_strict(void);

/*
 * Have malloc keep the buffers of some megabytes that come and go with every
 * batch, in one heap for all threads: a quarter of the time of collect went
 * into pages that were given back and wanted again.  Before the first thread.
 */
void mem_keep(void);

/* Give back what was kept, and unmap code that may not be run again: when there
 * will be nothing to do for a while. */
void mem_give_back(void);

/* Give back what the calling thread's stack once had. */
void mem_give_back_stack(void);

#endif /* BASE_MEM_H */
