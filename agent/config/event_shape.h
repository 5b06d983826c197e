/*
 * event_shape.h - what outputs have to know of the events of a feed, and only
 * its source can tell: where the vendor's id is, and by which names the SIEMs'
 * own content for that vendor finds its events.
 */
#ifndef CONFIG_EVENT_SHAPE_H
#define CONFIG_EVENT_SHAPE_H

/* What is NULL is not known.  All texts are static, or as old as the
 * configuration. */
struct event_shape {
	const char *id; /* JSON pointer (RFC 6901) of the vendor's id, "/Id" */
	/* Splunk: the source type of its add-on, "o365:management:activity". */
	const char *sourcetype;
	/* Elastic: the data set of its integration, "o365.audit", and the
	 * member in which its ingest pipeline expects the record parsed,
	 * "o365audit"; and the one in which it wants the text, "message",
	 * where that is not event.original. */
	const char *dataset;
	const char *record;
	const char *text;
};

#endif /* CONFIG_EVENT_SHAPE_H */
