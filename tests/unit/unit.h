/*
 * unit.h - the unit test program: one suite a module, one row in unit.c.
 */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <check.h>

/* Folder of the vectors, with a slash at its end. */
#define VECTORS SRCDIR "/tests/vectors/"

/* The time-out of a connection where none is what is tested: a machine that
 * stands still for five seconds must not make one request into two. */
#define UNIT_TIMEOUT (50 * CLOCK_SECOND)

Suite *suite_agent_feed(void);
Suite *suite_assertion(void);
Suite *suite_auth(void);
Suite *suite_aws(void);
Suite *suite_aws_digest(void);
Suite *suite_aws_s3(void);
Suite *suite_body(void);
Suite *suite_buf(void);
Suite *suite_clock(void);
Suite *suite_cmd(void);
Suite *suite_cmd_store(void);
Suite *suite_complete(void);
Suite *suite_config(void);
Suite *suite_confirm(void);
Suite *suite_content(void);
Suite *suite_continuity(void);
Suite *suite_crash(void);
Suite *suite_coralogix(void);
Suite *suite_datadog(void);
Suite *suite_dead_letters(void);
Suite *suite_definition(void);
Suite *suite_definition_keys(void);
Suite *suite_definition_rules(void);
Suite *suite_dialect(void);
Suite *suite_doubt(void);
Suite *suite_elasticsearch(void);
Suite *suite_error_value(void);
Suite *suite_export(void);
Suite *suite_file(void);
Suite *suite_file_output(void);
Suite *suite_frame(void);
Suite *suite_format(void);
Suite *suite_framer(void);
Suite *suite_graylog(void);
Suite *suite_google_secops(void);
Suite *suite_gzip(void);
Suite *suite_http(void);
Suite *suite_http_output(void);
Suite *suite_human(void);
Suite *suite_identity(void);
Suite *suite_item(void);
Suite *suite_json_put(void);
Suite *suite_json_valid(void);
Suite *suite_kept_token(void);
Suite *suite_key(void);
Suite *suite_kafka(void);
Suite *suite_line(void);
Suite *suite_lock(void);
Suite *suite_login(void);
Suite *suite_late(void);
Suite *suite_ledger(void);
Suite *suite_listen(void);
Suite *suite_loki(void);
Suite *suite_presets(void);
Suite *suite_probes(void);
Suite *suite_repair(void);
Suite *suite_member(void);
Suite *suite_merkle(void);
Suite *suite_metrics(void);
Suite *suite_node(void);
Suite *suite_note(void);
Suite *suite_oauth(void);
Suite *suite_rotating(void);
Suite *suite_otlp(void);
Suite *suite_outputs(void);
Suite *suite_page(void);
Suite *suite_pending(void);
Suite *suite_pool(void);
Suite *suite_race(void);
Suite *suite_rate(void);
Suite *suite_sumologic(void);
Suite *suite_urls(void);
Suite *suite_verdict(void);
Suite *suite_reader(void);
Suite *suite_recovery(void);
Suite *suite_recovery_rows(void);
Suite *suite_relp(void);
Suite *suite_request(void);
Suite *suite_rest(void);
Suite *suite_rest_formats(void);
Suite *suite_rest_hosts(void);
Suite *suite_rest_rows(void);
Suite *suite_rest_shapes(void);
Suite *suite_room(void);
Suite *suite_rules(void);
Suite *suite_s3(void);
Suite *suite_clouds(void);
Suite *suite_secret(void);
Suite *suite_sentinel(void);
Suite *suite_seen(void);
Suite *suite_server_clock(void);
Suite *suite_setting(void);
Suite *suite_setup(void);
Suite *suite_sandbox(void);
Suite *suite_share(void);
Suite *suite_ship(void);
Suite *suite_ship_hold(void);
Suite *suite_ship_letters(void);
Suite *suite_siem(void);
Suite *suite_slow(void);
Suite *suite_splitter(void);
Suite *suite_splitter_made(void);
Suite *suite_splunk_hec(void);
Suite *suite_backfill(void);
Suite *suite_reconcile(void);
Suite *suite_replay(void);
Suite *suite_stand_in(void);
Suite *suite_status(void);
Suite *suite_status_page(void);
Suite *suite_store(void);
Suite *suite_store_cmd(void);
Suite *suite_table(void);
Suite *suite_text(void);
Suite *suite_trace(void);
Suite *suite_troubles(void);
Suite *suite_unit_file(void);
Suite *suite_upgrade(void);
Suite *suite_wake(void);
Suite *suite_window(void);
Suite *suite_xml(void);

/* n, or a twentieth where $UNIT_BRIEF asks for less (valgrind and the
 * sanitizers make each round long enough). */
unsigned unit_rounds(unsigned n);

/* For what each round must try another point of: 1, or n where less is asked
 * for, each n-th. */
unsigned unit_step(unsigned n);

#endif /* TESTS_UNIT_UNIT_H */
