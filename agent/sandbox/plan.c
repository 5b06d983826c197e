/*
 * plan.c - what a role may reach: files and folders, and ports of TCP.
 */
#include <arpa/inet.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/data.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "config/config.h"
#include "config/secret.h"
#include "evidence/key.h"
#include "sandbox/plan.h"

#define BIT(kind) (1U << (kind))
#define EVERY (BIT(ROLE_KINDS) - 1)
#define NETWORK (BIT(ROLE_COLLECT) | BIT(ROLE_SHIP))
#define SEALS BIT(ROLE_SEAL)
#define QUIET BIT(ROLE_RECOVER) /* nothing but what every role has */

/* What libraries read, wherever the configuration is. */
static const struct {
	const char *path;
	unsigned roles;
	enum place_access access;
	bool watched; /* administrators replace it while programs run */
} system_places[] = {
	/* Libraries that are loaded late, their data, time zones, CAs. */
	{ "/lib", EVERY, PLACE_READ, false },
	{ "/lib64", EVERY, PLACE_READ, false },
	{ "/usr/lib", EVERY, PLACE_READ, false },
	{ "/usr/lib64", EVERY, PLACE_READ, false },
	{ "/usr/local/lib", EVERY, PLACE_READ, false },
	{ "/usr/share", EVERY, PLACE_READ, false },
	{ "/usr/local/share/ca-certificates", EVERY, PLACE_READ, false },
	{ "/etc/ld.so.cache", EVERY, PLACE_READ, true },
	{ "/etc/localtime", EVERY, PLACE_READ, true },
	/* OpenSSL, and the system's bundle of CAs. */
	{ "/etc/ssl/openssl.cnf", EVERY, PLACE_READ, false },
	{ "/etc/ssl/certs", EVERY, PLACE_READ, false },
	{ "/etc/ca-certificates", EVERY, PLACE_READ, false },
	{ "/etc/crypto-policies", EVERY, PLACE_READ, false },
	{ "/etc/pki/ca-trust", EVERY, PLACE_READ, false },
	{ "/etc/pki/tls/certs", EVERY, PLACE_READ, false },
	{ "/etc/pki/tls/cert.pem", EVERY, PLACE_READ, false },
	{ "/etc/pki/tls/openssl.cnf", EVERY, PLACE_READ, false },
	{ "/etc/pki/tls/openssl.d", EVERY, PLACE_READ, false },
	{ "/var/lib/ca-certificates", EVERY, PLACE_READ, false },
	/* The kernel's, for malloc, threads and FIPS mode. */
	{ "/proc/self", EVERY, PLACE_READ, false },
	{ "/proc/sys/crypto", EVERY, PLACE_READ, false },
	{ "/proc/sys/vm/overcommit_memory", EVERY, PLACE_READ, false },
	{ "/sys/devices/system/cpu", EVERY, PLACE_READ, false },
	{ "/dev/null", EVERY, PLACE_DEVICE, false },
	{ "/dev/urandom", EVERY, PLACE_READ, false },
	{ "/dev/random", EVERY, PLACE_READ, false },
	/* Names of hosts: nsswitch.conf(5), resolv.conf(5), sssd, nscd. */
	{ "/etc/resolv.conf", NETWORK, PLACE_READ, true },
	{ "/etc/hosts", NETWORK, PLACE_READ, true },
	{ "/etc/nsswitch.conf", NETWORK, PLACE_READ, true },
	{ "/etc/authselect", NETWORK, PLACE_READ, false },
	{ "/etc/host.conf", NETWORK, PLACE_READ, true },
	{ "/etc/gai.conf", NETWORK, PLACE_READ, true },
	{ "/etc/services", NETWORK, PLACE_READ, true },
	{ "/etc/protocols", NETWORK, PLACE_READ, false },
	{ "/run/systemd/resolve", NETWORK, PLACE_READ, false },
	{ "/run/NetworkManager", NETWORK, PLACE_READ, false },
	{ "/run/resolvconf", NETWORK, PLACE_READ, false },
	{ "/run/nscd", NETWORK, PLACE_READ, false },
	{ "/var/cache/nscd", NETWORK, PLACE_READ, false },
	{ "/var/lib/sss/mc", NETWORK, PLACE_READ, false },
	{ "/var/lib/sss/pipes", NETWORK, PLACE_READ, false },
};

/* What providers of keys read and write, for a key that is one's. */
static const struct {
	const char *path;
	enum place_access access;
} provider_places[] = {
	{ "/etc/pkcs11", PLACE_READ },
	{ "/etc/softhsm", PLACE_READ },
	{ "/var/lib/softhsm", PLACE_FOLDER },
	{ "/run/pcscd", PLACE_READ },
	{ "/run/p11-kit", PLACE_READ },
	{ "/etc/tpm2-tss", PLACE_READ },
	{ "/dev/tpm0", PLACE_DEVICE },
	{ "/dev/tpmrm0", PLACE_DEVICE },
	{ "/dev/bus/usb", PLACE_DEVICE },
};

/* Variables that name files or folders, several separated by ":". */
static const struct {
	const char *name;
	unsigned roles;
	bool lists; /* the file is a configuration that names folders to write
		       to */
} variables[] = {
	{ "LD_LIBRARY_PATH", EVERY, false },
	{ "TZDIR", EVERY, false },
	{ "OPENSSL_CONF", EVERY, false },
	{ "OPENSSL_MODULES", EVERY, false },
	{ "OPENSSL_ENGINES", EVERY, false },
	{ "SSL_CERT_FILE", NETWORK, false },
	{ "SSL_CERT_DIR", NETWORK, false },
	{ "PKCS11_PROVIDER_MODULE", SEALS, false },
	{ "PKCS11_MODULE_PATH", SEALS, false },
	{ "SOFTHSM2_CONF", SEALS, true },
};

/* Proxies that libcurl is told of so. */
static const char *const proxies[] = { "http_proxy", "https_proxy",
	"HTTPS_PROXY", "all_proxy", "ALL_PROXY" };

/* Connections that have no option of their own: a name server that is asked
 * again by TCP, and vendors' hosts. */
static const uint16_t usual_ports[] = { 53, 443 };

static const struct {
	const char *scheme;
	uint16_t port;
} schemes[] = {
	{ "http", 80 },
	{ "https", 443 },
	{ "socks4", 1080 },
	{ "socks4a", 1080 },
	{ "socks5", 1080 },
	{ "socks5h", 1080 },
};

static void
add_place(struct sandbox_plan *p, const char *path, enum place_access access,
    bool watched)
{
	for (size_t i = 0; i < p->n_places; i++)
		if (strcmp(p->places[i].path, path) == 0 &&
		    p->places[i].access == access)
			return;
	p->places =
	    xreallocarray(p->places, p->n_places + 1, sizeof(*p->places));
	p->places[p->n_places++] = (struct place){
		.path = xstrdup(path), .access = access, .watched = watched
	};
}

/* The folder of a file that may be a link, and need not be there. */
static void
add_folder_of(struct sandbox_plan *p, const char *path,
    enum place_access access)
{
	char *real = realpath(path, NULL);
	char *copy = xstrdup(real != NULL ? real : path);

	add_place(p, dirname(copy), access, true);
	free(copy);
	free(real);
}

static void
add_port(struct sandbox_plan *p, unsigned long port)
{
	if (port == 0 || port > UINT16_MAX)
		return;
	for (size_t i = 0; i < p->n_ports; i++)
		if (p->ports[i] == port)
			return;
	p->ports = xreallocarray(p->ports, p->n_ports + 1, sizeof(*p->ports));
	p->ports[p->n_ports++] = (uint16_t)port;
}

/* The port that scheme stands for; 0: it is none that is known. */
static uint16_t
port_of_scheme(const char *scheme, size_t len)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strlen(schemes[i].scheme) == len &&
		    strncmp(schemes[i].scheme, scheme, len) == 0)
			return schemes[i].port;
	return 0;
}

/* Is it an address, and not a name?  One of IPv6 is in brackets. */
static bool
is_address(const char *host, size_t len)
{
	const bool six = len > 2 && host[0] == '[' && host[len - 1] == ']';
	unsigned char address[sizeof(struct in6_addr)];
	char *text = xstrndup(host + six, len - (six ? 2 : 0));
	const bool is = inet_pton(six ? AF_INET6 : AF_INET, text, address) == 1;

	free(text);
	return is;
}

void
sandbox_plan_ports(struct sandbox_plan *p, const char *text)
{
	const char *host = strstr(text, "://");
	const size_t scheme = host == NULL ? 0 : (size_t)(host - text);
	const char *end, *at;
	char *rest;

	host = host == NULL ? text : host + 3;
	end = host + strcspn(host, "/?# \t\n");
	for (at = host; at < end; at++)
		if (*at == '@')
			host = at + 1;
	at = end;
	while (at > host && at[-1] >= '0' && at[-1] <= '9')
		at--;
	if (at > host && at < end && at[-1] == ':') {
		add_port(p, strtoul(at, &rest, 10));
		end = at - 1;
	} else if (scheme > 0) {
		add_port(p, port_of_scheme(text, scheme));
	} else {
		return;
	}
	p->names = p->names || !is_address(host, (size_t)(end - host));
}

struct wanted {
	struct sandbox_plan *plan;
	const void *conf;
	bool own;
};

/* secret_file_fn */
static void
add_file(void *ctx, const char *path)
{
	add_place(ctx, path, PLACE_READ, true);
}

/* A secret's files, and the port of one that is a URL, as of a proxy. */
static void
add_secret(const struct wanted *w, const char *text, bool pem)
{
	struct err err = ERR_INIT;
	char *plain;

	secret_each_file(text, pem, add_file, w->plan);
	if (strstr(text, "${") == NULL && strstr(text, "://") != NULL)
		sandbox_plan_ports(w->plan, text);
	if (strstr(text, "${") == NULL || !w->own)
		return;
	/* What a reference stands for may be the name of a file, or a URL. */
	plain = secret_resolve(text, &err);
	if (plain == NULL)
		return;
	if (pem && strstr(plain, "${") == NULL)
		secret_each_file(plain, true, add_file, w->plan);
	if (strstr(plain, "://") != NULL)
		sandbox_plan_ports(w->plan, plain);
	secret_free(plain);
}

/* Where the machine and its agents are asked for credentials. */
static void
add_aws(struct sandbox_plan *p)
{
	static const char *const urls[] = {
		"AWS_CONTAINER_CREDENTIALS_FULL_URI",
		"AWS_EC2_METADATA_SERVICE_ENDPOINT"
	};
	static const char *const files[] = { "AWS_WEB_IDENTITY_TOKEN_FILE",
		"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE" };

	add_port(p, 80);
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		if (getenv(urls[i]) != NULL)
			sandbox_plan_ports(p, getenv(urls[i]));
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (getenv(files[i]) != NULL)
			add_place(p, getenv(files[i]), PLACE_READ, true);
}

/* setting_fn */
static void
add_setting(void *ctx, const struct setting_row *row)
{
	struct wanted *w = ctx;
	const struct setting *s = row->setting;
	const char *at = (const char *)w->conf + row->offset;
	const struct setting_pair *pair;
	char *const *list;
	const char *text;

	switch (s->type) {
	case SETTING_STRING:
		memcpy(&text, at, sizeof(text));
		if (text != NULL && s->writes)
			add_folder_of(w->plan, text, PLACE_FOLDER);
		else if (text != NULL && s->reads)
			add_place(w->plan, text, PLACE_READ, true);
		else if (text != NULL)
			sandbox_plan_ports(w->plan, text);
		/* Of an identity at AWS, that may come from the machine. */
		if (text == NULL && strcmp(s->key, "aws.metadata_url") == 0)
			add_aws(w->plan);
		break;
	case SETTING_LIST:
		memcpy(&list, at, sizeof(list));
		for (; list != NULL && *list != NULL; list++)
			sandbox_plan_ports(w->plan, *list);
		break;
	case SETTING_SECRET:
		memcpy(&text, at, sizeof(text));
		if (text != NULL)
			add_secret(w, text, !setting_is_text_secret(s));
		break;
	case SETTING_SECRETS:
		memcpy(&pair, at, sizeof(pair));
		for (; pair != NULL && pair->name != NULL; pair++)
			add_secret(w, pair->value, false);
		break;
	default:
		break;
	}
}

static void
add_entry(struct sandbox_plan *p, const struct config_entry *e, bool own)
{
	struct wanted w = { .plan = p, .conf = e->conf, .own = own };

	settings_each(e->type->settings, add_setting, &w);
}

/* The absolute paths in a file of lines "name = /path". */
static void
add_listed(struct sandbox_plan *p, const char *file)
{
	struct buf text = BUF_INIT(65536);
	struct err err = ERR_INIT;
	char *rest, *line, *path;

	rest = file_read(file, &text, &err) == 0 ? text.data : NULL;
	while ((line = strsep(&rest, "\n")) != NULL) {
		path = strchr(line, '=');
		if (path == NULL || line[0] == '#')
			continue;
		path += 1 + strspn(path + 1, " \t");
		path[strcspn(path, " \t\r")] = '\0';
		if (path[0] == '/')
			add_place(p, path, PLACE_FOLDER, false);
	}
	buf_release(&text);
}

static void
add_variables(struct sandbox_plan *p, unsigned role)
{
	const size_t n = sizeof(variables) / sizeof(variables[0]);

	for (size_t i = 0; i < n; i++) {
		const char *value = (variables[i].roles & role) != 0
		    ? getenv(variables[i].name)
		    : NULL;
		char *copy = value == NULL ? NULL : xstrdup(value);
		char *rest = copy, *path;

		while ((path = strsep(&rest, ":")) != NULL) {
			if (path[0] != '/')
				continue;
			add_place(p, path, PLACE_READ, false);
			if (variables[i].lists)
				add_listed(p, path);
		}
		free(copy);
	}
}

/* The file that the attribute of a PKCS#11 URI names. */
static void
add_attribute(struct sandbox_plan *p, const char *uri, const char *name)
{
	const char *at = strstr(uri, name);
	char *path;

	if (at == NULL)
		return;
	at += strlen(name);
	if (strncmp(at, "file:", 5) == 0)
		at += strncmp(at + 5, "//", 2) == 0 ? 7 : 5;
	path = xstrndup(at, strcspn(at, "&;"));
	if (path[0] == '/')
		add_place(p, path, PLACE_READ, true);
	free(path);
}

/* "swtpm:host=127.0.0.1,port=2321", whose control is at the
 * port behind it. */
static void
add_tcti(struct sandbox_plan *p, const char *tcti)
{
	const char *port = tcti == NULL ? NULL : strstr(tcti, "port=");
	unsigned long n = port == NULL ? 0 : strtoul(port + 5, NULL, 10);

	add_port(p, n);
	if (n > 0)
		add_port(p, n + 1);
}

/* Where the key is: a file, or behind a provider of OpenSSL. */
static void
add_key(struct sandbox_plan *p, const struct agent_conf *a, bool own)
{
	const size_t n = sizeof(provider_places) / sizeof(provider_places[0]);
	const struct wanted w = { .plan = p, .own = own };
	struct err err = ERR_INIT;
	char *text;

	if (a->key == NULL)
		return;
	add_secret(&w, a->key, true);
	p->n_ports = 0;
	p->names = false;
	text = own ? secret_resolve_pem(a->key, &err) : NULL;
	p->sockets = text != NULL && signer_is_elsewhere(text);
	if (p->sockets) {
		add_attribute(p, text, "pin-source=");
		add_attribute(p, text, "module-path=");
	}
	secret_free(text);
	if (!p->sockets)
		return;
	for (size_t i = 0; i < n; i++)
		add_place(p, provider_places[i].path, provider_places[i].access,
		    false);
	add_tcti(p, getenv("TPM2OPENSSL_TCTI"));
	add_tcti(p, getenv("TCTI"));
	p->connects = p->n_ports > 0;
}

/* A unix socket with a path is beyond Landlock: who has one connects to all
 * that its user may. */
static void
add_name_services(struct sandbox_plan *p)
{
	static const char *const services[] = { "/run/nscd/socket",
		"/var/run/nscd/socket", "/var/lib/sss/pipes/nss" };

	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		p->sockets = p->sockets || access(services[i], F_OK) == 0;
}

static void
add_network(struct sandbox_plan *p)
{
	add_name_services(p);
	for (size_t i = 0; i < sizeof(usual_ports) / sizeof(usual_ports[0]);
	     i++)
		add_port(p, usual_ports[i]);
	for (size_t i = 0; i < sizeof(proxies) / sizeof(proxies[0]); i++) {
		const char *value = getenv(proxies[i]);

		if (value != NULL)
			sandbox_plan_ports(p, value);
	}
}

/* A folder of this role's own, which it makes itself where it is missing; that
 * is no reason to start anew.  Who writes there tells of what goes wrong. */
static void
add_own_folder(struct sandbox_plan *p, const char *path, bool own)
{
	char *inside = xasprintf("%s/", path);
	struct err err = ERR_INIT;
	char *real;

	if (own && file_parents(inside, &err) != 0)
		err_clear(&err);
	real = realpath(path, NULL);
	add_place(p, real != NULL ? real : path, PLACE_FOLDER, real != NULL);
	free(real);
	free(inside);
}

/* The log may be a link into another folder. */
static void
add_sign_log(struct sandbox_plan *p, const char *path, bool own)
{
	char *real = realpath(path, NULL);
	char *folder = file_folder(real != NULL ? real : path);

	add_own_folder(p, folder, own);
	free(folder);
	free(real);
}

/* The mapping tables of formats, wherever they come with the program. */
static void
add_formats(struct sandbox_plan *p)
{
	char *folder = data_folder("formats", "outputs/formats");

	add_place(p, folder, PLACE_READ, false);
	free(folder);
}

/* What is this role's own. */
static void
add_own(struct sandbox_plan *p, enum role_kind kind, const struct config *c,
    const struct config_entry *output, bool own)
{
	const struct agent_conf *a = &c->agent;

	switch (kind) {
	case ROLE_COLLECT:
		add_own_folder(p, a->collect.folder, own);
		for (size_t i = 0; i < c->n_sources; i++)
			add_entry(p, &c->sources[i], own);
		break;
	case ROLE_SHIP:
		if (output != NULL)
			add_entry(p, output, own);
		add_formats(p);
		break;
	case ROLE_SEAL:
		add_key(p, a, own);
		add_sign_log(p, a->seal.log, own);
		break;
	case ROLE_RECOVER:
		add_sign_log(p, a->seal.log, own);
		break;
	case ROLE_WATCH:
		if (a->watch.textfile != NULL)
			add_folder_of(p, a->watch.textfile, PLACE_FOLDER);
		break;
	case ROLE_KINDS:
		break;
	}
}

void
sandbox_plan_make(struct sandbox_plan *p, enum role_kind kind,
    const struct config *config, const struct config_entry *output, bool own)
{
	const enum config_reach reach =
	    output == NULL ? CONFIG_REACHES_ANY : output->type->reach;
	const bool connects =
	    (BIT(kind) & NETWORK) != 0 && reach != CONFIG_REACHES_NONE;
	const unsigned role =
	    (BIT(kind) & NETWORK) != 0 && !connects ? QUIET : BIT(kind);
	const size_t n = sizeof(system_places) / sizeof(system_places[0]);

	*p = (struct sandbox_plan){ .connects = connects };
	for (size_t i = 0; i < n; i++)
		if ((system_places[i].roles & role) != 0)
			add_place(p, system_places[i].path,
			    system_places[i].access, system_places[i].watched);
	add_variables(p, role);
	add_folder_of(p, config->agent.store.path,
	    kind == ROLE_WATCH ? PLACE_READ : PLACE_FOLDER);
	add_own(p, kind, config, output, own);
	if (!connects)
		return;
	add_network(p);
	p->names = p->names || reach == CONFIG_REACHES_ANY;
}

void
sandbox_plan_release(struct sandbox_plan *p)
{
	for (size_t i = 0; i < p->n_places; i++)
		free(p->places[i].path);
	free(p->places);
	free(p->ports);
	*p = (struct sandbox_plan){ .places = NULL };
}

uint64_t
sandbox_plan_mark(const struct sandbox_plan *p)
{
	uint64_t mark = UINT64_C(14695981039346656037); /* FNV-1a */

	for (size_t i = 0; i < p->n_places; i++) {
		struct stat st = { .st_ino = 0 };

		if (!p->places[i].watched)
			continue;
		if (stat(p->places[i].path, &st) != 0)
			st = (struct stat){ .st_ino = 0 };
		mark = (mark ^ st.st_ino) * UINT64_C(1099511628211);
		mark = (mark ^ st.st_dev) * UINT64_C(1099511628211);
	}
	return mark;
}
