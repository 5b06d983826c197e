/*
 * mem.c - allocation of our own small things, which dies when memory is gone.
 */
#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"

#define STATUS_GONE 71 /* EX_OSERR: the supervisor starts the role again */

static void *
or_die(void *p, size_t size)
{
	if (p == NULL) {
		(void)fprintf(stderr,
		    "<2>sealfeed: memory: %zu bytes not available; allow the "
		    "service or the machine more\n",
		    size);
		_Exit(STATUS_GONE);
	}
	return p;
}

_Noreturn void
mem_gone(void)
{
	(void)fprintf(stderr,
	    "<2>sealfeed: memory: not enough; allow the service or the machine "
	    "more\n");
	_Exit(STATUS_GONE);
}

void *
xmalloc(size_t size)
{
	return or_die(malloc(size), size);
}

void *
xcalloc(size_t n, size_t size)
{
	return or_die(calloc(n, size), size);
}

void *
xreallocarray(void *p, size_t n, size_t size)
{
	return or_die(reallocarray(p, n, size), size);
}

char *
xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

char *
xstrndup(const char *s, size_t len)
{
	char *copy = xmalloc(len + 1);

	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *
xasprintf(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return or_die(n < 0 ? NULL : s, 0);
}

void
mem_keep(void)
{
	/* mallopt() is glibc's; other libraries keep their defaults. */
#ifdef M_ARENA_MAX
	(void)mallopt(M_ARENA_MAX, 1);
	(void)mallopt(M_MMAP_THRESHOLD, 1 << 20);
	(void)mallopt(M_TRIM_THRESHOLD, 2 << 20);
#endif
}

/* Unmap the pages of a library's code and constants, which are those of its
 * file: what the start needed once, and relocating every library is most of it,
 * stays out, and what is used again is mapped again at its next use.  Segments
 * that were ever writable hold relocations and stay. */
static int
forget_code(struct dl_phdr_info *library, size_t size, void *ctx)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)size;
	(void)ctx;
	for (size_t i = 0; i < library->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &library->dlpi_phdr[i];
		uintptr_t begin = library->dlpi_addr + h->p_vaddr;
		const uintptr_t end = begin + h->p_memsz;

		if (h->p_type != PT_LOAD || (h->p_flags & PF_W) != 0)
			continue;
		begin -= begin % page;
		/* Those of the kernel's own library refuse it. */
		(void)madvise((void *)begin, end - begin, MADV_DONTNEED);
	}
	return 0;
}

void
mem_give_back_stack(void)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t end;
	pthread_attr_t attr;
	void *low;
	size_t size;

	if (pthread_getattr_np(pthread_self(), &attr) != 0)
		return;
	(void)pthread_attr_getstack(&attr, &low, &size);
	(void)pthread_attr_destroy(&attr);
	/* What lies below here, but for what this call itself needs. */
	end = (uintptr_t)__builtin_frame_address(0) / page * page - page;
	if (end > (uintptr_t)low)
		(void)madvise(low, end - (uintptr_t)low, MADV_DONTNEED);
}

void
mem_give_back(void)
{
#ifdef M_ARENA_MAX
	(void)malloc_trim(0);
#endif
	(void)dl_iterate_phdr(forget_code, NULL);
}
