/*
 * token.c - a slow PKCS#11 token: another module, that of SEALFEED_TOKEN, whose
 * signatures take SEALFEED_TOKEN_MS longer.
 */
#include <dlfcn.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>

/* CK_FUNCTION_LIST of PKCS#11 2.40, whose functions are in the order of
 * pkcs11f.h. */
#define FUNCTIONS 68
#define GET_FUNCTION_LIST 3
#define SIGN 43
#define GENERAL_ERROR 5UL /* CKR_GENERAL_ERROR */

struct function_list {
	unsigned char version[2];
	void *function[FUNCTIONS];
};

typedef unsigned long list_fn(struct function_list **list);
typedef unsigned long sign_fn(unsigned long session, unsigned char *data,
    unsigned long len, unsigned char *signature, unsigned long *signature_len);

static struct function_list slow;
static sign_fn *sign;

static unsigned long
slow_sign(unsigned long session, unsigned char *data, unsigned long len,
    unsigned char *signature, unsigned long *signature_len)
{
	const char *ms = getenv("SEALFEED_TOKEN_MS");

	/* The first of two calls may only ask for the length. */
	if (signature != NULL && ms != NULL)
		(void)poll(NULL, 0, atoi(ms));
	return sign(session, data, len, signature, signature_len);
}

unsigned long C_GetFunctionList(struct function_list **list);

unsigned long
C_GetFunctionList(struct function_list **list)
{
	const char *module = getenv("SEALFEED_TOKEN");
	void *library = module == NULL ? NULL : dlopen(module, RTLD_NOW);
	list_fn *get = NULL;
	struct function_list *quick;

	if (library != NULL)
		*(void **)&get = dlsym(library, "C_GetFunctionList");
	if (get == NULL || get(&quick) != 0)
		return GENERAL_ERROR;
	slow = *quick;
	slow.function[GET_FUNCTION_LIST] = (void *)(size_t)C_GetFunctionList;
	*(void **)&sign = quick->function[SIGN];
	slow.function[SIGN] = (void *)(size_t)slow_sign;
	*list = &slow;
	return 0;
}
