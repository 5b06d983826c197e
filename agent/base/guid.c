/*
 * guid.c - random UUIDs (RFC 4122 version 4).
 */
#include "base/guid.h"

#include <openssl/rand.h>
#include <stdio.h>

#include "base/text.h"

int
guid_make(char out[GUID_TEXT])
{
	unsigned char b[16];
	char hex[33];

	if (RAND_bytes(b, sizeof(b)) != 1)
		return -1;
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	text_hex(hex, b, sizeof(b));
	(void)snprintf(out, GUID_TEXT, "%.8s-%.4s-%.4s-%.4s-%.12s", hex,
	    hex + 8, hex + 12, hex + 16, hex + 20);
	return 0;
}
