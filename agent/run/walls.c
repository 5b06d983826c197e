/*
 * walls.c - how far roles are confined, told at the start and when it changes.
 */
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/config.h"
#include "config/secret.h"
#include "run/users.h"
#include "run/walls.h"
#include "sandbox/landlock.h"
#include "sandbox/sandbox.h"

/* What older versions of Landlock cannot keep roles from. */
static const struct {
	int before;
	const char *what;
} lacks[] = {
	{ 3, "emptying files that they may only read" },
	{ 4, "connections to other ports" },
	{ 6, "signals to other processes" },
};

/* A line of reasons; the log cuts longer ones as well. */
struct reasons {
	char text[1600];
	size_t len;
};

static void more(struct reasons *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
more(struct reasons *r, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(r->text + r->len, sizeof(r->text) - r->len, fmt, ap);
	va_end(ap);
	r->len += n > 0 ? (size_t)n : 0;
	if (r->len >= sizeof(r->text))
		r->len = sizeof(r->text) - 1;
}

static void
add(struct reasons *r, const char *what)
{
	more(r, "%s%s", r->len == 0 ? "" : "; ", what);
}

static void
add_landlock(struct reasons *out, int abi)
{
	bool any = false;

	for (size_t i = 0; i < sizeof(lacks) / sizeof(lacks[0]); i++) {
		if (abi >= lacks[i].before)
			continue;
		if (!any)
			more(out,
			    "%sversion %d of Landlock, which this kernel has, "
			    "does not keep them from ",
			    out->len == 0 ? "" : "; ", abi);
		more(out, "%s%s", any ? ", " : "", lacks[i].what);
		any = true;
	}
}

/* In the folder that all roles write to, nothing is out of reach. */
struct place {
	const char *folder;
	char found[256]; /* "": nothing */
};

/* secret_file_fn */
static void
look_at_file(void *ctx, const char *path)
{
	struct place *p = ctx;
	char *real = realpath(path, NULL);
	const size_t len = strlen(p->folder);

	if (real != NULL && strncmp(real, p->folder, len) == 0 &&
	    real[len] == '/')
		(void)snprintf(p->found, sizeof(p->found), "%s", path);
	free(real);
}

/* What collect alone keeps; the folder itself may be that of the store. */
static void
look_at_folder(struct place *p, const char *path)
{
	char *inside = xasprintf("%s/.", path);
	char *real = realpath(inside, NULL);

	if (real != NULL && strcmp(real, p->folder) == 0)
		(void)snprintf(p->found, sizeof(p->found), "%s", path);
	look_at_file(p, path);
	free(real);
	free(inside);
}

static void
add_neighbours(struct reasons *out, const struct config *c)
{
	char *real = realpath(c->agent.store.path, NULL);
	char *copy = xstrdup(real != NULL ? real : c->agent.store.path);
	struct place p = { .folder = dirname(copy), .found = "" };

	look_at_file(&p, c->path);
	if (c->agent.key != NULL)
		secret_each_file(c->agent.key, true, look_at_file, &p);
	look_at_folder(&p, c->agent.collect.folder);
	if (p.found[0] != '\0')
		more(out,
		    "%s%s is in the store's folder, which all of them reach; "
		    "have it elsewhere",
		    out->len == 0 ? "" : "; ", p.found);
	free(copy);
	free(real);
}

int
walls_check(const struct config *config, const struct users *users,
    struct err *err)
{
	static struct reasons told; /* of the one process that looks */
	const int wish = config->agent.sandbox;
	struct reasons text = { .len = 0 };
	struct err why = ERR_INIT;
	const unsigned walls = sandbox_possible(&why);
	int rc = 0;

	if (wish == SANDBOX_OFF)
		add(&text, "agent.sandbox is \"off\"");
	else if (why.text[0] != '\0')
		add(&text, why.text);
	if (wish == SANDBOX_REQUIRED && why.text[0] != '\0')
		rc = err_set(err,
		    "agent.sandbox: \"required\", but %s; see to that, or set "
		    "\"auto\"",
		    why.text);
	if (wish != SANDBOX_OFF && (walls & SANDBOX_LANDLOCK) != 0) {
		add_landlock(&text, landlock_abi());
		add_neighbours(&text, config);
	}
	if (geteuid() == 0 && !users->each)
		add(&text,
		    "they run as root; have agent.user name a user that there "
		    "is");
	if (rc != 0)
		return rc;
	if (text.len > 0 && strcmp(text.text, told.text) != 0)
		log_warn("roles are confined less than they could be: %s",
		    text.text);
	told = text;
	return 0;
}
