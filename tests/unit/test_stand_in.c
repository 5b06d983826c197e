/*
 * test_stand_in.c - a file that is judged as if it stood in the configuration.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "config/config.h"
#include "config/stand_in.h"
#include "run/types.h"
#include "tests/unit/unit.h"

static char folder[64];

static char *
at(const char *name)
{
	static char path[4][200];
	static int next;
	char *to = path[next++ % 4];

	(void)snprintf(to, sizeof(path[0]), "%s/%s", folder, name);
	return to;
}

static void
put(const char *name, const char *text)
{
	struct err err = ERR_INIT;

	ck_assert_msg(file_replace(at(name), text, strlen(text), 0600, &err) ==
		0,
	    "%s", err.text);
}

static void
begin(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/sealfeed-as-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(mkdir(at("etc"), 0700) | mkdir(at("etc/conf.d"), 0700),
	    0);
	ck_assert_int_eq(symlink("etc", at("link")), 0);
}

static void
end(void)
{
	char *command = xasprintf("rm -rf %s", folder);

	ck_assert_int_eq(system(command), 0);
	free(command);
}

/* Where a place is, beside FOLDER/etc/sealfeed.yaml; "" for the main file,
 * NULL: it is refused.  "@" stands for the folder. */
static const struct {
	const char *place;
	const char *name;
} places[] = {
	{ "sealfeed.yaml", "" },
	{ "./sealfeed.yaml", "" },
	{ "@/etc/sealfeed.yaml", "" },
	{ "@/link/sealfeed.yaml", "" },
	{ "conf.d/20-x.yaml", "20-x.yaml" },
	{ ".//conf.d/./20-x.yaml", "20-x.yaml" },
	{ "@/etc/conf.d/20-x.yaml", "20-x.yaml" },
	{ "@//link/conf.d//20-x.yaml", "20-x.yaml" },
	{ "../etc/conf.d/20-x.yaml", "20-x.yaml" },
	{ "conf.d/20-x.yml", NULL },
	{ "conf.d/.20-x.yaml", NULL },
	{ "conf.d/.yaml", NULL },
	{ "conf.d/20-x.yaml.bak", NULL },
	{ "conf.d/more/20-x.yaml", NULL },
	{ "conf.d/", NULL },
	{ "20-x.yaml", NULL },
	{ "other.yaml", NULL },
	{ "@/conf.d/20-x.yaml", NULL },
	{ "/etc/sealfeed/sealfeed.yaml", NULL },
	{ "", NULL },
};

START_TEST(a_place_is_one_that_is_read)
{
	const char *place = places[_i].place, *name = places[_i].name;
	char *path = place[0] == '@' ? xasprintf("%s%s", folder, place + 1)
				     : xstrdup(place);
	struct err err = ERR_INIT;
	struct stand_in s;
	int rc = stand_in_open(&s, at("etc/sealfeed.yaml"), path, "f", &err);

	ck_assert_msg((rc == 0) == (name != NULL), "%s: %s", place, err.text);
	if (rc != 0) {
		ck_assert_ptr_nonnull(strstr(err.text, "conf.d/NAME.yaml"));
	} else if (name[0] == '\0') {
		ck_assert_ptr_null(s.name);
		ck_assert_str_eq(s.place, at("etc/sealfeed.yaml"));
	} else {
		ck_assert_str_eq(s.name, name);
		ck_assert_str_eq(s.place, at("etc/conf.d/20-x.yaml"));
	}
	stand_in_release(&s);
	free(path);
}
END_TEST

START_TEST(a_definition_has_its_folder)
{
	static const char *const none[] = { "sources.d/acme.yml",
		"sources.d/.acme.yaml", "sources.d/more/acme.yaml",
		"sources.d/" };
	struct err err = ERR_INIT;
	struct stand_in s;

	ck_assert_int_eq(stand_in_open(&s, at("etc/sealfeed.yaml"),
			     "./sources.d/acme.yaml", "f", &err),
	    0);
	ck_assert_str_eq(s.source, "acme");
	ck_assert_str_eq(s.place, at("etc/sources.d/acme.yaml"));
	ck_assert_ptr_null(s.name);
	stand_in_release(&s);
	ck_assert_int_eq(stand_in_open(&s, at("etc/sealfeed.yaml"),
			     "conf.d/acme.yaml", "f", &err),
	    0);
	ck_assert_ptr_null(s.source);
	stand_in_release(&s);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		ck_assert_int_eq(stand_in_open(&s, at("etc/sealfeed.yaml"),
				     none[i], "f", &err),
		    -1);
		ck_assert_ptr_nonnull(strstr(err.text, "sources.d/NAME.yaml"));
		stand_in_release(&s);
	}
}
END_TEST

START_TEST(nothing_needs_to_exist)
{
	struct err err = ERR_INIT;
	struct stand_in s;

	ck_assert_int_eq(stand_in_open(&s, "none/sealfeed.yaml",
			     "./conf.d/x.yaml", "f", &err),
	    0);
	ck_assert_str_eq(s.place, "none/conf.d/x.yaml");
	stand_in_release(&s);
	ck_assert_int_eq(stand_in_open(&s, "sealfeed.yaml", "conf.d/x.yaml",
			     "f", &err),
	    0);
	ck_assert_str_eq(s.place, "conf.d/x.yaml");
	stand_in_release(&s);
}
END_TEST

/* Judge FOLDER/new as place; the first fault or warning goes to said. */
static struct config *
judge(const char *place, char said[1000])
{
	struct config_errors errors = CONFIG_ERRORS_INIT;
	struct err err = ERR_INIT;
	struct stand_in s;
	struct config *c;

	ck_assert_int_eq(stand_in_open(&s, at("etc/sealfeed.yaml"), place,
			     at("new"), &err),
	    0);
	c = config_load_as(at("etc/sealfeed.yaml"), &s, &agent_types, &errors);
	(void)snprintf(said, 1000, "%s",
	    errors.n > 0                         ? errors.line[0]
		: c != NULL && c->warnings.n > 0 ? c->warnings.line[0]
						 : "");
	config_errors_release(&errors);
	stand_in_release(&s);
	return c;
}

/* retain of what is judged, in days; "new" stands in for place. */
static int64_t
retain_with(const char *place)
{
	char said[1000];
	struct config *c = judge(place, said);
	int64_t days;

	ck_assert_msg(c != NULL, "%s", said);
	days = c->agent.retain / (INT64_C(86400) * 1000000);
	config_free(c);
	return days;
}

START_TEST(it_is_read_in_its_turn)
{
	put("etc/sealfeed.yaml", "agent: {name: a, retain: 1d}\n");
	put("etc/conf.d/10-a.yaml", "agent: {retain: 2d}\n");
	put("etc/conf.d/30-c.yaml", "agent: {retain: 3d}\n");
	put("new", "agent: {retain: 9d}\n");
	ck_assert_int_eq(retain_with("conf.d/20-b.yaml"), 3);
	ck_assert_int_eq(retain_with("conf.d/30-c.yaml"), 9);
	ck_assert_int_eq(retain_with("conf.d/40-d.yaml"), 9);
	ck_assert_int_eq(retain_with("conf.d/00-z.yaml"), 3);
	ck_assert_int_eq(retain_with("sealfeed.yaml"), 3);
	put("new", "# nothing\n");
	ck_assert_int_eq(retain_with("conf.d/30-c.yaml"), 2);
}
END_TEST

START_TEST(a_fault_of_what_is_replaced_is_none)
{
	put("etc/sealfeed.yaml", "agent: {name: a}\n");
	put("etc/conf.d/10-a.yaml", "agent: {retain: never}\n");
	put("new", "agent: {retain: 9d}\n");
	ck_assert_int_eq(retain_with("conf.d/10-a.yaml"), 9);
	put("etc/sealfeed.yaml", "{");
	put("etc/conf.d/10-a.yaml", "");
	ck_assert_int_eq(retain_with("sealfeed.yaml"), 9);
}
END_TEST

START_TEST(the_first_file_of_all)
{
	put("new", "agent: {name: a, retain: 9d}\n");
	ck_assert_int_eq(retain_with("conf.d/20-b.yaml"), 9);
	ck_assert_int_eq(rmdir(at("etc/conf.d")), 0);
	ck_assert_int_eq(retain_with("conf.d/20-b.yaml"), 9);
	ck_assert_int_eq(retain_with("sealfeed.yaml"), 9);
}
END_TEST

/* The place and the line, whatever finds the fault; and the faults of the
 * others with theirs. */
static const struct {
	const char *text;
	const char *said;
} faulty[] = {
	{ "agent:\n  retain: never\n", "etc/conf.d/20-x.yaml:2: agent: " },
	{ "agent:\n\tretain: 1\n", "etc/conf.d/20-x.yaml:2: " },
	{ "- a\n", "etc/conf.d/20-x.yaml:1: the file must be a map" },
	{ "agent: {retain: 1}\nagent: {}\n",
	    "etc/conf.d/20-x.yaml:2: key \"agent\" appears twice" },
	{ "outputs: {x: {type: file, path: null}}\n",
	    "etc/conf.d/20-x.yaml:1: outputs.x" },
	{ "outputs: {x: {type: syslog, address: 'a:1'}}\n",
	    "etc/conf.d/10-a.yaml:1: outputs.x: unknown key \"path\"" },
	{ "outputs:\n  z: {type: http, url: 'https://a/',\n"
	  "    bearer: abc #def\n  }\n",
	    "etc/conf.d/20-x.yaml:3: outputs.z: \"bearer\": is cut off" },
};

START_TEST(faults_name_the_place_and_the_line)
{
	char said[1000];
	struct config *c;

	put("etc/sealfeed.yaml", "agent: {name: a}\n");
	put("etc/conf.d/10-a.yaml", "outputs: {x: {type: file, path: /x}}\n");
	put("new", faulty[_i].text);
	c = judge("conf.d/20-x.yaml", said);
	ck_assert_msg(strncmp(said, folder, strlen(folder)) == 0 &&
		strncmp(said + strlen(folder) + 1, faulty[_i].said,
		    strlen(faulty[_i].said)) == 0,
	    "%s", said);
	config_free(c);
}
END_TEST

START_TEST(a_file_that_is_not_there)
{
	char said[1000];

	put("etc/sealfeed.yaml", "agent: {name: a}\n");
	ck_assert_ptr_null(judge("conf.d/20-x.yaml", said));
	ck_assert_msg(strstr(said, "/new: cannot be opened") != NULL, "%s",
	    said);
}
END_TEST

Suite *
suite_stand_in(void)
{
	Suite *s = suite_create("stand_in");
	TCase *tc = tcase_create("stand_in");

	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_test(tc, a_definition_has_its_folder);
	tcase_add_loop_test(tc, a_place_is_one_that_is_read, 0,
	    sizeof(places) / sizeof(places[0]));
	tcase_add_test(tc, nothing_needs_to_exist);
	tcase_add_test(tc, it_is_read_in_its_turn);
	tcase_add_test(tc, a_fault_of_what_is_replaced_is_none);
	tcase_add_test(tc, the_first_file_of_all);
	tcase_add_loop_test(tc, faults_name_the_place_and_the_line, 0,
	    sizeof(faulty) / sizeof(faulty[0]));
	tcase_add_test(tc, a_file_that_is_not_there);
	suite_add_tcase(s, tc);
	return s;
}
