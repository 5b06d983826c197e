/*
 * pair_help.h - a key, and a certificate for it.
 */
#ifndef UNIT_PAIR_HELP_H
#define UNIT_PAIR_HELP_H

/* A new RSA key and a certificate that it signed itself, as PEM; the caller
 * frees both. */
void pair_make(char **key_pem, char **cert_pem);

#endif /* UNIT_PAIR_HELP_H */
