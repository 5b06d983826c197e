/*
 * test_export.c - `sealfeed export`.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "cmd/cmd.h"
#include "evidence/checkpoint.h"
#include "evidence/note.h"
#include "store/batch.h"
#include "tests/unit/cmd_rig.h"
#include "verify/verify.h"

#define EVENT(k)                                       \
	"{\"feed\":\"" RIG_FEED "\",\"index\":" k      \
	",\"agent\":\"fra1\",\"event\":{\"n\":" k "}}" \
	"\n"
#define CHECKPOINT(k, v)                         \
	"{\"feed\":\"" RIG_FEED "\",\"size\":" k \
	",\"agent\":\"fra1\",\"checkpoint\":" v "}\n"

/* Enough of a checkpoint's value to be read. */
#define PROOF(from)                                                     \
	"{\"note\":\"n\",\"from\":" from ",\"before\":[],\"after\":[]," \
	"\"check\":\"\"}"

START_TEST(export_writes_what_travels)
{
	rig_commit(0, 2, NULL);
	rig_commit(2, 1, NULL);
	rig_seal(PROOF("0"));
	rig_commit(3, 2, NULL);
	rig_seal(PROOF("3"));
	rig_commit(5, 1, NULL);
	ck_assert_int_eq(rig_run("export"), EXIT_FINE);
	ck_assert_str_eq(rig.out.data,
	    EVENT("0") EVENT("1") EVENT("2") CHECKPOINT("3", PROOF("0"))
		EVENT("3") EVENT("4") CHECKPOINT("5", PROOF("3")));
	ck_assert_ptr_nonnull(strstr(rig.message.data,
	    RIG_FEED ": 5 events, 0 to 4, 2 checkpoints\n"));
	ck_assert_ptr_null(strstr(rig.message.data, "in here"));
	ck_assert_int_eq(rig_run("export --feed " RIG_FEED), EXIT_FINE);
	ck_assert_uint_gt(rig.out.len, 0);
}
END_TEST

START_TEST(export_cuts)
{
	rig_commit(0, 3, NULL);
	rig_seal(PROOF("0"));
	rig_commit(3, 3, NULL);
	rig_seal(PROOF("3"));
	ck_assert_int_eq(rig_run("export --from 0 --to 4 --feed " RIG_FEED),
	    EXIT_FINE);
	ck_assert_str_eq(rig.out.data,
	    EVENT("0") EVENT("1") EVENT("2") CHECKPOINT("3", PROOF("0"))
		EVENT("3") EVENT("4"));
	ck_assert_ptr_nonnull(strstr(rig.message.data,
	    "events from 3 on have no checkpoint in this export"));
	ck_assert_int_eq(rig_run("export --from 1 --to 1 --feed " RIG_FEED),
	    EXIT_FINE);
	ck_assert_str_eq(rig.out.data, EVENT("1"));
	ck_assert_ptr_nonnull(strstr(rig.message.data,
	    "events from 1 on have no checkpoint in this export"));
	ck_assert_int_eq(rig_run("export --from 2 --feed " RIG_FEED),
	    EXIT_FINE);
	ck_assert_str_eq(rig.out.data,
	    EVENT("2") CHECKPOINT("3", PROOF("0")) EVENT("3") EVENT("4")
		EVENT("5") CHECKPOINT("6", PROOF("3")));
	ck_assert_ptr_null(strstr(rig.message.data, "in here"));
	ck_assert_int_eq(rig_run("export --from 9 --feed " RIG_FEED),
	    EXIT_FINE);
	ck_assert_str_eq(rig.out.data, "");
	ck_assert_ptr_nonnull(strstr(rig.message.data, "Nothing to export"));
}
END_TEST

START_TEST(export_into_a_file)
{
	char line[300];
	struct stat st;

	rig_commit(0, 1, NULL);
	rig_seal(PROOF("0"));
	(void)snprintf(line, sizeof(line), "export --output %s",
	    rig_path("out"));
	ck_assert_int_eq(rig_run(line), EXIT_FINE);
	ck_assert_str_eq(rig.out.data, "");
	ck_assert_int_eq(stat(rig_path("out"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(st.st_size,
	    sizeof(EVENT("0") CHECKPOINT("1", PROOF("0"))) - 1);
	(void)snprintf(line, sizeof(line), "export --output %s",
	    rig_path("none/out"));
	ck_assert_int_eq(rig_run(line), EXIT_WRONG);
	ck_assert_ptr_nonnull(strstr(rig.message.data, "No such file"));
}
END_TEST

START_TEST(export_of_nothing_says_why)
{
	ck_assert_int_eq(rig_run("export"), EXIT_FINE);
	ck_assert_ptr_nonnull(strstr(rig.message.data, "agent.retain is 0"));
	rig_config(", retain: 1h");
	ck_assert_int_eq(rig_run("export"), EXIT_FINE);
	ck_assert_ptr_nonnull(strstr(rig.message.data, "Nothing to export"));
	ck_assert_ptr_null(strstr(rig.message.data, "agent.retain"));
	ck_assert_int_eq(rig_run("export --feed contoso/Audit.Exchang"),
	    EXIT_WRONG);
	ck_assert_ptr_nonnull(strstr(rig.message.data, "no such feed"));
}
END_TEST

/* Seal all that is there as the agent does. */
static void
sign(const struct signer *signer)
{
	static struct unsealed u;
	struct digest *d = digest_new();
	struct buf note = BUF_INIT(NOTE_MAX), value = BUF_INIT(PROOF_MAX);
	struct merkle_range peaks;
	const struct proof_parts parts = { .note = &note,
		.before = &u.peaks,
		.after = &peaks,
		.check = &u.check,
		.keys = "" };
	uint8_t root[DIGEST_LEN];
	struct err err = ERR_INIT;

	u.check = (struct buf)BUF_INIT(1000);
	ck_assert_int_eq(batch_next_unsealed(rig.store, &u, &err), 1);
	peaks = u.peaks;
	ck_assert_int_eq(merkle_join(d, &peaks, &u.added), 0);
	merkle_root(d, &peaks, root);
	ck_assert_int_eq(note_sign(signer, "fra1/" RIG_FEED, peaks.end, root,
			     &note, &err),
	    0);
	ck_assert_int_eq(proof_build(&value, &parts, &err), 0);
	ck_assert_msg(batch_seal(rig.store, &u, &peaks, value.data, &err) == 0,
	    "%s", err.text);
	buf_release(&u.check);
	buf_release(&note);
	buf_release(&value);
	digest_free(d);
}

/* Whether verify is content with the file "out"; *report says why not. */
static bool
verified(const struct verifier *key, char *report, size_t size)
{
	const char *const feeds[] = { RIG_FEED };
	const struct verify_options options = {
		.keys = key, .n_keys = 1, .feeds = feeds, .n_feeds = 1
	};
	struct verify *v = verify_new(&options);
	FILE *to = fmemopen(report, size, "w");
	struct err err = ERR_INIT;
	bool well;

	ck_assert_ptr_nonnull(to);
	ck_assert_msg(verify_input(v, rig_path("out"), &err) == 0, "%s",
	    err.text);
	well = verify_finish(v);
	ck_assert_int_eq(verify_text(v, to), 0);
	(void)fclose(to);
	verify_free(v);
	return well;
}

START_TEST(every_cut_with_a_checkpoint_verifies)
{
	struct buf pem = BUF_INIT(1000);
	struct err err = ERR_INIT;
	struct signer *signer;
	struct verifier key;
	char line[300], report[4000];

	ck_assert_int_eq(signer_generate(key_kind(KEY_ED25519), &pem, &err), 0);
	signer = signer_open("fra1", pem.data, &err);
	ck_assert_ptr_nonnull(signer);
	ck_assert_int_eq(verifier_parse(pem.data, &key, &err), 0);
	rig_commit(0, 3, NULL);
	sign(signer);
	rig_commit(3, 1, NULL);
	rig_commit(4, 3, NULL);
	sign(signer);
	rig_commit(7, 2, NULL);
	sign(signer);
	/* Checkpoints are at 3, 7 and 9; without any nothing is proven. */
	for (int from = 0; from < 9; from = from == 0 ? 3 : from + 1) {
		int min = from < 3 ? 2 : from < 7 ? 6 : 8;

		for (int to = min; to < 9; to++) {
			(void)snprintf(line, sizeof(line),
			    "export --feed " RIG_FEED
			    " --from %d --to %d --output %s",
			    from, to, rig_path("out"));
			ck_assert_int_eq(rig_run(line), EXIT_FINE);
			ck_assert_msg(verified(&key, report, sizeof(report)),
			    "%d to %d: %s", from, to, report);
		}
	}
	signer_free(signer);
	buf_release(&pem);
}
END_TEST

Suite *
suite_export(void)
{
	Suite *s = suite_create("export");
	TCase *tc = rig_case("export");

	tcase_add_test(tc, export_writes_what_travels);
	tcase_add_test(tc, export_cuts);
	tcase_add_test(tc, every_cut_with_a_checkpoint_verifies);
	tcase_add_test(tc, export_into_a_file);
	tcase_add_test(tc, export_of_nothing_says_why);
	suite_add_tcase(s, tc);
	return s;
}
