/*
 * content.c - content blobs and the ledger of what they hold.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "base/mem.h"
#include "tests/sim/content.h"
#include "tests/tally.h"

/* From event to availability: 5 to 90 minutes, as Microsoft says. */
#define LATENESS_MAX 5100
#define LATENESS_MIN 300

static const char *const id_parts[CONTENTS] = {
	[CONTENT_AAD] = "audit_azureactivedirectory$Audit_AzureActiveDirectory",
	[CONTENT_EXCHANGE] = "audit_exchange$Audit_Exchange",
	[CONTENT_SHAREPOINT] = "audit_sharepoint$Audit_SharePoint",
	[CONTENT_GENERAL] = "audit_general$Audit_General",
	[CONTENT_DLP] = "dlp_all$DLP_All",
};

static void
write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			sim_die("ledger: %s", strerror(errno));
		data += n;
		len -= (size_t)n;
	}
}

static struct blob *
blob_new(struct sim *s, struct feed *f, const struct make *make)
{
	struct blob *b = xcalloc(1, sizeof(*b));
	int64_t now = sim_clock(s);
	char stamp[40];
	time_t t;
	struct tm tm;
	size_t n;

	b->created = now - make->age;
	b->visible = now + make->hold;
	b->expires = b->created + (make->life > 0 ? make->life : 7 * MS_DAY);
	b->gone = make->gone;
	b->foreign = make->foreign;
	t = (time_t)(b->created / MS);
	(void)gmtime_r(&t, &tm);
	n = strftime(stamp, sizeof(stamp), "%Y%m%d%H%M%S", &tm);
	(void)snprintf(stamp + n, sizeof(stamp) - n, "%03d000001",
	    (int)(b->created % MS));
	(void)snprintf(b->id, sizeof(b->id), "%s$%s$%s$emea%06zu", stamp, stamp,
	    id_parts[f->content], f->n_blobs);
	if (f->n_blobs == f->size) {
		f->size = f->size == 0 ? 256 : 2 * f->size;
		f->blobs =
		    xreallocarray(f->blobs, f->size, sizeof(f->blobs[0]));
	}
	f->blobs[f->n_blobs++] = b;
	sim_count(s, STAT_MADE_BLOBS, 1);
	return b;
}

/* A line of --records; with --fresh-ids its first "Id" is a new one. */
static void
add_line(struct sim *s, struct feed *f, struct buf *out)
{
	const char *line = f->lines[f->next_line % f->n_lines];
	const char *id = s->opt.fresh_ids ? strstr(line, "\"Id\":\"") : NULL;
	size_t before = id == NULL ? 0 : (size_t)(id - line) + 6;
	char guid[37];
	uint64_t a = rng_next(&s->rng), b = rng_next(&s->rng);

	f->next_line++;
	if (id == NULL || strcspn(id + 6, "\"") != 36) {
		if (buf_adds(out, line) == -1)
			sim_die("a record is too large");
		return;
	}
	(void)snprintf(guid, sizeof(guid), "%08x-%04x-%04x-%04x-%012llx",
	    (unsigned)(a >> 32), (unsigned)(a >> 16) & 0xffff,
	    (unsigned)a & 0xffff, (unsigned)(b >> 48),
	    (unsigned long long)b & 0xffffffffffffULL);
	if (buf_add(out, line, before) == -1 || buf_adds(out, guid) == -1 ||
	    buf_adds(out, line + before + 36) == -1)
		sim_die("a record is too large");
}

static void
add_record(struct sim *s, struct feed *f, int64_t when, const struct make *make,
    struct buf *out)
{
	if (f->lines != NULL)
		add_line(s, f, out);
	else if (make->small)
		generate_small(s->opt.seed + f->content, f->content,
		    f->number++, when, out);
	else if (make->large)
		generate_large(s->opt.seed + f->content, f->content,
		    f->number++, when, out);
	else
		generate_record(s->opt.seed + f->content, f->content,
		    f->number++, when, out);
}

void
content_make(struct sim *s, struct feed *f, size_t n, const struct make *make)
{
	struct buf lines = BUF_INIT(SIZE_MAX / 2);
	struct blob *b = blob_new(s, f, make);
	struct region *r = &b->part[0];

	if (make->gone != NULL || make->foreign) {
		sim_count(s, STAT_LOST, n);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		int64_t when = b->created / MS - LATENESS_MIN -
		    (int64_t)rng_below(&s->rng, LATENESS_MAX);

		add_record(s, f, when, make, &lines);
		if (buf_add(&lines, "\n", 1) == -1)
			sim_die("out of memory");
		if (i == 0)
			r->first_len = lines.len;
	}
	r->at = f->ledger_end;
	r->len = lines.len;
	r->count = n;
	write_all(f->ledger, lines.data, lines.len);
	f->ledger_end += (off_t)lines.len;
	buf_release(&lines);
	if (f->n_blobs > 1 && make->repeat) {
		const struct blob *old =
		    f->blobs[rng_below(&s->rng, f->n_blobs - 1)];

		b->part[1] = old->part[0];
		b->part[1].len = old->part[0].first_len;
		b->part[1].count = b->part[1].len > 0;
	}
	if (s->opt.packed) {
		buf_init(&b->packed, SIZE_MAX / 2);
		content_read(s, f->content, b, false, &b->packed);
		content_pack(&b->packed);
	}
	sim_count(s, STAT_MADE, n);
}

void
content_again(struct sim *s, struct feed *f)
{
	const struct blob *old = f->blobs[f->n_blobs - 1];
	struct blob *b = blob_new(s, f, &(struct make){ .age = 0 });

	memcpy(b->part, old->part, sizeof(b->part));
	b->gone = old->gone;
}

void
content_synthetic(struct sim *s, struct feed *f, uint64_t bytes)
{
	struct blob *b = blob_new(s, f, &(struct make){ .age = 0 });
	struct buf record = BUF_INIT(SIZE_MAX / 2);
	struct tally t = { .count = 0 };
	uint64_t made = 0;
	char sum[65], line[160];

	b->number = f->number;
	while (made < bytes) {
		buf_clear(&record);
		generate_record(s->opt.seed + f->content, f->content,
		    f->number++, b->created / MS, &record);
		tally_add(&t, record.data, record.len);
		made += record.len + 1;
	}
	b->synthetic = t.count;
	buf_release(&record);
	tally_text(&t, sum);
	{
		char path[512];
		int fd, n;

		(void)snprintf(path, sizeof(path), "%s/ledger/synthetic",
		    s->opt.dir);
		fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
		if (fd == -1)
			sim_die("%s: %s", path, strerror(errno));
		n = snprintf(line, sizeof(line), "%s %llu %s\n",
		    content_names[f->content], (unsigned long long)t.count,
		    sum);
		write_all(fd, line, (size_t)n);
		(void)close(fd);
	}
	sim_count(s, STAT_MADE, t.count);
}

struct blob *
content_find(struct sim *s, const char *id)
{
	const char *last = strrchr(id, '$');
	size_t i;

	if (last == NULL || strncmp(last, "$emea", 5) != 0)
		return NULL;
	i = (size_t)strtoull(last + 5, NULL, 10);
	for (int c = 0; c < CONTENTS; c++) {
		struct feed *f = &s->feed[c];

		if (i < f->n_blobs && strcmp(f->blobs[i]->id, id) == 0)
			return f->blobs[i];
	}
	return NULL;
}

static void
read_region(int fd, const struct region *r, struct buf *out)
{
	char *to = buf_room(out, r->len);
	size_t got = 0;

	if (to == NULL)
		sim_die("out of memory");
	while (got < r->len) {
		ssize_t n =
		    pread(fd, to + got, r->len - got, r->at + (off_t)got);

		if (n <= 0)
			sim_die("ledger: %s", strerror(errno));
		got += (size_t)n;
	}
	out->len += r->len;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Append a record with a line break wherever JSON allows one and no blank
 * stands already: a reader that drops blanks with line ends gets the record
 * back as it was. */
static int
spread(const char *p, size_t len, struct buf *out)
{
	bool quoted = false;
	int rc = 0;

	for (size_t i = 0; i < len && rc == 0; i++) {
		bool escaped = quoted && p[i] == '\\' && i + 1 < len;
		bool inside = quoted || p[i] == '"';

		rc = buf_add(out, p + i, escaped ? 2 : 1);
		i += escaped;
		if (!escaped && p[i] == '"')
			quoted = !quoted;
		if (rc == 0 && !inside && strchr("{[,:", p[i]) != NULL &&
		    i + 1 < len && !is_blank(p[i + 1]))
			rc = buf_adds(out, "\r\n\t  ");
	}
	return rc;
}

void
content_read(const struct sim *s, enum content c, const struct blob *b,
    bool pretty, struct buf *out)
{
	const char *between = pretty ? " ,\r\n  " : ",";
	struct buf lines = BUF_INIT(SIZE_MAX / 2);
	const char *p, *end;
	int rc = buf_adds(out, pretty ? "\r\n[\r\n  " : "[");

	for (size_t i = 0; i < PARTS_MAX; i++) {
		if (b->part[i].count > 0)
			read_region(s->feed[c].ledger, &b->part[i], &lines);
	}
	p = lines.data;
	end = p + lines.len;
	while (p < end && rc == 0) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));

		rc = pretty ? spread(p, (size_t)(nl - p), out)
			    : buf_add(out, p, (size_t)(nl - p));
		p = nl + 1;
		if (rc == 0 && p < end)
			rc = buf_adds(out, between);
	}
	if (rc == -1 || buf_adds(out, pretty ? "\r\n]\r\n" : "]") == -1)
		sim_die("out of memory");
	buf_release(&lines);
}

void
content_pack(struct buf *body)
{
	struct buf out = BUF_INIT(SIZE_MAX / 2);
	z_stream z = { .next_in = (unsigned char *)body->data,
		.avail_in = (uInt)body->len };
	uLong max;

	if (deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) !=
	    Z_OK)
		sim_die("deflateInit2 failed");
	max = deflateBound(&z, (uLong)body->len);
	z.next_out = (unsigned char *)buf_room(&out, max);
	z.avail_out = (uInt)max;
	if (z.next_out == NULL || deflate(&z, Z_FINISH) != Z_STREAM_END)
		sim_die("deflate failed");
	out.len = z.total_out;
	(void)deflateEnd(&z);
	buf_release(body);
	*body = out;
}

uint64_t
content_outstanding(const struct sim *s)
{
	uint64_t n = 0;

	for (int c = 0; c < CONTENTS; c++) {
		for (size_t i = 0; i < s->feed[c].n_blobs; i++) {
			const struct blob *b = s->feed[c].blobs[i];

			if (!b->served && b->gone == NULL && !b->foreign)
				n += b->part[0].count + b->synthetic;
		}
	}
	return n;
}

/* By the service that wrote it, as Microsoft files records. */
static enum content
content_of_line(const char *line)
{
	static const struct {
		const char *mark;
		enum content content;
	} marks[] = {
		{ "\"Operation\":\"Dlp", CONTENT_DLP },
		{ "\"Workload\":\"AzureActiveDirectory\"", CONTENT_AAD },
		{ "\"Workload\":\"Exchange\"", CONTENT_EXCHANGE },
		{ "\"Workload\":\"SharePoint\"", CONTENT_SHAREPOINT },
		{ "\"Workload\":\"OneDrive\"", CONTENT_SHAREPOINT },
	};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (strstr(line, marks[i].mark) != NULL)
			return marks[i].content;
	}
	return CONTENT_GENERAL;
}

static void
read_records(struct sim *s)
{
	FILE *in = fopen(s->opt.records, "r");
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	if (in == NULL)
		sim_die("%s: %s", s->opt.records, strerror(errno));
	while ((n = getline(&line, &size, in)) > 0) {
		struct feed *f = &s->feed[content_of_line(line)];

		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		f->lines = xreallocarray(f->lines, f->n_lines + 1,
		    sizeof(f->lines[0]));
		f->lines[f->n_lines++] = xstrdup(line);
	}
	free(line);
	(void)fclose(in);
}

void
content_open(struct sim *s)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/ledger", s->opt.dir);
	if (mkdir(path, 0755) == -1 && errno != EEXIST)
		sim_die("%s: %s", path, strerror(errno));
	for (int c = 0; c < CONTENTS; c++) {
		struct feed *f = &s->feed[c];

		f->content = (enum content)c;
		f->enabled = s->opt.subscribed;
		(void)snprintf(path, sizeof(path), "%s/ledger/%s", s->opt.dir,
		    content_names[c]);
		f->ledger =
		    open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		if (f->ledger == -1)
			sim_die("%s: %s", path, strerror(errno));
	}
	if (s->opt.records != NULL)
		read_records(s);
}
