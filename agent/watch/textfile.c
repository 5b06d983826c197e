/*
 * textfile.c - the metrics in a file, for node_exporter.
 */
#include "watch/textfile.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "watch/metrics.h"

int
textfile_write(const char *path, struct store *s, const struct role *r,
    struct err *err)
{
	struct buf out = BUF_INIT(METRICS_MAX);
	int rc = metrics_write(s, r, &out, err);

	if (rc == 0)
		rc = file_replace(path, out.data, out.len, 0644, err);
	buf_release(&out);
	return rc;
}
