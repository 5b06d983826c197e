/*
 * test_siem.c - the syslog output against receivers of several kinds.
 */
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "outputs/syslog/conf.h"
#include "outputs/syslog/link.h"
#include "outputs/syslog/tls.h"
#include "tests/unit/output_help.h"
#include "tests/unit/tls_peer.h"
#include "tests/unit/unit.h"

#define EVENT "{\"Id\":\"x\"}"
#define FRAME                                                                 \
	"131 <110>1 1970-01-02T00:00:00.000Z fra1 sealfeed - Audit.Exchange " \
	"[sealfeed@32473 feed=\"contoso/Audit.Exchange\" index=\"42\"] " EVENT

/* Texts of a configuration, which owns what it holds. */
static char *address, *ca, *cert, *key, *fingerprint;
static char *fingerprints[2];

static struct syslog_conf
conf_for(const struct tls_peer *p)
{
	static char app[] = "sealfeed";

	address = xstrdup(tls_peer_address(p));
	ca = xstrdup(tls_peer_pem(p));
	cert = xstrdup(tls_peer_pem(p));
	key = xstrdup(tls_peer_key(p));
	fingerprint = xstrdup(tls_peer_fingerprint(p));
	fingerprints[0] = fingerprint;
	return (struct syslog_conf){
		.address = address,
		.tls.ca = ca,
		.facility = 13,
		.severity = 6,
		.app_name = app,
		.max_message = 65536,
		.enterprise = 32473,
		.hold = { .bytes = 4 << 20, .time = CLOCK_HOUR },
		.timeout = 10 * CLOCK_SECOND,
	};
}

static void
conf_release(void)
{
	free(address);
	free(ca);
	free(cert);
	free(key);
	free(fingerprint);
}

/* Deliver one event to such a peer, with conf changed by change. */
typedef void change_fn(struct syslog_conf *conf);

static void
deliver(const struct tls_peer_spec *spec, change_fn *change, struct courier *c,
    struct tls_peer **peer)
{
	static struct syslog_conf conf;

	*peer = tls_peer_start(spec);
	conf = conf_for(*peer);
	if (change != NULL)
		change(&conf);
	courier_open(c, &output_syslog, &conf, EVENT);
	courier_deliver(c);
}

static void
end(struct courier *c, struct tls_peer *peer)
{
	courier_close(c);
	tls_peer_stop(peer);
	conf_release();
}

static const struct tls_peer_spec tls13 = { .version = TLS1_3_VERSION };
static const struct tls_peer_spec tls12 = { .version = TLS1_2_VERSION };

START_TEST(tls13_is_confirmed)
{
	struct tls_peer *peer;
	struct courier c;

	deliver(&tls13, NULL, &c, &peer);
	ck_assert_msg(c.verdict == VERDICT_DELIVERED, "%s", c.why);
	ck_assert_str_eq(c.out.mode, "relayed");
	ck_assert_int_eq(c.out.hold.time, CLOCK_HOUR);
	ck_assert(!c.out.hold.trusted);
	/* Confirmed means: read already. */
	ck_assert(tls_peer_has(peer, FRAME));
	/* And once more, on the same connection. */
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_DELIVERED);
	ck_assert(tls_peer_has(peer, FRAME FRAME));
	ck_assert_uint_eq(c.out.connects, 1);
	end(&c, peer);
}
END_TEST

static void
receipts_direct(struct syslog_conf *conf)
{
	conf->receipts = SYSLOG_DIRECT;
}

/* Held a little nevertheless, and not sent again for a break alone. */
START_TEST(direct_receipts_are_trusted)
{
	struct tls_peer *peer;
	struct courier c;

	deliver(&tls13, receipts_direct, &c, &peer);
	ck_assert_msg(c.verdict == VERDICT_DELIVERED, "%s", c.why);
	ck_assert_str_eq(c.out.mode, "confirmed");
	ck_assert_int_le(c.out.hold.time, 2 * CLOCK_SECOND);
	ck_assert(c.out.hold.trusted);
	end(&c, peer);
}
END_TEST

static void
receipts_none(struct syslog_conf *conf)
{
	conf->receipts = SYSLOG_NONE;
}

START_TEST(no_receipts_are_asked_for)
{
	struct tls_peer *peer;
	struct courier c;

	deliver(&tls13, receipts_none, &c, &peer);
	ck_assert_msg(c.verdict == VERDICT_DELIVERED, "%s", c.why);
	ck_assert_str_eq(c.out.mode, "unconfirmed");
	ck_assert_int_eq(c.out.hold.time, CLOCK_HOUR);
	ck_assert(!c.out.hold.trusted);
	end(&c, peer);
}
END_TEST

static void
hold_nothing(struct syslog_conf *conf)
{
	conf->hold.time = 0;
}

START_TEST(tls12_is_unconfirmed)
{
	struct tls_peer *peer;
	struct courier c;

	deliver(&tls12, hold_nothing, &c, &peer);
	ck_assert_msg(c.verdict == VERDICT_DELIVERED, "%s", c.why);
	ck_assert_str_eq(c.out.mode, "unconfirmed");
	end(&c, peer);
}
END_TEST

struct arrival {
	struct tls_peer *peer;
	const char *text;
};

static bool
has_arrived(void *ctx)
{
	const struct arrival *a = ctx;

	return tls_peer_has(a->peer, a->text);
}

/* Both sides part in order: what was on its way is delivered. */
START_TEST(orderly_end_proves_delivery)
{
	struct tls_peer *peer = tls_peer_start(&tls12);
	struct arrival arrival = { .peer = peer, .text = FRAME };
	struct syslog_conf conf = conf_for(peer);
	struct courier c;

	courier_open(&c, &output_syslog, &conf, EVENT);
	/* It may be decided by now: this kernel answers for the peer's, too. */
	courier_drive(&c, has_arrived, &arrival);
	end(&c, peer);
	ck_assert(c.decided);
	ck_assert_int_eq(c.verdict, VERDICT_DELIVERED);
}
END_TEST

static bool
has_broken(void *ctx)
{
	const struct courier *c = ctx;

	return c->out.breaks > 0;
}

/* Under TLS 1.2 the receipt is that of the receiver's kernel, which it may give
 * before the reset; then the event is held, and the break is told. */
START_TEST(reset_is_sent_again)
{
	static const struct tls_peer_spec deaf[] = {
		{ .version = TLS1_2_VERSION, .deaf = 1 },
		{ .version = TLS1_3_VERSION, .deaf = 1 },
	};
	struct tls_peer *peer;
	struct courier c;

	deliver(&deaf[_i], NULL, &c, &peer);
	if (deaf[_i].version != TLS1_2_VERSION ||
	    c.verdict != VERDICT_DELIVERED)
		ck_assert_int_eq(c.verdict, VERDICT_RETRY);
	courier_wait(&c, has_broken, &c);
	ck_assert_uint_eq(c.out.breaks, 1);
	ck_assert_int_eq(c.out.hold.time, CLOCK_HOUR);
	ck_assert(!c.out.hold.trusted);
	ck_assert(!tls_peer_has(peer, FRAME));
	end(&c, peer);
}
END_TEST

START_TEST(receiver_comes_back)
{
	static const struct tls_peer_spec deaf = { .version = TLS1_3_VERSION,
		.deaf = 1 };
	struct tls_peer *peer;
	struct courier c;

	deliver(&deaf, NULL, &c, &peer);
	ck_assert_int_eq(c.verdict, VERDICT_RETRY);
	courier_deliver(&c);
	ck_assert_int_eq(c.verdict, VERDICT_DELIVERED);
	ck_assert(tls_peer_has(peer, FRAME));
	ck_assert_uint_eq(c.out.connects, 2);
	end(&c, peer);
}
END_TEST

static void
pin(struct syslog_conf *conf)
{
	static char other[] = "other.example";

	conf->tls.ca = NULL;
	conf->tls.name = other; /* does not matter then */
	conf->tls.fingerprint = fingerprints;
}

START_TEST(fingerprint_replaces_authority)
{
	struct tls_peer *peer;
	struct courier c;

	deliver(&tls13, pin, &c, &peer);
	ck_assert_msg(c.verdict == VERDICT_DELIVERED, "%s", c.why);
	end(&c, peer);
}
END_TEST

static void
pin_other(struct syslog_conf *conf)
{
	char *last = fingerprint + strlen(fingerprint) - 1;

	*last = *last == '0' ? '1' : '0';
	conf->tls.fingerprint = fingerprints;
}

static void
other_name(struct syslog_conf *conf)
{
	static char other[] = "other.example";

	conf->tls.name = other;
}

static void
right_name(struct syslog_conf *conf)
{
	static char name[] = "localhost";

	conf->tls.name = name;
}

static void
own_certificate(struct syslog_conf *conf)
{
	conf->tls.cert = cert;
	conf->tls.key = key;
}

/* Of the system: none of them has signed the peer's. */
static void
other_authority(struct syslog_conf *conf)
{
	conf->tls.ca = NULL;
}

static const struct {
	struct tls_peer_spec spec;
	change_fn *change;
	enum verdict verdict;
	const char *words;
} meetings[] = {
	{ { .version = TLS1_3_VERSION }, right_name, VERDICT_DELIVERED, "" },
	{ { .version = TLS1_3_VERSION }, other_name, VERDICT_BLOCKED,
	    "is for localhost, 127.0.0.1, not for other.example" },
	/* Addresses of five, no and seventeen bytes. */
	{ { .version = TLS1_3_VERSION,
	      .names = "DER:30:07:87:05:01:02:03:04:05" },
	    other_name, VERDICT_BLOCKED,
	    "is for an address of 5 bytes, not for other.example" },
	{ { .version = TLS1_3_VERSION, .names = "DER:30:02:87:00" }, other_name,
	    VERDICT_BLOCKED, "is for an address of 0 bytes, not for" },
	{ { .version = TLS1_3_VERSION,
	      .names = "DER:30:13:87:11:01:02:03:04:05:06:07:08:09:10:11:12:13:"
		       "14:15:16:17" },
	    other_name, VERDICT_BLOCKED,
	    "is for an address of 17 bytes, not for" },
	/* Names that are not that of the host, and could be read as it: one
	 * that goes on behind a NUL, and one with a comma. */
	{ { .version = TLS1_3_VERSION,
	      .names = "DER:30:13:82:11:6f:74:68:65:72:2e:65:78:61:6d:70:6c:65:"
		       "00:2e:78:78" },
	    other_name, VERDICT_BLOCKED,
	    "is for other.example\\x00.xx, not for other.example" },
	{ { .version = TLS1_3_VERSION,
	      .names = "DER:30:12:82:10:61:2c:20:6f:74:68:65:72:2e:65:78:61:6d:"
		       "70:6c:65" },
	    other_name, VERDICT_BLOCKED,
	    "is for a\\x2c\\x20other.example, not for other.example" },
	{ { .version = TLS1_3_VERSION }, pin_other, VERDICT_BLOCKED,
	    "has the fingerprint sha-256:" },
	{ { .version = TLS1_3_VERSION }, other_authority, VERDICT_BLOCKED,
	    "issued by CN = unit peer, which is not in tls.ca" },
	{ { .version = TLS1_3_VERSION, .expired = true }, NULL, VERDICT_BLOCKED,
	    "expired at" },
	{ { .version = TLS1_3_VERSION, .client = true }, NULL, VERDICT_BLOCKED,
	    "requires a client certificate" },
	{ { .version = TLS1_3_VERSION, .client = true }, own_certificate,
	    VERDICT_DELIVERED, "" },
	{ { .version = TLS1_2_VERSION, .client = true }, NULL, VERDICT_BLOCKED,
	    "client certificate" },
	{ { .version = TLS1_1_VERSION }, NULL, VERDICT_BLOCKED,
	    "neither TLS 1.2 nor 1.3" },
};

START_TEST(meeting)
{
	struct tls_peer *peer;
	struct courier c;

	deliver(&meetings[_i].spec, meetings[_i].change, &c, &peer);
	/* A peer that closes with something unread resets the connection,
	 * which may take its alert along: then the next try tells. */
	for (int i = 0; i < 20 && c.verdict == VERDICT_RETRY; i++)
		courier_deliver(&c);
	ck_assert_msg(c.verdict == meetings[_i].verdict, "%s", c.why);
	ck_assert_msg(strstr(c.why, meetings[_i].words) != NULL, "%s", c.why);
	end(&c, peer);
}
END_TEST

static void
use_tcp(struct syslog_conf *conf)
{
	conf->transport = SYSLOG_TCP;
	conf->hold.time = 0;
}

START_TEST(plain_tcp)
{
	static const struct tls_peer_spec plain = { .version = TLS1_2_VERSION,
		.plain = true };
	struct tls_peer *peer;
	struct courier c;

	deliver(&plain, use_tcp, &c, &peer);
	ck_assert_int_eq(c.verdict, VERDICT_DELIVERED);
	ck_assert_str_eq(c.out.mode, "unconfirmed");
	end(&c, peer);
}
END_TEST

/* A receiver that wants a certificate says so when we think that all is well,
 * and closes: what is sent to it then is answered by a reset. */
START_TEST(an_alert_is_heard_before_a_broken_pipe)
{
	static const struct tls_peer_spec spec = { .version = TLS1_3_VERSION,
		.client = true };
	struct tls_peer *peer = tls_peer_start(&spec);
	struct syslog_conf conf = conf_for(peer);
	char host[256], port[6];
	struct err err = ERR_INIT;
	struct tls *t = tls_open(&conf, "localhost", &err);
	struct pollfd p = { .events = POLLRDHUP };
	int64_t wait = INT64_MAX;
	struct link *l;

	ck_assert_msg(t != NULL, "%s", err.text);
	ck_assert_int_eq(syslog_address(conf.address, host, port), 0);
	l = link_new(host, port, t, conf.timeout);
	link_open(l);
	while (link_step(l) == LINK_OPENING)
		(void)link_rest(l, -1, clock_monotonic() + CLOCK_SECOND);
	if (!link_down(l)) {
		p.fd = link_poll(l, &p.events, &wait);
		p.events = POLLRDHUP;
		ck_assert_int_eq(poll(&p, 1, -1), 1);
		ck_assert(!link_ask(l) || !link_ask(l));
	}
	ck_assert_msg(strstr(link_why(l), "requires a client certificate") !=
		NULL,
	    "%s", link_why(l));
	link_free(l);
	tls_close(t);
	tls_peer_stop(peer);
	conf_release();
}
END_TEST

static void
tiny(struct syslog_conf *conf)
{
	conf->max_message = 100;
}

START_TEST(oversize_line_is_refused_alone)
{
	struct tls_peer *peer;
	struct courier c;

	deliver(&tls13, tiny, &c, &peer);
	ck_assert_int_eq(c.verdict, VERDICT_DELIVERED);
	ck_assert_uint_eq(c.refused, 1);
	ck_assert(!tls_peer_has(peer, EVENT));
	end(&c, peer);
}
END_TEST

Suite *
suite_siem(void)
{
	Suite *s = suite_create("siem");
	TCase *tc = tcase_create("siem");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, tls13_is_confirmed);
	tcase_add_test(tc, direct_receipts_are_trusted);
	tcase_add_test(tc, no_receipts_are_asked_for);
	tcase_add_test(tc, tls12_is_unconfirmed);
	tcase_add_test(tc, orderly_end_proves_delivery);
	tcase_add_loop_test(tc, reset_is_sent_again, 0, 2);
	tcase_add_test(tc, receiver_comes_back);
	tcase_add_test(tc, fingerprint_replaces_authority);
	tcase_add_loop_test(tc, meeting, 0,
	    sizeof(meetings) / sizeof(meetings[0]));
	tcase_add_test(tc, plain_tcp);
	tcase_add_test(tc, an_alert_is_heard_before_a_broken_pipe);
	tcase_add_test(tc, oversize_line_is_refused_alone);
	suite_add_tcase(s, tc);
	return s;
}
