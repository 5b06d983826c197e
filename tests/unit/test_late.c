/*
 * test_late.c - a library that is loaded when it is first needed.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/exit_status.h"
#include "base/late.h"
#include "http/curl_late.h"
#include "tests/unit/unit.h"

static bool
is_loaded(const char *file)
{
	char line[512];
	bool found = false;
	FILE *f = fopen("/proc/self/maps", "r");

	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f) != NULL)
		found = found || strstr(line, file) != NULL;
	(void)fclose(f);
	return found;
}

/* What a process says and how it ends that needs such a function of such a
 * library. */
static void
end_of(const char *file, const char *name, const char *said)
{
	void *function = NULL;
	struct late_library l = { .file = file,
		.names = &name,
		.functions = &function,
		.n = 1,
		.lock = PTHREAD_MUTEX_INITIALIZER };
	char text[1024] = "";
	size_t len = 0;
	ssize_t n;
	int fd[2], status;
	pid_t pid;

	ck_assert_int_eq(pipe(fd), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		(void)dup2(fd[1], STDERR_FILENO);
		late_load(&l);
		_exit(EXIT_FINE);
	}
	(void)close(fd[1]);
	while ((n = read(fd[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	(void)close(fd[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status),
	    said == NULL ? EXIT_FINE : EXIT_WRONG);
	if (said == NULL)
		ck_assert_str_eq(text, "");
	else
		ck_assert_ptr_nonnull(strstr(text, said));
}

START_TEST(what_is_missing_is_named)
{
	end_of(LIBCURL_FILE, "curl_easy_init", NULL);
	end_of("libnowhere.so.7", "f", "sealfeed: libnowhere.so.7: cannot be");
	end_of(LIBCURL_FILE, "curl_of_tomorrow", "curl_of_tomorrow");
}
END_TEST

START_TEST(curl_comes_with_its_first_call_and_again)
{
	for (int i = 0; i < 2; i++) {
		CURLU *u;

		curl_late_unload();
		ck_assert(!is_loaded("/" LIBCURL_FILE));
		u = curl_url();
		ck_assert(is_loaded("/" LIBCURL_FILE));
		ck_assert_ptr_nonnull(u);
		curl_url_cleanup(u);
	}
	curl_late_unload();
	curl_late_unload();
	ck_assert(!is_loaded("/" LIBCURL_FILE));
}
END_TEST

/* Each kind of value comes through: a pointer comes back, numbers are refused
 * or not. */
START_TEST(options_keep_their_values)
{
	CURL *h = curl_easy_init();
	char *private = NULL;
	CURLcode rc;

	ck_assert_ptr_nonnull(h);
	rc = curl_easy_setopt(h, CURLOPT_PRIVATE, (void *)&h);
	ck_assert_int_eq(rc, CURLE_OK);
	rc = curl_easy_getinfo(h, CURLINFO_PRIVATE, &private);
	ck_assert_int_eq(rc, CURLE_OK);
	ck_assert_ptr_eq(private, &h);
	rc = curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE,
	    (curl_off_t)INT64_MIN);
	ck_assert_int_ne(rc, CURLE_OK);
	rc = curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE,
	    (curl_off_t)1 << 40);
	ck_assert_int_eq(rc, CURLE_OK);
	rc = curl_easy_setopt(h, CURLOPT_BUFFERSIZE, 16384L);
	ck_assert_int_eq(rc, CURLE_OK);
	rc = curl_easy_setopt(h, CURLOPT_HTTP_VERSION, 999L);
	ck_assert_int_ne(rc, CURLE_OK);
	rc = curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, 1L);
	ck_assert_int_eq(rc, CURLE_OK);
	curl_easy_cleanup(h);
}
END_TEST

Suite *
suite_late(void)
{
	Suite *s = suite_create("late");
	TCase *tc = tcase_create("late");

	tcase_add_test(tc, what_is_missing_is_named);
	tcase_add_test(tc, curl_comes_with_its_first_call_and_again);
	tcase_add_test(tc, options_keep_their_values);
	suite_add_tcase(s, tc);
	return s;
}
