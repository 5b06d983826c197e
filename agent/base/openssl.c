/*
 * openssl.c - what OpenSSL says of its errors, in words.
 */
#include <stddef.h>
#include <string.h>

#include <openssl/err.h>

#include "base/openssl.h"

const char *
openssl_reason(void)
{
	const unsigned long code = ERR_peek_last_error();
	const char *text = ERR_SYSTEM_ERROR(code)
	    ? strerror(ERR_GET_REASON(code))
	    : ERR_reason_error_string(code);

	ERR_clear_error();
	return text == NULL ? "unknown error" : text;
}
