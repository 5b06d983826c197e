/*
 * checkpoint.c - the value of a checkpoint line.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include <jansson.h>

#include "base/err.h"
#include "base/text.h"
#include "evidence/checkpoint.h"
#include "evidence/note.h"
#include "evidence/rotation.h"

void
proof_init(struct proof *p)
{
	*p = (struct proof){
		.note = BUF_INIT(NOTE_MAX),
		.before = BUF_INIT(MERKLE_PEAKS * DIGEST_LEN),
		.after = BUF_INIT(MERKLE_PEAKS * DIGEST_LEN),
		.check = BUF_INIT(PROOF_MAX),
		.keys = BUF_INIT(KEY_ROTATIONS_MAX),
	};
}

void
proof_release(struct proof *p)
{
	buf_release(&p->note);
	buf_release(&p->before);
	buf_release(&p->after);
	buf_release(&p->check);
	buf_release(&p->keys);
}

static int
add_nodes(struct buf *out, const char *key, const struct merkle_range *r)
{
	if (buf_addf(out, ",\"%s\":[", key) == -1)
		return -1;
	for (size_t i = 0; i < r->n; i++)
		if (buf_adds(out, i == 0 ? "\"" : ",\"") == -1 ||
		    text_base64(out, r->node[i], DIGEST_LEN) == -1 ||
		    buf_adds(out, "\"") == -1)
			return -1;
	return buf_adds(out, "]");
}

static int
add_keys(struct buf *out, const char *keys)
{
	struct slice rest = { .data = keys, .len = strlen(keys) };
	struct slice note = rotation_next(&rest);

	if (note.data == NULL)
		return 0;
	if (buf_adds(out, ",\"keys\":[") == -1)
		return -1;
	for (bool first = true; note.data != NULL; first = false) {
		if ((!first && buf_adds(out, ",") == -1) ||
		    text_json_string(out, note.data, note.len) == -1)
			return -1;
		note = rotation_next(&rest);
	}
	return buf_adds(out, "]");
}

int
proof_build(struct buf *out, const struct proof_parts *p, struct err *err)
{
	if (buf_adds(out, "{\"note\":") == -1 ||
	    text_json_string(out, p->note->data, p->note->len) == -1 ||
	    buf_addf(out, ",\"from\":%" PRIu64, p->before->end) == -1 ||
	    add_nodes(out, "before", p->before) == -1 ||
	    add_nodes(out, "after", p->after) == -1 ||
	    add_keys(out, p->keys) == -1 ||
	    buf_adds(out, ",\"check\":\"") == -1 ||
	    text_base64(out, p->check->data, p->check->len) == -1 ||
	    buf_adds(out, "\"}") == -1)
		return err_set(err,
		    "the checkpoint's value does not fit its buffer");
	return 0;
}

/* A base64 member into b; absent is empty unless it must be there. */
static int
get_base64(const json_t *value, struct buf *b)
{
	if (!json_is_string(value))
		return -1;
	return text_unbase64(b, json_string_value(value),
	    json_string_length(value));
}

static int
get_nodes(const json_t *list, struct buf *b)
{
	if (!json_is_array(list) || json_array_size(list) > MERKLE_PEAKS)
		return -1;
	for (size_t i = 0; i < json_array_size(list); i++)
		if (get_base64(json_array_get(list, i), b) == -1 ||
		    b->len != (i + 1) * DIGEST_LEN)
			return -1;
	return 0;
}

/* The notes about keys, which must not run into each other. */
static int
get_keys(const json_t *list, struct buf *b)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *note = json_array_get(list, i);
		struct slice s = { .data = json_string_value(note),
			.len = json_string_length(note) };

		if (s.data == NULL || s.len == 0 || s.data[s.len - 1] != '\n' ||
		    buf_add(b, s.data, s.len) == -1)
			return -1;
	}
	return 0;
}

static int
get_members(const json_t *obj, struct proof *p)
{
	const json_t *note = json_object_get(obj, "note");
	const json_t *from = json_object_get(obj, "from");
	const json_t *check = json_object_get(obj, "check");

	if (!json_is_string(note) || !json_is_integer(from) ||
	    json_integer_value(from) < 0 ||
	    buf_add(&p->note, json_string_value(note),
		json_string_length(note)) == -1 ||
	    get_nodes(json_object_get(obj, "before"), &p->before) == -1 ||
	    get_nodes(json_object_get(obj, "after"), &p->after) == -1)
		return -1;
	if (get_keys(json_object_get(obj, "keys"), &p->keys) == -1)
		return -1;
	p->from = (uint64_t)json_integer_value(from);
	return check == NULL ? 0 : get_base64(check, &p->check);
}

int
proof_parse(const char *value, size_t len, struct proof *p, struct err *err)
{
	json_error_t why;
	json_t *obj = NULL;
	int rc;

	buf_clear(&p->note);
	buf_clear(&p->before);
	buf_clear(&p->after);
	buf_clear(&p->check);
	buf_clear(&p->keys);
	if (len <= PROOF_MAX)
		obj = json_loadb(value, len, JSON_REJECT_DUPLICATES, &why);
	rc = json_is_object(obj) ? get_members(obj, p) : -1;
	json_decref(obj);
	if (rc == -1)
		return err_set(err, "the checkpoint's value is malformed");
	return 0;
}
