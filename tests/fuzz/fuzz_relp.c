/*
 * fuzz_relp.c - any bytes as what a server of RELP says.  However they come in
 * pieces, the same frames are read of them, and each is one by the protocol.
 */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "outputs/relp_reply.h"
#include "tests/fuzz/fuzz.h"

#define MAX ((size_t)1 << 20)

/* Write down a frame; true: another may follow. */
static bool
note(enum relp_said said, const struct relp_reply *reply, struct buf *out)
{
	if (said == RELP_ANSWER) {
		FUZZ_CHECK(reply->code >= 200 && reply->code < 600);
		FUZZ_CHECK(strlen(reply->text) <= RELP_REPLY_MAX);
		FUZZ_CHECK(buf_addf(out, "%d %s\n", reply->code, reply->text) ==
		    0);
	}
	FUZZ_CHECK(said == RELP_WRONG || reply->number <= RELP_NUMBER_MAX);
	FUZZ_CHECK(buf_addf(out, "%d %u\n", (int)said,
		       said == RELP_WRONG ? 0 : reply->number) == 0);
	return said == RELP_ANSWER;
}

/* Read the frames until one is wrong, or the session is at its end. */
static void
read_all(const char *s, size_t len, size_t piece, struct buf *out)
{
	struct relp_reader *r = xcalloc(1, sizeof(*r));
	struct relp_reply reply;
	enum relp_said said = RELP_MORE;

	while (len > 0 && (said == RELP_MORE || said == RELP_ANSWER)) {
		size_t n = relp_reader_add(r, s, len < piece ? len : piece);

		/* A frame that is not whole leaves room, or is wrong. */
		FUZZ_CHECK(n > 0 && n <= len);
		s += n;
		len -= n;
		while ((said = relp_reader_next(r, &reply)) != RELP_MORE)
			if (!note(said, &reply, out))
				break;
	}
	free(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t pieces[] = { 1, 7, 4000 };
	struct buf whole = BUF_INIT(MAX);

	read_all((const char *)data, size, size + 1, &whole);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct buf parts = BUF_INIT(MAX);

		read_all((const char *)data, size, pieces[i], &parts);
		FUZZ_CHECK(parts.len == whole.len &&
		    (parts.len == 0 ||
			memcmp(parts.data, whole.data, parts.len) == 0));
		buf_release(&parts);
	}
	buf_release(&whole);
	return 0;
}
