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
    struct config_errors *faults)
{
	static const char *const skip[] = { "type", NULL };

	for (; *types != NULL; types++) {
		struct config_section b = {
			.map = map, .where = "thing", .faults = faults
		};
		void *conf = calloc(1, (*types)->conf_size);

		FUZZ_CHECK(conf != NULL);
		settings_fill((*types)->settings, map, b.where, skip, conf,
		    faults);
		b.filled = faults->n;
		if ((*types)->check != NULL)
			(*types)->check(conf, &b);
		settings_release((*types)->settings, conf);
		free(conf);
	}
}

static void
fill_all(const struct node *n, struct config_errors *faults)
{
	if (n->type == NODE_MAP) {
		fill(source_types, n, faults);
		fill(output_types, n, faults);
	}
	for (n = n->child; n != NULL; n = n->next) {
		FUZZ_CHECK(n->line > 0);
		fill_all(n, faults);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_errors faults = CONFIG_ERRORS_INIT;
	struct err err = ERR_INIT;
	char before[65], after[65];
	struct node *tree, *again;

	tree = yaml_parse("f", (const char *)data, size, &err);
	if (tree == NULL) {
		FUZZ_CHECK(strncmp(err.text, "f:", 2) == 0);
		config_errors_add_err(&faults, err.text);
		FUZZ_CHECK(faults.place[0].line > 0);
		config_errors_release(&faults);
		return 0;
	}
	again = yaml_parse("g", (const char *)data, size, &err);
	FUZZ_CHECK(again != NULL);
	config_errors_repeats(&faults, tree);
	config_tree_digest(tree, "a", before);
	if (faults.n == 0 && tree->type == NODE_MAP) {
		node_merge(tree, again);
		config_tree_digest(tree, "a", after);
		FUZZ_CHECK(strcmp(before, after) == 0);
	} else {
		node_free(again);
	}
	fill_all(tree, &faults);
	config_errors_sort(&faults);
	FUZZ_CHECK(faults.n <= CONFIG_ERRORS_MAX);
	config_errors_release(&faults);
	node_free(tree);
	return 0;
}
