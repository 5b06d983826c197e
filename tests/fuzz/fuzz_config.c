/*
 * fuzz_config.c - any bytes as a configuration file: every map in it as the
 * options of every type, its digest, and itself merged into itself.
 */
#include <string.h>

#include "base/err.h"
#include "base/node.h"
#include "config/config.h"
#include "config/setting.h"
#include "config/tree.h"
#include "outputs/output.h"
#include "sources/source.h"
#include "tests/fuzz/fuzz.h"

static void
fill(const struct config_type *const *types, const struct node *map,
    struct config_errors *errors)
{
	static const char *const skip[] = { "type", NULL };

	for (; *types != NULL; types++) {
		struct config_section b = {
			.map = map, .where = "thing", .errors = errors
		};
		void *conf = calloc(1, (*types)->conf_size);

		FUZZ_CHECK(conf != NULL);
		settings_fill((*types)->settings, map, b.where, skip, conf,
		    errors);
		b.filled = errors->n;
		if ((*types)->check != NULL)
			(*types)->check(conf, &b);
		settings_release((*types)->settings, conf);
		free(conf);
	}
}

static void
fill_all(const struct node *n, struct config_errors *errors)
{
	if (n->type == NODE_MAP) {
		fill(source_types, n, errors);
		fill(output_types, n, errors);
	}
	for (n = n->child; n != NULL; n = n->next) {
		FUZZ_CHECK(n->line > 0);
		fill_all(n, errors);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_errors errors = CONFIG_ERRORS_INIT;
	struct err err = ERR_INIT;
	char before[65], after[65];
	struct node *tree, *again;

	tree = yaml_parse("f", (const char *)data, size, &err);
	if (tree == NULL) {
		FUZZ_CHECK(strncmp(err.text, "f:", 2) == 0);
		config_errors_add_err(&errors, err.text);
		FUZZ_CHECK(errors.place[0].line > 0);
		config_errors_release(&errors);
		return 0;
	}
	again = yaml_parse("g", (const char *)data, size, &err);
	FUZZ_CHECK(again != NULL);
	config_errors_repeats(&errors, tree);
	config_tree_digest(tree, "a", before);
	if (errors.n == 0 && tree->type == NODE_MAP) {
		node_merge(tree, again);
		config_tree_digest(tree, "a", after);
		FUZZ_CHECK(strcmp(before, after) == 0);
	} else {
		node_free(again);
	}
	fill_all(tree, &errors);
	config_errors_sort(&errors);
	FUZZ_CHECK(errors.n <= CONFIG_ERRORS_MAX);
	config_errors_release(&errors);
	node_free(tree);
	return 0;
}
