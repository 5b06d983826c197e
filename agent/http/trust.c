/*
 * trust.c - sets of certificates that are trusted, shared by their text.
 */
#include <dirent.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/mem.h"
#include "http/pem.h"
#include "http/trust.h"

/* A set that is in use. */
struct trust {
	struct trust *next;
	size_t users;
	X509_STORE *certificates;
	uint8_t digest[DIGEST_LEN]; /* of its text */
};

static struct trust *all;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all */

/* A directory in the form of c_rehash ("5ed36f99.0"): its certificates are
 * read one by one as they are needed. */
static bool
is_hashed(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *e;
	bool found = false;

	if (dir == NULL)
		return false;
	while (!found && (e = readdir(dir)) != NULL)
		found =
		    strlen(e->d_name) == 10 && strcmp(e->d_name + 8, ".0") == 0;
	(void)closedir(dir);
	return found;
}

static int
trust_system(X509_STORE *store, struct err *err)
{
	const char *dir = getenv(X509_get_default_cert_dir_env());
	bool file = getenv(X509_get_default_cert_file_env()) != NULL;
	int ok;

	if (dir == NULL)
		dir = X509_get_default_cert_dir();
	if (!file && is_hashed(dir))
		ok = X509_STORE_load_path(store, dir);
	else
		ok = X509_STORE_set_default_paths(store);
	ERR_clear_error();
	if (ok != 1)
		return err_set(err,
		    "tls.ca: the system's certificates cannot be read; install "
		    "ca-certificates or set tls.ca");
	return 0;
}

static int
trust_text(X509_STORE *store, const char *text, struct err *err)
{
	STACK_OF(X509) *certs = pem_certificates("tls.ca", text, err);

	if (certs == NULL)
		return -1;
	for (int i = 0; i < sk_X509_num(certs); i++)
		/* Fails for one that is there twice, which is fine. */
		(void)X509_STORE_add_cert(store, sk_X509_value(certs, i));
	ERR_clear_error();
	/* A pinned issuing CA need not be a root. */
	(void)X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	pem_certificates_free(certs);
	return 0;
}

static X509_STORE *
read_all(const char *ca, struct err *err)
{
	X509_STORE *store = X509_STORE_new();

	if (store == NULL) {
		(void)err_set(err, "tls.ca: out of memory");
		return NULL;
	}
	if (ca != NULL ? trust_text(store, ca, err) != 0
		       : trust_system(store, err) != 0) {
		X509_STORE_free(store);
		return NULL;
	}
	return store;
}

/* The set of that text, with the lock held; NULL: it is not in use. */
static struct trust *
find(const uint8_t digest[DIGEST_LEN])
{
	struct trust *t = all;

	while (t != NULL && memcmp(t->digest, digest, DIGEST_LEN) != 0)
		t = t->next;
	return t;
}

X509_STORE *
trust_open(const char *ca, struct err *err)
{
	const char *text = ca != NULL ? ca : "";
	/* An empty text is not the system's. */
	const char *kind = ca != NULL ? "text" : "system";
	uint8_t digest[DIGEST_LEN];
	struct digest *d = digest_new();
	X509_STORE *store = NULL;
	struct trust *t;

	digest_sha256(d, kind, strlen(kind), text, strlen(text), digest);
	digest_free(d);
	(void)pthread_mutex_lock(&lock);
	t = find(digest);
	if (t == NULL && (store = read_all(ca, err)) != NULL) {
		t = xcalloc(1, sizeof(*t));
		t->certificates = store;
		memcpy(t->digest, digest, DIGEST_LEN);
		t->next = all;
		all = t;
	}
	if (t != NULL) {
		t->users++;
		store = t->certificates;
	}
	(void)pthread_mutex_unlock(&lock);
	return store;
}

void
trust_close(X509_STORE *certificates)
{
	struct trust **at = &all, *t;

	if (certificates == NULL)
		return;
	(void)pthread_mutex_lock(&lock);
	while (*at != NULL && (*at)->certificates != certificates)
		at = &(*at)->next;
	t = *at;
	if (t != NULL && --t->users == 0) {
		*at = t->next;
		X509_STORE_free(t->certificates);
		free(t);
	}
	(void)pthread_mutex_unlock(&lock);
}
