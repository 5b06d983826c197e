/*
 * transport.h - what all outputs over HTTP share (dialect.h).
 */
#ifndef OUTPUTS_HTTP_TRANSPORT_H
#define OUTPUTS_HTTP_TRANSPORT_H

#include "outputs/output.h"

/* The functions of an output type that has a dialect; see output_type. */
int http_open(struct output *out, struct err *err);
size_t http_window(const struct output *out);
size_t http_waiting(const struct output *out);
void http_send(struct output *out, struct chunk *p);
void http_drive(struct output *out, int wake_fd, int timeout_ms);
int http_probe(struct output *out, struct buf *message, struct err *err);
void http_reopen(struct output *out);
void http_close(struct output *out);

#define HTTP_TRANSPORT                                                     \
	.open = http_open, .window = http_window, .waiting = http_waiting, \
	.send = http_send, .drive = http_drive, .reopen = http_reopen,     \
	.probe = http_probe, .close = http_close

#endif /* OUTPUTS_HTTP_TRANSPORT_H */
