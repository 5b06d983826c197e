/*
 * test_sandbox.c - what a role may reach, and how it is told.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "config/config.h"
#include "run/hand_over.h"
#include "run/types.h"
#include "sandbox/calls.h"
#include "sandbox/plan.h"
#include "sandbox/sandbox.h"
#include "store/roles.h"
#include "tests/unit/unit.h"

/* "@" is the folder. */
static const char text[] =
    "agent:\n"
    "  name: fra1\n"
    "  key: @/etc/seal.pem\n"
    "  store: { path: @/store/store.db }\n"
    "  seal: { log: @/log/store.db.log }\n"
    "  watch: { listen: none, textfile: @/metrics/sealfeed.prom }\n"
    "sources:\n"
    "  contoso:\n"
    "    type: office365\n"
    "    tenant: 0873ee4d-d342-44f2-8961-74c442a2fad2\n"
    "    client_id: 6f9f0d1c-8f1e-4b35-9a53-0d5f3c1a7e42\n"
    "    client_secret: ${file:@/etc/contoso}\n"
    "    login_url: https://login.example:8443\n"
    "    proxy: ${file:@/etc/proxy}\n"
    "  trail:\n"
    "    type: aws-s3\n"
    "    buckets: [logs]\n"
    "    digests: { validate: true, key: @/etc/digests.pem }\n"
    "outputs:\n"
    "  lake:\n"
    "    type: http\n"
    "    url: https://lake.example:9443/in\n"
    "    headers: { X-Key: \"${file:@/etc/lake}\" }\n"
    "  siem:\n"
    "    type: syslog\n"
    "    address: siem.example:6514\n"
    "    tls: { ca: @/etc/siem.pem }\n"
    "  archive: { type: file, path: @/archive/events }\n"
    "  number: { type: syslog, address: \"192.0.2.7:6514\" }\n"
    "  six: { type: http, url: \"https://[2001:db8::7]:9443/in\" }\n";

static char folder[64];
static struct config *config;

static char *
in_folder(const char *name)
{
	return xasprintf("%s/%s", folder, name);
}

static void
write_file(const char *name, const char *content)
{
	struct err err = ERR_INIT;
	char *path = in_folder(name);

	ck_assert_msg(file_parents(path, &err) == 0 &&
		file_replace(path, content, strlen(content), 0600, &err) == 0,
	    "%s", err.text);
	free(path);
}

static void
set_up(void)
{
	struct config_errors errors = CONFIG_ERRORS_INIT;
	struct buf all = BUF_INIT(65536);
	char *path;

	(void)snprintf(folder, sizeof(folder), "/tmp/sandbox-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	for (const char *s = text; *s != '\0'; s++)
		ck_assert_int_eq(*s == '@' ? buf_adds(&all, folder)
					   : buf_add(&all, s, 1),
		    0);
	write_file("etc/sealfeed.yaml", all.data);
	write_file("etc/contoso", "source-secret\n");
	write_file("etc/proxy", "http://u:12345@proxy.example:3128\n");
	write_file("store/store.db", "");
	path = in_folder("etc/sealfeed.yaml");
	config = config_load(path, &agent_types, &errors);
	ck_assert_msg(config != NULL, "%s", errors.n > 0 ? errors.line[0] : "");
	free(path);
	buf_release(&all);
}

static void
tear_down(void)
{
	char *command = xasprintf("rm -rf '%s'", folder);

	config_free(config);
	ck_assert_int_eq(system(command), 0);
	free(command);
}

static bool
reaches(const struct sandbox_plan *p, const char *name,
    enum place_access access)
{
	char *path = in_folder(name);
	bool found = false;

	for (size_t i = 0; i < p->n_places; i++)
		found = found ||
		    (strcmp(p->places[i].path, path) == 0 &&
			p->places[i].access == access);
	free(path);
	return found;
}

/* How many places of the folder are in the plan. */
static size_t
own_places(const struct sandbox_plan *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_places; i++)
		n += strncmp(p->places[i].path, folder, strlen(folder)) == 0;
	return n;
}

/* Of the ships, the output's number. */
static const struct {
	enum role_kind kind;
	size_t output;
	struct {
		const char *name;
		enum place_access access;
	} places[6];
} reach[] = {
	{ ROLE_COLLECT, 0,
	    { { "store", PLACE_FOLDER }, { "etc/contoso", PLACE_READ },
		{ "etc/proxy", PLACE_READ }, { "etc/digests.pem", PLACE_READ },
		{ "store-collect", PLACE_FOLDER } } },
	{ ROLE_SEAL, 0,
	    { { "store", PLACE_FOLDER }, { "etc/seal.pem", PLACE_READ },
		{ "log", PLACE_FOLDER } } },
	{ ROLE_SHIP, 0,
	    { { "store", PLACE_FOLDER }, { "etc/lake", PLACE_READ } } },
	{ ROLE_SHIP, 1,
	    { { "store", PLACE_FOLDER }, { "etc/siem.pem", PLACE_READ } } },
	{ ROLE_SHIP, 2,
	    { { "store", PLACE_FOLDER }, { "archive", PLACE_FOLDER } } },
	{ ROLE_WATCH, 0,
	    { { "store", PLACE_READ }, { "metrics", PLACE_FOLDER } } },
	{ ROLE_RECOVER, 0,
	    { { "store", PLACE_FOLDER }, { "log", PLACE_FOLDER } } },
};

START_TEST(a_role_reaches_its_own)
{
	const struct config_entry *output = reach[_i].kind == ROLE_SHIP
	    ? &config->outputs[reach[_i].output]
	    : NULL;
	struct sandbox_plan p;
	size_t n = 0;

	sandbox_plan_make(&p, reach[_i].kind, config, output, true);
	for (; reach[_i].places[n].name != NULL; n++)
		ck_assert_msg(reaches(&p, reach[_i].places[n].name,
				  reach[_i].places[n].access),
		    "%s", reach[_i].places[n].name);
	ck_assert_uint_eq(own_places(&p), n);
	sandbox_plan_release(&p);
}
END_TEST

static bool
goes_to(const struct sandbox_plan *p, uint16_t port)
{
	for (size_t i = 0; i < p->n_ports; i++)
		if (p->ports[i] == port)
			return true;
	return false;
}

START_TEST(ports_are_those_of_the_role)
{
	struct sandbox_plan p;

	sandbox_plan_make(&p, ROLE_COLLECT, config, NULL, true);
	ck_assert(goes_to(&p, 8443) && goes_to(&p, 3128) && goes_to(&p, 443));
	ck_assert(!goes_to(&p, 9443) && !goes_to(&p, 6514));
	ck_assert(!goes_to(&p, 12345)); /* a password */
	sandbox_plan_release(&p);
	sandbox_plan_make(&p, ROLE_SHIP, config, &config->outputs[1], true);
	ck_assert(goes_to(&p, 6514) && !goes_to(&p, 9443));
	sandbox_plan_release(&p);
	sandbox_plan_make(&p, ROLE_SEAL, config, NULL, true);
	ck_assert_uint_eq(p.n_ports, 0);
	ck_assert(!p.sockets);
	sandbox_plan_release(&p);
}
END_TEST

/* The outputs, as above: datagrams are for who looks up names. */
static const struct {
	size_t output;
	bool connects, names;
} networks[] = {
	{ 0, true, true },
	{ 1, true, true },
	{ 2, false, false },
	{ 3, true, false },
	{ 4, true, false },
};

START_TEST(a_ship_has_the_network_that_it_needs)
{
	struct sandbox_plan p;

	sandbox_plan_make(&p, ROLE_SHIP, config,
	    &config->outputs[networks[_i].output], true);
	ck_assert_int_eq(p.connects, networks[_i].connects);
	ck_assert_int_eq(p.names, networks[_i].names);
	ck_assert_int_eq(p.n_ports > 0, networks[_i].connects);
	sandbox_plan_release(&p);
	/* A proxy that has a name. */
	(void)setenv("https_proxy", "http://proxy.example:3128", 1);
	sandbox_plan_make(&p, ROLE_SHIP, config,
	    &config->outputs[networks[_i].output], true);
	ck_assert_int_eq(p.names, networks[_i].connects);
	sandbox_plan_release(&p);
	(void)unsetenv("https_proxy");
}
END_TEST

static const struct {
	const char *text;
	uint16_t port; /* 0: none */
} addresses[] = {
	{ "siem:6514", 6514 },
	{ "[2001:db8::1]:601", 601 },
	{ "https://host/path:99", 443 },
	{ "http://host", 80 },
	{ "https://host:8443/a?b=c:7", 8443 },
	{ "http://u:9@host:3128", 3128 },
	{ "http://u:9@host", 80 },
	{ "socks5h://[::1]", 1080 },
	{ "https://[::1]:1", 1 },
	{ "host", 0 },
	{ "host:", 0 },
	{ "host:0", 0 },
	{ "host:65536", 0 },
	{ "gopher://host", 0 },
	{ "a b:80", 0 },
	{ "", 0 },
};

START_TEST(addresses_name_ports)
{
	struct sandbox_plan p = { .places = NULL };

	sandbox_plan_ports(&p, addresses[_i].text);
	ck_assert_uint_eq(p.n_ports, addresses[_i].port != 0);
	if (p.n_ports > 0)
		ck_assert_uint_eq(p.ports[0], addresses[_i].port);
	sandbox_plan_release(&p);
}
END_TEST

/* The supervisor's plan: it reads no secret, and sees what was replaced. */
START_TEST(a_replaced_file_is_seen)
{
	struct sandbox_plan p;
	char *path = in_folder("etc/contoso");
	uint64_t mark;

	sandbox_plan_make(&p, ROLE_COLLECT, config, NULL, false);
	ck_assert(!goes_to(&p, 3128));
	mark = sandbox_plan_mark(&p);
	ck_assert_uint_eq(sandbox_plan_mark(&p), mark);
	write_file("etc/contoso", "another\n");
	ck_assert_uint_ne(sandbox_plan_mark(&p), mark);
	mark = sandbox_plan_mark(&p);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_uint_ne(sandbox_plan_mark(&p), mark);
	mark = sandbox_plan_mark(&p);
	write_file("etc/lake", "not its own\n");
	ck_assert_uint_eq(sandbox_plan_mark(&p), mark);
	sandbox_plan_release(&p);
	free(path);
}
END_TEST

START_TEST(what_is_in_force_is_handed_on)
{
	static const struct sandbox_state states[] = {
		{ .uid = UINT32_MAX,
		    .capabilities = UINT64_MAX,
		    .no_new_privs = true,
		    .seccomp = true,
		    .landlock = 255,
		    .rules = 65535 },
		{ .uid = 0 },
		{ .uid = 998, .landlock = 7, .rules = 45, .seccomp = true },
	};
	struct hand_over_slot slot = { .walls = 0 };
	struct sandbox_state got;

	ck_assert(!hand_over_told(&slot, &got));
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		hand_over_tell(&slot, &states[i]);
		ck_assert(hand_over_told(&slot, &got));
		ck_assert_uint_eq(got.uid, states[i].uid);
		ck_assert_uint_eq(got.capabilities, states[i].capabilities);
		ck_assert(got.no_new_privs == states[i].no_new_privs);
		ck_assert(got.seccomp == states[i].seccomp);
		ck_assert_uint_eq(got.landlock, states[i].landlock);
		ck_assert_uint_eq(got.rules, states[i].rules);
	}
}
END_TEST

START_TEST(the_file_of_roles_has_it)
{
	struct role_report all[] = {
		{ .name = "collect", .how = "" },
		{ .name = "seal",
		    .walls = { .known = true,
			.uid = 998,
			.no_new_privs = true,
			.seccomp = true,
			.landlock = 7,
			.rules = 45 } },
	};
	const struct roles r = { .began = 1, .role = all, .n = 2 };
	struct buf out = BUF_INIT(4096);
	struct err err = ERR_INIT;
	struct roles got;
	char *path = in_folder("store/store.db"), words[ROLES_WALLS];

	ck_assert_int_eq(roles_format(&r, &out), 0);
	ck_assert_int_eq(roles_write(path, &out, &err), 0);
	ck_assert_int_eq(roles_read(path, &got, &err), 1);
	ck_assert_uint_eq(got.n, 2);
	ck_assert(!got.role[0].walls.known);
	ck_assert(got.role[1].walls.known);
	roles_walls(&got.role[1].walls, words, sizeof(words));
	ck_assert_str_eq(words,
	    "uid 998, no capabilities, no_new_privs, seccomp, Landlock 7 with "
	    "45 rules");
	roles_release(&got);
	buf_release(&out);
	free(path);
}
END_TEST

START_TEST(calls_have_names)
{
	ck_assert(calls_is_deadly("execve") && calls_is_deadly("ptrace"));
	ck_assert(!calls_is_deadly("read"));
	ck_assert_str_eq(calls_name(-1), "?");
	ck_assert_str_eq(sandbox_call_name(0), "?");
	for (size_t i = 0; i < n_calls_allowed; i++)
		ck_assert(calls_allowed[i].roles != 0);
}
END_TEST

Suite *
suite_sandbox(void)
{
	const int n_reach = sizeof(reach) / sizeof(reach[0]);
	const int n_addresses = sizeof(addresses) / sizeof(addresses[0]);
	Suite *s = suite_create("sandbox");
	TCase *tc = tcase_create("plan");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, a_role_reaches_its_own, 0, n_reach);
	tcase_add_test(tc, ports_are_those_of_the_role);
	tcase_add_loop_test(tc, a_ship_has_the_network_that_it_needs, 0,
	    sizeof(networks) / sizeof(networks[0]));
	tcase_add_loop_test(tc, addresses_name_ports, 0, n_addresses);
	tcase_add_test(tc, a_replaced_file_is_seen);
	tcase_add_test(tc, what_is_in_force_is_handed_on);
	tcase_add_test(tc, the_file_of_roles_has_it);
	tcase_add_test(tc, calls_have_names);
	suite_add_tcase(s, tc);
	return s;
}
