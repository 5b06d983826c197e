/*
 * mem_strict.c - libraries that die when memory is gone, as mem.c does.
 */
#include <stdlib.h>

#include <jansson.h>
#include <openssl/crypto.h>

#include "base/mem.h"

static void *
strict_malloc(size_t size)
{
	return xmalloc(size == 0 ? 1 : size);
}

static void *
openssl_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return strict_malloc(size);
}

static void *
openssl_realloc(void *p, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	if (size > 0)
		return xreallocarray(p, 1, size);
	free(p);
	return NULL;
}

static void
openssl_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

void
mem_strict(void)
{
	json_set_alloc_funcs(strict_malloc, free);
	/* It refuses once it has allocated something: then a caller comes too
	 * late. */
	if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc,
		openssl_free) != 1)
		abort();
}
