/*
 * office365.c - Microsoft 365 through the Office 365 Management Activity API.
 */
#include "office365.h"
#include "source.h"

const struct source_type source_office365 = {
	.name = "office365",
	.settings = office365_settings,
	.conf_size = sizeof(struct office365_conf),
	.check = office365_check,
};
