/*
 * aws_sign.h - requests to AWS are signed: Signature Version 4
 * (docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
 *
 * Pure: nothing is asked, and the time is the caller's.  libcurl's own
 * signatures differ from one of its versions to the next, and before version 8
 * neither sort nor encode a query.
 */
#ifndef HTTP_AWS_SIGN_H
#define HTTP_AWS_SIGN_H

#include <stddef.h>
#include <stdint.h>

#include "http/client.h"

struct err;

/* An access key; owned, for aws_key_release(). */
struct aws_key {
	char *id;
	char *secret;
	char *token; /* of temporary credentials; NULL: none */
};
void aws_key_release(struct aws_key *k);

/* What is signed.  The path of url goes out as it stands
 * (CURLOPT_PATH_AS_IS). */
struct aws_request {
	const char *method;
	const char *url;     /* percent-encoded, as it is sent */
	const char *region;  /* "eu-central-1" */
	const char *service; /* "s3", "sqs": as in the host's name */
	/* Headers to be signed besides those that are made here; NULL: none.
	 * Each must be sent just so. */
	const struct http_pair *headers;
	const char *body; /* NULL: none */
	size_t len;
	int64_t now; /* of the server, microseconds */
};

/* Headers that the request must have, Authorization among them; owned. */
#define AWS_HEADERS 4
struct aws_signature {
	struct http_pair headers[AWS_HEADERS + 1];
	char *values[AWS_HEADERS];
};
void aws_signature_release(struct aws_signature *s);

/* Sign.  -1: url is not a URL, or too long. */
int aws_sign(const struct aws_request *r, const struct aws_key *key,
    struct aws_signature *out, struct err *err);

/* Append text percent-encoded as AWS has it in canonical form: all but letters,
 * digits and "-._~", and "/" where it is a path. */
struct buf;
int aws_encode(struct buf *out, const char *text, bool path);

#endif /* HTTP_AWS_SIGN_H */
