/*
 * curl_late.h - libcurl, loaded by the first call of one of its functions.
 *
 * Its own header is used as ever: the functions of that are defined here, and
 * pass on what they get.  One that is not among them does not link: it needs
 * its line in curl_late.c.
 */
#ifndef HTTP_CURL_LATE_H
#define HTTP_CURL_LATE_H

/* Unload it, when no handle, list or text of it is in use any more: for a
 * process that has looked at URLs and will send nothing. */
void curl_late_unload(void);

#endif /* HTTP_CURL_LATE_H */
