/*
 * shell_proxy.h - the proxy that the shell's environment names.
 *
 * The service does not run in that environment: what setup reaches the vendor
 * through has to stand in the configuration.
 */
#ifndef SETUP_SHELL_PROXY_H
#define SETUP_SHELL_PROXY_H

#include <stdio.h>

struct answers;
struct err;
struct node;

/*
 * Give each new entry of a type with the option "proxy" the proxy that
 * https_proxy names, as curl(1) reads it, and say so on out.  Not where the
 * entry has one, where a URL of it is one of no_proxy or is not https, and not
 * those that are there, the configuration as it is.  -1: err says why not.
 */
int shell_proxy_take(struct answers *a, const struct node *there, FILE *out,
    struct err *err);

#endif /* SETUP_SHELL_PROXY_H */
