/*
 * office365.h - inside of the Microsoft 365 source: options and the parts
 * that its files share.
 *
 * The API: learn.microsoft.com/office/office-365-management-api/
 * office-365-management-activity-api-reference.  Listing tells which content
 * blobs became available in a window; every blob goes through the ledger and
 * is fetched once, by any of the worker threads.
 */
#ifndef OFFICE365_H
#define OFFICE365_H

#include <stdint.h>

#include "http/http.h"
#include "http/rules.h"
#include "setting.h"

enum office365_cloud {
	CLOUD_COMMERCIAL,
	CLOUD_GCC,
	CLOUD_GCC_HIGH,
	CLOUD_DOD,
	CLOUD_CHINA,
	CLOUDS
};

struct office365_conf {
	int cloud;       /* enum office365_cloud */
	char *login_url; /* NULL: the cloud's */
	char *api_url;
	char *tenant;
	char *client_id;
	char *client_secret; /* secret text */
	char *certificate;   /* secret texts, PEM */
	char *private_key;
	char **content;
	char *publisher; /* NULL: the tenant */
	int64_t parallel;
	int64_t initial;
	int64_t interval;
	int64_t overlap;
	int64_t dedupe;
	struct http_conf http;
};

extern const struct setting office365_settings[];

/* The cross-check of source_type. */
struct blame;
void office365_check(const void *conf, const struct blame *b);

/* Base URLs without a slash at the end, borrowed from conf or static;
 * configured ones lose theirs through the length. */
const char *office365_login(const struct office365_conf *c, int *len);
const char *office365_api(const struct office365_conf *c, int *len);

/* PublisherIdentifier of every call. */
const char *office365_publisher(const struct office365_conf *c);

#endif /* OFFICE365_H */
