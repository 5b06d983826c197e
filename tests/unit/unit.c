/*
 * unit.c - runs the suites; CK_RUN_SUITE=name picks one, CK_FORK=no helps a
 * debugger and valgrind.
 */
#include <stdlib.h>

#include "tests/unit/unit.h"

static Suite *(*const suites[])(void) = {
	suite_agent_feed,
	suite_buf,
	suite_clock,
	suite_cmd,
	suite_cmd_store,
	suite_config,
	suite_confirm,
	suite_crash,
	suite_dead_letters,
	suite_export,
	suite_file,
	suite_file_output,
	suite_frame,
	suite_framer,
	suite_gzip,
	suite_http,
	suite_http_output,
	suite_human,
	suite_item,
	suite_json_put,
	suite_line,
	suite_listen,
	suite_merkle,
	suite_node,
	suite_note,
	suite_oauth,
	suite_outputs,
	suite_rate,
	suite_recovery,
	suite_rules,
	suite_secret,
	suite_seen,
	suite_setting,
	suite_ship,
	suite_siem,
	suite_splitter,
	suite_splitter_made,
	suite_status,
	suite_store,
	suite_table,
	suite_text,
	suite_trace,
	suite_window,
};

unsigned
unit_rounds(unsigned n)
{
	return getenv("UNIT_BRIEF") == NULL ? n : n / 20 + 1;
}

int
main(void)
{
	SRunner *runner = srunner_create(NULL);
	int failed;

	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		srunner_add_suite(runner, suites[i]());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
